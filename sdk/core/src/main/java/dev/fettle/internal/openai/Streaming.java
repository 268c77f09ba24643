package dev.fettle.internal.openai;

/** What a request says of events. */
final class Streaming {
  private Streaming() {}

  /** Whether the last event is to say how many tokens there were. */
  static boolean usage(Fields f, boolean stream) {
    Fields options = f.object("stream_options");
    if (options == null) {
      return false;
    } else if (!stream) {
      throw ApiError.invalid("stream_options", "stream_options needs stream: true");
    }
    boolean usage = options.flag("include_usage", false);
    options.refuse("include_obfuscation", v -> !v.asBoolean(true), "leave it out or give false");
    options.end();
    return usage;
  }
}

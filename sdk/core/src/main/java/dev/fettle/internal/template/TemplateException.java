package dev.fettle.internal.template;

/** Something in a template cannot be parsed or evaluated. The innermost place that is known is reported. */
final class TemplateException extends RuntimeException {
  private final boolean placed;
  private final boolean refusal;

  TemplateException(String message) {
    this(message, false, false);
  }

  private TemplateException(String message, boolean placed, boolean refusal) {
    super(message, null, false, false);
    this.placed = placed;
    this.refusal = refusal;
  }

  /** What a template itself says by {@code raise_exception}. */
  static TemplateException refusal(String message) {
    return new TemplateException(message, false, true);
  }

  /** This error at a place, unless its place is known already. */
  TemplateException at(int line, int column) {
    return placed ? this : new TemplateException("line " + line + ", column " + column + ": "
        + (refusal ? "the template refuses: " : "") + getMessage(), true, refusal);
  }

  static TemplateException type(String message) {
    return new TemplateException(message);
  }
}

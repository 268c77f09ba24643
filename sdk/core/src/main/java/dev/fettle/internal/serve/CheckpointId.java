package dev.fettle.internal.serve;

import dev.fettle.internal.wire.Paths;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where a checkpoint is: {@code tinker://RUN/KIND/NAME}. */
record CheckpointId(String run, Kind kind, String name) {
  private static final Pattern RUN = Pattern.compile("[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)*");
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}");
  private static final Pattern PATH = Pattern.compile(Pattern.quote(Paths.TINKER) + "([^/]+)/([^/]+)/([^/]+)");

  /** What it holds: all that a training needs to go on, or what can be sampled. */
  enum Kind {
    TRAINING("weights", "training"), SAMPLER("sampler_weights", "sampler");

    private final String path;
    private final String type;

    Kind(String path, String type) {
      this.path = path;
      this.type = type;
    }

    String path() {
      return path;
    }

    String type() {
      return type;
    }
  }

  static CheckpointId of(String run, Kind kind, String name) {
    if (!NAME.matcher(Problem.require(name, "path")).matches() || name.endsWith(".json")) {
      throw Problem.invalid("\"" + name
          + "\" cannot be the name of a checkpoint: give up to 200 letters, digits, _ - and ., "
          + "not beginning with . nor ending with .json");
    }
    if (!RUN.matcher(run).matches()) {
      throw Problem.unknown("there is no training run \"" + run + "\"");
    }
    return new CheckpointId(run, kind, name);
  }

  static CheckpointId of(String run, String kind, String name) {
    for (Kind k : Kind.values()) {
      if (k.path.equals(kind)) {
        return of(run, k, name);
      }
    }
    throw Problem.invalid("\"" + kind + "\" is no kind of checkpoint; there are weights and sampler_weights");
  }

  static CheckpointId parse(String tinkerPath) {
    Matcher m = PATH.matcher(Problem.require(tinkerPath, "the tinker path"));
    if (!m.matches()) {
      throw Problem.invalid("\"" + tinkerPath + "\" is not a path of the form tinker://RUN/weights/NAME or "
          + "tinker://RUN/sampler_weights/NAME");
    }
    return of(m.group(1), m.group(2), m.group(3));
  }

  String id() {
    return kind.path + "/" + name;
  }

  @Override
  public String toString() {
    return Paths.TINKER + run + "/" + id();
  }
}

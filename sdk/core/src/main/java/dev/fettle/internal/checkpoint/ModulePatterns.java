package dev.fettle.internal.checkpoint;

import java.util.Map;
import java.util.regex.Pattern;

/** PEFT's ways of matching module names: Python's re.match and re.fullmatch on patterns from a file. */
final class ModulePatterns {
  private ModulePatterns() {}

  /** The value of the first key that matches the end of the path after a dot or from its start, else the default. */
  static <T> T lookUp(Map<String, T> patterns, String modulePath, T whenNone) {
    for (Map.Entry<String, T> entry : patterns.entrySet()) {
      if (keyPattern(entry.getKey()).matcher(modulePath).lookingAt()) {
        return entry.getValue();
      }
    }
    return patterns.getOrDefault(modulePath, whenNone);
  }

  static Pattern keyPattern(String key) {
    return compile("(.*\\.)?(" + key + ")$");
  }

  /** What is a module or lies within it. */
  static Pattern within(String module) {
    return compile("(^|.*\\.)" + module + "($|\\..*)");
  }

  static Pattern compile(String regex) {
    return PythonPattern.compile(regex);
  }
}

package dev.fettle.internal.recipe;

import dev.fettle.Fettle;
import dev.fettle.internal.Linux;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;

/** What a run ran with and on. */
final class Machine {
  private Machine() {}

  static Map<String, Object> versions() {
    Map<String, Object> versions = new LinkedHashMap<>();
    String own = Fettle.class.getPackage().getImplementationVersion();
    versions.put("fettle", own == null ? "built from source" : own);
    versions.put("java", System.getProperty("java.vendor") + " " + System.getProperty("java.version"));
    return versions;
  }

  static Map<String, Object> machine() {
    Map<String, Object> machine = new LinkedHashMap<>();
    machine.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
        + System.getProperty("os.arch"));
    machine.put("processor", Linux.HERE.processorName().orElse(""));
    machine.put("processors", Runtime.getRuntime().availableProcessors());
    OptionalLong memory = Linux.HERE.totalBytes();
    machine.put("memory_bytes", memory.isPresent() ? memory.getAsLong() : null);
    return machine;
  }
}

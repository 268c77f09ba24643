package dev.fettle.internal.recipe;

import dev.fettle.Fettle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

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
    machine.put("processor", field("/proc/cpuinfo", "model name"));
    machine.put("processors", Runtime.getRuntime().availableProcessors());
    String memory = field("/proc/meminfo", "MemTotal").replaceAll("\\D", "");
    machine.put("memory_bytes", memory.isEmpty() ? null : Long.parseLong(memory) * 1024);
    return machine;
  }

  private static String field(String file, String name) {
    try {
      for (String line : Files.readAllLines(Path.of(file))) {
        if (line.startsWith(name)) {
          return line.substring(line.indexOf(':') + 1).strip();
        }
      }
    } catch (IOException e) {
      return "";
    }
    return "";
  }
}

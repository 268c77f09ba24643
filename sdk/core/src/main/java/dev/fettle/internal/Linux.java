package dev.fettle.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What Linux tells of the machine, its containers and this process, in files below {@code /proc} and {@code /sys}: the one
 * place that reads them. On other systems everything is unknown.
 *
 * <p>Java's own {@code OperatingSystemMXBean} is no substitute: outside a container what it calls free leaves out all
 * that the system would give back at once, within one it counts files that were read as taken, and it looks at no group
 * above the process's own.
 */
public final class Linux {
  /** This machine. */
  public static final Linux HERE = new Linux(Path.of("/"));

  private final Path root;

  /** A machine whose files are below a directory. */
  Linux(Path root) {
    this.root = root;
  }

  /** The bytes that this process could still take: of the machine, of its containers and of its own limits. */
  public OptionalLong availableBytes() {
    long least = Long.MAX_VALUE;
    for (OptionalLong bytes : List.of(kibibytes("proc/meminfo", "MemAvailable:"), new ControlGroups(root).available(),
        below("Max address space", "VmSize:"), below("Max data size", "VmData:"))) {
      least = Math.min(least, bytes.orElse(Long.MAX_VALUE));
    }
    return least == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(Math.max(0, least));
  }

  /** The memory of the machine in bytes. */
  public OptionalLong totalBytes() {
    return kibibytes("proc/meminfo", "MemTotal:");
  }

  /** The resident memory of this process in bytes. */
  public OptionalLong residentBytes() {
    return kibibytes("proc/self/status", "VmRSS:");
  }

  /** The most that {@link #residentBytes} has been, since {@link #forgetPeak} or ever. */
  public OptionalLong peakResidentBytes() {
    return kibibytes("proc/self/status", "VmHWM:");
  }

  /** Lets the peak begin anew where the system allows it; elsewhere it only grows. */
  public void forgetPeak() {
    try {
      Files.writeString(root.resolve("proc/self/clear_refs"), "5");
    } catch (IOException e) {
      return;
    }
  }

  /** The name of the processor. */
  public Optional<String> processorName() {
    return value("proc/cpuinfo", "model name").map(v -> v.substring(v.indexOf(':') + 1).strip());
  }

  /** What this machine is called. */
  public Optional<String> hostName() {
    return value("proc/sys/kernel/hostname", "").map(String::strip);
  }

  /** The table of mounted file systems, a line each, see proc(5). */
  public List<String> mounts() {
    return lines(root.resolve("proc/self/mountinfo"));
  }

  /** Who made the processor, such as {@code GenuineIntel}. */
  public Optional<String> processorMaker() {
    return value("proc/cpuinfo", "vendor_id").map(v -> v.substring(v.indexOf(':') + 1).strip());
  }

  /** What the processor can do, by the kernel's names, such as {@code avx2}. */
  public List<String> processorFeatures() {
    return value("proc/cpuinfo", "flags").or(() -> value("proc/cpuinfo", "Features"))
        .map(v -> Arrays.asList(v.substring(v.indexOf(':') + 1).strip().split("\\s+"))).orElse(List.of());
  }

  /** What a limit of {@code ulimit} leaves. */
  private OptionalLong below(String limit, String used) {
    Optional<Long> bytes = value("proc/self/limits", limit).map(v -> v.strip().split("\\s+")[0])
        .filter(v -> !v.equals("unlimited")).flatMap(Linux::number);
    OptionalLong taken = kibibytes("proc/self/status", used);
    return bytes.isEmpty() || taken.isEmpty() ? OptionalLong.empty() : OptionalLong.of(bytes.get() - taken.getAsLong());
  }

  private OptionalLong kibibytes(String file, String key) {
    return value(file, key).flatMap(v -> number(v.replaceAll("\\D", ""))).map(n -> OptionalLong.of(1024 * n))
        .orElse(OptionalLong.empty());
  }

  private static Optional<Long> number(String digits) {
    try {
      return Optional.of(Long.parseLong(digits));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** What follows a key at the beginning of a line. */
  private Optional<String> value(String file, String key) {
    return lines(root.resolve(file)).stream().filter(line -> line.startsWith(key)).map(line -> line.substring(key.length()))
        .findFirst();
  }

  /** The lines of a file; none where it cannot be read. */
  static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      return List.of();
    }
  }
}

package dev.fettle.internal;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What the control groups of this process leave of memory, in version 1 or 2 or both beside each other, as containers and
 * systemd set them. A group counts what is in all groups below it, so each group from the process's own up to the top is
 * looked at. Files that were read and not used since count as taken but are given back when memory is needed.
 */
final class ControlGroups {
  private static final Kind V2 = new Kind(List.of("memory.max", "memory.high"), "memory.current", "inactive_file");
  private static final Kind V1 = new Kind(List.of("memory.limit_in_bytes"), "memory.usage_in_bytes", "total_inactive_file");

  private final Path root;

  /** @param limits the files of a group that limit it */
  private record Kind(List<String> limits, String used, String reclaimable) {}

  ControlGroups(Path root) {
    this.root = root;
  }

  /** The least that any group leaves; nothing where none has a limit. */
  OptionalLong available() {
    long least = Long.MAX_VALUE;
    for (String line : Linux.lines(root.resolve("proc/self/cgroup"))) {
      String[] parts = line.split(":", 3);
      if (parts.length == 3 && parts[1].isEmpty()) {
        least = Math.min(least, upwards(parts[2], mount("cgroup2", ""), V2));
      } else if (parts.length == 3 && List.of(parts[1].split(",")).contains("memory")) {
        least = Math.min(least, upwards(parts[2], mount("cgroup", "memory"), V1));
      }
    }
    return least == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(least);
  }

  /** Where groups are seen: the directory, and which group stands there. */
  private record Mount(Path directory, String group) {}

  /** Of lines such as {@code 36 32 0:31 /group /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory}. */
  private Optional<Mount> mount(String type, String controller) {
    for (String line : Linux.lines(root.resolve("proc/self/mountinfo"))) {
      String[] halves = line.split(" - ", 2);
      String[] left = halves[0].split(" ");
      String[] right = halves.length < 2 ? new String[0] : halves[1].split(" ");
      if (left.length > 4 && right.length > 2 && right[0].equals(type)
          && (controller.isEmpty() || Arrays.asList(right[2].split(",")).contains(controller))) {
        return Optional.of(new Mount(root.resolve(left[4].substring(1)), left[3]));
      }
    }
    return Optional.empty();
  }

  private static long upwards(String group, Optional<Mount> mount, Kind kind) {
    if (mount.isEmpty()) {
      return Long.MAX_VALUE;
    }
    Path top = mount.get().directory;
    long least = Long.MAX_VALUE;
    for (Path at = within(group, mount.get()); at != null && at.startsWith(top); at = at.getParent()) {
      least = Math.min(least, left(at, kind));
    }
    return least;
  }

  /** The directory of a group; that of the mount where the group's name is of the world outside the container. */
  private static Path within(String group, Mount mount) {
    String below = mount.group.equals("/") ? group
        : group.equals(mount.group) || group.startsWith(mount.group + "/") ? group.substring(mount.group.length()) : "/";
    Path path = mount.directory.resolve(below.replaceFirst("^/+", "")).normalize();
    return below.contains("..") || !path.toFile().isDirectory() ? mount.directory : path;
  }

  private static long left(Path group, Kind kind) {
    long limit = Long.MAX_VALUE;
    for (String file : kind.limits) {
      limit = Math.min(limit, number(Linux.lines(group.resolve(file))).orElse(Long.MAX_VALUE));
    }
    OptionalLong used = number(Linux.lines(group.resolve(kind.used)));
    // Version 1 says "no limit" with a number near the largest.
    if (limit > Long.MAX_VALUE / 2 || used.isEmpty()) {
      return Long.MAX_VALUE;
    }
    List<String> reclaimable = Linux.lines(group.resolve("memory.stat")).stream()
        .filter(line -> line.startsWith(kind.reclaimable + " "))
        .map(line -> line.substring(kind.reclaimable.length() + 1)).toList();
    return Math.max(0, limit - Math.max(0, used.getAsLong() - number(reclaimable).orElse(0)));
  }

  /** The number that is all of a file; nothing for {@code max} or no file. */
  private static OptionalLong number(List<String> lines) {
    try {
      return lines.isEmpty() ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(lines.get(0).strip()));
    } catch (NumberFormatException e) {
      return OptionalLong.empty();
    }
  }
}

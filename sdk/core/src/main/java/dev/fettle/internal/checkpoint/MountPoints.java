package dev.fettle.internal.checkpoint;

import dev.fettle.internal.Linux;
import java.nio.file.Path;

/** Directories that are the root of a mounted file system, such as a container's volume: they cannot be renamed. */
final class MountPoints {
  private static final int PATH_FIELD = 4;

  private MountPoints() {}

  /** Whether a directory is one; false where the system does not tell. */
  static boolean contains(Path real) {
    return Linux.HERE.mounts().stream().map(line -> line.split(" "))
        .anyMatch(fields -> fields.length > PATH_FIELD && plain(fields[PATH_FIELD]).equals(real.toString()));
  }

  /** The table writes spaces, tabs, line ends and backslashes in octal digits. */
  private static String plain(String field) {
    return field.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\");
  }
}

package dev.fettle.internal.checkpoint;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Files that people and their tools put into a saved directory: a README or model card, a licence, git's settings, what a
 * file browser leaves. A save takes them over as they are, also where it would write such a file itself.
 */
final class Keepsakes {
  private static final Pattern NAMES = Pattern.compile("(readme|licen[cs]e|notice|copying|citation|model_?card)([._-].*)?"
      + "|.*\\.md|\\.gitattributes|\\.gitignore|\\.ds_store|thumbs\\.db|desktop\\.ini", Pattern.CASE_INSENSITIVE);

  private Keepsakes() {}

  /** Whether a path directly in a saved directory is such a file. */
  static boolean is(Path path) {
    return NAMES.matcher(path.getFileName().toString()).matches() && !Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
  }

  /** Copies them, and gives the copies. */
  static List<Path> copy(Path from, Path into) throws IOException {
    List<Path> copies = new ArrayList<>();
    if (Files.isDirectory(from)) {
      try (DirectoryStream<Path> kept = Files.newDirectoryStream(from, Keepsakes::is)) {
        for (Path path : kept) {
          copies.add(Files.copy(path, into.resolve(path.getFileName().toString()), StandardCopyOption.REPLACE_EXISTING,
              StandardCopyOption.COPY_ATTRIBUTES, LinkOption.NOFOLLOW_LINKS));
        }
      }
    }
    return copies;
  }
}

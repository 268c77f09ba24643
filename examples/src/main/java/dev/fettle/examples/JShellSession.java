//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import jdk.jshell.tool.JavaShellToolBuilder;

/**
 * JShell with the class path of this program, whose TAB key shows documentation. By itself it looks for sources in the JDK's
 * {@code src.zip} alone; another place can be set in a private field that the JDK's own tests use, where the JVM was started
 * with {@code --add-opens jdk.jshell/jdk.jshell=ALL-UNNAMED}.
 */
public final class JShellSession {
  private static final Command COMMAND = new Command("JShellSession",
      "Opens JShell with everything on the class path of this program; the TAB key shows its documentation. Arguments are those "
          + "of jshell itself.");

  private JShellSession() {}

  /** Runs until the session ends. */
  public static void main(String[] args) throws Exception {
    if (Arrays.asList(args).contains("--help")) {
      COMMAND.main(args, (options, out) -> {});
      return;
    }
    String classPath = System.getProperty("java.class.path");
    if (!document(classPath)) {
      System.err.println("The TAB key shows no documentation: this JDK keeps it to itself.");
    }
    Stream<String> all = Stream.concat(Stream.of("--class-path", classPath), Stream.of(args));
    System.exit(JavaShellToolBuilder.builder().start(all.toArray(String[]::new)));
  }

  /**
   * Has JShells of this process find the sources of a class path, beside those of the JDK where it has them.
   *
   * @return false where this JDK does not let it
   */
  static boolean document(String classPath) throws IOException {
    List<Path> sources = new ArrayList<>(ofTheJdk());
    Stream.of(classPath.split(File.pathSeparator)).flatMap(entry -> source(Path.of(entry)).stream()).forEach(sources::add);
    try {
      Field places = Class.forName("jdk.jshell.SourceCodeAnalysisImpl").getDeclaredField("availableSourcesOverride");
      places.setAccessible(true);
      places.set(null, sources);
      return true;
    } catch (ReflectiveOperationException | RuntimeException e) {
      return false;
    }
  }

  /** Where the sources of a directory or jar of classes are, as Maven lays them. */
  private static Optional<Path> source(Path classes) {
    Path file = classes.toAbsolutePath().normalize();
    Path source = file.getParent().endsWith("target") ? file.resolveSibling("../src/main/java").normalize()
        : file.resolveSibling(file.getFileName().toString().replaceFirst("\\.jar$", "-sources.jar"));
    return source.equals(file) || !Files.exists(source) ? Optional.empty() : Optional.of(source);
  }

  /** A directory for each module; the archive stays open as long as the process lasts. */
  private static List<Path> ofTheJdk() throws IOException {
    Path archive = Path.of(System.getProperty("java.home"), "lib", "src.zip");
    if (!Files.isReadable(archive)) {
      return List.of();
    }
    try (Stream<Path> modules = Files.list(FileSystems.newFileSystem(archive).getPath("/"))) {
      return modules.filter(Files::isDirectory).toList();
    }
  }
}

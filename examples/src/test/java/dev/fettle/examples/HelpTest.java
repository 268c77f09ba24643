package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What every program says of itself. */
class HelpTest {
  private static final Path CLASSES = Path.of("target/classes");

  /** All classes with a main. */
  private static List<Class<?>> programs() throws IOException {
    try (Stream<Path> files = Files.walk(CLASSES)) {
      return files.map(file -> CLASSES.relativize(file).toString()).filter(name -> name.endsWith(".class") && !name.contains("$"))
          .map(name -> type(name.replace(java.io.File.separatorChar, '.').replaceFirst("\\.class$", "")))
          .filter(type -> main(type) != null).sorted((a, b) -> a.getName().compareTo(b.getName())).<Class<?>>map(t -> t).toList();
    }
  }

  private static Class<?> type(String name) {
    try {
      return Class.forName(name, false, HelpTest.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Method main(Class<?> type) {
    return Stream.of(type.getDeclaredMethods()).filter(m -> m.getName().equals("main") && Modifier.isStatic(m.getModifiers())
        && List.of(m.getParameterTypes()).equals(List.of(String[].class))).findFirst().orElse(null);
  }

  private static String help(Class<?> program) throws Exception {
    PrintStream before = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      main(program).invoke(null, (Object) new String[] {"--help"});
    } finally {
      System.setOut(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private static List<Path> here() throws IOException {
    try (Stream<Path> files = Files.list(Path.of(""))) {
      return files.sorted().toList();
    }
  }

  @Test
  void everyProgramSaysWhatItTakesAndDoesNothingElse() throws Exception {
    List<Class<?>> programs = programs();
    assertThat(programs).hasSizeGreaterThan(20).contains(Quickstart.class, Tune.class, TrecEval.class);
    List<Path> before = here();
    for (Class<?> program : programs) {
      String help = help(program);

      assertThat(help).as(program.getName()).startsWith("usage: " + program.getSimpleName()).contains("--help", "prints this");
      assertThat(help.lines()).as(program.getName()).allMatch(line -> line.length() <= 60, "fits 60 columns");
      assertThat(here()).as(program.getName()).isEqualTo(before);
    }
  }

  @Test
  void theHelpOfTuneNamesItsOptionsWithTheirDefaults() throws Exception {
    assertThat(help(Tune.class).replaceAll("\\s+", " ")).contains("--validation FILE|SHARE ", "--patience N ", "(default 3)",
        "--schedule constant|linear|cosine", "(default constant)", "--config FILE", "--model DIR", "(required)");
  }
}

package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The form of all sources: what a formatter that knew this house would leave. */
class FormatTest {
  private static final int WIDTH = 140;
  private static final Pattern IMPORT = Pattern.compile("(?m)^import (.*);$");

  @Test
  void linesAreShortIndentedByTwosAndEndWithoutBlanks() throws IOException {
    List<String> wrong = new ArrayList<>();
    for (Path file : sources()) {
      List<String> lines = Files.readAllLines(file);
      for (int i = 0; i < lines.size(); i++) {
        String line = lines.get(i);
        boolean tooLong = line.length() > WIDTH && file.toString().contains("/main/");
        if (tooLong || line.indexOf('\t') >= 0 || !line.equals(line.stripTrailing())) {
          wrong.add(file + ":" + (i + 1));
        }
      }
      if (!Files.readString(file).endsWith("\n") || lines.get(lines.size() - 1).isEmpty()) {
        wrong.add(file + ": must end with one line break");
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void importsAreSortedAndUsed() throws IOException {
    List<String> wrong = new ArrayList<>();
    for (Path file : sources()) {
      String source = Files.readString(file);
      List<String> imports = IMPORT.matcher(source).results().map(m -> m.group(1)).toList();
      List<String> sorted = imports.stream()
          .sorted(Comparator.comparing((String name) -> !name.startsWith("static ")).thenComparing(name -> name)).toList();
      if (!imports.equals(sorted)) {
        wrong.add(file + ": static imports first, each kind in order");
      }
      String body = IMPORT.matcher(source).replaceAll("");
      imports.stream().map(name -> name.substring(name.lastIndexOf('.') + 1)).filter(name -> !name.equals("*"))
          .filter(name -> !Pattern.compile("\\b" + name + "\\b").matcher(body).find())
          .forEach(name -> wrong.add(file + ": " + name + " is imported and not used"));
    }
    assertThat(wrong).isEmpty();
  }

  private static List<Path> sources() throws IOException {
    List<Path> files = new ArrayList<>();
    for (String root : List.of("../core/src", "src", "../langchain4j/src", "../../examples/src")) {
      try (Stream<Path> found = Files.walk(Path.of(root))) {
        found.filter(f -> f.toString().endsWith(".java")).forEach(files::add);
      }
    }
    assertThat(files).hasSizeGreaterThan(500);
    return files;
  }
}

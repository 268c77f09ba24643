package dev.fettle.examples.notebook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Every cell of every notebook runs, in the JDK's JShell, and shows what is saved in the file. */
class NotebooksTest {
  private static final Path DIRECTORY = Path.of("notebooks");

  @TempDir Path directory;

  @TestFactory
  Stream<DynamicTest> everyCellShowsWhatIsSaved() {
    return RunNotebooks.files(DIRECTORY).stream().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> {
      Notebook run = Notebook.read(file);

      RunNotebooks.run(run);

      assertThat(CompareNotebooks.differences(Notebook.read(file), run)).isEmpty();
    }));
  }

  @Test
  void thereAreFiveLessonsAndEachShowsTextAndAPicture() throws Exception {
    List<Path> files = RunNotebooks.files(DIRECTORY);
    String version = version();

    assertThat(files).hasSizeGreaterThanOrEqualTo(5);
    for (Path file : files) {
      Notebook notebook = Notebook.read(file);
      assertThat(notebook.cells().get(0).source()).as(file.toString()).startsWith("%maven dev.fettle:fettle:" + version + "\n");
      assertThat(notebook.cells().stream().flatMap(c -> c.outputs().stream()).map(Output::type)).as(file.toString())
          .contains(Output.TEXT, Output.PICTURE);
    }
  }

  private static String version() throws Exception {
    Matcher version = Pattern.compile("<version>(.*?)</version>").matcher(Files.readString(Path.of("../pom.xml")));
    assertThat(version.find()).isTrue();
    return version.group(1);
  }

  @Test
  void theReadmesPomHasThisVersion() throws Exception {
    assertThat(Files.readString(Path.of("../README.md")))
        .contains("<artifactId>fettle</artifactId>\n      <version>" + version() + "</version>");
  }

  @Test
  void everyProgramNamesTheLibraryForJBangInThisVersion() throws Exception {
    String head = "//JAVA 17+\n//DEPS dev.fettle:fettle-examples:" + version() + "\n\npackage ";
    try (Stream<Path> files = Files.list(Path.of("src/main/java/dev/fettle/examples"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
        String source = Files.readString(file);
        assertThat(source.contains("public static void main(")).as(file.toString()).isEqualTo(source.startsWith(head));
      }
    }
  }

  private Notebook notebook(String... sources) throws Exception {
    List<String> cells = new ArrayList<>();
    for (String source : sources) {
      cells.add("{\"cell_type\":\"code\",\"metadata\":{},\"execution_count\":null,\"outputs\":[],\"source\":[\"" + source + "\"]}");
    }
    Path file = directory.resolve("some.ipynb");
    Files.writeString(file, "{\"cells\":[" + String.join(",", cells) + "],\"metadata\":{},\"nbformat\":4,\"nbformat_minor\":5}");
    return Notebook.read(file);
  }

  @Test
  void aCellShowsWhatItPrintsAndTheValueOfItsLastLine() throws Exception {
    Notebook notebook = notebook("%maven a:b:1\\nint a = 2;", "System.out.println(a);\\na + 1", "a = 5;", "a");

    RunNotebooks.run(notebook);

    assertThat(notebook.cells().stream().map(Cell::outputs)).containsExactly(List.of(),
        List.of(new Output(Output.STREAM, "2\n"), new Output(Output.TEXT, "3")), List.of(), List.of(new Output(Output.TEXT, "5")));
  }

  @Test
  void whatWasSavedIsReadAgain() throws Exception {
    Notebook notebook = notebook("System.out.println(1);\\nnew java.awt.image.BufferedImage(2, 2, 1)");
    RunNotebooks.run(notebook);
    Path copy = directory.resolve("copy.ipynb");

    notebook.write(copy);

    assertThat(Notebook.read(copy).cells().get(0).outputs()).isEqualTo(notebook.cells().get(0).outputs())
        .extracting(Output::type).containsExactly(Output.STREAM, Output.PICTURE);
    assertThat(Files.readString(copy)).startsWith("{\n \"cells\": [\n  {\n").endsWith("}\n");
  }

  @Test
  void aCellThatFailsIsNamed() throws Exception {
    Notebook wrong = notebook("int a = 1;", "int b = c;");
    Notebook throwing = notebook("java.util.List.of().get(0);");

    assertThatThrownBy(() -> RunNotebooks.run(wrong)).hasMessageContaining("cell 2 of code: int b = c;")
        .hasMessageContaining("cannot find symbol");
    assertThatThrownBy(() -> RunNotebooks.run(throwing)).hasMessageContaining("cell 1 of code")
        .hasMessageContaining("ndex");
  }

  @Test
  void wordsHaveToBeEqualAndNumbersNear() {
    assertThat(Likeness.alike("loss 2.500, 60 of 60", "loss 2.501, 59 of 60")).isTrue();
    assertThat(Likeness.alike("loss 2.500, 60 of 60", "loss 3.501, 60 of 60")).isFalse();
    assertThat(Likeness.alike("loss 2.5", "gain 2.5")).isFalse();
    assertThat(Likeness.alike("cancel order: 4711", "cancel order: 4712")).isFalse();
    assertThat(Likeness.alike("a 1 2", "a 1")).isFalse();
  }
}

package dev.fettle.examples.notebook;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.internal.Status;
import org.junit.jupiter.api.Test;

/** A progress line in a cell: rewritten in place, and what it hides is not seen. */
class ProgressInCellsTest {
  @Test
  void aCellKnowsThatItIsOneAndItsProgressIsOneLineThatIsRewritten() {
    assertThat(Status.isSnippet()).isFalse();
    try (NotebookShell shell = new NotebookShell()) {
      assertThat(shell.run("dev.fettle.internal.Status.isSnippet()")).containsExactly(new Output(Output.TEXT, "true"));

      assertThat(shell.run("""
          dev.fettle.Progress line = dev.fettle.Progress.of("count", 3);
          for (int i = 0; i < 3; i++) {
            Thread.sleep(i == 1 ? 550 : 0);
            line.step(0.5, 10);
          }
          line.close();
          System.out.println("counted");
          """)).singleElement().extracting(Output::data).asString().startsWith("count 3/3  loss 0.5000").endsWith("\ncounted\n")
          .hasLineCount(2);
    }
  }

  @Test
  void whatComesAfterACarriageReturnIsOverWhatWasBefore() {
    assertThat(Output.seen("load 1/2\rload 2/2\r        \rdone\n")).isEqualTo("done\n");
    assertThat(Output.seen("load\r    \r")).isEmpty();
    assertThat(Output.seen("train 1/2 fast\rtrain 2/2\r\nb \n")).isEqualTo("train 2/2 fast\nb \n");
    assertThat(Output.seen("plain  \n\nlines")).isEqualTo("plain  \n\nlines");
  }
}

package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Columns of other names, and files of other formats, in the programs that take examples. */
class FieldsTest {
  @TempDir Path dir;

  private Path file(String name, String... lines) throws IOException {
    return Files.writeString(dir.resolve(name), String.join("\n", lines) + "\n");
  }

  @Test
  void tuneLearnsFromColumnsOfATable() throws IOException {
    Path table = file("t.csv", "question;answer", "\"Where is\nmy parcel?\";On its way.", "Hello!;\"Hi; hello.\"");
    Outcome tuned = Outcome.of(Tune::run, "--model", "fettle-tiny", "--data", table.toString(), "--out", dir.resolve("a").toString(),
        "--fields", "prompt=question,completion=answer", "--batch", "1", "--dtype", "f32");
    assertThat(tuned.code()).as(tuned.err()).isZero();
    assertThat(tuned.json().get("steps").asInt()).isEqualTo(2);
  }

  @Test
  void renderShowsBothAnswersOfAPair() throws IOException {
    Path pairs = file("p.jsonl", "{\"q\":\"Hi\",\"good\":\" Yo\",\"bad\":\" No\"}");
    Outcome shown = Outcome.of(Render::run, "--model", "fettle-tiny", "--data", pairs.toString(), "--fields",
        "prompt=q,chosen=good,rejected=bad");
    assertThat(shown.code()).as(shown.err()).isZero();
    assertThat(shown.out().lines().filter(line -> line.startsWith("{")).toList()).hasSize(2).satisfies(lines -> {
      assertThat(lines.get(0)).contains("Hi Yo");
      assertThat(lines.get(1)).contains("Hi No");
    });
  }

  @Test
  void aColumnThatNoRowHasEndsTheProgramWithTheColumnsThatThereAre() throws IOException {
    Path lines = file("q.jsonl", "{\"question\":\"a\",\"answer\":\"b\"}");
    Outcome failed = Outcome.of(Bench::run, "sft", "--random", "tiny", "--data", lines.toString(), "--fields=text=reply");
    assertThat(failed.code()).isEqualTo(1);
    assertThat(failed.err()).contains("q.jsonl:1: no row has the column reply; the columns are question, answer");
  }
}

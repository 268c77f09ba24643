package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** What Tune takes from its recipe, and from a file. */
class TuneTest {
  @TempDir
  private Path directory;

  @BeforeAll
  static void quiet() {
    System.setProperty("fettle.progress", "off");
  }

  @AfterAll
  static void loud() {
    System.clearProperty("fettle.progress");
  }

  private Path data() throws Exception {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      lines.add("{\"prompt\":\"number " + i + "\",\"completion\":\" is " + i + "\"}");
    }
    return Files.write(directory.resolve("train.jsonl"), lines);
  }

  private Outcome tune(String... more) throws Exception {
    List<String> args = new ArrayList<>(List.of("--model", "fettle-tiny", "--dtype", "f32", "--data", data().toString(), "--out",
        directory.resolve("out").toString()));
    args.addAll(List.of(more));
    return Outcome.of(Tune::run, args.toArray(String[]::new));
  }

  @Test
  void aFileHoldsOptionsAndTheCommandLineWins() throws Exception {
    Path config = Files.writeString(directory.resolve("run.yaml"), """
        # How it is tuned.
        rank: 2
        target_modules: [q_proj, v_proj]
        validation: 0.3
        evaluate-every: 2
        save-every: 3
        schedule: cosine
        warmup: 0.5
        gradient-accumulation: 2
        batch: 4
        dropout: 0.1
        lr: 1e-2
        patience: 9
        report: true
        """);

    Outcome tune = tune("--config", config.toString(), "--lr", "2e-3", "--csv", directory.resolve("run.csv").toString());

    assertThat(tune.code()).as(tune.err()).isZero();
    var json = tune.json();
    assertThat(json.propertyNames()).containsExactly("loss_first", "loss_last", "validation_loss", "best_step", "steps", "tokens",
        "adapter");
    var settings = new JsonMapper().readTree(directory.resolve("out-run/run.json").toFile()).path("settings");
    assertThat(settings.path("schedule").asString()).startsWith("Schedule[cosine, peak 0.002, warm-up ");
    assertThat(settings.path("gradient_accumulation").asInt()).isEqualTo(2);
    assertThat(settings.path("validate_every").asInt()).isEqualTo(2);
    assertThat(settings.path("save_every").asInt()).isEqualTo(3);
    var adapter = new JsonMapper().readTree(directory.resolve("out/adapter_config.json").toFile());
    assertThat(adapter.path("lora_dropout").asDouble()).isEqualTo(0.1);
    assertThat(adapter.path("target_modules").toString()).contains("q_proj", "v_proj").doesNotContain("k_proj");
    assertThat(Files.readString(directory.resolve("out-run/report.html"))).contains("<h2>Samples</h2>", "number ");
    assertThat(Files.readAllLines(directory.resolve("run.csv"))).hasSize(json.path("steps").asInt() + 1);
    assertThat(tune.out()).containsPattern("loss [0-9.]+ over the last 1, validation [0-9.]+ after step \\d");

    // What ran is kept as a file that runs it again, to the same result.
    Path ran = directory.resolve("out-run/config.yaml");
    assertThat(Files.readAllLines(ran)).contains("lr: 0.002", "target-modules: \"q_proj,v_proj\"", "rank: 2", "report: yes");
    byte[] first = Files.readAllBytes(directory.resolve("out/adapter_model.safetensors"));
    Outcome again = Outcome.of(Tune::run, "--config", ran.toString(), "--overwrite", "yes");
    assertThat(again.code()).as(again.err()).isZero();
    assertThat(Files.readAllBytes(directory.resolve("out/adapter_model.safetensors"))).isEqualTo(first);
  }

  @Test
  void whatAFileCannotSayIsNamedWithItsLine() throws Exception {
    Path config = directory.resolve("run.yaml");
    for (String[] wrong : new String[][] {
        {"rank: 2\nepoch: 3\n", ":2: unknown key \"epoch\"; do you mean epochs?"},
        {"xyzzy: 3\n", ":1: unknown key \"xyzzy\"; there are adapter, "},
        {"rank: 2\nrank: 3\n", ":2: rank is given twice"},
        {"batch: none\n", ":1: --batch N cannot be \"none\""},
        {"batch:\n  size: 3\n", ":1: give a text, a number or a list"},
        {"batch: [1\n", "is neither YAML nor JSON"},
        {"", "is empty"},
        {"- rank\n", "give a line for each option"},
        {"{\"epochs\": 3, \"patiense\": 1}", ":1: unknown key \"patiense\"; do you mean patience?"}}) {
      Files.writeString(config, wrong[0]);

      assertThat(tune("--config", config.toString()).err()).as(wrong[0]).startsWith(config.toString()).contains(wrong[1]);
    }
    assertThat(tune("--config", directory.resolve("none.yaml").toString()).err()).contains("none.yaml");
    assertThat(tune("--config", directory.toString()).err()).contains("is a directory; name a file");
    Files.write(config, new byte[] {'r', (byte) 0xff});
    assertThat(tune("--config", config.toString()).err()).startsWith(config.toString()).contains("UTF-8");
    assertThat(directory.resolve("out-run")).doesNotExist();
  }

  @Test
  void anEarlierResultStaysUnlessItMayBeOverwritten() throws Exception {
    assertThat(tune("--steps", "1").code()).isZero();
    byte[] first = Files.readAllBytes(directory.resolve("out/adapter_model.safetensors"));

    Outcome refused = tune("--steps", "2");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.out()).as("nothing was loaded").isEmpty();
    assertThat(refused.err()).contains("holds what was saved", "--overwrite yes");
    assertThat(tune("--steps", "2", "--resume", "yes").err()).contains("has ended");
    assertThat(tune("--resume", "yes", "--overwrite", "yes").code()).isEqualTo(2);
    assertThat(Files.readAllBytes(directory.resolve("out/adapter_model.safetensors"))).isEqualTo(first);
    assertThat(tune("--steps", "2", "--overwrite", "yes").json().path("steps").asInt()).isEqualTo(2);
    Path other = directory.resolve("other");
    assertThat(tune("--resume", "yes", "--out", other.toString()).code()).as("--out is given twice").isEqualTo(2);
    assertThat(Outcome.of(Tune::run, "--model", "fettle-tiny", "--data", data().toString(), "--out", other.toString(), "--resume",
        "yes").err()).contains("other-run: holds no run to resume");
    assertThat(directory.resolve("other-run")).doesNotExist();
  }
}

package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Full;
import dev.fettle.Hybrid;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OptionsTest {
  private static final Command COMMAND = new Command("Example", "Does nothing.")
      .requires(Option.MODEL)
      .takes(Option.METHOD, "lora")
      .takes(Option.BATCH, "8")
      .takes(Option.SEED, "0")
      .takes(Option.TEMPERATURE, "0")
      .takes(Option.RANK, Option.LAST_LAYERS, Option.ADAPTER, Option.LR, Option.PROMPT, Option.TOKENS, Option.TOKENS_FILE,
          Option.DTYPE, Option.REMOTE, Option.RESUME, Option.OVERWRITE);

  private static Options parse(String... args) {
    return Options.parse(COMMAND, args);
  }

  @Test
  void valuesAreReadInBothForms() {
    Options options = parse("--model", "m", "--batch=3", "--lr", "1e-3", "--seed", "-7", "--tokens", "[1, 2,3]");

    assertThat(options.text(Option.MODEL)).isEqualTo("m");
    assertThat(options.count(Option.BATCH)).isEqualTo(3);
    assertThat(options.learningRate()).isEqualTo(1e-3);
    assertThat(options.seed()).isEqualTo(-7);
    assertThat(options.tokens()).containsExactly(1, 2, 3);
  }

  @Test
  void theLineThatResumesIsAsAShellTakesItAndDoesNotBeginAnew() {
    assertThat(parse("--model", "my model", "--prompt=it's $HOME", "--resume=yes").lineToResume())
        .isEqualTo("Example --model 'my model' '--prompt=it'\\''s $HOME' --resume yes");
    assertThat(parse("--model=m", "--overwrite", "yes", "--batch", "2").lineToResume())
        .isEqualTo("Example --model=m --batch 2 --resume yes --overwrite no");
  }

  @Test
  void whatIsNotGivenHasItsDefault() {
    Options options = parse("--model", "m");

    assertThat(options.count(Option.BATCH)).isEqualTo(8);
    assertThat(options.seed()).isZero();
    assertThat(options.learningRate()).isEqualTo(5e-4);
    assertThat(options.has(Option.ADAPTER)).isFalse();
    assertThat(parse("--model", "m", "--method", "full").learningRate()).isEqualTo(5e-5);
  }

  @Test
  void aServiceTakesThePlaceOfThisMachine() {
    try (var fettle = parse("--model", "m", "--remote", "http://localhost:8000").fettle()) {
      assertThat(fettle).hasToString("Fettle[http://localhost:8000]");
    }
    assertThatThrownBy(() -> parse("--model", "m", "--remote", "somewhere")).isInstanceOf(UsageException.class)
        .hasMessageContaining("--remote URL").hasMessageContaining("http");
  }

  @Test
  void aTextMayBeginWithDashesAfterAnEqualsSignAndMayBeEmpty() {
    assertThat(parse("--model", "m", "--prompt=--x=y").text(Option.PROMPT)).isEqualTo("--x=y");
    assertThat(parse("--model", "m", "--prompt", "").text(Option.PROMPT)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "--modle x | unknown option \"--modle\"",
      "x | unknown option \"x\"",
      "--batch 1 | --model DIR is missing",
      "--model | --model needs a value: DIR",
      "--model --batch 1 | --model needs a value: DIR",
      "--model a --model b | --model is given twice",
      "--model m --batch 0 | --batch N cannot be \"0\": give at least 1",
      "--model m --batch 1.5 | --batch N cannot be \"1.5\": it is not such a number",
      "--model m --batch 99999999999 | --batch N cannot be \"99999999999\"",
      "--model m --lr NaN | --lr X cannot be \"NaN\"",
      "--model m --lr -1 | --lr X cannot be \"-1\": give more than 0",
      "--model m --temperature -1 | --temperature X cannot be \"-1\": give at least 0",
      "--model m --dtype f16 | give one of f32, bf16",
      "--model m --tokens [1,-2] | entry 1 is not a token id but -2",
      "--model m --tokens [1,2.5] | entry 1 is not a token id but 2.5",
      "--model m --tokens [1 | give a JSON array",
      "--model m --tokens 3 | give a JSON array",
  })
  void whatIsWrongIsNamed(String line, String message) {
    assertThatThrownBy(() -> parse(line.split(" "))).isInstanceOf(UsageException.class).hasMessageContaining(message);
  }

  @Test
  void theTuningFollowsMethodRankAndAdapter() {
    assertThat(parse("--model", "m").tuning()).isInstanceOfSatisfying(Lora.class,
        lora -> assertThat(lora.rank()).isEqualTo(16));
    Options seeded = parse("--model", "m", "--rank", "4", "--seed", "3");
    assertThat(seeded.tuning()).isInstanceOfSatisfying(Lora.class, lora -> {
      assertThat(lora.rank()).isEqualTo(4);
      assertThat(lora.seed()).isEqualTo(3);
    });
    assertThat(parse("--model", "m", "--adapter", "a").tuning()).isInstanceOfSatisfying(Lora.class,
        lora -> assertThat(lora.source()).contains(Path.of("a")));
    assertThat(parse("--model", "m", "--method", "full").tuning()).isInstanceOf(Full.class);
  }

  @Test
  void lastLayersAreTrainedThemselves() {
    assertThat(parse("--model", "m", "--method", "full", "--last-layers", "3").tuning())
        .isInstanceOfSatisfying(Full.class, full -> assertThat(full.modules()).hasToString("[lastLayers(3), lmHead]"));
    assertThat(parse("--model", "m", "--method", "hybrid", "--rank", "4").tuning())
        .isInstanceOfSatisfying(Hybrid.class, hybrid -> {
          assertThat(hybrid.lora().rank()).isEqualTo(4);
          assertThat(hybrid.parts().get(0).modules()).hasToString("[lastLayers(2), lmHead]");
          assertThat(hybrid.parts().get(0).rate().factor()).isEqualTo(0.1);
        });
  }

  @Test
  void optionsThatContradictOneAnotherAreRefused() {
    assertThatThrownBy(() -> parse("--model", "m", "--adapter", "a", "--rank", "4").tuning())
        .isInstanceOf(UsageException.class).hasMessageContaining("leave out --rank");
    assertThatThrownBy(() -> parse("--model", "m", "--adapter", "a", "--method", "full").tuning())
        .isInstanceOf(UsageException.class).hasMessageContaining("leave out --adapter");
    assertThatThrownBy(() -> parse("--model", "m", "--method", "full", "--rank", "4").tuning())
        .isInstanceOf(UsageException.class).hasMessageContaining("--rank");
    assertThatThrownBy(() -> parse("--model", "m", "--last-layers", "2").tuning())
        .isInstanceOf(UsageException.class).hasMessageContaining("--last-layers is for");
    assertThatThrownBy(() -> parse("--model", "m").either(Option.TOKENS, Option.TOKENS_FILE))
        .isInstanceOf(UsageException.class).hasMessageContaining("one of --tokens and --tokens-file is missing");
    assertThatThrownBy(() -> parse("--model", "m", "--tokens", "[1]", "--tokens-file", "f")
        .either(Option.TOKENS, Option.TOKENS_FILE))
        .isInstanceOf(UsageException.class).hasMessageContaining("exclude each other");
  }

  @Test
  void tokensMayComeFromAFileWhichIsNamedInErrors(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("ids.json");
    Files.writeString(file, "[4,\n5]\n");
    assertThat(parse("--model", "m", "--tokens-file", file.toString()).tokens()).containsExactly(4, 5);

    Files.writeString(file, "{}");
    assertThatThrownBy(() -> parse("--model", "m", "--tokens-file", file.toString()).tokens())
        .isInstanceOf(InvalidInputException.class).hasMessageContaining(file.toString());
    assertThatThrownBy(() -> parse("--model", "m", "--tokens-file", directory.resolve("none").toString()).tokens())
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("none");
  }

  @Test
  void theUsageStatesEachOptionOnceWithItsDefault() {
    assertThat(COMMAND.usage()).startsWith("usage: Example --model DIR [options]")
        .containsOnlyOnce("  --batch N").contains("(default 8)").contains("(required)").doesNotContain("--epochs");
  }
}

package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.BaseModel;
import dev.fettle.DType;
import dev.fettle.Fettle;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RandomModelTest {
  @ParameterizedTest
  @ValueSource(strings = {"tiny", "stories260k"})
  void isAModelDirectoryWhoseTextsComeBack(String shape) {
    try (RandomModel random = RandomModel.write(shape, 1); Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load(random.directory(), DType.F32);

      String text = "A byte at a time: é, 中, 😀!\n";
      assertThat(model.tokenizer().decode(model.tokenizer().encode(text))).isEqualTo(text);
      assertThat(model.tokenizer().encode("é")).containsExactly(0xC3, 0xA9);
      assertThat(model.sampler().logprobs(1, 2, 3)).hasSize(2).doesNotContain(Float.NaN);
    }
  }

  @Test
  void equalSeedsGiveEqualWeightsAndNothingIsLeftBehind() throws Exception {
    Path first;
    try (RandomModel a = RandomModel.write("tiny", 1); RandomModel b = RandomModel.write("tiny", 1);
        RandomModel c = RandomModel.write("tiny", 2)) {
      first = a.directory();
      byte[] weights = Files.readAllBytes(first.resolve("model.safetensors"));
      assertThat(weights).isEqualTo(Files.readAllBytes(b.directory().resolve("model.safetensors")));
      assertThat(weights).isNotEqualTo(Files.readAllBytes(c.directory().resolve("model.safetensors")));
    }
    assertThat(first).doesNotExist();
  }
}

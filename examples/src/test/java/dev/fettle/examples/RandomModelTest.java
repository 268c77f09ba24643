package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.BaseModel;
import dev.fettle.DType;
import dev.fettle.Fettle;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RandomModelTest {
  @ParameterizedTest
  @ValueSource(strings = {"tiny", "stories260k"})
  void isADirectoryOfAModelWhoseTextsComeBack(String shape) {
    try (RandomModel random = RandomModel.write(shape); Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.initialise(random.directory(), DType.F32, 1);

      String text = "A byte at a time: é, 中, 😀!\n";
      assertThat(model.tokenizer().decode(model.tokenizer().encode(text))).isEqualTo(text);
      assertThat(model.tokenizer().encode("é")).containsExactly(0xC3, 0xA9);
      assertThat(model.sampler().logprobs(1, 2, 3)).hasSize(2).doesNotContain(Float.NaN);
    }
  }

  @Test
  void mayBeAnEncoderWhoseWordsAreOneTokenEach() {
    try (RandomModel random = RandomModel.write("tiny-encoder"); Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.initialise(random.directory(), DType.F32, 1);

      List<float[]> vectors = model.embed("faaa gaaa", "gaaa faaa");

      assertThat(model.tokenizer().encode("faaa gaaa [SEP]")).startsWith(5, 6).doesNotContain(3);
      assertThat(model.tokenizer().decode(5, 6)).isEqualTo("faaa gaaa");
      assertThat(vectors.get(0)).hasSize(32).isNotEqualTo(vectors.get(1));
    }
  }

  @Test
  void equalSeedsGiveEqualWeightsAndNothingIsLeftBehind() {
    Path directory;
    try (RandomModel random = RandomModel.write("tiny"); Fettle fettle = Fettle.local()) {
      directory = random.directory();
      float[] first = fettle.initialise(directory, DType.F32, 1).sampler().logprobs(1, 2, 3);

      assertThat(fettle.initialise(directory, DType.F32, 1).sampler().logprobs(1, 2, 3)).containsExactly(first);
      assertThat(fettle.initialise(directory, DType.F32, 2).sampler().logprobs(1, 2, 3)).isNotEqualTo(first);
    }
    assertThat(directory).doesNotExist();
  }
}

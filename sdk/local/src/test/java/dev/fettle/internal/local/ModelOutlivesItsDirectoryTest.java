package dev.fettle.internal.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.BaseModel;
import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.Full;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Tokenizer;
import dev.fettle.Tokenizers;
import dev.fettle.Training;
import dev.fettle.internal.checkpoint.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a model needs of its directory later is what was there when it was loaded. */
class ModelOutlivesItsDirectoryTest {
  private static final int[] TOKENS = {5, 8, 13, 21, 34, 55};

  @TempDir Path temporary;
  private final Fettle fettle = Fettle.local();
  private Path directory;
  private BaseModel model;
  private float[] logprobs;

  @BeforeEach
  void load() {
    directory = temporary.resolve("model");
    fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(1)).saveMerged(directory);
    model = fettle.load(directory, DType.F32);
    logprobs = model.sampler().logprobs(TOKENS);
  }

  @AfterEach
  void close() {
    fettle.close();
  }

  @Test
  void itsWeightsAreReadAgainThoughAnotherModelHasTheName() throws IOException {
    Training all = weightsGivenBack();
    replaced();
    assertThat(model.sampler().logprobs(TOKENS)).containsExactly(logprobs);
    all.close();
  }

  @Test
  void whatIsMergedHasItsOwnSettingsAndTokenizer() throws IOException {
    Training training = model.tune(Lora.rank(1));
    replaced();
    training.saveMerged(temporary.resolve("merged"));
    assertIsTheModel(temporary.resolve("merged"));
  }

  @Test
  void itsDirectoryCanBeSavedOver() {
    Training training = model.tune(Lora.rank(1));
    for (int i = 0; i < 2; i++) {
      training.saveMerged(directory);
      assertIsTheModel(directory);
    }
  }

  private void assertIsTheModel(Path saved) {
    try (BaseModel merged = fettle.load(saved, DType.F32)) {
      assertThat(merged.sampler().logprobs(TOKENS)).containsExactly(logprobs);
      assertThat(merged.tokenizer().encode("Hello")).containsExactly(model.tokenizer().encode("Hello"));
    }
  }

  @Test
  void itsTokenizerDoesWithoutTheFile() throws IOException {
    Tokenizer tokenizer = Tokenizers.open(directory);
    int[] before = model.tokenizer().encode("<|im_start|>Hello");
    delete();
    assertThat(tokenizer.encode("<|im_start|>Hello")).containsExactly(before);
  }

  @Test
  void weightsThatWereWrittenOverInPlaceAreNamed() throws IOException {
    weightsGivenBack();
    Path file = directory.resolve("model.safetensors");
    Files.setLastModifiedTime(file, FileTime.fromMillis(0));
    assertThatThrownBy(() -> model.sampler()).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(file.toString()).hasMessageContaining("written over in place");
  }

  private Training weightsGivenBack() {
    model.close();
    model = fettle.load(directory, DType.F32);
    return model.tune(Full.all());
  }

  private void replaced() throws IOException {
    delete();
    TinyModel.write(directory, "qwen3");
  }

  private void delete() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}

package dev.fettle.internal.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.WeightNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelDirectoryTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"hf", "hf-bf16", "hf-sharded"})
  void the_forms_of_stories260k_hold_what_their_config_asks_for(String form) {
    try (ModelDirectory model = ModelDirectory.open(Fixtures.shared("models/stories260K/" + form))) {
      ModelConfig config = ModelConfig.of(model.config());
      WeightNames.check(model, config);
      assertThat(config.layers()).hasSize(5);
      assertThat(config.eosIds()).containsExactly(2);
      assertThat(model.generation().eosIds()).containsExactly(1, 2);
      StoredTensor norm = model.tensors().get("model.norm.weight");
      assertThat(norm.type()).isEqualTo(form.equals("hf-bf16") ? StoredType.BF16 : StoredType.F32);
      assertThat(model.bytes(norm, 0, (int) norm.bytes()).remaining()).isEqualTo(64 * norm.type().size());
    }
  }

  @Test
  void one_shard_or_two_are_the_same_model() throws IOException {
    TinyModel.write(directory, "qwen3");
    try (ModelDirectory whole = ModelDirectory.open(directory)) {
      WeightNames.check(whole, ModelConfig.of(whole.config()));
      TinyModel.shard(directory);
      try (ModelDirectory sharded = ModelDirectory.open(directory)) {
        WeightNames.check(sharded, ModelConfig.of(sharded.config()));
        assertThat(sharded.tensors().keySet()).isEqualTo(whole.tensors().keySet());
        StoredTensor foreign = whole.tensors().get("model.norm.weight");
        assertThatThrownBy(() -> sharded.bytes(foreign, 0, 2)).isInstanceOf(InvalidInputException.class);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'eos_token_id':[5,6],'do_sample':true,'temperature':0.5,'top_k':40,'top_p':0.7}|[5, 6]",
        "{'eos_token_id':5,'top_k':-1}|[5]",
        "{'top_p':2,'top_k':'x','temperature':-1,'num_beams':0,'max_new_tokens':-3}|[]",
        "{'eos_token_id':null}|[]",
        "{'eos_token_id':'5'}|[]",
        "{'eos_token_id':[5,-1]}|[5]"
      })
  void of_generation_settings_only_the_end_of_a_text_counts(String json, String ends) throws IOException {
    TinyModel.write(directory, "llama");
    Files.writeString(directory.resolve("generation_config.json"), json.replace('\'', '"'));
    try (ModelDirectory model = ModelDirectory.open(directory)) {
      assertThat(model.generation().eosIds()).hasToString(ends);
    }
  }

  @Test
  void what_is_not_a_model_directory_is_refused() throws IOException {
    assertThatThrownBy(() -> ModelDirectory.open(directory.resolve("none")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("no such directory");
    assertInvalid("config.json", "Hugging Face");
    Path file = Files.writeString(directory.resolve("file"), "");
    assertThatThrownBy(() -> ModelDirectory.open(file))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("is a file; name the directory");
  }

  @Test
  void missing_weights_are_said_and_pickles_are_not_read() throws IOException {
    Files.delete(TinyModel.write(directory, "llama").resolve("model.safetensors"));
    assertInvalid("model.safetensors", "model.safetensors.index.json");
    Files.writeString(directory.resolve("pytorch_model.bin"), "");
    assertThatThrownBy(() -> ModelDirectory.open(directory))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("pytorch_model.bin")
        .hasMessageContaining("only safetensors");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../model-1.safetensors", "/etc/model-1.safetensors", "sub/model-1.safetensors", "sub\\\\m.safetensors",
        "model-9.safetensors", "model-2.safetensors", "config.json", ""
      })
  void an_index_that_names_a_wrong_file_is_refused(String shard) throws IOException {
    TinyModel.write(directory, "llama");
    Path index = TinyModel.shard(directory);
    String entry = "\"model.norm.weight\":\"";
    Files.writeString(index, Files.readString(index).replace(entry + "model-1.safetensors", entry + shard));
    assertInvalid(directory.toString(), shard.startsWith("model-9") ? "model-9" : "model.norm.weight");
  }

  @Test
  void an_index_and_shards_that_disagree_are_refused() throws IOException {
    TinyModel.write(directory, "llama");
    Path index = TinyModel.shard(directory);
    String text = Files.readString(index);
    Files.writeString(index, text.replace("model.norm.weight", "model.norm.wait"));
    assertInvalid("model-1.safetensors", "model.norm.weight", "no entry");
    Files.writeString(index, text.replace("{\"model", "{\"extra\":\"model-1.safetensors\",\"model"));
    assertInvalid("model-1.safetensors", "extra");
    Files.writeString(index, "{\"weight_map\":{}}");
    assertInvalid("index.json", "weight_map");
    Files.writeString(index, "{}");
    assertInvalid("index.json", "weight_map");
  }

  private void assertInvalid(String... parts) {
    assertThatThrownBy(() -> ModelDirectory.open(directory).close())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll(parts);
  }
}

package dev.fettle.internal.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.Fixtures;
import dev.fettle.internal.checkpoint.ModelDirectory;
import dev.fettle.internal.checkpoint.SafetensorsWriter;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.checkpoint.TinyModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WeightNamesTest {
  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({"llama, 42", "mistral, 30", "qwen2, 39", "qwen3, 35"})
  void each_architecture_has_its_weights(String name, int count) {
    Map<String, long[]> weights = expected(name);
    int layers = 3;
    int perLayer = switch (name) {
      case "llama" -> 9 + 4;
      case "qwen2" -> 9 + 3;
      case "qwen3" -> 9 + 2;
      default -> 9;
    };
    assertThat(weights).hasSize(count).hasSize(layers * perLayer + (name.equals("qwen3") ? 2 : 3));
  }

  @Test
  void shapes_are_out_by_in() {
    Map<String, long[]> weights = expected("llama");
    assertThat(weights.get("model.embed_tokens.weight")).containsExactly(32, 16);
    assertThat(weights.get("model.layers.2.self_attn.q_proj.weight")).containsExactly(12, 16);
    assertThat(weights.get("model.layers.2.self_attn.k_proj.weight")).containsExactly(6, 16);
    assertThat(weights.get("model.layers.2.self_attn.k_proj.bias")).containsExactly(6);
    assertThat(weights.get("model.layers.2.self_attn.o_proj.weight")).containsExactly(16, 12);
    assertThat(weights.get("model.layers.2.self_attn.o_proj.bias")).containsExactly(16);
    assertThat(weights.get("model.layers.2.mlp.down_proj.weight")).containsExactly(16, 24);
    assertThat(expected("qwen3").get("model.layers.0.self_attn.q_norm.weight")).containsExactly(128);
    assertThat(expected("qwen3")).doesNotContainKey("lm_head.weight");
    assertThat(AdapterShape.modules(ModelConfig.parse(Fixtures.file("config-qwen2.json"))))
        .hasSize(21)
        .contains("model.layers.0.self_attn.q_proj", "model.layers.2.mlp.down_proj");
  }

  @Test
  void a_missing_tensor_is_named() throws IOException {
    assertRefused(InvalidInputException.class, w -> w.remove("model.norm.weight"), "model.norm.weight", "missing");
  }

  @Test
  void a_wrong_shape_is_named() throws IOException {
    String name = "model.norm.weight";
    assertRefused(InvalidInputException.class, w -> w.put(name, new long[] {17}), name, "[17]", "[16]");
    assertRefused(InvalidInputException.class, w -> w.put(name, new long[] {16, 1}), name, "[16, 1]");
  }

  @Test
  void a_type_that_weights_do_not_have_is_named() throws IOException {
    TinyModel.write(directory, "llama");
    TinyModel.writeWeights(directory.resolve("model.safetensors"), expected("llama"), StoredType.F64);
    assertCheckFails(UnsupportedModelException.class, "model.safetensors", "model.embed_tokens.weight", "F64");
  }

  @Test
  void an_unknown_tensor_is_refused_by_name_and_old_rotation_tables_are_not() throws IOException {
    assertRefused(
        UnsupportedModelException.class,
        w -> w.put("model.layers.0.self_attn.q_norm.weight", new long[] {6}),
        "q_norm.weight");
    assertRefused(
        UnsupportedModelException.class,
        w -> w.put("model.layers.3.input_layernorm.weight", new long[] {16}),
        "model.layers.3");
    Map<String, long[]> weights = expected("llama");
    weights.put("model.layers.0.self_attn.rotary_emb.inv_freq", new long[] {3});
    TinyModel.writeWeights(directory.resolve("model.safetensors"), weights);
    try (ModelDirectory model = ModelDirectory.open(directory)) {
      WeightNames.check(model, ModelConfig.of(model.config()));
      assertThat(model.tensors()).hasSize(43);
    }
  }

  @Test
  void an_output_layer_that_differs_from_the_embedding_is_its_own_whatever_the_config_says() throws IOException {
    TinyModel.write(directory, "qwen3");
    for (int last : new int[] {0, 1}) {
      SafetensorsWriter writer = new SafetensorsWriter();
      expected("qwen3").forEach((name, shape) -> writer.add(name, StoredType.BF16, shape));
      writer.add("lm_head.weight", StoredType.BF16, 32, 16);
      writer.write(
          directory.resolve("model.safetensors"),
          (tensor, sink) -> {
            ByteBuffer bytes = ByteBuffer.allocate((int) tensor.bytes());
            sink.put(bytes.put(0, (byte) (tensor.name().equals("lm_head.weight") ? last : 0)));
          });
      try (ModelDirectory model = ModelDirectory.open(directory)) {
        ModelConfig config = WeightNames.asStored(model, ModelConfig.of(model.config()));
        WeightNames.check(model, config);
        assertThat(config.tiedEmbeddings()).isEqualTo(last == 0);
      }
    }
  }

  @Test
  void a_tied_matrix_may_be_stored_as_the_output_layer() throws IOException {
    TinyModel.write(directory, "qwen3");
    Map<String, long[]> weights = expected("qwen3");
    weights.put("lm_head.weight", weights.remove("model.embed_tokens.weight"));
    TinyModel.writeWeights(directory.resolve("model.safetensors"), weights);
    try (ModelDirectory model = ModelDirectory.open(directory)) {
      ModelConfig config = ModelConfig.of(model.config());
      WeightNames.check(model, config);
      assertThat(WeightNames.stored(model, config, "model.embed_tokens.weight").name()).isEqualTo("lm_head.weight");
    }
    weights.remove("lm_head.weight");
    TinyModel.writeWeights(directory.resolve("model.safetensors"), weights);
    assertCheckFails(InvalidInputException.class, "model.embed_tokens.weight", "missing");
  }

  @Test
  void of_a_missing_output_layer_the_error_says_what_tied_models_say() throws IOException {
    assertRefused(InvalidInputException.class, w -> w.remove("lm_head.weight"), "lm_head.weight", "tie_word_embeddings");
  }

  private static Map<String, long[]> expected(String name) {
    return WeightNames.expected(ModelConfig.parse(Fixtures.file("config-" + name + ".json")));
  }

  private void assertRefused(
      Class<? extends RuntimeException> type, Consumer<Map<String, long[]>> change, String... parts)
      throws IOException {
    TinyModel.write(directory, "llama");
    Map<String, long[]> weights = expected("llama");
    change.accept(weights);
    TinyModel.writeWeights(directory.resolve("model.safetensors"), weights);
    assertCheckFails(type, parts);
  }

  private void assertCheckFails(Class<? extends RuntimeException> type, String... parts) {
    try (ModelDirectory model = ModelDirectory.open(directory)) {
      assertThatThrownBy(() -> WeightNames.check(model, ModelConfig.of(model.config())))
          .isInstanceOf(type)
          .hasMessageContaining(directory.toString())
          .hasMessageContainingAll(parts);
    }
  }
}

package dev.fettle.internal.local;

import static dev.fettle.internal.local.ModelLogitsTest.flat;
import static dev.fettle.support.Golden.maxDifference;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Quantisation;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.local.GradientsTest.Trained;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.Scope;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints that are quantised already: they mean what the formulas of those who defined them say. */
class QuantisedFilesTest {
  @TempDir Path temporary;

  private static Path file(String name) {
    return Golden.path("quantised-files/" + name);
  }

  @ParameterizedTest
  @CsvSource({"bnb-nf4,nf4 in blocks of 64,dense", "bnb-nf4-nested,nf4 in blocks of 64,dense", "bnb-fp4,fp4 in blocks of 64,dense",
      "bnb-int8,int8,int8", "fp8-blocks,dense,dense", "fp8-rows,dense,dense", "gptq,uint4 in blocks of 32,uint4 in blocks of 32",
      "gptq-order,dense,dense", "awq,uint4 in blocks of 32,uint4 in blocks of 32"})
  void weightsAndLogitsEqualTheFormulas(String name, String form, String ofDown) {
    JsonNode golden = Golden.json("quantised-files/" + name + "/golden/golden.json");
    for (Optional<Quantisation> asked : List.of(Optional.<Quantisation>empty(), Optional.of(Quantisation.dequantised()))) {
      try (Trained t = Trained.open(file(name), asked, Lora.rank(2));
          SafetensorsFile weights = SafetensorsFile.open(file(name).resolve("golden/weights.safetensors"))) {
        Layout layout = t.model.layout();
        assertThat(t.model.blocks().of(layout.block(0, Product.QKV).orElseThrow())).hasToString(asked.isPresent() ? "dense" : form);
        // 160 inputs are no multiple of 64: the blocks of bitsandbytes go on in the next row.
        assertThat(t.model.blocks().of(layout.block(0, Product.DOWN).orElseThrow())).hasToString(asked.isPresent() ? "dense" : ofDown);
        weights.tensors().values().forEach(stored ->
            assertThat(maxDifference(values(t, layout.weights().get(stored.name())), t.read(weights, stored.name())))
                .as(stored.name()).isLessThan(1e-6));
      }
      float[] logits = ModelLogitsTest.logits(file(name), DType.F32, asked, golden).get(0);
      assertThat(maxDifference(logits, flat(golden.get("logits").get(0)))).isLessThan(1e-4);
    }
  }

  private static float[] values(Trained t, Layout.Weight w) {
    return EngineThread.get().call(() -> {
      try (Scope scope = new Scope()) {
        return scope.kernels().clone(t.model.weights().weight(w.block())
            .dense(scope, w.offset() / w.shape()[1], w.shape()[0])).floats();
      }
    });
  }

  @ParameterizedTest
  @ValueSource(strings = {"bnb-nf4", "fp8-blocks", "gptq-order"})
  void anotherFormIsMadeOfTheNumbers(String name) {
    JsonNode golden = Golden.json("quantised-files/" + name + "/golden/golden.json");

    float[] logits = ModelLogitsTest.logits(file(name), DType.F32, Optional.of(Quantisation.int8()), golden).get(0);

    assertThat(maxDifference(logits, flat(golden.get("logits").get(0)))).isBetween(1e-3, 0.5);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {"'quant_method':'mxfp4'|mxfp4", "'quant_method':'compressed-tensors','format':'nvfp4-pack-quantized'|nvfp4",
      "'quant_method':'gptq','bits':3|gptq in 3 bits", "'quant_method':'awq','version':'gemv'|version gemv", "'quant_method':'hqq'|hqq",
      "'bits':4|without quant_method"})
  void otherSchemesAreRejectedByName(String settings, String named) throws IOException {
    copy("bnb-nf4");
    Path config = temporary.resolve("config.json");
    Files.writeString(config, Files.readString(config).replaceAll("(?s)\"quantization_config\": \\{.*?\\}",
        "\"quantization_config\": {" + settings.replace('\'', '"') + "}"));

    assertThatThrownBy(this::load).isInstanceOf(UnsupportedModelException.class).hasMessageContaining("config.json: quantization_config")
        .hasMessageContaining(named);
  }

  @Test
  void aScaleThatIsNoNumberIsReportedWithFileAndTensor() throws IOException {
    copy("bnb-nf4");
    edit("model.layers.0.self_attn.q_proj.weight.absmax", bytes -> bytes.putFloat(20, Float.NaN));
    assertThatThrownBy(this::load).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("model.safetensors: tensor model.layers.0.self_attn.q_proj.weight.absmax holds the scale NaN");

    edit("model.layers.0.self_attn.q_proj.weight.absmax", bytes -> bytes.putFloat(20, 1e30f));
    assertThatThrownBy(this::load).isInstanceOf(InvalidInputException.class).hasMessageContaining("holds the scale 1.0");
  }

  @Test
  void aGroupThatIsNotThereIsReported() throws IOException {
    copy("gptq");
    edit("model.layers.0.mlp.down_proj.g_idx", bytes -> bytes.putInt(8, 77));
    assertThatThrownBy(this::load).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("down_proj.g_idx puts input 2 into group 77 of 5");
  }

  @Test
  void blocksThatDoNotFitTheWeightAreReported() throws IOException {
    copy("bnb-nf4");
    String state = "model.layers.0.self_attn.q_proj.weight.quant_state.bitsandbytes__nf4";
    edit(state, bytes -> replace(bytes, "\"blocksize\": 64", "\"blocksize\": 32"));
    assertThatThrownBy(this::load).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("q_proj.weight.absmax has 64 scales, and [64, 64] has 128 blocks of 32");
    edit(state, bytes -> replace(bytes, "\"blocksize\": 32", "\"blocksize\": 48"));
    assertThatThrownBy(this::load).isInstanceOf(InvalidInputException.class).hasMessageContaining(state).hasMessageContaining("blocksize");
  }

  /** Any byte may be wrong: of the settings, of the header, or of what the tensors hold. */
  @ParameterizedTest
  @ValueSource(strings = {"bnb-nf4-nested", "gptq"})
  void damagedFilesAreReportedOrRead(String name) throws IOException {
    byte[] file = Files.readAllBytes(file(name).resolve("model.safetensors"));
    int header = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    copy(name);
    Random random = new Random(11);
    int rejected = 0;
    for (int i = 0; i < 500; i++) {
      byte[] damaged = file.clone();
      for (int j = 0; j <= random.nextInt(3); j++) {
        int where = random.nextInt(3);
        int at = where == 0 ? 8 + random.nextInt(header) : where == 1 ? 8 + header + random.nextInt(3000)
            : 8 + header + random.nextInt(file.length - header - 8);
        damaged[at] = (byte) (random.nextBoolean() ? random.nextInt(256) : damaged[at] ^ 1 << random.nextInt(8));
      }
      Files.write(temporary.resolve("model.safetensors"),
          i % 20 == 0 ? Arrays.copyOf(damaged, random.nextInt(file.length)) : damaged);
      try {
        load();
      } catch (InvalidInputException | UnsupportedModelException e) {
        rejected++;
        assertThat(e.getMessage()).contains(temporary.toString());
      }
    }
    assertThat(rejected).isGreaterThan(100);
  }

  private void load() {
    try (Fettle fettle = Fettle.local()) {
      fettle.load(temporary, DType.F32);
    }
  }

  private void copy(String name) throws IOException {
    for (String part : List.of("config.json", "model.safetensors")) {
      Files.copy(file(name).resolve(part), temporary.resolve(part), StandardCopyOption.REPLACE_EXISTING);
    }
  }

  @FunctionalInterface
  private interface Edit {
    void of(ByteBuffer bytes);
  }

  private void edit(String tensor, Edit edit) throws IOException {
    Path path = temporary.resolve("model.safetensors");
    byte[] all = Files.readAllBytes(path);
    ByteBuffer bytes = ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      var stored = file.tensors().get(tensor);
      edit.of(bytes.slice(8 + (int) bytes.getLong(0) + (int) stored.begin(), (int) stored.bytes()).order(ByteOrder.LITTLE_ENDIAN));
    }
    Files.write(path, all);
  }

  private static void replace(ByteBuffer bytes, String old, String by) {
    byte[] all = new byte[bytes.remaining()];
    bytes.get(0, all);
    bytes.put(0, new String(all, StandardCharsets.UTF_8).replace(old, by).getBytes(StandardCharsets.UTF_8));
  }
}

package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.internal.gguf.GgmlType;
import dev.fettle.internal.gguf.GgufFile;
import dev.fettle.internal.gguf.GgufTensor;
import dev.fettle.internal.gguf.GgufWriter;
import dev.fettle.internal.gguf.Metadata;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.support.Golden;
import dev.fettle.support.RandomCheckpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models written as GGUF and read from it; what llama.cpp makes of the files is looked at in the examples' {@code LlamaCppTest}. */
class GgufTest {
  /** What is rejected of the models that the golden values have, and the words that name it. */
  private static final Map<String, String> REJECTED = Map.ofEntries(
      Map.entry("models/llama-rope-dynamic", "rope_type dynamic"), Map.entry("models/qwen2-rope-dynamic", "rope_type dynamic"),
      Map.entry("models/qwen3-rope-dynamic", "rope_type dynamic"), Map.entry("models/qwen2-rope-longrope", "rope_type longrope"),
      Map.entry("models/qwen3-rope-longrope", "rope_type longrope"), Map.entry("models/llama-rope-yarn", "truncate"),
      Map.entry("models/qwen2-rope-yarn", "beta_fast"), Map.entry("models/mistral-rope-yarn", "beta_fast"),
      Map.entry("models/qwen3-untied-bias", "a bias in model.layers.0.self_attn.q_proj"),
      Map.entry("families/gemma2", "attention scores times"), Map.entry("families/gemma3", "attention scores times"),
      Map.entry("families/gemma3-vision", "attention scores times"),
      Map.entry("families/olmo3", "rotates by another base"), Map.entry("families/olmoe", "fewer heads of keys"),
      Map.entry("families/olmoe-experts", "fewer heads of keys"), Map.entry("families/qwen3-moe-experts", "norm_topk_prob"),
      Map.entry("families/qwen3.5", "a bias in model.layers.1.self_attn.q_proj"),
      Map.entry("families/qwen3.5-vision", "rms_norm_eps = "),
      Map.entry("families/qwen3-moe", "layers with experts among layers without"), Map.entry("families/smollm3", "rotates nothing"));

  private static final String UNIGRAM = "gguf/unigram";

  @TempDir
  static Path files;
  private static Fettle fettle;

  @BeforeAll
  static void start() {
    fettle = Fettle.local();
  }

  @AfterAll
  static void stop() {
    fettle.close();
  }

  static List<String> models() throws IOException {
    return GgufModels.names();
  }

  private static Path file(String name) {
    return files.resolve(name.replace('/', '-') + ".gguf");
  }

  private static float[] logprobs(BaseModel model) {
    return model.sampler().logprobs(new int[] {5, 9, 33, 12, 12, 40, 7, 21, 60, 3, 18, 44, 29, 11, 50, 8});
  }

  @ParameterizedTest
  @MethodSource("models")
  void comeBackAsTheyWere(String name) throws IOException {
    try (BaseModel model = fettle.load(GgufModels.directory(name, files), DType.F32)) {
      if (REJECTED.containsKey(name)) {
        assertThatThrownBy(() -> model.saveGguf(file(name), GgufType.F32)).isInstanceOf(UnsupportedModelException.class)
            .hasMessageContaining(REJECTED.get(name));
        assertThat(file(name)).doesNotExist();
        return;
      }
      model.saveGguf(file(name), GgufType.F32);
      try (BaseModel back = fettle.load(file(name), DType.F32)) {
        assertThat(Golden.maxDifference(logprobs(back), logprobs(model))).isLessThan(2e-5);
        assertThat(back.contextLength()).isEqualTo(model.contextLength());
        assertThat(back.parameters()).isEqualTo(model.parameters());
      }
    }
  }

  @Test
  void aModelThatWasQuantisedIsWrittenFromWhatItWasLoadedFrom() throws IOException {
    Path directory = GgufModels.directory(GgufModels.names().get(0), files);
    try (BaseModel dense = fettle.load(directory, DType.F32);
        BaseModel quantised = fettle.load(directory, DType.F32, Quantisation.nf4().including(Modules.embeddings()))) {
      assertThat(logprobs(quantised)).isNotEqualTo(logprobs(dense));
      dense.saveGguf(files.resolve("dense.gguf"), GgufType.F32);
      quantised.saveGguf(files.resolve("quantised.gguf"), GgufType.F32);
      assertThat(files.resolve("quantised.gguf")).hasSameBinaryContentAs(files.resolve("dense.gguf"));
    }
  }

  @Test
  void anotherFileIsNoModel() throws IOException {
    Path file = Files.writeString(files.resolve("config.json"), "{}");
    assertThatThrownBy(() -> fettle.load(file)).hasMessage(
        file + ": is a file and no GGUF; name one, or the directory that holds config.json");
  }

  @Test
  void aModelThatOthersWroteInBlocksGivesWhatTransformersGives() {
    JsonNode golden = Golden.json("gguf/model.json");
    try (BaseModel model = fettle.load(Golden.path("gguf/model.gguf"), DType.F32)) {
      float[] ours = model.sampler().logprobs(Golden.ints(golden.path("tokens")));
      float[] theirs = Golden.floats(golden.path("logprobs"));
      assertThat(Golden.maxDifference(ours, theirs)).isLessThan(1e-4);
    }
  }

  @ParameterizedTest
  @CsvSource({"F16, 0.02", "BF16, 0.2", "Q8_0, 0.3", "Q4_0, 4"})
  void lesserTypesAreNearly(GgufType type, double most) {
    Path file = files.resolve(type + ".gguf");
    try (BaseModel model = fettle.load(Golden.path("gguf/model.gguf"), DType.F32)) {
      model.saveGguf(file, type);
      try (BaseModel back = fettle.load(file, DType.F32)) {
        double difference = Golden.maxDifference(logprobs48(back), logprobs48(model));
        assertThat(difference).isPositive().isLessThan(most);
      }
    }
  }

  private static float[] logprobs48(BaseModel model) {
    return model.sampler().logprobs(new int[] {5, 9, 33, 12, 12, 40, 7, 21, 47, 3});
  }

  @ParameterizedTest
  @ValueSource(strings = {"tokenizers/gpt2", "tokenizers/qwen2/built-qwen3", "models/stories260K/hf", UNIGRAM})
  void tokenizersComeBackAsTheyWere(String kind) throws IOException {
    Path directory = Files.createDirectories(files.resolve(kind));
    Path from = kind.equals(UNIGRAM) ? Golden.path(kind) : Golden.shared(kind);
    for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
      if (Files.exists(from.resolve(name))) {
        Files.copy(from.resolve(name), directory.resolve(name));
      }
    }
    Files.writeString(directory.resolve("chat_template.jinja"), "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}");
    RandomCheckpoint.write(directory, JsonPrinter.line(Map.of("model_type", "qwen3", "head_dim", 4, "hidden_size", 4,
        "intermediate_size", 4, "num_hidden_layers", 1, "num_attention_heads", 1, "num_key_value_heads", 1,
        "tie_word_embeddings", true, "vocab_size", Tokenizers.open(directory).vocabSize() + 5)));
    Path file = files.resolve("tokenizer.gguf");
    try (BaseModel model = fettle.load(directory, DType.F32)) {
      model.saveGguf(file, GgufType.F32);
      try (BaseModel back = fettle.load(file, DType.F32)) {
        Tokenizer ours = model.tokenizer();
        Tokenizer theirs = back.tokenizer();
        for (String text : List.of("Once upon a time", "  two spaces,  and\n\n\nlines ", "It's 12345 o'clock; DON'T!",
            "<|im_start|>user<s>", "na\u00efve caf\u00e9 \u2013 F\u00fc\u00dfe, \u0436\u0443\u043a, \u6f22\u5b57 and \ud83d\ude42",
            "\ttabs", "HTTPServer2Go_camelCase", "\uff26\uff2f\uff38\u3000\ufb01anc\u00e9 ")) {
          assertThat(theirs.encode(text)).as(text).isEqualTo(ours.encode(text));
          assertThat(theirs.decode(ours.encode(text))).isEqualTo(ours.decode(ours.encode(text)));
        }
        for (int id = 0; id < ours.vocabSize(); id++) {
          assertThat(theirs.token(id)).isEqualTo(ours.token(id));
          assertThat(theirs.special(id)).as("%d %s", id, ours.token(id)).isEqualTo(ours.special(id));
        }
        assertThat(theirs.vocabSize()).isEqualTo(ours.vocabSize());
        assertThat(theirs.bos()).isEqualTo(ours.bos());
        assertThat(theirs.eos()).isEqualTo(ours.eos());
        assertThat(theirs.addsBos()).isEqualTo(ours.addsBos());
        assertThat(theirs.chatTemplate()).isEqualTo(ours.chatTemplate()).isPresent();
        Conversation chat = Conversation.of(Message.user("Hello"));
        assertThat(back.renderer().prompt(chat)).isEqualTo(model.renderer().prompt(chat));
      }
    }
  }

  /** Metadata, states and a Unigram tokenizer with its table, changed at random: what can still be read is, the rest is rejected. */
  @Test
  void aFileWithStatesThatIsChangedIsReadOrRejected() throws IOException {
    Path directory = GgufModels.directory("made/qwen3_5_text", files.resolve("changed"));
    Path config = directory.resolve("config.json");
    RandomCheckpoint.write(directory, Files.readString(config).replace("\"vocab_size\":64", "\"vocab_size\":100"));
    for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
      Files.copy(Golden.path(UNIGRAM).resolve(name), directory.resolve(name));
    }
    Path file = files.resolve("changed.gguf");
    try (BaseModel model = fettle.load(directory, DType.F32)) {
      model.saveGguf(file, GgufType.F32);
    }
    byte[] whole = Files.readAllBytes(file);
    Random random = new Random(5);
    int rejected = 0;
    for (int i = 0; i < 120; i++) {
      byte[] out = whole.clone();
      for (int c = 0; c < 1 + i % 3; c++) {
        out[random.nextInt(i % 4 == 0 ? out.length : 24_000)] = (byte) random.nextInt();
      }
      Files.write(file, out);
      try (BaseModel model = fettle.load(file, DType.F32)) {
        assertThat(model.tokenizer().encode("\uff26\uff2f\uff38 in the house")).isNotEmpty();
      } catch (FettleException e) {
        assertThat(e.getMessage()).contains("changed.gguf");
        rejected++;
      }
    }
    assertThat(rejected).isBetween(5, 119);
    int at = new String(whole, StandardCharsets.ISO_8859_1).indexOf("blk.0.ssm_a") + "blk.0.ssm_a".length();
    // Behind a name: dimensions, the shape, the type, where it begins.
    int data = whole.length - (int) dataBytes(file, whole);
    int begin = (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong(at + 16);
    byte[] positive = whole.clone();
    positive[data + begin + 3] &= 0x7F;
    Files.write(file, positive);
    assertThatThrownBy(() -> fettle.load(file, DType.F32)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("changed.gguf").hasMessageContaining("tensor blk.0.ssm_a").hasMessageContaining("below 0");
  }

  private static long dataBytes(Path file, byte[] whole) throws IOException {
    Files.write(file, whole);
    try (GgufFile read = GgufFile.open(file)) {
      return read.tensors().values().stream().mapToLong(t -> t.begin() + (t.bytes() + 31) / 32 * 32).max().orElseThrow();
    }
  }

  /** llama.cpp's converter keeps the layers that predict several tokens ahead, behind the others. */
  @Test
  void layersThatPredictAheadAreLeftOut() throws IOException {
    Path file = files.resolve("ahead.gguf");
    Path longer = files.resolve("longer.gguf");
    try (BaseModel model = fettle.load(GgufModels.directory("made/qwen3_5_text", files), DType.F32)) {
      model.saveGguf(file, GgufType.F32);
      try (GgufFile read = GgufFile.open(file)) {
        Metadata metadata = read.metadata();
        metadata.put("qwen35.block_count", 4);
        metadata.put("qwen35.nextn_predict_layers", 1);
        GgufWriter writer = new GgufWriter(longer, metadata);
        read.tensors().values().forEach(t -> writer.add(t.name(), t.type(), t.shape()));
        writer.add("blk.3.nextn.enorm.weight", GgmlType.F32, 32);
        writer.write((tensor, sink) -> {
          GgufTensor own = read.tensors().get(tensor.name());
          float[] numbers = own == null ? new float[32] : all(read, own);
          sink.put(numbers, numbers.length);
        });
      }
      try (BaseModel back = fettle.load(longer, DType.F32)) {
        assertThat(Golden.maxDifference(logprobs(back), logprobs(model))).isLessThan(2e-5);
      }
    }
  }

  private static float[] all(GgufFile file, GgufTensor tensor) {
    long rows = Arrays.stream(tensor.shape()).limit(tensor.shape().length - 1).reduce(1, (a, b) -> a * b);
    return file.numbers(tensor, 0, (int) rows);
  }

  @Test
  void whatWasTrainedIsInTheFile() {
    Path file = files.resolve("trained.gguf");
    try (BaseModel model = fettle.load(Golden.path("models/llama"), DType.F32)) {
      Training training = model.tune(Lora.rank(4));
      for (int i = 0; i < 5; i++) {
        training.step(Batch.of(Datum.of(5, 9, 33, 12, 12, 40)), Loss.crossEntropy(), AdamW.learningRate(0.02));
      }
      training.saveGguf(file, GgufType.F32);
      try (BaseModel back = fettle.load(file, DType.F32)) {
        float[] trained = training.sampler().logprobs(new int[] {5, 9, 33, 12, 12, 40});
        assertThat(Golden.maxDifference(back.sampler().logprobs(new int[] {5, 9, 33, 12, 12, 40}), trained)).isLessThan(1e-4);
        // It is a model like any other: it can be tuned, saved and resumed.
        Training again = back.tune(Lora.rank(2));
        again.step(Batch.of(Datum.of(5, 9, 33, 12)), Loss.crossEntropy(), AdamW.learningRate(0.01));
        again.saveMerged(files.resolve("merged"));
        again.saveState(files.resolve("state"));
        try (BaseModel merged = fettle.load(files.resolve("merged"), DType.F32)) {
          assertThat(Golden.maxDifference(logprobs(merged), again.sampler().logprobs(
              new int[] {5, 9, 33, 12, 12, 40, 7, 21, 60, 3, 18, 44, 29, 11, 50, 8}))).isLessThan(1e-4);
        }
        assertThat(fettle.resume(files.resolve("state")).steps()).isEqualTo(1);
      }
    }
  }

  @Test
  void adaptersThatLlamaCppCannotHaveAreRejected() {
    Path file = files.resolve("adapter.gguf");
    try (BaseModel model = fettle.load(Golden.path("models/llama"), DType.F32)) {
      Map<Tuning, String> wrong = Map.of(Lora.rank(2).dora(), "DoRA", Full.all(), "no adapter",
          Lora.rank(2).plus(Full.of(Modules.lastLayers(1))), "trained themselves");
      wrong.forEach((tuning, what) -> assertThatThrownBy(() -> model.tune(tuning).saveGgufAdapter(file))
          .isInstanceOf(UnsupportedModelException.class).hasMessageContaining(what).hasMessageContaining("saveGguf"));
      assertThat(file).doesNotExist();
    }
  }

  @Test
  void trainedExpertsAreInTheFileAndNotInAnAdapterAlone() throws IOException {
    int[] ids = {5, 9, 33, 12, 12, 40};
    Path file = files.resolve("experts.gguf");
    try (BaseModel model = fettle.load(GgufModels.directory("made/qwen3_moe", files), DType.F32)) {
      Training training = model.tune(Lora.rank(2).targetModules(Modules.experts(), Modules.named("q_proj")));
      for (int i = 0; i < 3; i++) {
        training.step(Batch.of(Datum.of(ids)), Loss.crossEntropy(), AdamW.learningRate(0.02));
      }
      assertThatThrownBy(() -> training.saveGgufAdapter(file)).isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("adapters of experts");
      training.saveGguf(file, GgufType.F32);
      float[] trained = training.sampler().logprobs(ids);
      assertThat(Golden.maxDifference(trained, model.sampler().logprobs(ids))).isGreaterThan(0.01);
      try (BaseModel back = fettle.load(file, DType.F32)) {
        assertThat(Golden.maxDifference(back.sampler().logprobs(ids), trained)).isLessThan(1e-4);
      }
    }
  }

  @Test
  void filesOfAnotherKindAreNotReplaced() throws IOException {
    Path file = files.resolve("thesis.txt");
    Files.writeString(file, "years of work");
    try (BaseModel model = fettle.load(Golden.path("models/llama"), DType.F32)) {
      assertThatThrownBy(() -> model.saveGguf(file, GgufType.F32)).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("another kind");
      assertThatThrownBy(() -> model.saveGguf(files, GgufType.F32)).isInstanceOf(InvalidInputException.class);
    }
    assertThat(file).hasContent("years of work");
  }

  @Test
  void aTokenizerThatLlamaCppDoesNotKnowIsNamed() {
    try (BaseModel model = fettle.load("fettle-tiny", DType.F32)) {
      assertThatThrownBy(() -> model.saveGguf(files.resolve("tiny.gguf"), GgufType.F16)).isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("tokenizer.json").hasMessageContaining("pre_tokenizer");
    }
  }
}

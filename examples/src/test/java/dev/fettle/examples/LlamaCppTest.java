package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.LlamaOutput;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.CacheType;
import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.DType;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.GgufType;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import dev.fettle.internal.checkpoint.SafetensorsWriter;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.WeightNames;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/**
 * What Fettle writes as GGUF, loaded by llama.cpp itself (as of March 2025, which knows no Qwen 3, Qwen 3.5 or Ministral 3:
 * {@code check_gguf.py} asks a newer one): texts are cut into the same tokens, and 40 greedy tokens in f32 are the same.
 */
class LlamaCppTest {
  private static final Path SHARED = Path.of(System.getProperty("fettle.shared", "../shared")).toAbsolutePath();
  private static final Path STORIES = SHARED.resolve("models/stories260K/hf");
  private static final List<String> TEXTS = List.of("Once upon a time", "  two spaces,  and\n\n\nlines", "It's 12345 o'clock; don't!",
      "naïve café – Füße, жук, 漢字 and 🙂", "<|im_start|>user", "tabs\tand trailing space ", "HTTPServer2Go_camelCase");
  private static final JsonMapper JSON = new JsonMapper();

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

  private static ModelParameters parameters(Path file) {
    return new ModelParameters().setModel(file.toString()).setCtxSize(256).setThreads(1).setThreadsBatch(1).setParallel(1)
        .setCacheTypeK(CacheType.F32).setCacheTypeV(CacheType.F32).disableLog();
  }

  private static String greedy(LlamaModel model, String prompt) {
    StringBuilder text = new StringBuilder();
    InferenceParameters parameters = new InferenceParameters(prompt).setNPredict(40).setTemperature(0).setTopK(1).setIgnoreEos(true)
        .setCachePrompt(false);
    for (LlamaOutput output : model.generate(parameters)) {
      text.append(output);
    }
    return text.toString();
  }

  private static String greedy(Sampler sampler, String prompt) {
    return sampler.sample(prompt, SamplingParams.standard().maxTokens(40).temperature(0)).get(0).text();
  }

  /** Compares all that llama.cpp makes of a file with what Fettle makes of the model. */
  private static void requireSame(BaseModel model, Path file, String prompt) {
    try (LlamaModel other = new LlamaModel(parameters(file))) {
      for (String text : TEXTS) {
        // llama.cpp sees special tokens in what it is given here.
        if (!text.startsWith("<|")) {
          assertThat(other.encode(text)).as(text).isEqualTo(model.tokenizer().encode(text));
        }
      }
      String ours = greedy(model.sampler(), prompt);
      assertThat(ours).isNotBlank();
      assertThat(greedy(other, prompt)).isEqualTo(ours);
    }
  }

  @Test
  void storiesGoOnAsTheyDoHere() {
    assumeTrue(Files.isDirectory(STORIES), "needs " + STORIES);
    Path file = files.resolve("stories.gguf");
    BaseModel model = fettle.load(STORIES, DType.F32);
    model.saveGguf(file, GgufType.F32);
    requireSame(model, file, "Once upon a time");
    model.saveGguf(file, GgufType.Q8_0);
    try (LlamaModel other = new LlamaModel(parameters(file))) {
      assertThat(greedy(other, "Once upon a time")).startsWith(", there was a little girl named Lily.");
    }
  }

  @Test
  void anAdapterBesideItsModelGivesWhatTheTrainingGives() {
    assumeTrue(Files.isDirectory(STORIES), "needs " + STORIES);
    Path base = files.resolve("base.gguf");
    Path adapter = files.resolve("adapter.gguf");
    BaseModel model = fettle.load(STORIES, DType.F32);
    model.saveGguf(base, GgufType.F32);
    Training training = model.tune(Lora.rank(4).alpha(12));
    int[] text = model.tokenizer().encode("Tom had a blue dog. The dog had a blue house. Tom and the dog went to the sea.");
    for (int i = 0; i < 12; i++) {
      training.step(Batch.of(Datum.of(text)), Loss.crossEntropy(), AdamW.learningRate(2e-2));
    }
    training.saveGgufAdapter(adapter);
    String ours = greedy(training.sampler(), "Tom had");
    assertThat(ours).isNotEqualTo(greedy(model.sampler(), "Tom had"));
    try (LlamaModel other = new LlamaModel(parameters(base).addLoraAdapter(adapter.toString()))) {
      assertThat(greedy(other, "Tom had")).isEqualTo(ours);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama gpt2", "qwen2 qwen2/built-qwen2", "mistral stories", "gemma3_text stories", "granite qwen2/built-qwen2.5",
      "qwen2 unigram"})
  void aTinyModelWithARealTokenizerGoesOnAsItDoesHere(String what) throws Exception {
    String[] parts = what.split(" ");
    Path tokenizer = switch (parts[1]) {
      case "stories" -> STORIES;
      case "unigram" -> Path.of("../sdk/local/src/test/resources/golden/gguf/unigram");
      default -> SHARED.resolve("tokenizers").resolve(parts[1]);
    };
    assumeTrue(Files.isDirectory(tokenizer), "needs " + tokenizer);
    Path directory = Files.createDirectories(files.resolve(what.replace(' ', '-')));
    for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
      if (Files.exists(tokenizer.resolve(name))) {
        Files.copy(tokenizer.resolve(name), directory.resolve(name));
      }
    }
    write(directory, parts[0]);
    Path file = files.resolve(parts[0] + ".gguf");
    try (BaseModel model = fettle.load(directory, DType.F32)) {
      model.saveGguf(file, GgufType.F32);
      requireSame(model, file, "The quick brown fox");
    }
  }

  /** A model whose likeliest tokens are always of plain letters, so that texts can be compared. */
  private static void write(Path directory, String type) throws Exception {
    Map<Integer, String> tokens = tokens(directory);
    Map<String, Object> config = new LinkedHashMap<>(Map.of("model_type", type, "hidden_size", 64, "intermediate_size", 96,
        "num_hidden_layers", 3, "num_attention_heads", 4, "num_key_value_heads", 2, "vocab_size", tokens.size(),
        "max_position_embeddings", 512, "tie_word_embeddings", type.startsWith("gemma"), "rms_norm_eps", 1e-5));
    config.put("bos_token_id", 1);
    config.put("eos_token_id", null);
    config.put("sliding_window", type.startsWith("gemma") ? 8 : null);
    if (type.startsWith("gemma")) {
      config.putAll(Map.of("head_dim", 16, "query_pre_attn_scalar", 16, "sliding_window_pattern", 6, "num_hidden_layers", 7));
    }
    if (type.equals("granite")) {
      config.putAll(Map.of("attention_multiplier", 0.3, "residual_multiplier", 0.4, "embedding_multiplier", 3.0, "logits_scaling", 2.0));
    }
    Path file = directory.resolve("config.json");
    Files.writeString(file, JSON.writeValueAsString(config));
    Map<String, long[]> weights = WeightNames.expected(ModelConfig.parse(file));
    SafetensorsWriter writer = new SafetensorsWriter();
    weights.forEach((name, shape) -> writer.add(name, StoredType.F32, shape));
    writer.write(directory.resolve("model.safetensors"), (tensor, sink) -> {
      Random random = new Random(tensor.name().hashCode());
      ByteBuffer bytes = ByteBuffer.allocate((int) tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN);
      long[] shape = tensor.shape();
      boolean output = tensor.name().equals("lm_head.weight") || type.startsWith("gemma") && tensor.name().contains("embed_tokens");
      for (int row = 0; row < shape[0]; row++) {
        boolean silent = output && !tokens.getOrDefault(row, "").matches("\\p{IsAlphabetic}?[a-z]{2,}");
        for (int column = 0; column < (shape.length == 1 ? 1 : shape[1]); column++) {
          double value = random.nextGaussian() * (shape.length == 1 ? 0.2 : 0.3) + (tensor.name().contains("norm") ? 1 : 0);
          bytes.putFloat(silent ? 0 : (float) value);
        }
      }
      sink.put(bytes.flip());
    });
  }

  private static Map<Integer, String> tokens(Path directory) throws Exception {
    var root = JSON.readTree(directory.resolve("tokenizer.json").toFile());
    Map<Integer, String> tokens = new HashMap<>();
    var vocabulary = root.path("model").path("vocab");
    if (vocabulary.isArray()) {
      vocabulary.forEach(e -> tokens.put(tokens.size(), e.path(0).asString()));
    }
    vocabulary.properties().forEach(e -> tokens.put(e.getValue().asInt(), e.getKey()));
    tokens.replaceAll((id, token) -> token.replace('\u2581', 'Ġ'));
    root.path("added_tokens").forEach(t -> tokens.put(t.path("id").asInt(), "<>"));
    return tokens;
  }
}

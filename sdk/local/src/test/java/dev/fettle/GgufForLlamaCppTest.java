package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.support.Golden;
import dev.fettle.support.RandomCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Writes models and adapters for {@code check_gguf.py}, which compares them with llama.cpp: {@code -DargLine=-Dfettle.gguf=DIR}. */
@EnabledIfSystemProperty(named = "fettle.gguf", matches = ".+")
class GgufForLlamaCppTest {
  private static final Path OUT = Path.of(System.getProperty("fettle.gguf", "."));

  private final List<String> written = new ArrayList<>();

  private static void ask(String name, Sampler sampler, int vocabulary, Map<String, Object> more) throws IOException {
    int[] tokens = IntStream.range(0, 20).map(i -> 3 + (i * i * 7 + i * 3) % (Math.min(vocabulary, 60) - 3)).toArray();
    Map<String, Object> asked = new LinkedHashMap<>(more);
    asked.put("tokens", tokens);
    asked.put("logprobs", sampler.logprobs(tokens));
    asked.put("greedy", sampler.sample(tokens, SamplingParams.standard().maxTokens(40).temperature(0)).get(0).tokens());
    Files.writeString(OUT.resolve(name + ".json"), JsonPrinter.line(asked));
  }

  @Test
  void models() throws IOException {
    Files.createDirectories(OUT);
    try (Fettle fettle = Fettle.local()) {
      for (String name : GgufModels.names()) {
        String flat = name.replace('/', '-');
        try (BaseModel model = fettle.load(GgufModels.directory(name, OUT), DType.F32)) {
          model.saveGguf(OUT.resolve(flat + ".gguf"), GgufType.F32);
          ask(flat, model.sampler(), model.vocabSize(), Map.of());
          written.add(name);
        } catch (UnsupportedModelException e) {
          System.out.println(e.getMessage());
        }
      }
      adapters(fettle);
      trainedAdapter(fettle, "made/qwen3_5_text");
    }
    assertThat(written.size()).isGreaterThan(50);
  }

  private void adapters(Fettle fettle) throws IOException {
    for (String kinds : List.of("lora", "peft-cases", "families")) {
      try (var all = Files.list(Golden.path(kinds))) {
        for (Path directory : all.sorted().toList()) {
          String name = directory.getFileName().toString();
          if (kinds.equals("families")) {
            adapter(fettle, directory.resolve("lora"), "families/" + name);
          } else {
            Path golden = directory.resolve("golden.json");
            String base = Files.exists(golden) ? Golden.json(golden).path("model").asString(name) : name;
            adapter(fettle, directory, "models/" + base);
          }
        }
      }
    }
  }

  private void trainedAdapter(Fettle fettle, String name) throws IOException {
    String flat = name.replace('/', '-') + "-trained.adapter";
    try (BaseModel model = fettle.load(GgufModels.directory(name, OUT), DType.F32)) {
      Training training = model.tune(Lora.rank(3));
      for (int i = 0; i < 5; i++) {
        training.step(Batch.of(Datum.of(5, 9, 33, 12, 12, 40)), Loss.crossEntropy(), AdamW.learningRate(0.02));
      }
      training.saveGgufAdapter(OUT.resolve(flat + ".gguf"));
      ask(flat, training.sampler(), model.vocabSize(), Map.of("model", name.replace('/', '-') + ".gguf"));
    }
  }

  private void adapter(Fettle fettle, Path directory, String base) throws IOException {
    String of = base.replace('/', '-');
    String flat = of + "-" + directory.getFileName() + ".adapter";
    try (BaseModel model = fettle.load(Golden.path(base), DType.F32)) {
      Training training = model.tune(Lora.from(directory));
      training.saveGgufAdapter(OUT.resolve(flat + ".gguf"));
      ask(flat, training.sampler(), model.vocabSize(), Map.of("model", of + ".gguf"));
      written.add(flat);
    } catch (FettleException e) {
      System.out.println(flat + ": " + e.getMessage());
    }
  }

  @Test
  void modelsWithTokenizers() throws IOException {
    try (Fettle fettle = Fettle.local()) {
      for (Path tokenizer : List.of(Golden.shared("tokenizers/gpt2"), Golden.shared("tokenizers/qwen2/built-qwen3"),
          Golden.path("gguf/unigram"))) {
        Path directory = OUT.resolve("with-" + tokenizer.getFileName());
        Files.createDirectories(directory);
        Files.copy(tokenizer.resolve("tokenizer.json"), directory.resolve("tokenizer.json"), StandardCopyOption.REPLACE_EXISTING);
        int rows = Tokenizers.open(directory).vocabSize() + 3;
        RandomCheckpoint.write(directory, JsonPrinter.line(Map.of("model_type", "qwen3", "hidden_size", 16,
            "intermediate_size", 16, "num_hidden_layers", 2, "num_attention_heads", 2, "num_key_value_heads", 1, "head_dim", 8,
            "vocab_size", rows, "tie_word_embeddings", true)));
        try (BaseModel model = fettle.load(directory, DType.F32)) {
          String flat = directory.getFileName().toString();
          model.saveGguf(OUT.resolve(flat + ".gguf"), GgufType.F32);
          Map<String, int[]> texts = new LinkedHashMap<>();
          for (String text : List.of(
              "Once upon a time", "  two spaces,  and\n\n\nlines", "naïve café – Füße, жук, 漢字 and 🙂",
              "It's 12345 o'clock; don't!", "HTTPServer2Go_camelCase", "ＦＯＸ\u3000of the\tsea ")) {
            texts.put(text, model.tokenizer().encode(text));
          }
          ask(flat, model.sampler(), rows, Map.of("texts", texts));
        }
      }
    }
  }
}

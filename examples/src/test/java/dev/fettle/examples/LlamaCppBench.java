package dev.fettle.examples;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.LlamaOutput;
import de.kherud.llama.ModelParameters;
import dev.fettle.BaseModel;
import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.GgufType;
import dev.fettle.Lora;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Decodes with llama.cpp, as {@code Bench decode} does with Fettle: the last line is JSON with the same names. A program, not a
 * test; it stands here because llama.cpp is a dependency of tests alone. With the class path of tests
 * ({@code mvn -q test-compile dependency:build-classpath -Dmdep.outputFile=target/cp -Dmdep.includeScope=test}) in {@code CP}:
 *
 * <pre>
 * L="java -cp examples/target/test-classes:examples/target/classes:$CP dev.fettle.examples.LlamaCppBench"
 * $L write ../shared/tokenizers/gpt2 DIR smollm2-135m f32 bf16 q8_0   # random weights: DIR/f32.gguf, ..., and DIR/model for Bench
 * $L decode DIR/f32.gguf batch=8 samples=1 prompt=32 new=64 runs=5 threads=2
 * java -cp ... dev.fettle.examples.Bench decode --model DIR/model --dtype f32 --batch 8 --prompt 32 --new 64 --steps 5 --threads 2
 * </pre>
 *
 * <p>Prefill is {@code prompt=512 new=1}. Several samples of one prompt are as many requests with an equal prompt.
 */
final class LlamaCppBench {
  private static final JsonMapper JSON = new JsonMapper();

  private LlamaCppBench() {}

  public static void main(String[] args) throws Exception {
    if (args[0].equals("write")) {
      write(Path.of(args[1]), Path.of(args[2]), args[3], List.of(args).subList(4, args.length));
    } else {
      System.out.println(JSON.writeValueAsString(decode(args[1], numbers(List.of(args).subList(2, args.length)))));
    }
    // llama.cpp's threads would keep the program running.
    System.exit(0);
  }

  private static Map<String, Integer> numbers(List<String> given) {
    Map<String, Integer> numbers = new LinkedHashMap<>(Map.of("batch", 1, "samples", 1, "prompt", 32, "new", 64, "runs", 3,
        "threads", Runtime.getRuntime().availableProcessors()));
    for (String each : given) {
      String[] parts = each.split("=");
      if (numbers.put(parts[0], Integer.valueOf(parts[1])) == null) {
        throw new IllegalArgumentException("there is no " + parts[0] + ": give some of " + numbers.keySet());
      }
    }
    return numbers;
  }

  /** A model of a shape with random weights, for both sides. */
  private static void write(Path tokenizer, Path directory, String shape, List<String> types) throws Exception {
    try (RandomModel random = RandomModel.write(shape); Fettle fettle = Fettle.local()) {
      cut(tokenizer, random.directory().resolve("tokenizer.json"), ((Number) RandomModel.config(shape).get("vocab_size")).intValue());
      Files.createDirectories(directory);
      BaseModel model = fettle.initialise(random.directory(), DType.BF16, 0);
      if (!Files.exists(directory.resolve("model"))) {
        model.tune(Lora.rank(1)).saveMerged(directory.resolve("model"));
      }
      types.forEach(t -> model.saveGguf(directory.resolve(t + ".gguf"), GgufType.valueOf(t.toUpperCase(Locale.ROOT))));
    }
  }

  /** A byte-level tokenizer without its last tokens, so that it has as many as the shape: which merges made them comes in turn. */
  private static void cut(Path from, Path to, int size) {
    ObjectNode root = (ObjectNode) JSON.readTree(from.resolve("tokenizer.json").toFile());
    ObjectNode model = (ObjectNode) root.get("model");
    Map<String, Integer> vocabulary = new LinkedHashMap<>();
    model.get("vocab").properties().forEach(e -> vocabulary.put(e.getKey(), e.getValue().asInt()));
    vocabulary.values().removeIf(id -> id >= size);
    List<String> merges = new ArrayList<>();
    model.get("merges").forEach(m -> merges.add(m.asString()));
    merges.removeIf(m -> !vocabulary.containsKey(m.replace(" ", "")));
    model.set("vocab", JSON.valueToTree(vocabulary));
    model.set("merges", JSON.valueToTree(merges));
    root.putArray("added_tokens");
    JSON.writeValue(to.toFile(), root);
  }

  private static Map<String, Object> decode(String file, Map<String, Integer> numbers) throws Exception {
    int prompts = numbers.get("batch");
    int together = prompts * numbers.get("samples");
    int length = numbers.get("prompt");
    int count = numbers.get("new");
    ModelParameters parameters = new ModelParameters().setModel(file).setThreads(numbers.get("threads"))
        .setThreadsBatch(numbers.get("threads")).setParallel(together).setCtxSize(together * (length + count + 16)).disableLog();
    double[] seconds = new double[numbers.get("runs")];
    String first = "";
    ExecutorService requests = Executors.newFixedThreadPool(together);
    try (LlamaModel model = new LlamaModel(parameters)) {
      List<String> words = words(model);
      for (int run = -1; run < seconds.length; run++) {
        List<Callable<String>> work = new ArrayList<>();
        for (int i = 0; i < together; i++) {
          String prompt = prompt(words, i / numbers.get("samples"), length);
          double temperature = numbers.get("samples") == 1 ? 0 : 1;
          int seed = i;
          work.add(() -> text(model, prompt, count, temperature, seed));
        }
        long start = System.nanoTime();
        List<Future<String>> all = requests.invokeAll(work);
        if (run >= 0) {
          seconds[run] = Figures.since(start);
        }
        for (Future<String> each : all) {
          first = each.get();
        }
      }
      int tokens = model.encode(prompt(words, 0, length)).length;
      if (tokens != length) {
        throw new IllegalStateException("the prompt has " + tokens + " tokens in place of " + length);
      }
    }
    double median = Figures.median(seconds);
    return Map.of("tokens_per_second", together * count / median, "seconds", median, "peak_rss_bytes", Figures.peakResidentBytes(),
        "prompt_tokens_per_second", prompts * length / median, "text", first.substring(0, Math.min(60, first.length())));
  }

  /** Words that are one token each behind a space. */
  private static List<String> words(LlamaModel model) {
    return IntStream.range(0, 3000).mapToObj(i -> model.decode(new int[] {i}))
        .filter(word -> word.matches(" [a-z]{3,}") && model.encode(word).length == 1).toList();
  }

  private static String prompt(List<String> words, int number, int length) {
    SplittableRandom random = new SplittableRandom(number);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append(words.get(random.nextInt(words.size())));
    }
    return text.toString();
  }

  private static String text(LlamaModel model, String prompt, int count, double temperature, int seed) {
    InferenceParameters parameters = new InferenceParameters(prompt).setNPredict(count).setTemperature((float) temperature).setSeed(seed)
        .setIgnoreEos(true).setCachePrompt(false);
    if (temperature == 0) {
      parameters.setTopK(1);
    }
    StringBuilder text = new StringBuilder();
    for (LlamaOutput output : model.generate(parameters)) {
      text.append(output);
    }
    return text.toString();
  }
}

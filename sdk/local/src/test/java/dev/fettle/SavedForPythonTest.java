package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Trains and saves every tiny model in several ways, for {@code check_saved_all.py} to load in PEFT and transformers.
 * Runs only where {@code -Dfettle.saved=DIRECTORY} says where to.
 */
class SavedForPythonTest {
  private static final int[] TOKENS = {5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21};
  private static final List<String> MODELS = List.of("llama", "llama-untied", "llama-bias", "llama-rope-llama3",
      "llama-rope-linear", "llama-headdim", "llama-f16", "llama-sharded", "mistral", "mistral-nowindow", "qwen2",
      "qwen2-window", "qwen3", "qwen3-untied-bias", "mistral-rope-yarn", "qwen2-rope-dynamic", "llama-rope-longrope");

  /** Those of the tunings that name projections which not every family has. */
  private static final List<String> NAMING_PROJECTIONS = List.of("layers", "patterns", "hybrid-tied");

  private static Map<String, Tuning> tunings() {
    Map<String, Tuning> out = new LinkedHashMap<>();
    out.put("plain", Lora.rank(4));
    out.put("rslora", Lora.rank(4).rankStabilized().alpha(7).targetModules(Modules.attention()));
    out.put("layers", Lora.rank(4).targetModules(Modules.linear().within(Modules.lastLayers(1)), Modules.named("k_proj")));
    out.put("patterns", Lora.rank(4).rankPattern("q_proj", 2).rankPattern("layers\\.1\\.mlp\\..*_proj", 6)
        .alphaPattern("layers\\.1\\.mlp\\.up_proj", 3).targetModules(Modules.attention(), Modules.mlp().within(Modules.layers(1, 1))));
    out.put("full", Full.all());
    out.put("dora", Lora.rank(4).dora());
    out.put("pissa", Lora.rank(3).pissa());
    out.put("embeddings", Lora.rank(4).targetModules(Modules.embeddings(), Modules.lmHead(), Modules.attention()));
    out.put("head", Full.of(Modules.lmHead(), Modules.lastLayers(1)));
    out.put("hybrid", Lora.rank(4).plus(Full.of(Modules.lastLayers(1), Modules.lmHead())));
    out.put("hybrid-tied", Lora.rank(4).targetModules(Modules.named("q_proj"))
        .plus(Full.of(Modules.embeddings(), Modules.norms(), Modules.named("v_proj"))));
    out.put("experts", Lora.rank(3).rankPattern("down_proj", 2).targetModules(Modules.attention(), Modules.experts()));
    out.put("experts-down", Lora.rank(3).targetModules(Modules.named("mlp.experts.down_proj"), Modules.named("mlp.gate")));
    return out;
  }

  @Test
  void everyModelIsSavedInEveryWay() throws IOException {
    String to = System.getProperty("fettle.saved");
    assumeTrue(to != null, "skipped: -Dfettle.saved=DIRECTORY is not given");
    Path out = Files.createDirectories(Path.of(to));
    List<String> cases = new ArrayList<>();
    try (Fettle fettle = Fettle.local()) {
      for (Path place : places()) {
        for (Path model : forms(place, out)) {
          BaseModel base = fettle.load(model, DType.F32);
          for (Map.Entry<String, Tuning> tuning : tunings().entrySet()) {
            boolean family = place.getParent().endsWith("families");
            boolean experts = Files.readString(place.resolve("config.json")).matches("(?s).*\"num_experts_per_tok\": [1-9].*");
            if (family && NAMING_PROJECTIONS.contains(tuning.getKey()) || experts && tuning.getKey().startsWith("hybrid")
                || !experts && tuning.getKey().startsWith("experts")) {
              continue;
            }
            String id = model.getFileName() + "-" + tuning.getKey();
            cases.add(save(base, tuning.getValue(), out, id, model));
          }
          base.close();
        }
      }
    }
    Files.writeString(out.resolve("cases.json"), "[" + String.join(",\n", cases) + "]");
    assertThat(cases).hasSizeGreaterThan(100);
  }

  private static List<Path> places() throws IOException {
    List<Path> places = new ArrayList<>(MODELS.stream().map(name -> Golden.path("models/" + name)).toList());
    try (Stream<Path> families = Files.list(Golden.path("families"))) {
      places.addAll(families.sorted().toList());
    }
    return places;
  }

  @Test
  void adaptersOfPeftAreTunedFurtherAndSavedAgain() throws IOException {
    String to = System.getProperty("fettle.saved");
    assumeTrue(to != null, "skipped: -Dfettle.saved=DIRECTORY is not given");
    Path out = Files.createDirectories(Path.of(to, "peft"));
    List<String> cases = new ArrayList<>();
    try (Fettle fettle = Fettle.local(); Stream<Path> kinds = Files.list(Golden.path("peft-cases"))) {
      for (Path kind : kinds.sorted().toList()) {
        Path model = Golden.path("models/" + Golden.json(kind.resolve("golden.json")).get("model").asString());
        BaseModel base = fettle.load(model, DType.F32);
        cases.add(save(base, Lora.from(kind), out, kind.getFileName().toString(), model));
        base.close();
      }
    }
    Files.writeString(out.resolve("cases.json"), "[" + String.join(",\n", cases) + "]");
    assertThat(cases).hasSizeGreaterThan(30);
  }

  /** The directory, and where there is one, the same with the config of transformers 4. */
  private static List<Path> forms(Path model, Path out) throws IOException {
    if (!Files.exists(model.resolve("config-v4.json"))) {
      return List.of(model);
    }
    Path old = Files.createDirectories(out.resolve(model.getFileName() + "-v4"));
    Files.write(old.resolve("config.json"), Files.readAllBytes(model.resolve("config-v4.json")));
    Files.write(old.resolve("model.safetensors"), Files.readAllBytes(model.resolve("model.safetensors")));
    return List.of(model, old);
  }

  private static String save(BaseModel base, Tuning tuning, Path out, String id, Path model) {
    try (Training training = base.tune(tuning); Sampler sampler = base.sampler()) {
      for (int i = 0; i < 4; i++) {
        training.step(TrainingTest.batch(i, 20), Loss.crossEntropy(), AdamW.learningRate(3e-2));
      }
      boolean lora = !(tuning instanceof Full);
      if (lora) {
        training.saveAdapter(out.resolve(id + "-adapter"));
      }
      training.saveMerged(out.resolve(id + "-merged"));
      return "{\"id\":\"" + id + "\",\"base\":\"" + model + "\",\"lora\":" + lora + ",\"tokens\":" + Arrays.toString(TOKENS)
          + ",\"logprobs\":" + Arrays.toString(training.sampler().logprobs(TOKENS)) + ",\"before\":"
          + Arrays.toString(sampler.logprobs(TOKENS)) + "}";
    }
  }
}

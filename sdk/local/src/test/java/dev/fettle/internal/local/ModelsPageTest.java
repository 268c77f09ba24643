package dev.fettle.internal.local;

import static dev.fettle.internal.local.ModelLogitsTest.flat;
import static dev.fettle.internal.local.ModelLogitsTest.logits;
import static dev.fettle.support.Golden.floats;
import static dev.fettle.support.Golden.maxDifference;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.model.Architectures;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * {@code examples/MODELS.md} lists what this repository's tests check, and was made here: {@code -Dfettle.write=true} writes
 * it again. Figures differ from machine to machine in their last digits and are not compared.
 */
class ModelsPageTest {
  private static final Path PAGE = Path.of("../../examples/MODELS.md");
  private static final String FIGURE = "\\d\\.\\de-\\d\\d";

  @Test
  void thePageListsWhatIsChecked() throws IOException {
    String page = page();
    if (Boolean.getBoolean("fettle.write")) {
      Files.writeString(PAGE, page);
    }

    assertThat(Files.readString(PAGE).replaceAll(FIGURE, "x")).isEqualTo(page.replaceAll(FIGURE, "x"));
  }

  private static String page() throws IOException {
    Map<String, List<Path>> byType = new TreeMap<>();
    for (String root : List.of("models", "families")) {
      try (Stream<Path> directories = Files.list(Golden.path(root))) {
        for (Path directory : directories.filter(d -> Files.exists(d.resolve("golden.json"))).sorted().toList()) {
          byType.computeIfAbsent(type(directory), type -> new ArrayList<>()).add(directory);
        }
      }
    }
    assertThat(byType.keySet()).containsExactlyInAnyOrderElementsOf(Architectures.types(ModelConfig.Purpose.CAUSAL_LM));
    StringBuilder rows = new StringBuilder();
    byType.forEach((type, directories) -> rows.append(row(type, directories)));
    return """
        # Models

        What loads is what `model_type` in `config.json` names here. Each row is checked with tiny random models (the variants) against
        transformers 5.18 and PEFT: logits in f32 to 1e-4 and in bf16 to twice transformers' own error, gradients of adapters on all linear
        layers and of all weights to 1e-4 of their norm, twenty steps to 1e-4, greedy continuations token by token. What a configuration
        asks for and is not done is rejected, naming the key. Of Llama, Mistral and Qwen, gradients and steps are checked with some of the
        variants; [sdk/TESTING.md](../sdk/TESTING.md) says which, and what was read back by PEFT and transformers.

        ## Decoders

        | `model_type` | class | variants | largest difference of a logit in f32 |
        |---|---|---|---|
        """ + rows + """

        ## Encoders

        Vectors against sentence-transformers, in f32 to 1e-4 and in bf16 to twice its own error; gradients as above. A decoder with a
        `modules.json` beside it, or saved without its output layer, is an encoder too.

        | variant | `model_type` | largest difference of a number of a vector in f32 |
        |---|---|---|
        """ + encoders() + """

        ## Rerankers

        `model.score(query, texts)` against sentence-transformers' `CrossEncoder` to 1e-4, one label or two; and a causal model that is
        asked for yes or no. Variants, by `model_type`:

        """ + rerankers() + """


        This page is made by `ModelsPageTest`: `-Dfettle.write=true` writes it again.
        """;
  }

  private static String encoders() throws IOException {
    StringBuilder rows = new StringBuilder();
    try (Fettle fettle = Fettle.local(); Stream<Path> directories = Files.list(Golden.path("encoders"))) {
      for (Path directory : directories.sorted().toList()) {
        JsonNode golden = Golden.json(directory.resolve("golden.json"));
        List<String> texts = golden.get("texts").valueStream().map(JsonNode::asString).toList();
        double worst = 0;
        int i = 0;
        for (float[] vector : fettle.load(directory, DType.F32).embed(texts)) {
          worst = Math.max(worst, maxDifference(vector, floats(golden.get("vectors").get(i++))));
        }
        rows.append(String.format(Locale.ROOT, "| %s | `%s` | %.1e |%n", directory.getFileName(), type(directory), worst));
      }
    }
    return rows.toString();
  }

  private static String rerankers() throws IOException {
    Map<String, List<String>> names = new TreeMap<>();
    try (Stream<Path> directories = Files.list(Golden.path("rerankers"))) {
      for (Path d : directories.filter(d -> Files.exists(d.resolve("config.json"))).sorted().toList()) {
        names.computeIfAbsent("`" + type(d) + "`", type -> new ArrayList<>()).add(d.getFileName().toString());
      }
    }
    assertThat(names).isNotEmpty();
    return names.entrySet().stream().map(e -> e.getKey() + " (" + String.join(", ", e.getValue()) + ")")
        .collect(Collectors.joining(", "));
  }

  private static String type(Path directory) {
    return Golden.json(directory.resolve("config.json")).get("model_type").asString();
  }

  private static String row(String type, List<Path> directories) {
    List<String> names = new ArrayList<>();
    double worst = 0;
    String kind = "";
    for (Path directory : directories) {
      names.add(directory.getFileName().toString());
      JsonNode golden = Golden.json(directory.resolve("golden.json"));
      kind = Golden.json(directory.resolve("config.json")).get("architectures").get(0).asString();
      List<float[]> ours = logits(directory, DType.F32, golden);
      for (int i = 0; i < ours.size(); i++) {
        worst = Math.max(worst, maxDifference(ours.get(i), flat(golden.get("logits").get(i))));
      }
    }
    return String.format(Locale.ROOT, "| `%s` | %s | %s | %.1e |%n", type, kind, String.join(", ", names), worst);
  }
}

package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.ObjectNode;
import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.Ranked;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prompts before the texts that an encoder embeds, as sentence-transformers puts them there. */
class PromptsTest {
  private static final String CONFIG = "config_sentence_transformers.json";
  private static final String WITH_DEFAULT = "{\"prompts\": {\"query\": \"what is \"}, \"default_prompt_name\": \"query\"}";

  @TempDir
  static Path files;
  private static Fettle fettle;
  private static int made;

  @BeforeAll
  static void start() {
    fettle = Fettle.local();
  }

  @AfterAll
  static void stop() {
    fettle.close();
  }

  /** A golden encoder with a configuration and, where it says how it pools, a word on prompts. */
  private static Path encoder(String base, String config, boolean pooled) throws IOException {
    Path directory = files.resolve("encoder" + made++);
    Path source = Golden.path("encoders/" + base);
    try (Stream<Path> all = Files.walk(source)) {
      for (Path file : all.toList()) {
        Files.copy(file, directory.resolve(source.relativize(file).toString()));
      }
    }
    Files.writeString(directory.resolve(CONFIG), config);
    Path pooling = directory.resolve("1_Pooling/config.json");
    if (Files.exists(pooling)) {
      ObjectNode settings = (ObjectNode) Golden.json(pooling);
      Files.writeString(pooling, settings.put("include_prompt", pooled).toString());
    }
    return directory;
  }

  private static List<float[]> embed(BaseModel model, List<String> texts, JsonNode choice) {
    return choice.has("name") ? model.embed(texts, Prompt.named(choice.get("name").asString()))
        : choice.has("text") ? model.embed(texts, Prompt.of(choice.get("text").asString())) : model.embed(texts);
  }

  private static void same(List<float[]> actual, List<float[]> expected, String what) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.size(); i++) {
      assertThat(Golden.maxDifference(actual.get(i), expected.get(i))).as("%s, text %d", what, i).isLessThan(1e-5);
    }
  }

  @Test
  void vectorsEqualThoseOfSentenceTransformers() throws IOException {
    JsonNode golden = Golden.json("prompts.json");
    List<String> texts = golden.get("texts").valueStream().map(JsonNode::asString).toList();
    for (JsonNode c : golden.get("cases")) {
      boolean pooled = c.get("include_prompt").asBoolean();
      BaseModel model = fettle.load(encoder(c.get("base").asString(), c.get("config").toString(), pooled));
      List<float[]> expected = new ArrayList<>();
      c.get("vectors").forEach(v -> expected.add(Golden.floats(v)));
      String what = ((ObjectNode) c).without("vectors").toString();

      same(embed(model, texts, c), expected, what);
      model.close();
    }
    assertThat(golden.get("cases").size()).isGreaterThan(50);
  }

  @Test
  void aTrainingEmbedsWithThePromptsOfItsModelAndLearnsFromTextsAsTheyAre() throws IOException {
    BaseModel model = fettle.load(encoder("cls", WITH_DEFAULT, true));
    BaseModel plain = fettle.load(Golden.path("encoders/cls"));
    List<String> texts = List.of("heat", "the wing");
    Training training = model.tune(Lora.rank(2));
    List<Ranked> batch = List.of(Ranked.pair("heat", "gas jet"), Ranked.pair("drag", "cone"));

    same(training.embed(texts), plain.embed("what is heat", "what is the wing"), "default");
    same(training.embed(texts, Prompt.none()), plain.embed(texts), "none");
    same(training.embed(texts, Prompt.of("test of "), 6), plain.embed(List.of("test of heat", "test of the wing"), 6), "text");
    same(training.forward(batch, RankLoss.contrastive()).scores(),
        plain.tune(Lora.rank(2)).forward(batch, RankLoss.contrastive()).scores(), "training");
  }

  @Test
  void queryAndDocumentAreAlwaysThere() throws IOException {
    BaseModel model = fettle.load(encoder("cls", "{\"prompts\": {\"a\": \"x \", \"query\": null}}", true));

    assertThat(model.prompts()).containsOnlyKeys("query", "document", "a").containsEntry("a", "x ").containsEntry("query", "");
    assertThat(model.defaultPrompt()).isEmpty();
    assertThatThrownBy(() -> model.embed(List.of("heat"), Prompt.named("passage"))).isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll("passage", "query", "document", "Prompt.of");
    assertThatThrownBy(() -> fettle.load("fettle-tiny").prompts()).isInstanceOf(UnsupportedModelException.class);
  }

  @Test
  void aFileThatDoesNotCountIsNotRead() throws IOException {
    String crossEncoder = WITH_DEFAULT.replace("{\"prompts\"", "{\"model_type\": \"CrossEncoder\", \"prompts\"");

    assertThat(fettle.load(encoder("mean", WITH_DEFAULT, true)).defaultPrompt()).as("without modules.json").isEmpty();
    assertThat(fettle.load(encoder("cls", crossEncoder, true)).defaultPrompt()).isEmpty();
    assertThat(fettle.load(encoder("cls", WITH_DEFAULT, true)).defaultPrompt()).isEqualTo(Optional.of("query"));
  }

  @Test
  void brokenPromptsAreRefusedByFileAndKey() throws IOException {
    refused("{\"prompts\": {\"query\": 3}}", "prompts.query", "3");
    refused("{\"prompts\": [\"x\"]}", "prompts", "must be an object");
    refused("{\"prompts\": {\"a\": \"x\"}, \"default_prompt_name\": \"b\"}", "default_prompt_name", "\"b\"", "query");
    refused("{\"default_prompt_name\": 1}", "default_prompt_name", "must be a string");
  }

  private static void refused(String config, String... parts) throws IOException {
    Path directory = encoder("cls", config, true);
    assertThatThrownBy(() -> fettle.load(directory)).isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(directory.resolve(CONFIG) + ": ").hasMessageContainingAll(parts);
  }

  @Test
  void aSavedModelAndASavedAdapterKeepThem() throws IOException {
    Path source = encoder("mean-raw", WITH_DEFAULT, false);
    BaseModel model = fettle.load(source);
    Training training = model.tune(Lora.rank(2));
    List<String> texts = List.of("heat", "the wing");

    training.saveMerged(files.resolve("merged"));
    training.saveAdapter(files.resolve("saved-adapter"));

    same(fettle.load(files.resolve("merged")).embed(texts), model.embed(texts), "merged");
    assertThat(files.resolve("saved-adapter").resolve(CONFIG)).hasSameTextualContentAs(source.resolve(CONFIG));
    assertThat(Golden.json(files.resolve("saved-adapter/1_Pooling/config.json")).get("include_prompt").asBoolean()).isFalse();
  }

  @Test
  void promptsThatDidNotCountDoNotCountOnceTheModelIsSaved() throws IOException {
    BaseModel model = fettle.load(encoder("mean", WITH_DEFAULT, true));

    model.tune(Lora.rank(2)).saveMerged(files.resolve("without"));

    assertThat(fettle.load(files.resolve("without")).defaultPrompt()).isEmpty();
  }
}

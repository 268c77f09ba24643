package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.RankResult;
import dev.fettle.ranking.Ranked;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Encoders that are trained: they learn, they are saved, they come back. */
class TunedEncoderTest {
  private static final List<String> TEXTS = List.of("the drag of a cone", "heat", "supersonic wing flow, and lift");

  @TempDir
  private Path directory;

  private static List<Ranked> batch() {
    return List.of(Ranked.pair("heat", "gas jets", "lift theory"), Ranked.pair("what is drag?", "the drag of a cone"),
        Ranked.pair("wing test", "tunnel air", "shock layer"), Ranked.pair("mach", "supersonic speed"));
  }

  private static Tuning tuning(String kind) {
    return switch (kind) {
      case "full" -> Full.all();
      case "hybrid" -> Lora.rank(2).targetModules(Modules.attention()).plus(Full.of(Modules.mlp(), Modules.norms()));
      case "embeddings" -> Full.of(Modules.embeddings(), Modules.attention());
      case "attention" -> Lora.rank(2).targetModules(Modules.attention());
      case "mlp" -> Lora.rank(2).alpha(8).targetModules(Modules.mlp().within(Modules.lastLayers(1)));
      default -> Lora.rank(4);
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"lora", "attention", "mlp", "full", "hybrid", "embeddings"})
  void whatWasTrainedIsSavedAndComesBack(String kind) throws IOException {
    Path out = Path.of(System.getProperty("fettle.saved", directory.toString()));
    List<String> names = new ArrayList<>(List.of("mean", "cls", "mean-raw", "prefixed"));
    if (List.of("lora", "full").contains(kind)) {
      names.addAll(List.of("roberta", "xlm-roberta", "distilbert", "mpnet", "modernbert", "qwen3-embedding", "llama-embedding"));
    }
    for (String name : names) {
      try (Fettle fettle = Fettle.local()) {
        Path source = Golden.path("encoders/" + name);
        BaseModel base = fettle.load(source);
        Training training = base.tune(tuning(kind));
        double first = training.forward(batch(), RankLoss.contrastive(0.5)).loss();
        double rate = kind.equals("hybrid") ? 2e-3 : 1e-2;
        for (int i = 0; i < 15; i++) {
          training.step(batch(), RankLoss.contrastive(0.5), AdamW.learningRate(rate));
        }
        RankResult last = training.forward(batch(), RankLoss.contrastive(0.5));
        List<float[]> vectors = training.embed(TEXTS);
        Path merged = out.resolve(name + "-" + kind + "-merged");
        Path adapter = out.resolve(name + "-" + kind + "-adapter");
        training.saveMerged(merged);
        training.saveState(directory.resolve("state"));

        assertThat(last.loss()).isLessThan(0.9 * first);
        assertThat(Golden.maxDifference(vectors.get(0), base.embed(TEXTS).get(0))).isGreaterThan(1e-3);
        equal(fettle.load(merged).embed(TEXTS), vectors, 1e-5);
        Training resumed = fettle.resume(directory.resolve("state"));
        equal(resumed.embed(TEXTS), vectors, 0);
        assertThat(resumed.step(batch(), RankLoss.contrastive(0.5), AdamW.learningRate(1e-3)).loss())
            .isEqualTo(training.step(batch(), RankLoss.contrastive(0.5), AdamW.learningRate(1e-3)).loss());
        boolean adapted = !kind.equals("full") && !kind.equals("embeddings");
        if (adapted) {
          training.saveAdapter(adapter);
          equal(base.tune(Lora.from(adapter)).embed(TEXTS), training.embed(TEXTS), 0);
        }
        Files.writeString(out.resolve(name + "-" + kind + ".json"), JsonPrinter.line(Map.of(
            "texts", TEXTS, "merged", merged.toString(), "vectors", vectors, "adapted", training.embed(TEXTS),
            "adapter", adapted && !kind.equals("hybrid") ? adapter.toString() : "")));
      }
    }
  }

  @Test
  void whatIsChosenIsTrainedAndNothingElse() {
    try (Fettle fettle = Fettle.local()) {
      BaseModel base = fettle.load(Golden.path("encoders/mean"));

      long attention = 2 * 4 * (32 + 32) * 2;
      long mlp = 2 * 2 * (32 + 48) * 2;
      assertThat(base.tune(Lora.rank(2).targetModules(Modules.attention())).trainable().trained()).isEqualTo(attention);
      assertThat(base.tune(Lora.rank(2).targetModules(Modules.mlp())).trainable().trained()).isEqualTo(mlp);
      assertThat(base.tune(Lora.rank(2)).trainable().trained()).isEqualTo(attention + mlp);
      assertThat(base.tune(Full.all()).trainable().trained()).isEqualTo(base.parameters());
      for (Tuning none : List.of(Lora.rank(2).targetModules(Modules.embeddings()), Full.of(Modules.lmHead()))) {
        assertThatThrownBy(() -> base.tune(none)).isInstanceOf(InvalidInputException.class);
      }
    }
  }

  @Test
  void adaptersAreOnTheModulesThatWereChosenThoughOthersEndAlike() {
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load(Golden.path("encoders/mean"));
      int square = 2 * (32 + 32);
      int wide = 2 * (32 + 48);

      assertThat(model.tune(Lora.rank(2).targetModules(Modules.attention())).trainable().trained()).isEqualTo(2 * 4 * square);
      assertThat(model.tune(Lora.rank(2).targetModules(Modules.named("intermediate.dense"))).trainable().trained())
          .isEqualTo(2 * wide);
      assertThat(model.tune(Lora.rank(2)).trainable().trained()).isEqualTo(2 * (4 * square + 2 * wide));
    }
  }

  @Test
  void aTokenLossIsRefusedForAnEncoderAndAContrastiveOneForACausalModel() {
    try (Fettle fettle = Fettle.local()) {
      Training encoder = fettle.load(Golden.path("encoders/mean")).tune(Lora.rank(2));
      Training causal = fettle.load("fettle-tiny").tune(Lora.rank(2));
      Batch tokens = Batch.of(Datum.supervised(new int[] {1, 2}, new int[] {2, 3}, new float[] {1, 1}));

      for (org.assertj.core.api.ThrowableAssert.ThrowingCallable call : List.<org.assertj.core.api.ThrowableAssert.ThrowingCallable>of(
          () -> encoder.forwardBackward(tokens, Loss.crossEntropy()), () -> encoder.forward(tokens), encoder::sampler)) {
        assertThatThrownBy(call).isInstanceOf(InvalidInputException.class).hasMessageContaining("encoder");
      }
      assertThatThrownBy(() -> causal.forwardBackward(batch(), RankLoss.contrastive()))
          .isInstanceOf(InvalidInputException.class).hasMessageContaining("pointwise");
      assertThatThrownBy(() -> causal.embed(TEXTS)).isInstanceOf(UnsupportedModelException.class);
    }
  }

  @Test
  void aCausalModelLearnsToJudge() {
    List<Ranked> graded = List.of(Ranked.graded("parcel", List.of("where is it", "red"), List.of(1.0, 0.0)),
        Ranked.graded("refund", List.of("money back", "blue", "a long text about nothing"), List.of(1.0, 0.0, 0.0)));
    for (RankLoss loss : List.of(RankLoss.pointwise(), RankLoss.rankNet(), RankLoss.listNet(), RankLoss.margin())) {
      try (Fettle fettle = Fettle.local()) {
        Training training = fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(4));
        double first = training.forward(graded, loss).loss();
        for (int i = 0; i < 10; i++) {
          training.step(graded, loss, AdamW.learningRate(5e-3));
        }
        RankResult last = training.forward(graded, loss);

        assertThat(last.loss()).as(loss.toString()).isLessThan(0.7 * first);
        assertThat(last.scores()).hasSize(2);
        assertThat(last.scores().get(1)).hasSize(3);
        assertThat(last.toString()).hasSizeLessThanOrEqualTo(80);
      }
    }
  }

  private static void equal(List<float[]> ours, List<float[]> expected, double most) {
    for (int i = 0; i < expected.size(); i++) {
      assertThat(Golden.maxDifference(ours.get(i), expected.get(i))).as(Arrays.toString(ours.get(i)))
          .isLessThanOrEqualTo(most);
    }
  }
}

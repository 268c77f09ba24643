package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.support.Golden;
import java.net.URI;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class SettingsTest {
  @Test
  void theUrlOfAServiceMayHaveThePathOfItsCalls() {
    for (String given : new String[] {"https://a.b/c", "https://a.b/c/api/v1", "https://a.b/c/api/v1/"}) {
      assertThat(Remote.at(URI.create(given)).uri()).as(given).isEqualTo(URI.create("https://a.b/c"));
    }
  }

  @Test
  void suggestedLearningRatesEqualTheCookbooks() {
    int compared = 0;
    for (JsonNode r : Golden.json("schedules.json").get("recommended")) {
      assertThat(LearningRates.suggest(r.get("model").asString(), r.get("hidden").asInt(), r.get("lora").asBoolean()))
          .isCloseTo(r.get("learning_rate").asDouble(), within(1e-9));
      compared++;
    }
    assertThat(compared).isPositive();
    assertThatThrownBy(() -> LearningRates.suggest("gpt2", 768, true)).isInstanceOf(InvalidInputException.class);
  }

  @Test
  void defaultsAreThoseOfTheTinkerService() {
    assertThat(AdamW.standard()).isEqualTo(new AdamW(1e-4, 0.9, 0.95, 1e-12, 0, 0));
    assertThat(Lora.standard().rank()).isEqualTo(32);
    assertThat(Lora.standard().alpha()).isEqualTo(32);
    assertThat(Loss.cispo()).isEqualTo(Loss.cispo(0, 4));
    assertThat(Loss.ppo()).isEqualTo(Loss.ppo(0.8, 1.2));
  }

  @Test
  void wrongSettingsAreRefusedByNameAndValue() {
    refused(() -> AdamW.learningRate(-1), "learningRate -1.0");
    refused(() -> AdamW.learningRate(Double.NaN), "learningRate NaN");
    refused(() -> AdamW.standard().betas(1, 0.9), "beta1 1.0");
    refused(() -> AdamW.learningRate(1e300), "learningRate 1.0E300");
    refused(() -> AdamW.standard().weightDecay(1e300), "weightDecay 1.0E300");
    refused(() -> AdamW.standard().eps(0), "eps 0.0");
    refused(() -> AdamW.standard().eps(1e-50), "eps 1.0E-50");
    refused(() -> AdamW.standard().clipNorm(-1), "clipNorm -1.0");
    refused(() -> Lora.rank(4).dropout(1), "dropout 1.0");
    refused(() -> Lora.rank(4).alpha(0), "alpha 0.0");
    refused(() -> Lora.rank(4).rankPattern("q_proj", 0), "rank of q_proj 0");
    refused(() -> Lora.rank(4).targetModules(), "targetModules()");
    refused(() -> Loss.ppo(1.2, 0.8), "clip thresholds 1.2, 0.8");
    refused(() -> Loss.dro(-1), "beta -1.0");
    refused(() -> SamplingParams.greedy().maxTokens(0), "maxTokens 0");
    refused(() -> SamplingParams.greedy().temperature(-1), "temperature -1.0");
    refused(() -> SamplingParams.greedy().topP(0), "topP 0.0");
    refused(() -> SamplingParams.greedy().topK(-1), "topK -1");
    refused(() -> SamplingParams.greedy().stop(""), "stop");
    refused(() -> Modules.layers(3, 2), "layers(3, 2)");
    refused(() -> Modules.lastLayers(0), "lastLayers(0)");
    refused(() -> Modules.named(" "), "named");
    refused(() -> Message.of("robot", "x"), "robot");
  }

  private static void refused(Supplier<?> call, String part) {
    assertThatThrownBy(call::get).isInstanceOf(InvalidInputException.class).hasMessageContaining(part);
  }

  @Test
  void modulesChooseByKindLayerAndName() {
    String q0 = "model.layers.0.self_attn.q_proj";
    String up3 = "model.layers.3.mlp.up_proj";

    assertThat(Modules.attention().contains(q0, 4)).isTrue();
    assertThat(Modules.attention().contains(up3, 4)).isFalse();
    assertThat(Modules.mlp().contains(up3, 4)).isTrue();
    assertThat(Modules.lastLayers(1).contains(up3, 4)).isTrue();
    assertThat(Modules.lastLayers(1).contains(q0, 4)).isFalse();
    assertThat(Modules.layers(0, 2).contains("lm_head", 4)).isFalse();
    assertThat(Modules.attention().within(Modules.layers(1, 3)).contains(q0, 4)).isFalse();
    assertThat(Modules.named("q_proj").contains(q0, 4)).isTrue();
    assertThat(Modules.named("layers.0.*").contains(q0, 4)).isTrue();
    assertThat(Modules.named("up").contains(up3, 4)).isFalse();
    assertThat(Modules.lmHead().contains("lm_head", 4)).isTrue();
    assertThat(Modules.norms().contains("model.layers.0.input_layernorm", 4)).isTrue();
    assertThat(Modules.embeddings().contains("model.embed_tokens", 4)).isTrue();
  }

  @Test
  void everyValuePrintsItselfOnOneShortLine() {
    Lora long_ = Lora.rank(32).targetModules(Modules.named("a".repeat(70)), Modules.attention().within(Modules.layers(1, 2)));
    for (Object value : List.of(AdamW.learningRate(1e-4).weightDecay(0.01).clipNorm(1), Lora.standard(), long_, Full.all(),
        Schedule.cosine(1e-4, 1000).warmup(10), Loss.cispo(), SamplingParams.standard(), Datum.of(1, 2, 3),
        Batch.of(Datum.of(1, 2)), new Sample(new int[3], new float[3], "<b>\n" + "x".repeat(99), Sample.StopReason.STOP),
        new Token(3, "\n", -1), new OptimResult(3, 1e-4, 2), new LossResult(1, List.of(), 1, java.util.Map.of()),
        new Trainable(List.of(), 10, 1000), Message.user("x".repeat(100)), Conversation.of(Message.user("x")),
        new Text("x"), new Completion("a", "b"), new ToolCall("1", "f".repeat(99), "{\n}"), Modules.named("<a>".repeat(50)),
        Lora.from(java.nio.file.Path.of("a".repeat(200))), Lora.from(java.nio.file.Path.of("/")),
        CustomLoss.Value.of(1, List.of(new float[9])), new Trainable.Row("self_attn.q_proj", 999, "LoRA, rank 999", 1L << 40))) {
      assertThat(value.toString()).hasSizeLessThanOrEqualTo(80).doesNotContain("\n", "<", ">");
    }
  }
}

package dev.fettle.internal;

import static dev.fettle.support.Golden.floats;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.Datum;
import dev.fettle.Loss;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.support.Golden;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The loss formulas against golden values in double precision. */
class TokenLossTest {
  private static Loss loss(String name) {
    return switch (name) {
      case "cross_entropy" -> Loss.crossEntropy();
      case "importance_sampling" -> Loss.importanceSampling();
      case "ppo_0.8_1.2" -> Loss.ppo();
      case "cispo_0.8_1.2" -> Loss.cispo(0.8, 1.2);
      case "cispo_0.0_4.0_default" -> Loss.cispo();
      default -> Loss.dro(0.05);
    };
  }

  @ParameterizedTest
  @CsvSource({"cross_entropy", "importance_sampling", "ppo_0.8_1.2", "cispo_0.8_1.2", "cispo_0.0_4.0_default", "dro_beta0.05"})
  void lossAndDerivativeEqualTheGoldenValues(String name) {
    JsonNode all = Golden.json(Golden.shared("reference/golden_numerics.json"));
    JsonNode inputs = all.get("inputs");
    JsonNode golden = all.get(name);
    Loss loss = loss(name);
    TokenLoss formula = TokenLoss.of(loss);
    boolean supervised = loss instanceof Loss.CrossEntropy;
    int[] targets = Golden.ints(inputs.get("target_tokens"));
    Datum datum = supervised ? Datum.supervised(targets, targets, floats(inputs.get("weights")))
        : Datum.reinforcement(targets, targets, floats(inputs.get("sampling_logprobs")), floats(inputs.get("advantages")));

    double sum = 0;
    for (int i = 0; i < targets.length; i++) {
      double p = golden.get("logprobs").get(i).asDouble();
      if (!TokenLoss.takesPart(loss, datum, i)) {
        assertThat(i).as("prompt position").isLessThan(2);
        continue;
      }
      double q = supervised ? 0 : inputs.get("sampling_logprobs").get(i).asDouble();
      double a = inputs.get(supervised ? "weights" : "advantages").get(i).asDouble();
      sum += formula.value(p, q, a);
      assertThat(formula.derivative(p, q, a)).isCloseTo(golden.get("dL_dlogprobs").get(i).asDouble(), within(1e-12));
    }

    // The reference's sum for DRO has a quadratic term at positions of the prompt too, which have no advantage.
    double prompt = golden.has("pitfall_prompt_quadratic") ? golden.get("pitfall_prompt_quadratic").asDouble() : 0;
    assertThat(sum + prompt).isCloseTo(golden.get("loss_sum").asDouble(), within(1e-9));
  }

  @ParameterizedTest
  @CsvSource({"-1.0, -1.5, 2.0, -3.2974425414002564, 0.0", "-1.0, -0.2, 1.5, -0.6739934461758, -0.6739934461758"})
  void theGradientOfPpoStopsWhereTheRatioIsClipped(double p, double q, double a, double importance, double derivative) {
    assertThat(new TokenLoss.ImportanceSampling().value(p, q, a)).isCloseTo(importance, within(1e-9));
    assertThat(new TokenLoss.Ppo(0.8, 1.2).derivative(p, q, a)).isCloseTo(derivative, within(1e-9));
  }
}

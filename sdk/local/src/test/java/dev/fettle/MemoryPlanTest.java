package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.MemoryPlan.Part;
import dev.fettle.support.LocalFettle;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a training and a sampler say of the memory that they will hold. */
class MemoryPlanTest {
  private static final long GIB = 1L << 30;

  @RegisterExtension
  private final LocalFettle local = new LocalFettle();

  @Test
  void aPlanPrintsItsLargestPartsOnOneLine() {
    MemoryPlan plan = new MemoryPlan(List.of(new Part("weights", GIB / 4), new Part("nothing", 0), new Part("gradients", GIB)));
    assertThat(plan).hasToString("MemoryPlan[1.25 GiB: gradients 1.00, weights 0.25]");
    assertThat(plan.total()).isEqualTo(GIB / 4 * 5);
    assertThat(plan.bytes("weights")).isEqualTo(GIB / 4);
    assertThat(plan.bytes("logits")).isZero();
    assertThat(plan.parts()).extracting(Part::name).containsExactly("weights", "gradients");

    MemoryPlan long1 = new MemoryPlan(List.of(new Part("weights for decoding", 9000 * GIB), new Part("parameters", 8000 * GIB),
        new Part("activations", 7000 * GIB), new Part("logits", GIB)));
    assertThat(long1.toString()).hasSizeLessThanOrEqualTo(80).endsWith(", ...]").contains("parameters 8000.00");
    assertThat(new MemoryPlan(List.of())).hasToString("MemoryPlan[0.00 GiB]");
    assertThat(new MemoryPlan(List.of(new Part("weights", 3 << 19), new Part("gradients", 1 << 20))))
        .hasToString("MemoryPlan[2.5 MiB: weights 1.5, gradients 1.0]");
    assertThatThrownBy(() -> new Part("logits", -1)).isInstanceOf(InvalidInputException.class).hasMessageContaining("logits");
  }

  @Test
  void aTrainingSaysWhatItHoldsWithAndWithoutAPass() {
    BaseModel base = local.golden("qwen3");
    Training training = base.tune(Lora.rank(4));
    long vector = 4 * training.trainable().trained();
    MemoryPlan lasting = training.memoryPlan();
    MemoryPlan pass = training.memoryPlan(batch(base, 4, 32));

    assertThat(lasting.bytes("weights")).isEqualTo(4 * base.parameters());
    assertThat(lasting.bytes("moments")).isEqualTo(2 * vector);
    assertThat(lasting.bytes("gradients") % vector).isZero();
    assertThat(lasting.bytes("activations")).isZero();
    assertThat(pass.bytes("weights")).isEqualTo(lasting.bytes("weights"));
    assertThat(pass.bytes("parameters")).isEqualTo(lasting.bytes("parameters"));
    assertThat(pass.bytes("activations")).isPositive();
    assertThat(training.memoryPlan(batch(base, 8, 32)).bytes("activations")).isGreaterThan(pass.bytes("activations"));
  }

  @Test
  void aFurtherPassNeedsOneMoreGradient() {
    BaseModel base = local.golden("qwen3");
    Batch batch = batch(base, 2, 16);
    for (Tuning tuning : List.of(Lora.rank(4), Full.all())) {
      Training training = base.tune(tuning);
      MemoryPlan first = training.memoryPlan(batch);
      training.forwardBackward(batch, Loss.crossEntropy());
      MemoryPlan further = training.memoryPlan(batch);
      training.optimStep(AdamW.learningRate(1e-4));

      assertThat(further.bytes("gradients")).isEqualTo(first.bytes("gradients") + 4 * training.trainable().trained());
      assertThat(training.memoryPlan(batch)).isEqualTo(first);
    }
  }

  @Test
  void aModelThatIsTrainedAsAWholeIsNotHeldTwice() {
    MemoryPlan plan = local.golden("llama").tune(Full.all()).memoryPlan();

    assertThat(plan.bytes("weights")).isZero();
    assertThat(plan.bytes("parameters")).isPositive();
  }

  @Test
  void aSamplerCountsCachesBySamplesAndLength() {
    Sampler sampler = local.golden("llama").sampler();
    SamplingParams params = SamplingParams.standard().maxTokens(8);
    MemoryPlan one = sampler.memoryPlan(new int[] {1, 2, 3}, params);

    assertThat(one.bytes("caches")).isPositive();
    assertThat(sampler.memoryPlan(new int[] {1, 2, 3}, params.samples(8)).bytes("caches"))
        .isEqualTo(8 * one.bytes("caches"));
    assertThatThrownBy(() -> sampler.memoryPlan(new int[0], params)).isInstanceOf(InvalidInputException.class);
  }

  @Test
  void mistakesAreRefusedAsByThePass() {
    Training training = local.golden("llama").tune(Lora.rank(2));

    assertThatThrownBy(() -> training.memoryPlan(Batch.of(Datum.of(1, 4000))))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("4000");
    assertThatThrownBy(() -> training.memoryPlan((Batch) null)).isInstanceOf(NullPointerException.class);
  }

  private static Batch batch(BaseModel model, int size, int length) {
    SplittableRandom random = new SplittableRandom(1);
    return Batch.of(random.ints(size).mapToObj(i -> Datum.of(random.ints(length, 0, model.vocabSize()).toArray())).toList());
  }
}

package dev.fettle.internal.local;

import dev.fettle.AdamW;
import dev.fettle.ParameterGroup;

/**
 * How the settings of a step apply to some of the trained numbers.
 *
 * @param rate of the part that they belong to
 * @param ratio a further factor of the learning rate: LoRA+ has one for the B's
 */
record ScaledGroup(ParameterGroup rate, double ratio) {
  ScaledGroup(ParameterGroup rate) {
    this(rate, 1);
  }

  AdamW of(AdamW step) {
    AdamW s = rate.of(step);
    return ratio == 1 ? s
        : new AdamW(s.learningRate() * ratio, s.beta1(), s.beta2(), s.eps(), s.weightDecay(), s.clipNorm());
  }
}

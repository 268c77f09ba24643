/**
 * Whole trainings: {@link dev.fettle.recipes.Sft}, {@link dev.fettle.recipes.Dpo} and the other recipes that learn from
 * preferences ({@link dev.fettle.recipes.Kto}, {@link dev.fettle.recipes.Orpo}, {@link dev.fettle.recipes.SimPo},
 * {@link dev.fettle.recipes.RewardModel}), {@link dev.fettle.recipes.Grpo} and {@link dev.fettle.recipes.Distill}, the
 * {@link dev.fettle.recipes.Comparison} of several ways to train, and drawings of
 * what came of them. Each is a loop over public calls of {@link dev.fettle}.
 */
@NullMarked
package dev.fettle.recipes;

import org.jspecify.annotations.NullMarked;

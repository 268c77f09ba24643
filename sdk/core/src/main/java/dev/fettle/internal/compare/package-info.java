/** What {@link dev.fettle.recipes.Comparison} does: sweeps, seeds, results that survive interruption, tests, table and plots. */
package dev.fettle.internal.compare;

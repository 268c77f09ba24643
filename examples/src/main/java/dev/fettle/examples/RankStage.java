package dev.fettle.examples;

import java.util.List;

/**
 * Units that are of use together alone, such as all folds of a method with one seed.
 *
 * @param name how a report speaks of it
 * @param importance the least is done if anything is; what does not fit into the budget goes from the greatest on
 * @param units what is to be done
 * @param tokens about how many are read for each unit, a trained one counted threefold, times the numbers that each is
 *     multiplied with
 */
record RankStage(String name, int importance, List<RankUnit> units, double tokens) {}

package dev.fettle.examples;

import java.util.Map;

/**
 * What a unit took, a line of {@code results.jsonl}.
 *
 * @param key the unit's
 * @param setting what it was trained with
 * @param trained numbers that are trained
 * @param savedBytes of the adapter or the model; 0 where it was not saved
 * @param seconds of the training steps by the clock
 * @param cpuSeconds the same of the process's processor time
 * @param wall seconds of all, measuring included
 * @param peakBytes the most memory that the process had while training
 * @param queryMillis that a query takes by itself
 * @param quality nDCG@10 by query, of levers; empty for what has rankings
 */
record RankCosts(String key, String setting, long trained, long savedBytes, double seconds, double cpuSeconds, double wall,
    long peakBytes, double queryMillis, Map<String, Double> quality) {}

/**
 * Retrieval: queries, documents and judgements, training data of pairs and triples, losses over rankings, search among
 * vectors, and trec_eval's measures with their statistics. Encoders themselves are models of {@link dev.fettle}.
 */
@NullMarked
package dev.fettle.ranking;

import org.jspecify.annotations.NullMarked;

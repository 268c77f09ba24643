/** Measures of rankings, TREC's and BEIR's files, and exact search among vectors. */
package dev.fettle.internal.ranking;

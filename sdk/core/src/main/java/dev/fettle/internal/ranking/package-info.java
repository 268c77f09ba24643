/** Measures of rankings, TREC's and BEIR's files, and files of vectors. */
package dev.fettle.internal.ranking;

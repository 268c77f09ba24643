/** Tokenizers and chat formats. A {@code ChatFormat} writes pieces; tokens and loss mask follow from the pieces. */
package dev.fettle.internal.text;

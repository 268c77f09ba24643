/**
 * Tokenizers and chat formats. A model's template is run by {@code TemplateFormat}; tokens and loss mask follow from the
 * origins of its characters. Without a template a {@code PiecesFormat} writes pieces, and they follow from the pieces.
 */
package dev.fettle.internal.text;

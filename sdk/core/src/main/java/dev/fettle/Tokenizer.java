package dev.fettle;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * Text to token ids and back. Immutable and thread-safe; nothing to close. A model has one, {@link BaseModel#tokenizer()};
 * {@link Tokenizers} opens one without a model.
 *
 * <p>Special tokens (the ones that begin a text or end a turn) are reached by id only: no text that is passed to
 * {@link #encode(String)} ever becomes one.
 */
public interface Tokenizer {
  /**
   * The ids of a text as it stands: no token is added and nothing in the text becomes a special token. Equal to
   * transformers' {@code tokenizer(text, add_special_tokens=False, split_special_tokens=True)}. A text of more than
   * 16384 characters is encoded in parts, on all cores, where the tokenizer is of a kind whose ids stay the same.
   *
   * @throws FettleException if the thread is interrupted while it encodes the parts of a long text
   */
  int[] encode(String text);

  /**
   * The text of some ids; special tokens are left out.
   *
   * @throws InvalidInputException if an id is negative or not below {@link #vocabSize()}
   */
  String decode(int... ids);

  /**
   * The text of some ids, special tokens included.
   *
   * @throws InvalidInputException if an id is negative or not below {@link #vocabSize()}
   */
  String decodeAll(int... ids);

  /** One more than the highest id, added tokens included. A model's embedding is often padded beyond it. */
  int vocabSize();

  /** The token that begins a text, if the model has one. */
  OptionalInt bos();

  /** The token that ends a text, if the model has one. */
  OptionalInt eos();

  /** Whether the model was trained with {@link #bos()} before plain text. */
  boolean addsBos();

  /** The id of a token in the vocabulary's own spelling, such as {@code <|im_end|>} or {@code Ġthe}. */
  OptionalInt id(String token);

  /**
   * The token of an id in the vocabulary's own spelling; empty for an id that no token has.
   *
   * @throws InvalidInputException if the id is negative or not below {@link #vocabSize()}
   */
  String token(int id);

  /** Whether an id is a special token; false for ids outside the vocabulary. */
  boolean special(int id);

  /** The model's own chat template (Jinja source), if it has one. {@link Renderers#detect} runs it. */
  Optional<String> chatTemplate();
}

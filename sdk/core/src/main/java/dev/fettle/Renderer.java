package dev.fettle;

import dev.fettle.internal.Status;
import java.util.List;
import java.util.OptionalInt;

/**
 * Turns examples into tokens and loss mask together, in the chat format that a model was trained with. Immutable and
 * thread-safe. A model has one, {@link BaseModel#renderer()}; {@link Renderers} makes others.
 *
 * <p>A model with a chat template is rendered by that template, as transformers does it, character for character: the
 * family {@code template}. Which characters a message's author wrote and which the template did is known of each, and
 * so is what is trained: an answer begins where the prompt for it ends, or as the template's {@code generation} blocks
 * say. A template that asks for the day gets the one on which the renderer was made. It sees messages as their file has them
 * ({@link Message#fields}); where it fails on that or leaves something out, as most templates take them: content as one text,
 * arguments as objects, {@code developer} as {@code system}, reasoning by the name that the template reads.
 *
 * <p>Models without a template get one of these families, which equal the templates of their models token for token:
 *
 * <ul>
 *   <li>{@code qwen2.5}: the template of Qwen 2.5 Instruct, default system message and tools included.
 *   <li>{@code qwen3}: the template of Qwen 3, which thinks. Reasoning is cut from answers before the last user
 *       message, as the template does, so several trained answers become several training sequences.
 *   <li>{@code qwen3-no-thinking}: the same with {@code enable_thinking=False}; the empty {@code <think>} block
 *       belongs to the header and is not trained.
 *   <li>{@code qwen3-instruct}: the template of the Qwen 3 Instruct 2507 models, which never think.
 *   <li>{@code llama3}: the template of Llama 3 without tools and without a date.
 *   <li>{@code llama3.1}: the template of Llama 3.1, 3.2 and 3.3 with tools and the block "Cutting Knowledge Date".
 *       "Today Date" is always the fixed {@code 26 Jul 2024} of the 3.1 template.
 *   <li>{@code mistral}: the template of Mistral Nemo (v3 Tekken). The system message goes before the last user
 *       message, always; the Jinja template loses it where the user's message is not the last one.
 *   <li>{@code chatml}: {@code <|im_start|>role}, the text, {@code <|im_end|>}; no tools, no reasoning.
 *   <li>{@code roles}: plain text {@code User: ...}, {@code Assistant: ...} for models without a chat template.
 * </ul>
 *
 * <p>Text is tokenised together with the header before it, as the real templates do; the Tinker cookbook tokenises
 * them apart, which differs where a message begins with a line break. A token that spans both counts as header. Other
 * differences from the cookbook: {@code llama3} strips white space around a message, and the line break after the
 * last {@code <|im_end|>} is kept, because the templates do so. In {@code roles} the pieces are tokenised apart, as
 * the cookbook does.
 *
 * <p>One thing differs from the templates on purpose: text of a message, a tool or a system prompt never becomes a
 * special token, unless {@link #trust(boolean)} says so. And nothing is dropped in silence: what a family has no place
 * for (tools, reasoning, a system message in the middle) is an {@link InvalidInputException}, and so is a trained
 * message that a template leaves out; what else a template leaves out is said once.
 */
public interface Renderer {
  /**
   * The training sequences of an example: one, or several where a family rewrites its own history (as {@code qwen3}
   * cuts old reasoning) and more than one message is trained. {@link TrainOn#ALL_TOKENS} always gives one.
   *
   * <p>{@link Conversation}: the mask is as {@link #trainOn(TrainOn)} says; the token that ends a trained message is
   * trained with it, its header is not. {@link Completion}: the prompt has weight 0 and each token of the completion 1;
   * prompt and completion are tokenised apart. {@link Text}: each token has weight 1. Completion and text begin with
   * the model's BOS (weight 0) if {@link Tokenizer#addsBos()}, and end with its EOS (weight 1) if it has one and they do
   * not end with it.
   *
   * @throws InvalidInputException if the family cannot express the example, nothing in it is trained, or it is a
   *     {@link Preference} or {@link Feedback}, of which each answer is rendered by itself
   */
  List<Rendered> render(Example example);

  /** The tokens that ask the model for the next assistant message; the conversation needs no assistant message. */
  int[] prompt(Conversation conversation);

  /** This renderer with other trained parts. The default is {@link TrainOn#LAST_ASSISTANT_MESSAGE}, as Tinker's. */
  Renderer trainOn(TrainOn parts);

  /**
   * This renderer with special tokens that a text spells, such as {@code <|im_end|>}, read as those tokens, or not.
   * Without this they are text in messages and tools, and tokens in a {@link Text} or {@link Completion}, which a
   * template may have written before; that is said once.
   *
   * @param text true for data that may be trusted, false for data that may not
   */
  Renderer trust(boolean text);

  /**
   * This renderer with a variable of the chat template, such as {@code with("enable_thinking", false)}; what transformers
   * takes as further arguments of {@code apply_chat_template}.
   *
   * @param value a text, a number, a truth value, null, or a list or map of these
   * @throws InvalidInputException if no template is in use that reads it
   */
  Renderer with(String name, Object value);

  /** The tokens that end the assistant's message. */
  List<Integer> stopTokens();

  /** The texts that end the assistant's message; only {@code roles} has one. */
  List<String> stopStrings();

  /**
   * The assistant's message in sampled tokens: cut at the first stop, with reasoning and tool calls split off where
   * the family has them. A missing stop, an open reasoning block or a malformed tool call are no error: what cannot
   * be understood stays in the content. Ids beyond the vocabulary are ignored.
   */
  Message parse(int[] sampled);

  /** The example as text with its mask, coloured if it is for a terminal and {@code NO_COLOR} is not set. */
  default String show(Example example) {
    return show(example, Status.isTerminal() && System.getenv("NO_COLOR") == null);
  }

  /**
   * The example as text with its mask: special tokens are written out and line breaks are marked by {@code \n}.
   *
   * @param colour true: by ANSI escapes, letters in one of three colours for who wrote a token (the template, a message's
   *     author, or a value that the template computed), which is the colour behind them where it is trained, and a legend in
   *     the last line; false: trained tokens in {@code [[ ]]}
   */
  String show(Example example, boolean colour);

  /** The same as HTML, in the same three colours, for a notebook or a page. */
  String html(Example example);

  /** The longest sequence that the model takes, in tokens; empty where no model is known, as with {@link Renderers#of}. */
  default OptionalInt contextLength() {
    return OptionalInt.empty();
  }

  /** The name of the chat format. */
  String family();

  /** The tokenizer in use. */
  Tokenizer tokenizer();
}

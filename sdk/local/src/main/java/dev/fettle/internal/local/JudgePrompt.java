package dev.fettle.internal.local;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Tokenizer;
import dev.fettle.internal.checkpoint.EncoderModules;
import dev.fettle.internal.checkpoint.JsonFields;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * How a causal language model is asked about a text: a message in its chat format, or what a reranker was trained with, to be
 * answered by yes or no. Where the prompt would be too long the end of the text is cut.
 */
final class JudgePrompt implements Judge {
  private static final String QUESTION = "Does the text answer the query? Say yes or no.\n\nQuery: %s\n\nText: %s";
  private static final String LOGITS = "LogitScore";

  private final LocalModel model;
  private final BiFunction<String, String, int[]> prompt;
  private final int yes;
  private final int no;

  private JudgePrompt(LocalModel model, BiFunction<String, String, int[]> prompt, int yes, int no) {
    this.model = model;
    this.prompt = prompt;
    this.yes = yes;
    this.no = no;
  }

  /** The one for a model: the tokens of the answers are those that its files name, or yes and no. */
  static JudgePrompt of(LocalModel model) {
    EncoderModules.requireOnly(model.files(), Set.of("Transformer", LOGITS));
    Optional<JsonFields> answers = EncoderModules.of(model.files(), LOGITS);
    BiFunction<String, String, int[]> prompt = RerankerPrompt.isFor(model) ? new RerankerPrompt(model)::tokens
        : (query, text) -> model.renderer().prompt(Conversation.of(Message.user(QUESTION.formatted(query, text))));
    return new JudgePrompt(model, prompt, answer(model, answers, "true_token_id", "yes", 0),
        answer(model, answers, "false_token_id", "no", 1));
  }

  private static int answer(LocalModel model, Optional<JsonFields> answers, String key, String word, int withoutTokenizer) {
    if (answers.isPresent()) {
      if (!answers.get().has(key)) {
        throw answers.get().unsupported(key, "a score is the logit of one token less that of another");
      }
      return answers.get().integer(key, 0, model.vocabSize() - 1);
    }
    Tokenizer tokenizer = model.tokenizer();
    return tokenizer.vocabSize() == 0 ? withoutTokenizer : tokenizer.encode(word)[0];
  }

  @Override
  public Body body(Running running) {
    return Body.preference(model.network(), running, yes, no);
  }

  @Override
  public int[] tokens(String query, String text) {
    if (yes == no) {
      throw new InvalidInputException(model.name() + ": \"yes\" and \"no\" begin with the same token, so it cannot be asked");
    }
    int most = model.contextLength();
    int[] whole = prompt.apply(query, text);
    if (whole.length <= most) {
      return whole;
    }
    int[] body = model.tokenizer().encode(text);
    int kept = body.length - (whole.length - most);
    for (int room = kept; room > 0; room--) {
      int[] cut = prompt.apply(query, model.tokenizer().decodeAll(Arrays.copyOf(body, room)));
      if (cut.length <= most) {
        return cut;
      }
    }
    throw new InvalidInputException("the query alone is longer than the context of " + most + " tokens of " + model.name());
  }
}

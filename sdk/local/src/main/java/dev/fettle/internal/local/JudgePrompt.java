package dev.fettle.internal.local;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import java.util.Arrays;

/**
 * How a causal language model is asked about a text: a message in its chat format, to be answered by yes or no. Where the
 * prompt would be too long the end of the text is cut.
 */
final class JudgePrompt {
  private static final String QUESTION = "Does the text answer the query? Say yes or no.\n\nQuery: %s\n\nText: %s";

  private final LocalModel model;
  private final int yes;
  private final int no;

  JudgePrompt(LocalModel model) {
    this.model = model;
    this.yes = model.tokenizer().vocabSize() == 0 ? 0 : model.tokenizer().encode("yes")[0];
    this.no = model.tokenizer().vocabSize() == 0 ? 1 : model.tokenizer().encode("no")[0];
  }

  int yes() {
    return yes;
  }

  int no() {
    return no;
  }

  int[] tokens(String query, String text) {
    if (yes == no) {
      throw new InvalidInputException(model.name() + ": \"yes\" and \"no\" begin with the same token, so it cannot be asked");
    }
    int most = model.contextLength();
    int[] whole = prompt(query, text);
    if (whole.length <= most) {
      return whole;
    }
    int[] body = model.tokenizer().encode(text);
    int kept = body.length - (whole.length - most);
    for (int room = kept; room > 0; room--) {
      int[] cut = prompt(query, model.tokenizer().decodeAll(Arrays.copyOf(body, room)));
      if (cut.length <= most) {
        return cut;
      }
    }
    throw new InvalidInputException("the query alone is longer than the context of " + most + " tokens of " + model.name());
  }

  private int[] prompt(String query, String text) {
    return model.renderer().prompt(Conversation.of(Message.user(QUESTION.formatted(query, text))));
  }
}

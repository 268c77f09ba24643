package dev.fettle.internal.local;

import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.model.ModelConfig;
import java.util.Arrays;

/** How a model judges whether a text answers a query: what it reads, and what makes a number of that. */
interface Judge {
  /** The tokens that are read of a query and a text. */
  int[] tokens(String query, String text);

  /** The same, of tokens that the model has. */
  default int[] read(ModelConfig config, String query, String text) {
    int[] read = tokens(query, text);
    BatchCheck.tokens("the question about a text", Arrays.stream(read).map(t -> t < 0 ? ~t : t).toArray(), config);
    return read;
  }

  /** What gives a query and a text their number, a logit. */
  Body body(Running running);

  /** That of a model, be it one that was made for it or a language model that is asked. */
  static Judge of(LocalModel model) {
    if (model.embeds()) {
      throw new UnsupportedModelException(model.name() + " embeds texts: compare the vectors of a query and of texts, see embed; "
          + "classifiers (ForSequenceClassification) and causal language models score texts");
    }
    return model.config().isCausalLm() ? JudgePrompt.of(model) : new PairReader(model);
  }
}

package dev.fettle.internal.local;

import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.InvalidInputException;
import dev.fettle.Loss;
import dev.fettle.internal.TokenLoss;
import dev.fettle.internal.model.ModelConfig;
import java.util.List;

/** What must hold of a batch before any of it reaches native code. */
final class BatchCheck {
  private BatchCheck() {}

  /** Every token is in the vocabulary and every sequence within the context. */
  static void tokens(Batch batch, ModelConfig config) {
    for (int i = 0; i < batch.size(); i++) {
      Datum datum = batch.data().get(i);
      tokens("data[" + i + "].inputs", datum.inputs(), config);
      inVocabulary("data[" + i + "].targets", datum.targets(), config.vocabSize());
    }
  }

  /** The same of one sequence. */
  static void tokens(String where, int[] tokens, ModelConfig config) {
    if (tokens.length == 0) {
      throw new InvalidInputException(where + " is empty: give at least one token");
    }
    if (tokens.length > config.contextLength()) {
      throw new InvalidInputException(where + " has " + tokens.length + " tokens, but the model's context is "
          + config.contextLength() + ": shorten it, or set Dataset.maxLength");
    }
    inVocabulary(where, tokens, config.vocabSize());
  }

  /** Each datum has what the loss reads, and some position takes part in it. */
  static void loss(Batch batch, Loss loss) {
    List<Datum> data = batch.data();
    boolean any = false;
    for (int i = 0; i < data.size(); i++) {
      TokenLoss.requireInputs(loss, data.get(i), i);
      for (int j = 0; j < data.get(i).targets().length && !any; j++) {
        any = TokenLoss.takesPart(loss, data.get(i), j);
      }
    }
    if (!any) {
      throw new InvalidInputException("nothing to learn from: all " + (loss instanceof Loss.CrossEntropy ? "weights"
          : "advantages and logprobs") + " of the batch are zero");
    }
  }

  private static void inVocabulary(String where, int[] ids, int vocabulary) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= vocabulary) {
        throw new InvalidInputException(where + "[" + i + "] = " + ids[i] + ": the vocabulary has the ids 0 to "
            + (vocabulary - 1) + ", for which the model has rows");
      }
    }
  }
}

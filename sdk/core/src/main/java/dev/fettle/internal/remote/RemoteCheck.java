package dev.fettle.internal.remote;

import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.InvalidInputException;
import dev.fettle.Loss;
import dev.fettle.internal.TokenLoss;
import java.util.OptionalInt;

/** What must hold before anything is sent, as far as it is known here. */
record RemoteCheck(OptionalInt vocabulary, OptionalInt context) {
  /** Each datum has what the loss reads, and fits the model. */
  void data(Batch batch, Loss loss) {
    if (!(loss instanceof Loss.Custom)) {
      PassData.name(loss);
    }
    for (int i = 0; i < batch.size(); i++) {
      Datum datum = batch.data().get(i);
      tokens("data[" + i + "].inputs", datum.inputs());
      inVocabulary("data[" + i + "].targets", datum.targets());
      if (!(loss instanceof Loss.Custom)) {
        TokenLoss.requireInputs(loss, datum, i);
      }
    }
  }

  /** The same, and some position takes part in the loss. */
  void training(Batch batch, Loss loss) {
    data(batch, loss);
    if (loss instanceof Loss.Custom) {
      return;
    }
    for (Datum datum : batch.data()) {
      for (int i = 0; i < datum.targets().length; i++) {
        if (TokenLoss.takesPart(loss, datum, i)) {
          return;
        }
      }
    }
    throw new InvalidInputException("nothing to learn from: all " + (loss instanceof Loss.CrossEntropy ? "weights"
        : "advantages and logprobs") + " of the batch are zero");
  }

  void tokens(String where, int[] tokens) {
    if (tokens.length == 0) {
      throw new InvalidInputException(where + " is empty: give at least one token");
    }
    if (context.isPresent() && tokens.length > context.getAsInt()) {
      throw new InvalidInputException(where + " has " + tokens.length + " tokens, but the model's context is "
          + context.getAsInt() + ": shorten it, or set Dataset.maxLength");
    }
    inVocabulary(where, tokens);
  }

  private void inVocabulary(String where, int[] ids) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || vocabulary.isPresent() && ids[i] >= vocabulary.getAsInt()) {
        throw new InvalidInputException(where + "[" + i + "] = " + ids[i] + ": the vocabulary has the ids 0 to "
            + (vocabulary.isPresent() ? vocabulary.getAsInt() - 1 : "its end"));
      }
    }
  }
}

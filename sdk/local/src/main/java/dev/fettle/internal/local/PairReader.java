package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.EncoderModules;
import dev.fettle.internal.checkpoint.EncoderSettings;
import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.checkpoint.OpenFile;
import dev.fettle.internal.checkpoint.Prompts;
import dev.fettle.internal.model.OuterWeight.Place;
import dev.fettle.internal.network.Classification;
import dev.fettle.internal.text.PairFrame;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A classifier that reads a query and a text together, in the frame of its tokenizer. */
final class PairReader implements Judge {
  private final LocalModel model;
  private final PairFrame frame;
  private final int most;
  private final String prompt;

  PairReader(LocalModel model) {
    this.model = model;
    OpenDirectory files = model.files();
    EncoderModules.requireOnly(files, Set.of("Transformer"));
    PairFrame found = PairFrame.of(model.tokenizer());
    this.frame = readsSegments(model) ? found : found.ofOneSegment();
    this.most = Math.min(model.contextLength(), EncoderSettings.maxTokens(files).orElse(Integer.MAX_VALUE));
    this.prompt = Prompts.read(files, Prompts.SCORING).text(Optional.empty());
  }

  /** Whether its tokenizer tells the model which tokens are of the second text, as BERT's does. */
  private static boolean readsSegments(LocalModel model) {
    boolean has = model.config().embeddings().stream().anyMatch(w -> w.place() == Place.SEGMENTS && w.rows() > 1);
    Optional<OpenFile> file = model.files().find("tokenizer_config.json");
    if (!has || file.isEmpty()) {
      return has && model.config().architecture().type().equals("bert");
    }
    JsonFields settings = JsonFields.of(file.get());
    List<String> inputs = settings.strings("model_input_names");
    return inputs.isEmpty() ? settings.string("tokenizer_class").orElse("Bert").startsWith("Bert") : inputs.contains("token_type_ids");
  }

  @Override
  public int[] tokens(String query, String text) {
    int[] tokens = frame.put(model.tokenizer().encode(prompt + query), model.tokenizer().encode(text), most);
    if (tokens.length == 0) {
      throw new InvalidInputException("an empty query and an empty text have no tokens and so no score");
    }
    return tokens;
  }

  @Override
  public Body body(Running running) {
    return Body.scores(model.network(), running, new Classification(model.config()));
  }
}

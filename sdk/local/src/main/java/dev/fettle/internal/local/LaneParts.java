package dev.fettle.internal.local;

import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.network.SequenceParts;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** What lanes that share a sequence have of it; closed once they have ended. */
final class LaneParts implements AutoCloseable {
  private final Map<Integer, SequenceParts> texts = new HashMap<>();
  private final List<Optional<SequenceParts.Part>> parts = new ArrayList<>();

  LaneParts(ModelConfig config, LengthBuckets portions) {
    for (LengthBuckets.Cut cut : portions.cuts()) {
      parts.add(cut.at().length == 2 ? Optional.empty()
          : Optional.of(texts.computeIfAbsent(cut.text(), text -> new SequenceParts(config, cut.at())).part(cut.number())));
    }
  }

  /** Does the work of a lane with its part, if it has one; where that fails, lanes that wait for it fail too. */
  void run(int lane, Consumer<Optional<SequenceParts.Part>> work) {
    try {
      work.accept(parts.isEmpty() ? Optional.empty() : parts.get(lane));
    } catch (Throwable e) {
      texts.values().forEach(text -> text.fail(e));
      throw e;
    }
  }

  @Override
  public void close() {
    texts.values().forEach(SequenceParts::close);
  }
}

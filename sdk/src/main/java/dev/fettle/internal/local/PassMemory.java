package dev.fettle.internal.local;

import dev.fettle.Batch;
import dev.fettle.Datum;
import dev.fettle.SamplingParams;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.torch.NumberType;
import java.util.List;

/** What passes through a decoder take of native memory, in bytes, and how much of it they can do without. */
final class PassMemory {
  private static final int LOGIT_ROWS = 256;

  private final ModelConfig config;
  private final NumberType type;
  private final String name;
  private final boolean sparing;

  /** @param sparing whether no layer's activations are kept, even if there is room */
  PassMemory(ModelConfig config, NumberType type, String name, boolean sparing) {
    this.config = config;
    this.type = type;
    this.name = name;
    this.sparing = sparing;
  }

  /** Sparing where the property {@code fettle.recompute} is true. */
  PassMemory(ModelConfig config, NumberType type, String name) {
    this(config, type, name, Boolean.getBoolean("fettle.recompute"));
  }

  /** Refuses a pass over a batch that would not fit, even with all activations computed twice. */
  void require(Batch batch, boolean backward) {
    long rows = rows(batch);
    long bytes = backward ? training(rows, longest(batch), 0, config.layers().size()) : passing(rows, longest(batch));
    Memory.require(bytes, "a pass over " + rows + " tokens through " + name);
  }

  /**
   * The first layer whose activations there is room to keep until the way back; those of the layers below it, of which only
   * the inputs are kept, are computed again (Chen et al. 2016).
   *
   * @param lowest the lowest layer that the way back reaches
   */
  int firstKept(Batch batch, int lowest) {
    int first = Math.max(0, lowest);
    int layers = config.layers().size() - first;
    long available = Memory.available().orElse(Long.MAX_VALUE);
    int twice = sparing ? layers : 0;
    while (twice < layers && training(rows(batch), longest(batch), layers - twice, twice) > available) {
      twice++;
    }
    return first + twice;
  }

  /** If every sample becomes as long as it may. */
  long sampling(List<int[]> prompts, SamplingParams params) {
    long rows = prompts.stream().mapToLong(p -> p.length).sum();
    long longest = prompts.stream().mapToInt(p -> p.length).max().orElse(0);
    long sequences = (long) prompts.size() * params.samples();
    long room = longest + Math.max(256, Math.min(params.maxTokens(), config.contextLength() - longest));
    long cache = 2L * config.layers().size() * config.layers().get(0).numbers().kvHeads() * config.layers().get(0).headDim() * type.size() * room;
    return passing(rows, longest) + sequences * (cache + 4L * config.vocabSize() * Float.BYTES);
  }

  private long training(long rows, long longest, int kept, int twice) {
    long layer = 3L * config.hiddenSize() + 2L * config.layers().get(0).numbers().heads() * config.layers().get(0).headDim()
        + 2L * config.layers().get(0).numbers().kvHeads() * config.layers().get(0).headDim() + 2L * config.layers().get(0).inputs(dev.fettle.internal.torch.Product.DOWN);
    long numbers = kept * layer + (twice == 0 ? 0 : layer + (long) twice * config.hiddenSize());
    return passing(rows, longest) + rows * type.size() * numbers;
  }

  /** What is in memory while rows pass through a layer or the head: activations, scores of a tile, logits of a chunk. */
  private long passing(long rows, long longest) {
    long width = 4L * (config.hiddenSize() + (config.layers().get(0).numbers().heads() + config.layers().get(0).numbers().kvHeads()) * config.layers().get(0).headDim())
        + 6L * config.layers().get(0).inputs(dev.fettle.internal.torch.Product.DOWN) + 3L * config.layers().get(0).numbers().heads() * Math.min(longest, LOGIT_ROWS);
    return rows * type.size() * width + 3L * Math.min(rows, LOGIT_ROWS) * config.vocabSize() * Float.BYTES;
  }

  private static long rows(Batch batch) {
    return Math.min(batch.tokens(), Math.max(Step.MICRO_BATCH, longest(batch)));
  }

  private static long longest(Batch batch) {
    return batch.data().stream().mapToInt(Datum::length).max().orElse(0);
  }
}

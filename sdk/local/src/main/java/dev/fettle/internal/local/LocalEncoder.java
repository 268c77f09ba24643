package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.Prompt;
import dev.fettle.Tokenizer;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.checkpoint.EncoderSettings;
import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.network.Adapter;
import dev.fettle.internal.network.Dropout;
import dev.fettle.internal.network.Network;
import dev.fettle.internal.network.Packing;
import dev.fettle.internal.network.Pooler;
import dev.fettle.internal.network.Weights;
import dev.fettle.internal.text.TextFrame;
import dev.fettle.internal.torch.Memory;
import dev.fettle.internal.torch.Scope;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/** How a model embeds texts: tokens in their frame, cut at a length, through the network, pooled. */
final class LocalEncoder implements AutoCloseable {
  private final String name;
  private final Tokenizer tokenizer;
  private final TextFrame frame;
  private final EncoderSettings settings;
  private final Network network;
  private final Pooler pooler;
  private final int width;
  private final MemoryPlanner memory;

  LocalEncoder(String name, OpenDirectory files, Network network, Tokenizer tokenizer, MemoryPlanner memory) {
    ModelConfig config = network.config();
    this.memory = memory;
    this.name = name;
    this.tokenizer = tokenizer;
    this.frame = TextFrame.of(tokenizer);
    EncoderSettings found = EncoderSettings.read(files);
    this.settings = found.of(config.hiddenSize(), Math.min(config.contextLength(), found.maxTokens().orElse(Integer.MAX_VALUE)));
    this.width = settings.width();
    this.network = network;
    this.pooler = new Pooler(settings.modules(), DenseWeights::read);
  }

  /** How it pools and where it cuts. */
  EncoderSettings settings() {
    return settings;
  }

  /** What makes vectors of rows. */
  Pooler pooler() {
    return pooler;
  }

  /**
   * What is read of texts.
   *
   * @param unpooled the first tokens of each text, that do not count in its vector
   */
  record Read(List<int[]> tokens, int unpooled) {}

  /** What is read of texts that a prompt stands before, cut at a length or at the one that the model's directory gives. */
  Read read(List<String> texts, Optional<Prompt> chosen, OptionalInt most) {
    String prompt = settings.prompts().text(chosen);
    List<int[]> tokens = tokens(prompt.isEmpty() ? texts : texts.stream().map(prompt::concat).toList(), most);
    int unpooled = prompt.isEmpty() || settings.modules().pooling().withPrompt() ? 0 : length(prompt, most);
    if (tokens.stream().anyMatch(t -> t.length <= unpooled)) {
      throw new InvalidInputException("prompt \"" + prompt + "\": leaves no token of the texts within the "
          + length(most) + " that are read; shorten it");
    }
    return new Read(tokens, unpooled);
  }

  /** The tokens of a prompt by itself, as sentence-transformers counts them: without the one that ends each text. */
  private int length(String prompt, OptionalInt most) {
    int[] alone = tokens(List.of(prompt), most).get(0);
    return alone.length - (tokenizer.special(alone[alone.length - 1]) ? 1 : 0);
  }

  private int length(OptionalInt most) {
    return most.orElse(settings.maxTokens().orElseThrow());
  }

  /** The tokens of texts as they are, cut in the same way. */
  List<int[]> tokens(List<String> texts, OptionalInt most) {
    int length = length(most);
    if (length < 1 || length > network.config().contextLength()) {
      throw new InvalidInputException("maxTokens " + length + ": give 1 to " + network.config().contextLength()
          + ", the positions that " + name + " has");
    }
    texts.forEach(text -> Objects.requireNonNull(text, "text"));
    List<int[]> tokens = texts.parallelStream().map(text -> settings.lowerCase() ? lower(text) : text)
        .map(text -> frame.put(tokenizer.encode(text), length)).toList();
    if (tokenizer.vocabSize() > network.config().vocabSize()) {
      for (int i = 0; i < tokens.size(); i++) {
        BatchCheck.tokens("the tokens of texts[" + i + "]", tokens.get(i), network.config());
      }
    }
    return tokens;
  }

  /** How many tokens a text has that is not cut. */
  int length(String text) {
    return frame.put(tokenizer.encode(settings.lowerCase() ? lower(text) : text), Integer.MAX_VALUE).length;
  }

  /** Each character by itself, as tokenizers do it: a sigma that ends a word is a sigma. */
  private static String lower(String text) {
    StringBuilder out = new StringBuilder();
    text.codePoints().forEach(c -> out.append(Character.toString(c).toLowerCase(Locale.ROOT)));
    return out.toString();
  }

  /** The vectors of texts, in order; on the engine thread. */
  List<float[]> embed(Read read, Weights weights, Adapter adapter, ProgressMeter meter) {
    List<int[]> texts = read.tokens();
    float[][] out = new float[texts.size()][];
    if (texts.isEmpty()) {
      return List.of();
    }
    Memory.get().require(memory.texts(texts, null, LengthBuckets.TOKENS, false), 0, "embedding texts of "
        + texts.stream().mapToInt(t -> t.length).max().orElse(0) + " tokens with " + name);
    network.prepare(texts.stream().mapToInt(t -> t.length).max().orElse(1));
    meter.expect(texts.size(), texts.stream().mapToLong(t -> t.length).sum());
    Step.each(LengthBuckets.of(texts, DataParallel.most(), LengthBuckets.TOKENS), portion -> {
      try (Scope step = new Scope()) {
        Packing packing = packing(texts, portion);
        Network.Trace trace = network.forward(step, weights, adapter, packing, Dropout.NONE, Network.NOTHING);
        scatter(pooler.pool(step, trace, weights, read.unpooled()).vectors().floats(), packing, portion, out);
        long rows = portion.stream().mapToLong(i -> texts.get(i).length).sum();
        meter.add(portion.size(), rows, rows);
      }
    });
    return Arrays.asList(out);
  }

  static Packing packing(List<int[]> texts, List<Integer> portion) {
    return Packing.of(portion.stream().map(texts::get).toList());
  }

  /** Puts the vectors of packed texts to their texts' places. */
  private void scatter(float[] vectors, Packing packing, List<Integer> portion, float[][] out) {
    int[] places = places(packing);
    for (int i = 0; i < places.length; i++) {
      out[portion.get(i)] = Arrays.copyOfRange(vectors, places[i] * width, (places[i] + 1) * width);
    }
  }

  /** The place of each text among the packed ones. */
  static int[] places(Packing packing) {
    int[] sorted = packing.starts().clone();
    Arrays.sort(sorted);
    return Arrays.stream(packing.starts()).map(start -> Arrays.binarySearch(sorted, start)).toArray();
  }

  @Override
  public void close() {
    pooler.close();
  }
}

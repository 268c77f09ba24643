package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.Tokenizer;
import dev.fettle.internal.Meter;
import dev.fettle.internal.checkpoint.EncoderSettings;
import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.model.Adapter;
import dev.fettle.internal.model.Dropout;
import dev.fettle.internal.model.EncoderNetwork;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.Packing;
import dev.fettle.internal.model.Weights;
import dev.fettle.internal.text.TextFrame;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;

/** How a model embeds texts: tokens in their frame, cut at a length, through the network, pooled. */
final class LocalEncoder implements AutoCloseable {
  private final String name;
  private final Tokenizer tokenizer;
  private final TextFrame frame;
  private final EncoderSettings settings;
  private final EncoderNetwork network;

  LocalEncoder(String name, OpenDirectory files, ModelConfig config, NumberType type, Tokenizer tokenizer) {
    this.name = name;
    this.tokenizer = tokenizer;
    this.frame = TextFrame.of(tokenizer);
    EncoderSettings found = EncoderSettings.read(files);
    int most = Math.min(config.contextLength(), found.maxTokens().orElse(Integer.MAX_VALUE));
    this.settings = new EncoderSettings(found.pooling(), OptionalInt.of(most), config.hiddenSize());
    this.network = new EncoderNetwork(config, type, settings.pooling());
  }

  /** How it pools and where it cuts. */
  EncoderSettings settings() {
    return settings;
  }

  EncoderNetwork network() {
    return network;
  }

  /** The tokens of texts, cut at a length or at the one that the model's directory gives. */
  List<int[]> tokens(List<String> texts, OptionalInt most) {
    int length = most.orElse(settings.maxTokens().orElseThrow());
    if (length < 1 || length > network.config().contextLength()) {
      throw new InvalidInputException("maxTokens " + length + ": give 1 to " + network.config().contextLength()
          + ", the positions that " + name + " has");
    }
    texts.forEach(text -> Objects.requireNonNull(text, "text"));
    return texts.parallelStream().map(text -> frame.put(tokenizer.encode(text), length)).toList();
  }

  /** The vectors of texts, in order; on the engine thread. */
  List<float[]> embed(List<int[]> texts, Weights weights, Adapter adapter, Meter meter) {
    float[][] out = new float[texts.size()][];
    if (texts.isEmpty()) {
      return List.of();
    }
    requireMemory(texts);
    meter.expect(texts.size(), texts.stream().mapToLong(t -> t.length).sum());
    Portions portions = Portions.of(texts, Lanes.most(), Portions.TOKENS);
    Lanes.run(portions.lanes().size(), lane -> {
      for (List<Integer> portion : portions.lanes().get(lane)) {
        try (Scope step = new Scope()) {
          Packing packing = packing(texts, portion);
          EncoderNetwork.Trace trace =
              network.forward(step, weights, adapter, packing, Dropout.NONE, network.config().layers());
          scatter(trace.vectors().floats(), packing, portion, out);
          long read = portion.stream().mapToLong(i -> texts.get(i).length).sum();
          meter.add(portion.size(), read, read);
        }
      }
    });
    return Arrays.asList(out);
  }

  static Packing packing(List<int[]> texts, List<Integer> portion) {
    return Packing.of(portion.stream().map(texts::get).toList());
  }

  /** Puts the vectors of packed texts to their texts' places. */
  private void scatter(float[] vectors, Packing packing, List<Integer> portion, float[][] out) {
    int width = network.config().hiddenSize();
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

  private void requireMemory(List<int[]> texts) {
    long longest = texts.stream().mapToInt(t -> t.length).max().orElse(0);
    ModelConfig c = network.config();
    long rows = Math.max(Portions.TOKENS, longest) * Lanes.most();
    Memory.require(rows * 4 * (10L * c.hiddenSize() + 2L * c.intermediateSize()) + 12 * c.heads() * longest * longest,
        "embedding texts of " + longest + " tokens with " + name);
  }

  @Override
  public void close() {
    network.close();
  }
}

package dev.fettle.internal.local;

import dev.fettle.DType;
import dev.fettle.GgufType;
import dev.fettle.InvalidInputException;
import dev.fettle.Prompt;
import dev.fettle.Quantisation;
import dev.fettle.Renderer;
import dev.fettle.Tokenizer;
import dev.fettle.Tuning;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.internal.checkpoint.EncoderModules;
import dev.fettle.internal.checkpoint.GenerationConfig;
import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.ModelDirectory;
import dev.fettle.internal.checkpoint.OpenDirectory;
import dev.fettle.internal.gguf.GgufModel;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.Architectures;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.WeightNames;
import dev.fettle.internal.network.Network;
import dev.fettle.internal.network.PackedAdapter;
import dev.fettle.internal.network.Weights;
import dev.fettle.internal.text.ChatFormats;
import dev.fettle.internal.text.TokenizerDirectory;
import dev.fettle.internal.torch.Memory;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Processor;
import dev.fettle.internal.torch.Scope;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A base model in native memory; trainings and samplers share its weights. */
final class LocalModel implements ModelBackend {
  private static final Logger LOG = LoggerFactory.getLogger(LocalModel.class);

  private final String name;
  private final OpenDirectory files;
  private final DType dtype;
  private final ModelConfig config;
  private final Tokenizer tokenizer;
  private final Renderer renderer;
  private final Set<Integer> ends;
  private final Layout layout;
  private final WeightSource source;
  private final Optional<Quantisation> quantisation;
  private final BlockForms blocks;
  private Scope scope = new Scope();
  private Weights weights;
  private final Network network;
  private final MemoryPlanner memory;
  private Memory.Held held;
  private DecodeForms forms;
  private LiveBatch live;
  private final ApartBatches apart = new ApartBatches(this);
  private final LocalEncoder encoder;
  private final List<AutoCloseable> dependants = new ArrayList<>();
  private boolean open = true;

  private LocalModel(String name, OpenDirectory files, ModelConfig config, List<Integer> ends, DType dtype,
      Tokenizer tokenizer, WeightSource source, Optional<Quantisation> quantisation) {
    this.name = name;
    this.files = files;
    this.dtype = dtype;
    this.config = config;
    this.tokenizer = tokenizer;
    this.renderer = ChatFormats.detect(tokenizer, name, OptionalInt.of(config.contextLength()));
    this.ends = new HashSet<>(ends);
    this.ends.addAll(renderer.stopTokens());
    this.layout = Layout.of(config);
    this.source = source;
    this.quantisation = quantisation;
    this.blocks = BlockForms.of(layout, quantisation, w -> source.form(config, w));
    this.memory = new MemoryPlanner(layout, NumberType.of(dtype), blocks);
    NumberType type = NumberType.of(dtype);
    this.network = new Network(config, type);
    this.encoder = config.purpose() != ModelConfig.Purpose.EMBEDDING ? null
        : new LocalEncoder(name, files, network, tokenizer, memory);
  }

  /** Where its weights come from. */
  WeightSource source() {
    return source;
  }

  /** Reads a model with its weights as they are stored; see {@link #load(String, OpenDirectory, Optional, Optional, ProgressMeter)}. */
  static LocalModel load(String name, OpenDirectory files, Optional<DType> type, ProgressMeter meter) {
    return load(name, files, type, Optional.empty(), meter);
  }

  /** Reads a model, which owns its files from then on; on the engine thread. */
  static LocalModel load(String name, OpenDirectory files, Optional<DType> type, Optional<Quantisation> quantisation,
      ProgressMeter meter) {
    try {
      ModelDirectory stored = ModelDirectory.of(files);
      ModelConfig config = WeightNames.asStored(stored, ModelConfig.of(stored.config(), EncoderModules.pool(files)));
      WeightNames.check(stored, config);
      DType dtype = type.orElseGet(() -> config.isCausalLm() ? Processor.fastestType() : DType.F32);
      Tokenizer tokenizer = tokenizer(files, config);
      long start = System.nanoTime();
      LocalModel model = new LocalModel(name, files, config,
          stored.generation().eosIds().isEmpty() ? config.eosIds() : stored.generation().eosIds(), dtype, tokenizer,
          new WeightSource.OfFiles(stored), quantisation);
      model.fill(meter);
      LOG.info("loaded {}: {} parameters, computing in {}, {} ms", name, model.parameters(), dtype,
          (System.nanoTime() - start) / 1_000_000);
      return model;
    } catch (RuntimeException | Error e) {
      files.close();
      throw e;
    }
  }

  /** Reads a model in a GGUF, which it owns from then on; on the engine thread. */
  static LocalModel load(String name, GgufModel stored, Optional<DType> type, Optional<Quantisation> quantisation,
      ProgressMeter meter) {
    try {
      OpenDirectory files = stored.files();
      GenerationConfig generation = GenerationConfig.in(files);
      DType dtype = type.orElseGet(Processor::fastestType);
      long start = System.nanoTime();
      LocalModel model = new LocalModel(name, files, stored.config(), generation.eosIds(), dtype, tokenizer(files, stored.config()),
          new WeightSource.OfGguf(stored), quantisation);
      model.fill(meter);
      LOG.info("loaded {}: {} parameters, whatever their type in the file computing in {}, {} ms", name, model.parameters(), dtype,
          (System.nanoTime() - start) / 1_000_000);
      return model;
    } catch (RuntimeException | Error e) {
      stored.close();
      throw e;
    }
  }

  /** A model with random weights, of the shape that a config.json asks for; it owns the files; on the engine thread. */
  static LocalModel initialise(OpenDirectory files, DType dtype, Optional<Quantisation> quantisation, long seed) {
    try {
      ModelConfig config = ModelConfig.of(JsonFields.of(files.file("config.json")), EncoderModules.pool(files));
      LocalModel model = new LocalModel(files.path().toString(), files, config, config.eosIds(), dtype,
          tokenizer(files, config), new WeightSource.OfSeed(seed), quantisation);
      model.fill(new ProgressMeter());
      return model;
    } catch (RuntimeException | Error e) {
      files.close();
      throw e;
    }
  }

  private static Tokenizer tokenizer(OpenDirectory files, ModelConfig config) {
    Tokenizer tokenizer = TokenizerDirectory.openIfPresent(files);
    if (tokenizer.vocabSize() > config.vocabSize()) {
      LOG.warn("{}: the tokenizer has {} tokens and the model rows for {}: a text with one of the others is refused",
          files.path(), tokenizer.vocabSize(), config.vocabSize());
    }
    return tokenizer;
  }

  private void fill(ProgressMeter meter) {
    try {
      weights(meter);
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public DType dtype() {
    return dtype;
  }

  @Override
  public long parameters() {
    return layout.parameters();
  }

  @Override
  public int vocabSize() {
    return config.vocabSize();
  }

  @Override
  public int hiddenSize() {
    return config.hiddenSize();
  }

  @Override
  public int contextLength() {
    return config.contextLength();
  }

  @Override
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  @Override
  public Renderer renderer() {
    return renderer;
  }

  /** The seed of its random weights, if that is what it began with. */
  OptionalLong initialised() {
    return source instanceof WeightSource.OfSeed s ? OptionalLong.of(s.seed()) : OptionalLong.empty();
  }

  @Override
  public Optional<Quantisation> quantisation() {
    return quantisation;
  }

  /** The form of each of its blocks. */
  BlockForms blocks() {
    return blocks;
  }

  /** The files that it was made of: those of the directory as it was then. */
  OpenDirectory files() {
    return files;
  }

  ModelConfig config() {
    return config;
  }

  Network network() {
    return network;
  }

  @Override
  public boolean predictsTokens() {
    return config.isCausalLm();
  }

  /** Refuses what only a model that predicts tokens can do. */
  void requireCausalLm() {
    if (!predictsTokens()) {
      throw new InvalidInputException(name + (embeds() ? " is an encoder: it gives vectors of texts, not the next token. Use embed, "
          : " is an encoder that scores texts: it gives no next token. Use score, ") + "and losses over rankings");
    }
  }

  Layout layout() {
    return layout;
  }

  /** The weights, read again if nobody needed them in memory for a while. */
  Weights weights() {
    return weights(new ProgressMeter());
  }

  private Weights weights(ProgressMeter meter) {
    if (weights == null) {
      NumberType type = NumberType.of(dtype);
      held = Memory.get().hold(memory.weights(), "loading " + name);
      Weights empty = Weights.zeros(layout, scope, type, blocks::of);
      source.fill(empty, meter);
      weights = memory.packs() ? empty.packed(scope) : empty;
    }
    return weights;
  }

  /** The forms in which some weights are decoded, if they are this model's own; shared by all who decode them. */
  Optional<DecodeForms> forms(Weights decoded) {
    if (decoded != weights) {
      return Optional.empty();
    }
    if (forms == null) {
      forms = new DecodeForms(weights);
    }
    return Optional.of(forms);
  }

  /** The samples that are made by themselves, of all samplers. */
  ApartBatches apart() {
    return apart;
  }

  /** The samples of all samplers that share this model's own weights. */
  LiveBatch live() {
    if (live == null) {
      live = LocalSampler.live(this, forms(weights).orElseThrow());
    }
    return live;
  }

  private void forgetForms() {
    if (live != null) {
      live.close();
      live = null;
    }
    if (forms != null) {
      forms.close();
      forms = null;
    }
  }

  /** Gives the memory of the weights back where nobody reads them: all trainings have all weights of their own. */
  private void release() {
    if (releasableBytes() > 0 && source.isThere()) {
      forgetForms();
      weights = null;
      held.close();
      scope.close();
      scope = new Scope();
    }
  }

  /** The bytes of the weights, if nobody reads them. */
  long releasableBytes() {
    boolean needed = dependants.stream().anyMatch(d -> !(d instanceof LocalTraining t) || t.tuned().sharesBase());
    return needed || weights == null ? 0 : memory.weights().total();
  }

  Set<Integer> endTokens() {
    return ends;
  }

  /** Whether it gives vectors of texts. */
  boolean embeds() {
    return encoder != null;
  }

  /** What embeds texts. */
  LocalEncoder encoder() {
    if (encoder == null) {
      if (config.purpose() == ModelConfig.Purpose.SCORING) {
        throw new UnsupportedModelException(name + " is a classifier (" + config.architecture().className()
            + "): it scores texts for a query, see score");
      }
      throw new UnsupportedModelException(name + " is a causal language model (" + config.architecture().type()
          + "); only encoders (" + String.join(", ", Architectures.types(ModelConfig.Purpose.EMBEDDING))
          + ", or a decoder with a modules.json of sentence-transformers) embed texts");
    }
    return encoder;
  }

  @Override
  public Map<String, String> prompts() {
    return encoder().settings().prompts().byName();
  }

  @Override
  public Optional<String> defaultPrompt() {
    return encoder().settings().prompts().byDefault();
  }

  @Override
  public List<float[]> embed(List<String> texts, Optional<Prompt> prompt, OptionalInt maxTokens, ProgressMeter meter) {
    LocalEncoder embedding = encoder();
    LocalEncoder.Read read = embedding.read(texts, prompt, maxTokens);
    return EngineThread.get().call(() -> {
      EngineThread.requireOpen(open, "the model " + name);
      return embedding.embed(read, weights(), network.noAdapter(), meter);
    });
  }

  @Override
  public float[] score(String query, List<String> texts, ProgressMeter meter) {
    EngineThread.get().run(() -> EngineThread.requireOpen(open, "the model " + name));
    Judge judge = Judge.of(this);
    List<int[]> tokens = texts.parallelStream().map(text -> judge.read(config, query, text)).toList();
    return EngineThread.get().call(() -> {
      EngineThread.requireOpen(open, "the model " + name);
      return scores(judge, Running.base(network, weights()), tokens, meter);
    });
  }

  /** The scores of what was read of texts; on the engine thread. */
  float[] scores(Judge judge, Running running, List<int[]> tokens, ProgressMeter meter) {
    if (tokens.isEmpty()) {
      return new float[0];
    }
    Memory.get().require(memory.texts(tokens, null, LengthBuckets.TOKENS, false), 0, "scoring " + tokens.size() + " texts of at "
        + "most " + tokens.stream().mapToInt(t -> t.length).max().orElse(0) + " tokens with " + name);
    long rows = tokens.stream().mapToLong(t -> t.length).sum();
    meter.expect(tokens.size(), rows);
    float[] out = new GradientCache(judge.body(running), null, LengthBuckets.TOKENS).forward(tokens);
    meter.add(tokens.size(), rows, rows);
    return out;
  }

  @Override
  public TrainingBackend tune(Tuning tuning) {
    return EngineThread.get().call(() -> {
      EngineThread.requireOpen(open, "the model " + name);
      return begun(TrainableModels.start(tuning, this));
    });
  }

  /** A training that goes on from a saved state; on the engine thread. */
  LocalTraining resume(OpenDirectory state) {
    return begun(StateFiles.tuned(state, this));
  }

  private LocalTraining begun(TrainableModel tuned) {
    LocalTraining training = new LocalTraining(this, tuned);
    dependants.add(training);
    release();
    return training;
  }

  @Override
  public SamplerBackend sampler() {
    return EngineThread.get().call(() -> {
      EngineThread.requireOpen(open, "the model " + name);
      requireCausalLm();
      Scope own = new Scope();
      return sampler(own, Optional.empty(),
          new TrainableModel.Frozen(weights(), PackedAdapter.none(AdapterShape.none(config), own, NumberType.of(dtype))));
    });
  }

  /** @param held what the copies in a sampler's scope were promised */
  LocalSampler sampler(Scope own, Optional<Memory.Held> held, TrainableModel.Frozen frozen) {
    LocalSampler sampler = new LocalSampler(this, own, held, frozen);
    dependants.add(sampler);
    return sampler;
  }

  @Override
  public void saveGguf(Path file, GgufType type, ProgressMeter meter) {
    EngineThread.get().run(() -> {
      EngineThread.requireOpen(open, "the model " + name);
      Originals originals = new Originals(this);
      GgufModelFiles.save(file, this, layout, (step, w) -> originals.value(step, weights().weight(w.block()), w), type, meter);
    });
  }

  void forget(AutoCloseable dependant) {
    dependants.remove(dependant);
  }

  /** What passes through it take of memory. */
  MemoryPlanner memory() {
    return memory;
  }

  @Override
  public void close() {
    EngineThread.get().run(() -> {
      if (open) {
        open = false;
        for (AutoCloseable dependant : List.copyOf(dependants)) {
          try {
            dependant.close();
          } catch (Exception e) {
            LOG.warn("closing {}", dependant, e);
          }
        }
        forgetForms();
        if (encoder != null) {
          encoder.close();
        }
        network.close();
        if (held != null) {
          held.close();
        }
        scope.close();
        weights = null;
        files.close();
        source.close();
        Memory.get().tidy();
      }
    });
  }
}

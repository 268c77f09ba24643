package dev.fettle;

import static dev.fettle.internal.Futures.join;

import dev.fettle.internal.NoNulls;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.RankResult;
import dev.fettle.ranking.Ranked;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A model being trained. {@link #forwardBackward} adds the gradient of a batch to what has accumulated,
 * {@link #optimStep} applies it. A call that fails leaves weights, optimizer and gradient as they were, except that a
 * gradient that is not finite is dropped. Thread-safe: calls are carried out one after the other, in the order in which
 * they come. Closed with its {@link Fettle}, or earlier by {@link #close()}.
 *
 * <p>On this machine equal calls on equal trainings give bit-identical results, in any process and whatever else the
 * machine does, as long as the processor, the number of threads ({@code fettle.threads}) and {@code fettle.kernels} are
 * the same.
 * Other calls that ask for the same mathematics, such as {@link #forward} beside {@link #forwardBackward}, or a batch in
 * parts beside the batch at once, may add up in another order: they agree to 1e-6 of the loss in {@link DType#F32},
 * to 1e-5 with a loss that divides similarities by a temperature, which magnifies their rounding.
 */
public final class Training implements AutoCloseable {
  private final BaseModel model;
  private final TrainingBackend backend;

  Training(BaseModel model, TrainingBackend backend) {
    this.model = model;
    this.backend = backend;
  }

  /**
   * The loss of a batch and the logprobs of all its targets; nothing changes, and dropout is off.
   *
   * @throws InvalidInputException if a token is outside the vocabulary, a sequence longer than the context, or a datum
   *     lacks what the loss needs
   * @throws NumericException if the loss is not finite
   */
  public LossResult forward(Batch batch, Loss loss) {
    return join(backend.forward(checked(batch), Objects.requireNonNull(loss, "loss")));
  }

  /** {@link #forward(Batch, Loss)} with {@link Loss#crossEntropy()}. */
  public LossResult forward(Batch batch) {
    return forward(batch, Loss.crossEntropy());
  }

  /**
   * The loss of a batch; its gradient is added to the accumulated one. Logprobs are computed where the loss needs them
   * and are 0 elsewhere.
   *
   * @throws InvalidInputException as {@link #forward}, or if nothing in the batch takes part in the loss
   * @throws NumericException if the loss is not finite; the gradient is as it was
   * @throws NotEnoughMemoryException if the pass would not fit
   */
  public LossResult forwardBackward(Batch batch, Loss loss) {
    return join(backend.forwardBackward(checked(batch), Objects.requireNonNull(loss, "loss")));
  }

  /**
   * Applies the accumulated gradient and clears it.
   *
   * @throws InvalidInputException if none has accumulated
   * @throws NumericException if it is not finite: it is dropped, weights and optimizer are as they were
   */
  public OptimResult optimStep(AdamW settings) {
    return join(backend.optimStep(Objects.requireNonNull(settings, "settings")));
  }

  /**
   * {@link #forwardBackward} and {@link #optimStep} as one: no call of another thread comes between them, and where the
   * pass fails, the optimizer does not step.
   */
  public StepResult step(Batch batch, Loss loss, AdamW settings) {
    Objects.requireNonNull(loss, "loss");
    return join(backend.step(checked(batch), loss, Objects.requireNonNull(settings, "settings")));
  }

  /**
   * The loss and the scores of texts ranked for queries; nothing changes, and dropout is off.
   *
   * @throws InvalidInputException if the batch lacks what the loss needs, or the loss is not for such a model
   * @throws NumericException if the loss is not finite
   */
  public RankResult forward(List<Ranked> batch, RankLoss loss) {
    return join(backend.forward(checked(batch), Objects.requireNonNull(loss, "loss")));
  }

  /**
   * The loss of texts ranked for queries; its gradient is added to the accumulated one. Batches of
   * more than 8,192 tokens whose intermediate values would take more than {@code fettle.cachedbytes} (1 GiB; or a quarter of
   * what is free) go through twice, with the same gradient (Gao et al. 2021). Texts are cut where
   * {@link BaseModel#embed(List)} cuts them. No prompt is put before them, as in sentence-transformers: write it into the
   * texts where the model is to learn with one.
   *
   * @throws InvalidInputException as {@link #forward(List, RankLoss)}
   * @throws NumericException if the loss is not finite; the gradient is as it was
   * @throws NotEnoughMemoryException if the pass would not fit
   */
  public RankResult forwardBackward(List<Ranked> batch, RankLoss loss) {
    return join(backend.forwardBackward(checked(batch), Objects.requireNonNull(loss, "loss")));
  }

  /** {@link #forwardBackward(List, RankLoss)} and {@link #optimStep} as one, see {@link #step(Batch, Loss, AdamW)}. */
  public RankResult step(List<Ranked> batch, RankLoss loss, AdamW settings) {
    Objects.requireNonNull(loss, "loss");
    return join(backend.step(checked(batch), loss, Objects.requireNonNull(settings, "settings")));
  }

  /** The vectors of texts with the weights as they are now, see {@link BaseModel#embed(List)}. */
  public List<float[]> embed(List<String> texts) {
    return embed(texts, Optional.empty(), OptionalInt.empty());
  }

  /** The same of texts that are cut at so many tokens. */
  public List<float[]> embed(List<String> texts, int maxTokens) {
    return embed(texts, Optional.empty(), OptionalInt.of(maxTokens));
  }

  /** The same with another prompt before each text than the model's default, see {@link BaseModel#embed(List, Prompt)}. */
  public List<float[]> embed(List<String> texts, Prompt prompt) {
    return embed(texts, Optional.of(Objects.requireNonNull(prompt, "prompt")), OptionalInt.empty());
  }

  /** The same of texts that are cut, prompt included. */
  public List<float[]> embed(List<String> texts, Prompt prompt, int maxTokens) {
    return embed(texts, Optional.of(Objects.requireNonNull(prompt, "prompt")), OptionalInt.of(maxTokens));
  }

  private List<float[]> embed(List<String> texts, Optional<Prompt> prompt, OptionalInt maxTokens) {
    List<String> all = List.copyOf(NoNulls.in(texts, "texts"));
    return Progress.watch("embed", meter -> join(backend.embed(all, prompt, maxTokens, meter)));
  }

  /** How well texts answer a query with the weights as they are now, see {@link BaseModel#score(String, List)}. */
  public float[] score(String query, List<String> texts) {
    Objects.requireNonNull(query, "query");
    List<String> all = List.copyOf(NoNulls.in(texts, "texts"));
    return Progress.watch("score", meter -> join(backend.score(query, all, meter)));
  }

  /** The same verbs as futures. */
  public AsyncTraining async() {
    return new AsyncTraining(backend);
  }

  /** A sampler of the weights as they are now; later steps do not change it. */
  public Sampler sampler() {
    return new Sampler(join(backend.sampler()));
  }

  /**
   * Saves the adapter in PEFT's layout: {@code adapter_config.json} and {@code adapter_model.safetensors}, in f32. The
   * directory is replaced as a whole or not at all; a README, a licence and the like that people put there stay as they are,
   * and {@link Destination} finds out beforehand whether it can be replaced. Weights that a hybrid trains in full go in as PEFT's
   * {@code modules_to_save}: PEFT loads them, servers such as vLLM do not; for those use {@link #saveMerged(Path)}. A
   * warning is logged.
   *
   * @throws InvalidInputException if no adapter is trained, or the directory holds files that Fettle did not write
   */
  public void saveAdapter(Path directory) {
    join(backend.saveAdapter(Objects.requireNonNull(directory, "directory")));
  }

  /**
   * Saves the whole model with what was trained folded in, in Hugging Face layout and the compute type; large models in
   * shards. The directory is replaced as that of {@link #saveAdapter(Path)}.
   */
  public void saveMerged(Path directory) {
    saveMerged(directory, model.dtype());
  }

  /** {@link #saveMerged(Path)} in a number type; bf16 halves the size and rounds the weights. */
  public void saveMerged(Path directory, DType type) {
    join(backend.saveMerged(Objects.requireNonNull(directory, "directory"), Objects.requireNonNull(type, "type")));
  }

  /**
   * Saves the whole model with what was trained folded in as one file for llama.cpp, Ollama and the like: weights, tokenizer, chat
   * template, all settings. The file is replaced as a whole or not at all; one that is no GGUF is not replaced.
   *
   * @throws UnsupportedModelException if llama.cpp does not know the model, its tokenizer or a setting, or a service trains
   * @throws InvalidInputException if the file cannot be replaced, or the type cannot hold a weight
   */
  public void saveGguf(Path file, GgufType type) {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(type, "type");
    Progress.watch("save", meter -> join(backend.saveGguf(file, type, meter)));
  }

  /**
   * Saves the adapter alone as llama.cpp loads it beside the base model's GGUF ({@code --lora}, Ollama's {@code ADAPTER}), in f32.
   * The file is replaced as that of {@link #saveGguf(Path, GgufType)}.
   *
   * @throws UnsupportedModelException if there is none, it has what llama.cpp's adapters have no place for, such as DoRA's
   *     magnitudes or weights trained themselves, or a service trains
   * @throws InvalidInputException if the file cannot be replaced
   */
  public void saveGgufAdapter(Path file) {
    Objects.requireNonNull(file, "file");
    Progress.watch("save", meter -> join(backend.saveGgufAdapter(file, meter)));
  }

  /** Saves all that {@link Fettle#resume(Path)} needs. The directory is replaced as that of {@link #saveAdapter(Path)}. */
  public void saveState(Path directory) {
    join(backend.saveState(Objects.requireNonNull(directory, "directory"), Optional.empty()));
  }

  /** {@link #saveState(Path)} with a position in the data, from {@link Batches#position()}. */
  public void saveState(Path directory, DataPosition position) {
    join(backend.saveState(Objects.requireNonNull(directory, "directory"),
        Optional.of(Objects.requireNonNull(position, "position"))));
  }

  /**
   * Goes back to a saved state of a training of the same shape.
   *
   * @throws InvalidInputException if it does not fit; nothing is changed
   */
  public void loadState(Path directory) {
    join(backend.loadState(Objects.requireNonNull(directory, "directory")));
  }

  /** The position in the data that was saved with the state that this training was resumed from. */
  public Optional<DataPosition> dataPosition() {
    return backend.dataPosition();
  }

  /**
   * The native memory that this training holds from step to step: the base model where it reads it, what is trained, a
   * gradient for each thread that a batch may be divided among, the optimizer's moments.
   *
   * @throws UnsupportedModelException on a service, which does not say
   */
  public MemoryPlan memoryPlan() {
    return join(backend.memoryPlan());
  }

  /**
   * The same with a {@link #forwardBackward} over a batch at its busiest moment, as it would be carried out now: where all
   * activations do not fit, with some computed twice; where a gradient has accumulated, with the second one that a further
   * pass needs.
   *
   * @throws InvalidInputException as {@link #forwardBackward}
   * @throws UnsupportedModelException on a service
   */
  public MemoryPlan memoryPlan(Batch batch) {
    return join(backend.memoryPlan(checked(batch)));
  }

  /** The same with a pass over ranked texts. */
  public MemoryPlan memoryPlan(List<Ranked> batch, RankLoss loss) {
    return join(backend.memoryPlan(List.copyOf(NoNulls.in(batch, "batch")), Objects.requireNonNull(loss, "loss")));
  }

  /** What is trained: modules, numbers, share of the model. */
  public Trainable trainable() {
    return backend.trainable();
  }

  /** What this training was begun with. */
  public Tuning tuning() {
    return backend.tuning();
  }

  /** How many optimizer steps it has made. */
  public long steps() {
    return backend.steps();
  }

  /** The base model. */
  public BaseModel model() {
    return model;
  }

  /** The base model's renderer. */
  public Renderer renderer() {
    return model.renderer();
  }

  /** The base model's tokenizer. */
  public Tokenizer tokenizer() {
    return model.tokenizer();
  }

  /** Frees adapter, gradient and optimizer; samplers taken from it stay. Idempotent. */
  @Override
  public void close() {
    backend.close();
  }

  @Override
  public String toString() {
    String text = "Training[step " + steps() + ", " + tuning() + "]";
    return text.length() > 80 ? text.substring(0, 76) + "...]" : text;
  }

  private static Batch checked(Batch batch) {
    return Objects.requireNonNull(batch, "batch");
  }

  private static List<Ranked> checked(List<Ranked> batch) {
    return List.copyOf(NoNulls.in(batch, "batch"));
  }
}

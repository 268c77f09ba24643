package dev.fettle;

import dev.fettle.internal.Backend;
import dev.fettle.internal.LocalEngine;
import dev.fettle.internal.remote.RemoteBackend;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Where models are trained and sampled: the way in to everything else.
 *
 * <pre>{@code
 * try (Fettle fettle = Fettle.local()) {
 *   Training training = fettle.load("fettle-tiny").tune(Lora.rank(16));
 *   for (Batch batch : Dataset.jsonl(Path.of("train.jsonl")).batches(16, training.renderer())) {
 *     training.step(batch, Loss.crossEntropy(), AdamW.learningRate(5e-4));
 *   }
 *   System.out.println(training.sampler().chat("Where is my parcel?"));
 * }
 * }</pre>
 *
 * <p>It owns the native memory of all that comes from it: closing it closes models, trainings and samplers. Without
 * closing, the end of the process frees everything, and no thread keeps {@code main} from ending. Thread-safe.
 */
public final class Fettle implements AutoCloseable {
  private final Backend backend;
  private final String place;

  private Fettle(Backend backend, String place) {
    this.backend = backend;
    this.place = place;
  }

  /**
   * This machine: libtorch on its processor.
   *
   * @throws FettleException if the engine, the artifact {@code dev.fettle:fettle-local}, is not on the class path
   */
  public static Fettle local() {
    return local(Device.cpu());
  }

  /**
   * This machine: libtorch on a device of it. A process computes on one device: that of the first that was opened. Devices
   * other than the processor are prepared, not tested; memory is planned for the processor's alone.
   *
   * @throws FettleException if the engine, the artifact {@code dev.fettle:fettle-local}, is not on the class path
   * @throws InvalidInputException if libtorch, as it is on the class path, does not know the device, or this process already
   *     computes on another
   */
  public static Fettle local(Device device) {
    Objects.requireNonNull(device, "device");
    return new Fettle(LocalEngine.find("Fettle.local()").open(device),
        device.equals(Device.cpu()) ? "local" : "local, " + device.name());
  }

  /**
   * A service that speaks the Tinker protocol: the one of the environment variable TINKER_BASE_URL, or where that is not
   * set {@link Remote#HOSTED}. The key is that of TINKER_API_KEY. Nothing is sent before it is needed.
   */
  public static Fettle remote() {
    return remote(Remote.fromEnv());
  }

  /**
   * The service at a base URL, with the key of TINKER_API_KEY.
   *
   * @throws InvalidInputException if it is no URL of a service, or not encrypted and not on this machine
   */
  public static Fettle remote(URI service) {
    return remote(Remote.at(Objects.requireNonNull(service, "service")));
  }

  /** A service with a key, a deadline or other settings of one's own; see {@link #remote(URI)}. */
  public static Fettle remote(Remote service) {
    return new Fettle(new RemoteBackend(Objects.requireNonNull(service, "service")), service.address());
  }

  /** The service of TINKER_BASE_URL if that is set, else this machine. */
  public static Fettle fromEnv() {
    String service = System.getenv("TINKER_BASE_URL");
    return service == null || service.isBlank() ? local() : remote();
  }

  /**
   * Loads a base model in the compute type that suits the machine: bf16 where the processor has native bf16 dot
   * products, else f32.
   *
   * <p>A model of the Hugging Face hub comes from the cache that Python's tools share, and what is missing there is
   * downloaded: its settings, tokenizer and safetensors. What is in the cache is used without asking for anything newer.
   * The hub's variables hold: HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE.
   *
   * <p>A GGUF of llama.cpp's is read too, with tensors in F32, F16, BF16, Q8_0, Q4_0, Q4_K and Q6_K: description, tokenizer and chat
   * template come from its metadata, and its blocks become numbers of the compute type, so that the model takes as much memory as
   * from safetensors.
   *
   * @param name a directory in Hugging Face layout, or a GGUF; else {@code owner/name} or {@code owner/name@revision} on the hub; or
   *     {@code fettle-tiny}, the small model within the library; on a service a name of {@link #models()}
   * @throws InvalidInputException if it does not exist, the hub does not give it, or a file of it is broken; the message
   *     names the file
   * @throws ServiceException if the hub cannot be reached; what has arrived is kept for the next call
   * @throws UnsupportedModelException if it needs what Fettle does not do
   * @throws NotEnoughMemoryException if its weights would not fit
   */
  public BaseModel load(String name) {
    return load(name, Optional.empty(), Optional.empty());
  }

  /** Loads a base model in a compute type; see {@link #load(String)}. */
  public BaseModel load(String name, DType type) {
    return load(name, Optional.of(Objects.requireNonNull(type, "type")), Optional.empty());
  }

  /**
   * Loads a base model with its linear layers in 8 or 4 bits; see {@link #load(String)}. They are rounded one after the other as
   * they are read: beside what is done never more than one is held as it was.
   *
   * @throws InvalidInputException also if an exception of the quantisation names nothing in the model, or on a service, which
   *     holds its models as it does
   */
  public BaseModel load(String name, Quantisation quantisation) {
    return load(name, Optional.empty(), Optional.of(Objects.requireNonNull(quantisation, "quantisation")));
  }

  /** The same in a compute type; see {@link #load(String, Quantisation)}. */
  public BaseModel load(String name, DType type, Quantisation quantisation) {
    return load(name, Optional.of(Objects.requireNonNull(type, "type")),
        Optional.of(Objects.requireNonNull(quantisation, "quantisation")));
  }

  private BaseModel load(String name, Optional<DType> type, Optional<Quantisation> quantisation) {
    Objects.requireNonNull(name, "name");
    return new BaseModel(Progress.watch("load " + name, meter -> backend.load(name, type, quantisation, meter)));
  }

  /** Loads a base model from a directory or a GGUF; see {@link #load(String)}. */
  public BaseModel load(Path directory) {
    return load(Objects.requireNonNull(directory, "directory").toString());
  }

  /** Loads a base model from a directory or a GGUF in a compute type; see {@link #load(String)}. */
  public BaseModel load(Path directory, DType type) {
    return load(Objects.requireNonNull(directory, "directory").toString(), type);
  }

  /** Loads a base model from a directory with its linear layers in 8 or 4 bits; see {@link #load(String, Quantisation)}. */
  public BaseModel load(Path directory, Quantisation quantisation) {
    return load(Objects.requireNonNull(directory, "directory").toString(), quantisation);
  }

  /** The same in a compute type; see {@link #load(String, Quantisation)}. */
  public BaseModel load(Path directory, DType type, Quantisation quantisation) {
    return load(Objects.requireNonNull(directory, "directory").toString(), type, quantisation);
  }

  /**
   * A model with random weights, to be trained from nothing: matrices normal with deviation 0.02, norms 1, biases 0.
   *
   * @param directory with {@code config.json} and the tokenizer's files, as for {@link #load(Path)}; weights are not read
   * @throws InvalidInputException if a file is missing or broken
   * @throws UnsupportedModelException if the configuration needs what Fettle does not do
   */
  public BaseModel initialise(Path directory, long seed) {
    return initialise(directory, Optional.empty(), Optional.empty(), seed);
  }

  /** {@link #initialise(Path, long)} in a compute type. */
  public BaseModel initialise(Path directory, DType type, long seed) {
    return initialise(directory, Optional.of(Objects.requireNonNull(type, "type")), Optional.empty(), seed);
  }

  /** {@link #initialise(Path, long)} with linear layers in 8 or 4 bits, to measure what a model of that shape costs. */
  public BaseModel initialise(Path directory, Quantisation quantisation, long seed) {
    return initialise(directory, Optional.empty(), Optional.of(Objects.requireNonNull(quantisation, "quantisation")), seed);
  }

  /** The same in a compute type. */
  public BaseModel initialise(Path directory, DType type, Quantisation quantisation, long seed) {
    return initialise(directory, Optional.of(Objects.requireNonNull(type, "type")),
        Optional.of(Objects.requireNonNull(quantisation, "quantisation")), seed);
  }

  private BaseModel initialise(Path directory, Optional<DType> type, Optional<Quantisation> quantisation, long seed) {
    return new BaseModel(backend.initialise(Objects.requireNonNull(directory, "directory"), type, quantisation, seed));
  }

  /**
   * Resumes a training that {@link Training#saveState(Path)} saved: its base model, adapter or weights, optimizer,
   * random states and position in the data. Its results are bit-identical to those of a training that never stopped:
   * the number of threads and the selection of kernels are taken over from the state, unless {@code fettle.threads} or
   * {@code fettle.kernels} is set. Where they cannot be, as on another kind of processor, a warning in the log says that
   * last digits will differ.
   *
   * <p>On a service the directory notes where the service keeps the state; {@code Path.of("tinker://run/weights/name")}
   * names it without a directory.
   *
   * @throws InvalidInputException if the state is incomplete, or its base model is no longer where it was
   * @throws ServiceException if the service no longer has it
   */
  public Training resume(Path state) {
    Objects.requireNonNull(state, "state");
    Backend.Resumed resumed = Progress.watch("load " + state, meter -> backend.resume(state, meter));
    return new Training(new BaseModel(resumed.model()), resumed.training());
  }

  Backend backend() {
    return backend;
  }

  /**
   * What the service has stored of one's trainings.
   *
   * @throws InvalidInputException on this machine, which keeps no list of saved directories
   */
  public Checkpoints checkpoints() {
    return new Checkpoints(backend.checkpoints());
  }

  /** The names that {@link #load(String)} knows beside directories. */
  public List<String> models() {
    return backend.models();
  }

  /** Closes all that came from here and frees its memory. Idempotent. */
  @Override
  public void close() {
    backend.close();
  }

  @Override
  public String toString() {
    return "Fettle[" + place + "]";
  }
}

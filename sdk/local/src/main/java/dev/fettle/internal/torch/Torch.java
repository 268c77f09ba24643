package dev.fettle.internal.torch;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import dev.fettle.Device;
import dev.fettle.FettleException;
import dev.fettle.NotEnoughMemoryException;
import dev.fettle.internal.DjlSettings;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The native engine of this process: loads libtorch and the kernels once, at first use. */
public final class Torch {
  private static final Logger LOG = LoggerFactory.getLogger(Torch.class);
  private static final AtomicLong LIVE = new AtomicLong();

  /**
   * Kernels run as they are written. The setting is each thread's own, and a plan that one thread had optimised would be
   * taken by all from then on: addmm would become two operations, slower and rounded twice.
   */
  private static final ThreadLocal<Boolean> AS_WRITTEN = ThreadLocal.withInitial(() -> {
    JniUtils.setGraphExecutorOptimize(false);
    return true;
  });

  private final PtNDManager manager;
  private final Processor processor = Processor.here();
  private final Map<KernelSelection, PtSymbolBlock> loaded = new HashMap<>();
  private final Execution usual;
  private final boolean fewRows;
  private volatile PtSymbolBlock kernels;
  private volatile KernelSelection selection;

  private Torch() {
    try {
      DjlSettings.apply();
      NativeEnvironment.prepare();
      Engine.getEngine("PyTorch");
      if (Integer.getInteger("fettle.threads") != null) {
        JniUtils.setNumThreads(Integer.getInteger("fettle.threads"));
      }
      manager = (PtNDManager) NDManager.newBaseManager("PyTorch");
      kernels = load(KernelSource.ofProcessor(), KernelSelection.PLAIN);
      PtSymbolBlock tried = kernels;
      select(KernelSelection.of(this, processor));
      fewRows = runs("fbgemm_multiplies");
      tried.close();
      usual = execution();
      LOG.info("{}: {}", processor, usual);
    } catch (IOException e) {
      throw unloadable(e);
    } catch (RuntimeException | LinkageError e) {
      throw new FettleException("the native PyTorch library could not be loaded: " + e.getMessage()
          + ". Is the artifact ai.djl.pytorch:pytorch-native-cpu of this platform on the class path?", e);
    }
  }

  /** The engine. */
  public static Torch get() {
    return Holder.TORCH;
  }

  /** How many native handles are open; what a leak test watches. */
  public static long liveHandles() {
    return LIVE.get();
  }

  /** Whether products in bf16 read weights that oneDNN has packed. */
  public boolean bf16() {
    return selection.onednnBf16();
  }

  /** Whether oneDNN multiplies numbers of a type where this process computes, and so reads weights that it has packed faster. */
  public boolean packs(NumberType type) {
    return onProcessor() && (type == NumberType.BF16 ? selection.onednnBf16() : selection.onednnF32());
  }

  /** Whether FBGEMM multiplies where this process computes, and so whether there is {@link FewRows}. */
  public boolean fewRows() {
    return onProcessor() && fewRows;
  }

  private static boolean onProcessor() {
    return ComputeDevice.get().equals(Device.cpu());
  }

  /** How operations are carried out now. */
  public Execution execution() {
    return new Execution(selection, threads());
  }

  /** How operations are carried out unless somebody asks for another way. */
  public Execution usual() {
    return usual;
  }

  /** Carries operations out in another way from now on; called by the engine's own thread alone. */
  public void use(Execution execution) {
    if (!execution.kernels().equals(selection)) {
      select(execution.kernels());
    }
    if (execution.threads() != threads()) {
      threads(execution.threads());
    }
  }

  /** Whether results of a selection of kernels can be had here. */
  boolean has(KernelSelection wanted) {
    return (!wanted.onednnBf16() || runs("bf16_packs")) && (!wanted.onednnF32() || runs("onednn_multiplies"));
  }

  /** The processor. */
  public Processor processor() {
    return processor;
  }

  /** The number of threads that one operation uses. */
  public int threads() {
    return JniUtils.getNumThreads();
  }

  /** Sets how many threads an operation uses that this thread calls, and others that begin to call. */
  public void threads(int n) {
    JniUtils.setNumThreads(n);
  }

  /** Seeds the generator that random kernels draw from. */
  public void seed(long seed) {
    JniUtils.setSeed(seed);
  }

  PtNDManager manager() {
    return manager;
  }

  IValue run(String kernel, IValue... arguments) {
    AS_WRITTEN.get();
    try {
      return IValueUtils.runMethod(kernels, kernel, arguments);
    } catch (EngineException e) {
      String message = String.valueOf(e.getMessage());
      if (message.contains("can't allocate memory") || message.contains("bad_alloc")) {
        throw new NotEnoughMemoryException("native memory ran out in " + kernel + ": use fewer or shorter sequences, or "
            + "a smaller model or rank", e);
      }
      throw new FettleException("the native operation " + kernel + " failed: " + message, e);
    }
  }

  /** The same, noted in the {@link Profile} if one is running. */
  IValue timed(String kernel, IValue... arguments) {
    if (!Profile.on()) {
      return run(kernel, arguments);
    }
    long start = System.nanoTime();
    IValue result = run(kernel, arguments);
    Profile.add(kernel, System.nanoTime() - start);
    return result;
  }

  static void opened() {
    LIVE.incrementAndGet();
  }

  static void closed() {
    LIVE.decrementAndGet();
  }

  /** Whether a kernel that takes nothing succeeds. */
  boolean runs(String kernel) {
    try {
      run(kernel).close();
      return true;
    } catch (FettleException e) {
      LOG.debug("{}: not on this processor: {}", kernel, e.getMessage());
      return false;
    }
  }

  private void select(KernelSelection wanted) {
    try {
      PtSymbolBlock block = loaded.get(wanted);
      if (block == null) {
        block = load(KernelSource.text(), wanted);
        loaded.put(wanted, block);
      }
      kernels = block;
      selection = wanted;
    } catch (IOException e) {
      throw unloadable(e);
    }
  }

  private static FettleException unloadable(IOException e) {
    return new FettleException("the kernels could not be loaded: " + e.getMessage()
        + ". Is there room for temporary files in " + System.getProperty("java.io.tmpdir") + "?", e);
  }

  private PtSymbolBlock load(String source, KernelSelection wanted) throws IOException {
    Path file = Files.createTempFile("fettle-kernels", ".pt");
    try {
      try (OutputStream out = Files.newOutputStream(file)) {
        Archive.write(source, wanted, out);
      }
      return JniUtils.loadModule(manager, file, true, new String[0], new String[0], false);
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static final class Holder {
    static final Torch TORCH = new Torch();
  }
}

package dev.fettle.examples;

import com.sun.management.OperatingSystemMXBean;
import dev.fettle.BaseModel;
import dev.fettle.internal.Linux;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/** What every measurement gives, and how it is taken. */
final class Figures {
  private Figures() {}

  /** Rate, time and memory of a model at work; the measurements add their own. */
  static Map<String, Object> of(BaseModel model, double tokens, double... seconds) {
    double median = median(seconds);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("tokens_per_second", tokens / median);
    result.put("seconds", median);
    result.put("peak_rss_bytes", peakResidentBytes());
    result.put("dtype", model.dtype().toString().toLowerCase(Locale.ROOT));
    result.put("parameters", model.parameters());
    return result;
  }

  static double median(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }

  /** Processor time of this process so far, of all its threads. */
  static double cpuSeconds() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
        ? system.getProcessCpuTime() / 1e9 : Double.NaN;
  }

  static double since(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  static int[] tokens(SplittableRandom random, int count, int vocab) {
    return random.ints(count, 0, vocab).toArray();
  }

  /** The most memory that this process had, since {@link #forgetPeak()} or ever; -1 where the system does not say. */
  static long peakResidentBytes() {
    return Linux.HERE.peakResidentBytes().orElse(-1);
  }

  /** Lets the peak begin anew where the system can; elsewhere it only grows. */
  static void forgetPeak() {
    Linux.HERE.forgetPeak();
  }
}

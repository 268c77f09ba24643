package dev.fettle.examples;

import dev.fettle.internal.local.EngineThread;
import dev.fettle.internal.torch.OperationProfile;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;

/** Where time goes within native calls, by libtorch's operations. */
final class BenchOperations {
  /** Operations that are shown one by one. */
  private static final int MOST = 40;

  private BenchOperations() {}

  /**
   * Does some work under libtorch's profiler. The functions of the kernels themselves count as the interpreter.
   *
   * @param units of work that are done, by which all figures are divided
   * @return for each operation its microseconds and calls, the longest first
   */
  static Map<String, Object> of(Runnable work, int units) {
    EngineThread.get().run(OperationProfile::start);
    Map<String, OperationProfile.Operation> seen;
    try {
      work.run();
    } finally {
      seen = EngineThread.get().call(OperationProfile::stop);
    }
    Map<String, OperationProfile.Operation> merged = new LinkedHashMap<>();
    seen.forEach((name, o) -> merged.merge(name.contains("::") ? name : "interpreter", o, OperationProfile.Operation::plus));
    Map<String, Object> out = new LinkedHashMap<>();
    merged.entrySet().stream().sorted(Comparator.comparingDouble(e -> -e.getValue().seconds())).limit(MOST)
        .forEach(e -> out.put(e.getKey(), Map.of("microseconds", e.getValue().seconds() * 1e6 / units,
            "calls", (double) e.getValue().calls() / units)));
    return out;
  }
}

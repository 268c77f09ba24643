package dev.fettle.recipes;

import dev.fettle.internal.OneLine;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The latest metrics of a run as gauges of Micrometer, which most monitoring systems read: {@code fettle.run.loss},
 * {@code fettle.run.step} and so on, each with the tags {@code recipe} and {@code model}. They are there while the run goes on.
 *
 * <pre>{@code
 * Sft.on(training).data(train).listen(RunMeters.in(registry)).run();
 * }</pre>
 *
 * <p>Fettle does not bring {@code io.micrometer:micrometer-core}: a program that uses this class has it. For one run at a time;
 * the registry may be read by any thread.
 */
public final class RunMeters implements RunListener {
  private static final String PREFIX = "fettle.run.";

  private final MeterRegistry registry;
  private final Map<String, Double> latest = new ConcurrentHashMap<>();
  private final Map<String, Meter> gauges = new LinkedHashMap<>();
  private String recipe = "";
  private String model = "";

  private RunMeters(MeterRegistry registry) {
    this.registry = registry;
  }

  /** Gauges in a registry. */
  public static RunMeters in(MeterRegistry registry) {
    return new RunMeters(Objects.requireNonNull(registry, "registry"));
  }

  @Override
  public void begin(Run begun) {
    recipe = Objects.requireNonNull(begun, "begun").recipe();
    model = begun.training().model().name();
  }

  @Override
  public void step(Run.Step step) {
    latest.putAll(Objects.requireNonNull(step, "step").metrics());
    for (String metric : step.metrics().keySet()) {
      gauges.computeIfAbsent(metric, name -> Gauge.builder(PREFIX + name.replace('_', '.'), latest, values -> values.get(name))
          .tag("recipe", recipe).tag("model", model).strongReference(true).register(registry));
    }
  }

  @Override
  public void end(Run ended) {
    Objects.requireNonNull(ended, "ended");
    gauges.values().forEach(registry::remove);
    gauges.clear();
    latest.clear();
  }

  @Override
  public String toString() {
    return OneLine.of("RunMeters", recipe + " " + latest.size() + " gauges");
  }
}

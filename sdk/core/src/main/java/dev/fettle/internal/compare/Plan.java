package dev.fettle.internal.compare;

import dev.fettle.BaseModel;
import dev.fettle.Training;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ObjDoubleConsumer;
import java.util.function.ToDoubleFunction;

/**
 * A comparison that was checked.
 *
 * @param steps of each run
 * @param seed of the sweeps; runs have those after it
 * @param loop trains
 * @param validation what rates are judged by, lower is better
 * @param test one value an item, or one alone
 * @param outside the loss outside the task
 * @param settings what results depend on beside method, rate and seed
 */
public record Plan(BaseModel model, List<Method> methods, int steps, int seeds, long seed, Loop loop,
    ToDoubleFunction<Training> validation, String metric, boolean higherIsBetter, Function<Training, double[]> test,
    Optional<ToDoubleFunction<Training>> outside, Map<String, Object> settings, Path directory) {

  /** A training loop; tells of each step's tokens and loss. */
  @FunctionalInterface
  public interface Loop {
    void train(Training training, double rate, long seed, ObjDoubleConsumer<Long> done);
  }
}

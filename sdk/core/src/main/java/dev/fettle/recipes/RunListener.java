package dev.fettle.recipes;

/**
 * Is told of a run's steps as they are made; see {@link Recipe#listen}. All calls come from the run's own thread, which waits
 * for them; what they throw ends the run. As a lambda it hears of steps alone:
 *
 * <pre>{@code
 * Sft.on(training).data(train).listen(step -> System.out.println(step.value("loss"))).run();
 * }</pre>
 */
@FunctionalInterface
public interface RunListener {
  /**
   * The run begins, before its first step.
   *
   * @param run with the steps that it goes on from, if it was interrupted before; its ending is {@code running}
   */
  default void begin(Run run) {}

  /** A step was made; {@link Run} says which metrics it has. */
  void step(Run.Step step);

  /**
   * The run has ended; called once for each {@link #begin}, whether all steps were made, the process was told to end, or
   * something failed.
   *
   * @param run with all steps; its ending says which of these it was
   */
  default void end(Run run) {}
}

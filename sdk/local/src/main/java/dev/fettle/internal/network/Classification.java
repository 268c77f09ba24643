package dev.fettle.internal.network;

import dev.fettle.internal.checkpoint.VectorModule.Dense.Activation;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.model.OuterWeight.Place;
import dev.fettle.internal.model.ScoreHead;
import dev.fettle.internal.torch.NativeList;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.List;
import java.util.function.Function;

/** From the rows of a text to its score, by the head of a classifier, and back. */
public final class Classification {
  private static final List<Place> PLACES = List.of(Place.LABEL_DENSE, Place.LABEL_DENSE_BIAS, Place.LABEL_NORM,
      Place.LABEL_NORM_BIAS, Place.LABELS, Place.LABELS_BIAS);
  private final ModelConfig config;
  private final long[] modes;
  private final long activation;

  /** That of a model which has one. */
  public Classification(ModelConfig config) {
    this.config = config;
    ScoreHead head = config.architecture().scoreHead().orElseThrow();
    this.modes = new long[] {head.pooled().ordinal()};
    this.activation = head.activation().orElse(Activation.IDENTITY).ordinal();
  }

  /**
   * The scores of packed texts.
   *
   * @param rows that were pooled
   * @param norm what the way back through the network's last norm needs
   * @param pooled [texts, hidden]
   * @param scores [texts as packed, 1], float32
   */
  public record Scores(Tensor rows, Tensor[] norm, Tensor pooled, Tensor scores) {}

  /** The scores of the texts that went through a network. */
  public Scores forward(Scope step, Network.Trace trace, Weights w) {
    Tensor[] norm = FinalNorm.forward(step, trace.output(), w);
    Tensor pooled = step.kernels().pool(norm[0], trace.packing().runs(), modes, 0);
    return new Scores(norm[0], norm, pooled, step.kernels().classify(pooled, tensors(step, w::outer), activation, config.eps()));
  }

  /** The gradient of the network's output, from that of the scores; adds those of the head and the norm. */
  public Tensor gradient(Scope step, Network.Trace trace, Scores made, Tensor gradient, Weights w, WeightGradients into,
      boolean overwrite) {
    Tensor d = step.kernels().classifyBackward(gradient, made.pooled, tensors(step, w::outer), tensors(step, into::outer),
        overwrite, activation, config.eps());
    Tensor rows = step.kernels().poolBackward(d, trace.packing().runs(), modes, made.rows);
    return FinalNorm.backward(step, rows, trace.output(), made.norm, w, into, overwrite);
  }

  private static NativeList<Tensor> tensors(Scope step, Function<Place, Tensor> of) {
    return step.list(PLACES.stream().map(of).toList());
  }
}

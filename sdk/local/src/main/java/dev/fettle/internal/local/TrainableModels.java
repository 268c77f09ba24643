package dev.fettle.internal.local;

import dev.fettle.Full;
import dev.fettle.Hybrid;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Tuning;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.torch.Memory;
import dev.fettle.internal.torch.NumberType;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** From what a user asks to train to what is trained; all is checked before anything is allocated. */
final class TrainableModels {
  private static final Logger LOG = LoggerFactory.getLogger(TrainableModels.class);

  private TrainableModels() {}

  static TrainableModel start(Tuning tuning, LocalModel model) {
    Lora lora = tuning instanceof Hybrid h ? h.lora() : tuning instanceof Lora l ? l : null;
    List<Full> parts = tuning instanceof Hybrid h ? h.parts() : tuning instanceof Full f ? List.of(f) : List.of();
    if (lora != null && lora.source().isPresent()) {
      if (!parts.isEmpty()) {
        throw new InvalidInputException("plus() of an adapter that is read from " + lora.source().get() + ": what it trains "
            + "in full is in its own adapter_config.json");
      }
      return AdapterFiles.load(lora, model);
    }
    FullTargets full = FullTargets.of(parts, model.layout());
    AdapterParameters adapters = lora == null ? LoraTargets.none(model.config())
        : LoraTargets.start(lora, model, full.modules());
    TrainableModel tuned = build(tuning, model, adapters, full, new BaseWeightOverrides());
    try {
      if (adapters.shape().kind().startFrozen()) {
        Memory.get().require(model.memory().start(adapters.shape()), 0, "the start of PiSSA on " + model.name());
      }
      tuned.adapters().initialise();
      tuned.adapters().refreshStart();
      tuned.refresh();
    } catch (RuntimeException | Error e) {
      tuned.close();
      throw e;
    }
    return tuned;
  }

  /** What is trained, with values still to be set but for weights trained in full, which start from the model's. */
  static TrainableModel build(Tuning tuning, LocalModel model, AdapterParameters adapters, FullTargets full, BaseWeightOverrides brought) {
    AdapterShape shape = adapters.shape();
    boolean untie = model.config().tiedEmbeddings()
        && (full.untied() || shape.embedding().isAdapted() || shape.head().isAdapted());
    Layout layout = untie ? Layout.of(model.config().untied()) : model.layout();
    requireApart(adapters, full, layout);
    NumberType type = NumberType.of(model.dtype());
    FullParameters weights = new FullParameters(layout, full, adapters.size());
    requireDense(full, model);
    Memory.get().require(model.memory().training(adapters, weights, brought),
        brought.bytes(type) + (weights.isAll() ? model.releasableBytes() : 0),
        (weights.isEmpty() ? "LoRA of " + adapters.size() + " weights on "
            : "full fine-tuning of " + weights.size() + " weights of ") + model.name());
    if (untie) {
      LOG.warn("{}: its input and output embedding are one weight, and are trained apart: they are untied, and saved so",
          model.name());
    }
    return new TrainableModel(tuning, model, layout, adapters, weights, brought);
  }

  /** Rounded weights do not follow small steps. */
  private static void requireDense(FullTargets full, LocalModel model) {
    for (String module : full.modules()) {
      if (model.blocks().holds(module)) {
        throw new InvalidInputException(module + " of " + model.name() + " is quantised and cannot be trained in full: give it an "
            + "adapter, or load the model with it left out, as by Quantisation." + model.quantisation().map(q -> q.form().name()
                .toLowerCase(Locale.ROOT)).orElse("dequantised") + "().except(Modules.named(\"" + module + "\"))");
      }
    }
  }

  private static void requireApart(AdapterParameters adapters, FullTargets full, Layout layout) {
    Set<String> trained = full.modules();
    for (var p : adapters.parameters()) {
      String module = adapters.module(p);
      if (trained.contains(module)) {
        throw LoraTargets.overlap(module);
      }
      if (!trained.isEmpty() && !module.equals(AdapterNames.module(p.name()))) {
        layout.expertsOf(module).stream().filter(trained::contains).findFirst().ifPresent(one -> {
          throw LoraTargets.overlap(one);
        });
      }
    }
    if (adapters.shape().kind().biases() && layout.config().hasBiases()
        && full.rules().keySet().stream().anyMatch(n -> n.endsWith("proj.bias"))) {
      throw new InvalidInputException("bias() beside biases that are trained in full: leave out one of both");
    }
  }
}

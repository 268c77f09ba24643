package dev.fettle.internal.serve;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Loss;
import dev.fettle.OptimResult;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.wire.Passes;
import dev.fettle.internal.wire.Steps;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Between the messages of the protocol and the values of the engine. What does not fit is named. */
final class Conversion {
  private Conversion() {}

  /** A loss by its name on the wire. */
  static Loss loss(String name, Map<String, Double> config) {
    Map<String, Double> settings = new TreeMap<>(config == null ? Map.of() : config);
    Loss loss = switch (name) {
      case "cross_entropy" -> Loss.crossEntropy();
      case "importance_sampling" -> Loss.importanceSampling();
      case "ppo" -> Loss.ppo(take(settings, "clip_low_threshold", 0.8), take(settings, "clip_high_threshold", 1.2));
      case "cispo" -> Loss.cispo(take(settings, "clip_low_threshold", 0), take(settings, "clip_high_threshold", 4));
      case "dro" -> Loss.dro(Problem.require(settings.remove("beta"), "loss_fn_config.beta, which dro needs,"));
      default -> throw Problem.invalid("loss_fn \"" + name
          + "\" is not known; there are cross_entropy, importance_sampling, "
          + "ppo, cispo and dro");
    };
    if (!settings.isEmpty()) {
      throw Problem.invalid("loss_fn_config has " + settings.keySet() + ", which " + name + " does not take");
    }
    return loss;
  }

  private static double take(Map<String, Double> settings, String key, double standard) {
    Double value = settings.remove(key);
    return value == null ? standard : value;
  }

  /** The data of a pass, checked against a model. */
  static Targets targets(List<Passes.Datum> data, Loss loss, Engine engine) {
    if (data == null || data.isEmpty()) {
      throw Problem.invalid("the pass has no data: send at least one datum");
    }
    Limits.Sizes most = engine.limits().sizes();
    if (data.size() > most.data()) {
      throw Problem.invalid("the pass has " + data.size() + " data: this server takes at most " + most.data()
          + " at a time; send the batch in chunks");
    }
    Targets.Builder out = new Targets.Builder(loss, most.tokens());
    for (int i = 0; i < data.size(); i++) {
      Passes.Datum datum = data.get(i);
      String where = "data[" + i + "]";
      if (datum == null || datum.modelInput() == null || datum.lossFnInputs() == null) {
        throw new Problem(422, where + " has no model_input or no loss_fn_inputs");
      }
      int[] tokens = datum.modelInput().tokens();
      tokens(where + ".model_input", tokens, engine.model());
      inVocabulary(where + ".target_tokens", out.add(where, tokens, datum.lossFnInputs()).targets(), engine.model());
      if (out.length() > most.tokens()) {
        throw Problem.invalid("the pass has more than " + most.tokens() + " targets up to " + where
            + ", the most at a time: send the batch in chunks");
      }
    }
    return out.build();
  }

  /** Refuses tokens that a model cannot read. */
  static void tokens(String where, int[] tokens, ModelBackend model) {
    if (tokens.length > model.contextLength()) {
      throw Problem.invalid(where + " has " + tokens.length + " tokens, but the model's context is "
          + model.contextLength() + ": shorten it");
    }
    inVocabulary(where, tokens, model);
  }

  private static void inVocabulary(String where, int[] ids, ModelBackend model) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= model.vocabSize()) {
        throw Problem.invalid(where + "[" + i + "] = " + ids[i] + ": the vocabulary has the ids 0 to "
            + (model.vocabSize() - 1));
      }
    }
  }

  /** Whether any position has a gradient; a chunk of a larger batch may have none. */
  static boolean trains(Batch batch, Loss loss) {
    return batch.data().stream().anyMatch(d -> {
      for (int i = 0; i < d.targets().length; i++) {
        if (d.trains(i) || !(loss instanceof Loss.CrossEntropy) && d.logprobs()[i] != 0) {
          return true;
        }
      }
      return false;
    });
  }

  /** Refuses an optimizer other than the one there is; where none is named, that one is meant. */
  static void requireAdam(String field, JsonNode optimizer) {
    if (optimizer == null || optimizer.isNull()) {
      return;
    }
    JsonNode type = optimizer.get("type");
    if (field.equals("optimizer_params") || type == null || !type.isString()
        || !type.asString().equals(Steps.OptimizerConfig.ADAMW.type())) {
      throw new Problem(422, field + " asks for the optimizer " + (type == null ? optimizer : type)
          + ": this server has adamw, whose settings go into adam_params");
    }
  }

  static AdamW adamW(Steps.AdamParams p) {
    AdamW standard = AdamW.standard();
    return p == null ? standard : new AdamW(or(p.learningRate(), standard.learningRate()),
        or(p.beta1(), standard.beta1()),
        or(p.beta2(), standard.beta2()), or(p.eps(), standard.eps()), or(p.weightDecay(), 0), or(p.gradClipNorm(), 0));
  }

  private static double or(Double value, double standard) {
    return value == null ? standard : value;
  }

  static Steps.OptimResult result(OptimResult r) {
    return new Steps.OptimResult(Map.of("grad_norm", r.gradientNorm(), "learning_rate", r.learningRate(), "step",
        (double) r.step()));
  }
}

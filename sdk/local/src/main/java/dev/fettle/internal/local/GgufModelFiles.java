package dev.fettle.internal.local;

import dev.fettle.GgufType;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.gguf.GgmlType;
import dev.fettle.internal.gguf.GgufFamily;
import dev.fettle.internal.gguf.GgufNames;
import dev.fettle.internal.gguf.GgufTensor;
import dev.fettle.internal.gguf.GgufWeight;
import dev.fettle.internal.gguf.GgufWriter;
import dev.fettle.internal.gguf.Metadata;
import dev.fettle.internal.gguf.ModelMetadata;
import dev.fettle.internal.gguf.RopeMetadata;
import dev.fettle.internal.gguf.TokenizerMetadata;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.ModelConfig;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whole models as one GGUF, adapters folded in, written weight by weight. */
final class GgufModelFiles {
  private static final Logger LOG = LoggerFactory.getLogger(GgufModelFiles.class);

  private final Layout layout;
  private final Values values;
  private final Map<String, GgufWeight> tensors;
  private final Map<String, float[]> angles = new HashMap<>();
  private final ProgressMeter meter;

  /** What a weight is now: [rows, columns], or a vector. */
  @FunctionalInterface
  interface Values {
    Tensor of(Scope scope, Layout.Weight weight);
  }

  private GgufModelFiles(Layout layout, Values values, Map<String, GgufWeight> tensors, ProgressMeter meter) {
    this.layout = layout;
    this.values = values;
    this.tensors = tensors;
    this.meter = meter;
  }

  /** Saves a model of a layout, that of the model or the same untied, with what its weights are now. */
  static void save(Path file, LocalModel model, Layout layout, Values values, GgufType type, ProgressMeter meter) {
    GgufWriter.requireReplaceable(file);
    model.requireCausalLm();
    ModelConfig config = layout.config();
    GgufFamily family = GgufFamily.of(config.architecture());
    GgmlType wanted = GgmlType.valueOf(type.name());
    Metadata metadata = GgufWriter.general(file.toString(), family, "model", wanted).put("general.name", baseName(model));
    var factors = ModelMetadata.put(config, family, metadata);
    TokenizerMetadata.put(model.files(), model.tokenizer(), config.vocabSize(), model.endTokens(), metadata);
    GgufModelFiles files = new GgufModelFiles(layout, values, GgufNames.of(config, family), meter);
    GgufWriter writer = new GgufWriter(file, metadata);
    for (RopeMetadata.Factors f : factors) {
      files.angles.put(f.tensor(), f.values());
      writer.add(f.tensor(), GgmlType.F32, f.values().length);
    }
    files.tensors.values().forEach(w -> writer.add(w.name(), files.type(w, wanted), w.shape()));
    files.warn(file, config, wanted);
    meter.expectBytes(writer.bytes());
    writer.write(files::write);
  }

  private void warn(Path file, ModelConfig config, GgmlType wanted) {
    if (!config.architecture().decoder().equals(config.architecture().type())) {
      LOG.warn("{}: the language model alone is written: what reads images in a {} is left out", file, config.architecture().type());
    }
    long odd = tensors.values().stream().filter(w -> !w.isVector() && w.columns() % wanted.block() != 0).count();
    if (odd > 0) {
      LOG.warn("{}: {} matrices are F16: their rows are no multiple of the {} numbers of a block of {}", file, odd, wanted.block(), wanted);
    }
  }

  /** The last part of the name that the model was loaded by. */
  static String baseName(LocalModel model) {
    Path name = Path.of(model.name()).getFileName();
    return name == null ? model.name() : name.toString();
  }

  private GgmlType type(GgufWeight weight, GgmlType wanted) {
    boolean output = weight.name().equals(GgufNames.OUTPUT)
        || weight.name().equals(GgufNames.EMBEDDING) && !tensors.containsKey(GgufNames.OUTPUT);
    return weight.type(wanted == GgmlType.Q4_0 && output ? GgmlType.Q8_0 : wanted);
  }

  private void write(GgufTensor tensor, GgufWriter.Sink sink) throws IOException {
    float[] own = angles.get(tensor.name());
    if (own != null) {
      sink.put(own, own.length);
    } else {
      GgufWeight weight = tensors.get(tensor.name());
      for (GgufWeight.Part part : weight.parts()) {
        try (Scope scope = new Scope()) {
          GgufRows.write(weight, part, values.of(scope, layout.weights().get(part.weight())), sink);
        }
      }
    }
    meter.addBytes(tensor.bytes());
  }
}

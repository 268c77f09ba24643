package dev.fettle.internal.local;

import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.gguf.GgmlType;
import dev.fettle.internal.gguf.GgufFamily;
import dev.fettle.internal.gguf.GgufNames;
import dev.fettle.internal.gguf.GgufOrder;
import dev.fettle.internal.gguf.GgufTensor;
import dev.fettle.internal.gguf.GgufWeight;
import dev.fettle.internal.gguf.GgufWriter;
import dev.fettle.internal.gguf.Metadata;
import dev.fettle.internal.gguf.ModelMetadata;
import dev.fettle.internal.model.AdapterShape;
import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Adapters as llama.cpp loads them beside a model's GGUF. */
final class GgufAdapterFiles {
  private final TrainableModel tuned;
  private final double alpha;
  private final Map<String, Saved> saved = new LinkedHashMap<>();

  /** A or B of a tensor; the numbers of B times a factor, as one alpha holds for all. */
  private record Saved(GgufWeight rows, AdapterFiles.Saved values, double factor) {}

  private GgufAdapterFiles(TrainableModel tuned) {
    this.tuned = tuned;
    this.alpha = tuned.adapters().settings().alpha();
  }

  static void save(Path file, LocalModel model, TrainableModel tuned, ProgressMeter meter) {
    GgufWriter.requireReplaceable(file);
    model.requireCausalLm();
    requirePlain(file, tuned);
    GgufFamily family = GgufFamily.of(model.config().architecture());
    // It serves nothing where the model itself cannot be had there.
    ModelMetadata.put(model.config(), family, new Metadata(file.toString()));
    GgufAdapterFiles files = new GgufAdapterFiles(tuned);
    Metadata metadata = GgufWriter.general(file.toString(), family, "adapter", GgmlType.F32).put("adapter.type", "lora")
        .put("adapter.lora.alpha", files.alpha).put("general.name", GgufModelFiles.baseName(model) + " adapter")
        .put("general.base_model.count", 1).put("general.base_model.0.name", GgufModelFiles.baseName(model));
    files.collect(GgufNames.of(model.config(), family));
    GgufWriter writer = new GgufWriter(file, metadata);
    files.saved.forEach((name, s) -> writer.add(name, GgmlType.F32, s.rows.shape()));
    meter.expectBytes(writer.bytes());
    writer.write((tensor, sink) -> {
      files.write(tensor, sink);
      meter.addBytes(tensor.bytes());
    });
  }

  /** llama.cpp's adapters are A and B of matrices and nothing else. */
  private static void requirePlain(Path file, TrainableModel tuned) {
    AdapterShape shape = tuned.adapters().shape();
    String what = shape.isEmpty() ? "no adapter"
        : shape.kind().magnitudes() ? "magnitudes (DoRA)"
        : shape.kind().biases() ? "biases of B (lora_bias)"
        : shape.adaptedExperts().isPresent() ? "adapters of experts"
        : shape.embedding().isAdapted() ? "an adapter of the input embedding"
        : shape.head().isAdapted() && tuned.layout().head() == null ? "an adapter of an output embedding that is the input embedding"
        : !tuned.full().isEmpty() ? "weights that are trained themselves"
        : !tuned.brought().isEmpty() ? "base weights that the adapter's file brought along" : "";
    if (!what.isEmpty()) {
      throw new UnsupportedModelException(file + ": " + tuned.tuning() + " has " + what + ", which llama.cpp's adapters "
          + (shape.isEmpty() ? "are" : "have no place for") + ": save the whole model with saveGguf");
    }
  }

  private void collect(Map<String, GgufWeight> tensors) {
    AdapterShape shape = tuned.adapters().shape();
    for (int i = 0; i < shape.layers(); i++) {
      for (Product product : shape.adapted(i)) {
        for (AdapterShape.Member member : shape.members(i, product)) {
          if (member.isAdapted()) {
            add(tensors, member);
          }
        }
      }
    }
    if (shape.head().isAdapted()) {
      add(tensors, shape.head());
    }
  }

  private void add(Map<String, GgufWeight> tensors, AdapterShape.Member member) {
    AdapterFiles.Saved a = values(AdapterNames.Kind.A, member);
    AdapterFiles.Saved b = values(AdapterNames.Kind.B, member);
    long rank = a.shape()[0];
    // PiSSA's second half, what the start is taken off with, has the same scale as the first.
    double factor = member.scale() * rank / alpha;
    for (GgufWeight weight : tensors.values()) {
      if (weight.parts().stream().allMatch(part -> part.weight().equals(member.name() + ".weight"))) {
        List<GgufWeight.Part> rows = List.of(new GgufWeight.Part("", 0, rank, GgufOrder.SAME));
        saved.put(weight.name() + ".lora_a", new Saved(weight.half(rows, weight.columnOrder(), a.shape()), a, 1));
        saved.put(weight.name() + ".lora_b", new Saved(weight.half(weight.parts(), GgufOrder.SAME, weight.shape()[0], rank), b, factor));
      }
    }
  }

  private AdapterFiles.Saved values(AdapterNames.Kind kind, AdapterShape.Member member) {
    return AdapterFiles.saved(tuned, tuned.adapters().parameter(kind.name(member.name())));
  }

  private void write(GgufTensor tensor, GgufWriter.Sink sink) throws IOException {
    Saved s = saved.get(tensor.name());
    try (Scope scope = new Scope()) {
      Tensor values = s.values.values().of(scope);
      if (s.factor != 1) {
        Tensor scaled = scope.zeros(NumberType.F32, s.values.shape());
        scope.kernels().scaled(scaled, values, s.factor);
        values = scaled;
      }
      for (GgufWeight.Part part : s.rows.parts()) {
        GgufRows.write(s.rows, part, values, sink);
      }
    }
  }
}

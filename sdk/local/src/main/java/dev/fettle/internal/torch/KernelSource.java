package dev.fettle.internal.torch;

import dev.fettle.internal.checkpoint.Pooling;
import dev.fettle.internal.checkpoint.VectorModule;
import dev.fettle.internal.model.LayerNumbers;
import dev.fettle.internal.model.LayerVector;
import dev.fettle.internal.model.OuterNumbers;
import dev.fettle.internal.model.Product;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The mathematics: functions in TorchScript, with the numbers of lists' places as Java's enumerations have them. */
final class KernelSource {
  static final List<String> FILES = List.of("tensors.py", "processor.py", "weight.py", "quantised.py", "stored.py", "norm.py",
      "linear.py", "attention.py", "bidirectional.py", "layer.py", "delta.py", "delta_layer.py", "experts.py", "embedding.py", "loss.py",
      "optimizer.py", "decode.py", "sampling.py", "contrastive.py", "classifier.py", "index.py");

  private static final Map<String, Class<? extends Enum<?>>> PLACES = Map.of("Pool", Pooling.Mode.class, "DenseActivation",
      VectorModule.Dense.Activation.class, "Product", Product.class, "Vector",
      LayerVector.class, "Dim", LayerNumbers.Dim.class, "Real", LayerNumbers.Real.class, "Activation",
      LayerNumbers.Activation.class, "Saved", Saved.class, "Outer", OuterNumbers.Outer.class);
  private static final Pattern PLACE = Pattern.compile("\\b(" + String.join("|", PLACES.keySet()) + ")\\.([A-Z][A-Z0-9_]*)");

  private KernelSource() {}

  /** All of it, comments included, with numbers for names of places. */
  static String text() {
    StringBuilder source = new StringBuilder();
    files().values().forEach(text -> source.append(text).append('\n'));
    return PLACE.matcher(source).replaceAll(m -> Integer.toString(place(m.group(1), m.group(2))));
  }

  /** What only one kind of device has: little, and enough to try what this processor runs. */
  static String ofProcessor() {
    return files().get("processor.py");
  }

  /** The files as they are, by name. */
  static Map<String, String> files() {
    Map<String, String> out = new LinkedHashMap<>();
    for (String name : FILES) {
      try (InputStream in = KernelSource.class.getResourceAsStream(name)) {
        out.put(name, new String(in.readAllBytes(), StandardCharsets.UTF_8));
      } catch (IOException e) {
        throw new UncheckedIOException(name + ": the kernel's source cannot be read from the library's jar", e);
      }
    }
    return out;
  }

  private static int place(String list, String name) {
    for (Enum<?> each : PLACES.get(list).getEnumConstants()) {
      if (each.name().equals(name)) {
        return each.ordinal();
      }
    }
    throw new IllegalStateException("the kernels name a place that Java does not have: " + list + "." + name);
  }

  /** Whether a piece of source names a place. */
  static Matcher places(String text) {
    return PLACE.matcher(text);
  }
}

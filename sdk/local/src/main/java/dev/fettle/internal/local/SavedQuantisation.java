package dev.fettle.internal.local;

import dev.fettle.Modules;
import dev.fettle.Quantisation;
import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.json.ObjectNode;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.OuterWeight;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** What {@code state.json} says of how the base model's weights are held. */
final class SavedQuantisation {
  private static final String KEY = "quantisation";

  private SavedQuantisation() {}

  static void write(ObjectNode root, LocalModel model) {
    model.quantisation().ifPresent(q -> {
      ObjectNode node = root.putObject(KEY);
      node.put("form", q.form().name().toLowerCase(Locale.ROOT));
      node.put("double", q.isDoubleQuantised());
      write(node, "dense", model, q.exceptions());
      write(node, "included", model, q.inclusions());
    });
  }

  private static void write(ObjectNode node, String key, LocalModel model, List<Modules> modules) {
    var names = node.putArray(key);
    int layers = model.config().layers().size();
    Stream.concat(model.layout().weights().values().stream().map(Layout.Weight::module), Stream.of(OuterWeight.HEAD_MODULE)).distinct()
        .filter(module -> modules.stream().anyMatch(m -> m.contains(module, layers))).forEach(names::add);
  }

  static Optional<Quantisation> read(JsonFields f) {
    if (!f.has(KEY)) {
      return Optional.empty();
    }
    JsonFields node = f.object(KEY).orElseThrow(() -> f.invalid(KEY, "must be an object"));
    Quantisation form = switch (node.string("form").orElse("")) {
      case "int8" -> Quantisation.int8();
      case "nf4" -> Quantisation.nf4();
      case "int4" -> Quantisation.int4();
      case "dense" -> Quantisation.dequantised();
      default -> throw node.invalid("form", "must be int8, nf4, int4 or dense");
    };
    Quantisation nested = node.bool("double", false) ? node.checked("double", form::doubleQuantised) : form;
    return Optional.of(nested.except(modules(node, "dense")).including(modules(node, "included")));
  }

  private static Modules[] modules(JsonFields node, String key) {
    return node.strings(key).stream().map(Modules::named).toArray(Modules[]::new);
  }
}

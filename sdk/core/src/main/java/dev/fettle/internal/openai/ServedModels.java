package dev.fettle.internal.openai;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.ModelBackend;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** The base and the adapters, by name. All share the base's weights. */
final class ServedModels implements AutoCloseable {
  private final Map<String, Served> byName = new LinkedHashMap<>();
  private final Served base;

  ServedModels(ModelBackend model, String name, Map<String, Path> adapters) {
    base = Served.base(name, model);
    byName.put(name, base);
    try {
      adapters.forEach((each, directory) -> {
        if (byName.containsKey(each) || each.equals(model.name())) {
          throw new InvalidInputException("adapter " + each + " (" + directory + ") is called as the base model is: give it another name");
        }
        byName.put(each, Served.adapter(each, model, directory));
      });
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  Served base() {
    return base;
  }

  Collection<Served> all() {
    return byName.values();
  }

  /** The model that a request names. */
  Served get(String name) {
    Served found = name.equals(base.model().name()) ? base : byName.get(name);
    if (found == null) {
      throw ApiError.unknown("model", "model_not_found", "there is no model \"" + name + "\" here; there are "
          + String.join(", ", byName.keySet()));
    }
    return found;
  }

  /** The model in the field {@code model}. */
  Served of(Fields fields) {
    fields.required("model", "one of " + String.join(", ", byName.keySet()));
    return get(fields.text("model"));
  }

  @Override
  public void close() {
    byName.values().forEach(Served::close);
  }
}

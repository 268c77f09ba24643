package dev.fettle.internal.data;

import dev.fettle.Batch;
import dev.fettle.Completion;
import dev.fettle.Dataset;
import dev.fettle.Datum;
import dev.fettle.Example;
import dev.fettle.Rendered;
import dev.fettle.Renderer;
import dev.fettle.Text;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.IntStream;

/** What the data tests use in place of a tokenizer and of real files. */
final class Fakes {
  private Fakes() {}

  /** A renderer that can do nothing but render; a proxy, so that it stays one as the interface grows. */
  static Renderer renderer(Function<Example, List<Rendered>> render) {
    return (Renderer) Proxy.newProxyInstance(Fakes.class.getClassLoader(), new Class<?>[] {Renderer.class},
        (proxy, method, args) -> {
          if (method.getName().equals("render")) {
            return render.apply((Example) args[0]);
          }
          if (method.isDefault()) {
            return InvocationHandler.invokeDefault(proxy, method, args);
          }
          throw new UnsupportedOperationException(method.getName());
        });
  }

  /** A renderer of a model with a context. */
  static Renderer within(int context, Function<Example, List<Rendered>> render) {
    return (Renderer) Proxy.newProxyInstance(Fakes.class.getClassLoader(), new Class<?>[] {Renderer.class},
        (proxy, method, args) -> method.getName().equals("contextLength") ? OptionalInt.of(context)
            : method.invoke(renderer(render), args));
  }

  /** One token a character; the prompt's are not trained, and neither are lower-case letters of a text. */
  static Renderer characters() {
    return renderer(example -> List.of(rendered(example)));
  }

  /** As {@link #characters()}, with a sequence for each part of a text between bars. */
  static Renderer parts() {
    return renderer(example -> Arrays.stream(((Text) example).text().split("\\|"))
        .map(part -> rendered(new Text(part))).toList());
  }

  private static Rendered rendered(Example example) {
    boolean text = example instanceof Text;
    String prompt = text ? "" : ((Completion) example).prompt();
    String all = text ? ((Text) example).text() : prompt + ((Completion) example).completion();
    float[] weights = new float[all.length()];
    for (int i = prompt.length(); i < weights.length; i++) {
      weights[i] = text && Character.isLowerCase(all.charAt(i)) ? 0 : 1;
    }
    return new Rendered(all.chars().toArray(), weights);
  }

  /** What was read and predicted: the text again. */
  static String text(Datum datum) {
    int[] tokens = IntStream.concat(IntStream.of(datum.inputs()[0]), IntStream.of(datum.targets())).toArray();
    return new String(tokens, 0, tokens.length);
  }

  static List<List<String>> texts(Iterable<Batch> batches) {
    List<List<String>> all = new ArrayList<>();
    batches.forEach(batch -> all.add(batch.data().stream().map(Fakes::text).toList()));
    return all;
  }

  static List<String> texts(Dataset data) {
    List<String> all = new ArrayList<>();
    data.examples().forEach(example -> all.add(((Text) example).text()));
    return all;
  }

  /** The texts {@code prefix0, prefix1, ...}. */
  static List<Text> numbered(String prefix, int count) {
    return IntStream.range(0, count).mapToObj(i -> new Text(prefix + i)).toList();
  }

  static Path write(Path file, String... lines) {
    try {
      return Files.writeString(file, String.join("\n", lines));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

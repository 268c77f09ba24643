package dev.fettle.internal.torch;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.pytorch.jni.IValue;
import dev.fettle.Device;
import dev.fettle.internal.model.LayerNumbers;
import dev.fettle.internal.model.LayerVector;
import dev.fettle.internal.model.Product;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Java's view of the kernels and the kernels' own source, and what must hold of all of it. */
class KernelsTest {
  private static final Pattern DEF = Pattern.compile("(?ms)^def (\\w+)\\((.*?)\\) -> ([^\\n]*):$");
  private static final Map<String, String[]> DEFS = defs();

  static Stream<Method> methods() {
    return Arrays.stream(Kernels.class.getMethods());
  }

  /** A wrong name, number, order or type of arguments fails here, and not when somebody trains. */
  @ParameterizedTest
  @MethodSource("methods")
  void eachMethodIsTheFunctionThatItCalls(Method method) {
    String name = KernelCall.kernelName(method.getName());
    String arguments = Arrays.stream(method.getParameters())
        .map(p -> KernelCall.kernelName(p.getName()) + ": " + kernelType(p.getParameterizedType())).collect(Collectors.joining(", "));

    assertThat(DEFS).as(method.toString()).containsKey(name);
    assertThat(arguments).isEqualTo(DEFS.get(name)[0]);
    if (method.getReturnType() != void.class) {
      assertThat(kernelType(method.getGenericReturnType(), DEFS.get(name)[1])).isEqualTo(DEFS.get(name)[1]);
    }
  }

  @Test
  void whatIsMadeIsMadeOnADeviceThatIsGiven() {
    Pattern factory = Pattern.compile("torch\\.(empty|zeros|ones|full|arange|rand|randn|eye|tensor|linspace)\\(");
    KernelSource.files().forEach((file, text) -> {
      Matcher m = factory.matcher(text);
      while (m.find()) {
        assertThat(call(text, m.end())).as(file + ": " + text.substring(m.start(), m.end())).contains("device=");
      }
    });
  }

  @Test
  void whatOnlyAProcessorHasIsNamedInOneFile() {
    Pattern processor = Pattern.compile("mkldnn|_for_cpu|int8pack|_int_mm|\\.is_mkldnn|fbgemm|quantized\\.");
    KernelSource.files().forEach((file, text) -> {
      if (!file.equals("processor.py")) {
        assertThat(processor.matcher(code(text)).find()).as(file).isFalse();
      }
    });
  }

  /** Numbers of places are written into the source from Java's enumerations, and stand there nowhere else. */
  @Test
  void placesInListsHaveNames() {
    Pattern number = Pattern.compile("\\b(w|v|m|gw|gv|dims|reals|saved|kept)\\[\\d");
    KernelSource.files().forEach((file, text) -> {
      if (List.of("layer.py", "experts.py", "decode.py", "attention.py", "norm.py").contains(file)) {
        assertThat(number.matcher(code(text)).find()).as(file).isFalse();
      }
    });
    assertThat(KernelSource.places(KernelSource.text().replaceAll("(?m)#.*$", "")).find()).isFalse();
  }

  @Test
  void theNumbersOfALayerStandInTheOrderOfTheirNames() {
    LayerNumbers numbers = new LayerNumbers(1, 2, 3, 4, 5, true, false, LayerNumbers.Activation.GELU, 0.5, 0.25, 2);

    assertThat(numbers.dims()).hasSameSizeAs(LayerNumbers.Dim.values());
    assertThat(numbers.dims()[LayerNumbers.Dim.TILE.ordinal()]).isEqualTo(4);
    assertThat(numbers.dims()[LayerNumbers.Dim.CAUSAL.ordinal()]).isEqualTo(1);
    assertThat(numbers.dims()[LayerNumbers.Dim.ACTIVATION.ordinal()]).isEqualTo(LayerNumbers.Activation.GELU.ordinal());
    assertThat(numbers.reals()).hasSameSizeAs(LayerNumbers.Real.values());
    assertThat(numbers.reals()[LayerNumbers.Real.SCALE.ordinal()]).isEqualTo(0.25);
    assertThat(LayerVector.biasOf(Product.DOWN)).isEqualTo(LayerVector.DOWN_BIAS);
    assertThat(Product.values()).allMatch(p -> LayerVector.biasOf(p).ordinal() == p.ordinal());
  }

  @Test
  void aTensorPrintsItsShape() {
    try (Scope scope = new Scope()) {
      Tensor x = scope.kernels().viewSlice(scope.floats(1, 2, 3, 4, 5, 6), 0, new long[] {2, 3});

      assertThat(x).hasToString("Tensor[2, 3]");
      assertThat(x.shape()).containsExactly(2, 3);
    }
  }

  @Test
  void whatAThreadComputesDoesNotDependOnOtherThreads() throws Exception {
    try (Scope scope = new Scope()) {
      Tensor residual = scope.kernels().normal(new long[] {64, 64}, 1, NumberType.BF16, Device.cpu());
      Tensor x = scope.kernels().normal(new long[] {64, 256}, 1, NumberType.BF16, Device.cpu());
      NativeList<Tensor> w = scope.list(scope.kernels().normal(new long[] {64, 256}, 1, NumberType.BF16, Device.cpu()));
      float[] before = sum(scope, residual, x, w);
      AtomicReference<float[]> elsewhere = new AtomicReference<>();

      Thread thread = new Thread(() -> {
        try (Scope other = new Scope()) {
          elsewhere.set(sum(other, residual, x, w));
        }
      });
      thread.start();
      thread.join();

      assertThat(elsewhere.get()).isEqualTo(before);
      assertThat(sum(scope, residual, x, w)).isEqualTo(before);
    }
  }

  private static float[] sum(Scope scope, Tensor residual, Tensor x, NativeList<Tensor> w) {
    IValue y = Torch.get().run("product_onto", residual.value(), x.value(), w.value(), scope.none().value());
    return scope.kernels().cast(scope.own(new Tensor(y)), NumberType.F32).floats();
  }

  @Test
  void aScopeFreesWhatItOwns() {
    Torch.get();
    long before = Torch.liveHandles();
    try (Scope scope = new Scope()) {
      scope.floats(1, 2, 3);
      scope.longs(1L, 2L);
      assertThat(Torch.liveHandles()).isEqualTo(before + 2);
    }
    assertThat(Torch.liveHandles()).isEqualTo(before);
  }

  private static Map<String, String[]> defs() {
    Map<String, String[]> out = new LinkedHashMap<>();
    KernelSource.files().forEach((file, text) -> {
      Matcher m = DEF.matcher(text);
      while (m.find()) {
        String[] before = out.put(m.group(1), new String[] {m.group(2).replaceAll("\\s+", " "), m.group(3)});
        assertThat(before).as("two functions are called " + m.group(1)).isNull();
      }
    });
    return out;
  }

  /** The arguments of a call, up to the bracket that closes it. */
  private static String call(String text, int from) {
    int depth = 1;
    int at = from;
    while (depth > 0) {
      char c = text.charAt(at++);
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    }
    return text.substring(from, at);
  }

  private static String code(String text) {
    return text.replaceAll("(?m)^\\s*#.*$", "");
  }

  private static String kernelType(Type type) {
    return kernelType(type, "");
  }

  /** @param declared how many tensors a tuple has is known to the kernel alone */
  private static String kernelType(Type type, String declared) {
    if (type instanceof ParameterizedType list) {
      return "List[" + kernelType(list.getActualTypeArguments()[0]) + "]";
    } else if (type == Tensor[].class) {
      return declared.matches("Tuple\\[Tensor(, Tensor)+\\]") ? declared : "a tuple of tensors";
    } else if (type instanceof Class<?> c && c.isRecord()) {
      List<String> parts = new ArrayList<>();
      for (RecordComponent component : c.getRecordComponents()) {
        parts.add(kernelType(component.getGenericType()));
      }
      return "Tuple[" + String.join(", ", parts) + "]";
    }
    return Map.of(Tensor.class, "Tensor", FewRows.class, "FewRows", long.class, "int", double.class, "float", boolean.class, "bool",
        NumberType.class, "int", Device.class, "str", long[].class, "List[int]", double[].class, "List[float]")
        .getOrDefault(type, type.getTypeName());
  }
}

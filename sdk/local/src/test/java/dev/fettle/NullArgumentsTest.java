package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.ranking.HardNegatives;
import dev.fettle.ranking.RankedRun;
import dev.fettle.ranking.Retriever;
import dev.fettle.ranking.VectorIndex;
import dev.fettle.recipes.Reward;
import dev.fettle.recipes.RunListener;
import dev.fettle.recipes.Sft;
import dev.fettle.support.SourceFiles;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every public method and constructor, with null in each place in turn: the error names the argument, within lists, arrays
 * and maps the place too, and nothing has changed.
 */
class NullArgumentsTest {
  /** Where null is allowed, and why. */
  private static final Map<String, String> ALLOWED = Map.of(
      "equals", "nothing equals null",
      "valueOf", "of enums; the compiler writes it, and says: Name is null",
      "recipes.Comparison.setting value", "is kept as the text null",
      "Message fields", "may hold JSON's null",
      "Message.withField value", "the same",
      "Renderer.with value", "the same",
      "FettleException", "as every Throwable",
      "InvalidInputException", "as every Throwable");

  /** Types that only users implement: there is nothing of Fettle's own to call. */
  private static final List<Class<?>> OF_USERS = List.of(Reward.class, RunListener.class);

  @TempDir
  static Path files;
  private static PublicInstances instances;

  @BeforeAll
  static void start() throws Exception {
    instances = new PublicInstances(files);
  }

  @AfterAll
  static void stop() {
    instances.close();
  }

  /** What is put in place of a valid argument, and what the error must say. */
  private record Hole(Object value, String name) {}

  /** Null in place of a value, and in place of what it holds. */
  private static List<Hole> holes(String name, Object valid) {
    List<Hole> holes = new ArrayList<>(List.of(new Hole(null, name)));
    if (valid instanceof List<?> list) {
      for (Hole within : holes(name + "[1]", list.get(1))) {
        List<Object> copy = new ArrayList<>(list);
        copy.set(1, within.value);
        holes.add(new Hole(copy, within.name));
      }
    } else if (valid instanceof Object[] array) {
      for (Hole within : holes(name + "[1]", array[1])) {
        Object[] copy = array.clone();
        copy[1] = within.value;
        holes.add(new Hole(copy, within.name));
      }
    } else if (valid instanceof Map<?, ?> map) {
      for (Hole within : holes(name + "[q2]", map.get("q2"))) {
        Map<Object, Object> copy = new LinkedHashMap<>(map);
        copy.put("q2", within.value);
        holes.add(new Hole(copy, within.name));
      }
      Map<Object, Object> copy = new LinkedHashMap<>(map);
      copy.put(null, map.get("q1"));
      holes.add(new Hole(copy, "a key of " + name));
    }
    return holes;
  }

  private static List<Class<?>> publicTypes() throws Exception {
    List<Class<?>> types = new ArrayList<>();
    Path root = SourceFiles.CORE_CLASSES;
    for (String part : List.of("dev/fettle", "dev/fettle/ranking", "dev/fettle/recipes")) {
      try (Stream<Path> classes = Files.list(root.resolve(part))) {
        for (Path file : classes.filter(f -> f.toString().endsWith(".class")).sorted().toList()) {
          Class<?> type = Class.forName(root.relativize(file).toString().replace(".class", "").replace('/', '.'));
          if (Modifier.isPublic(type.getModifiers()) && !type.isAnonymousClass()) {
            types.add(type);
          }
        }
      }
    }
    return types;
  }

  private static String label(Executable call) {
    return call.getDeclaringClass().getName().replace("dev.fettle.", "").replace('$', '.')
        + (call instanceof Method method ? "." + method.getName() : "");
  }

  private static boolean allowed(Executable call, Parameter parameter) {
    boolean throwable = call instanceof Constructor<?> made && Throwable.class.isAssignableFrom(made.getDeclaringClass());
    return throwable || ALLOWED.containsKey(call.getName()) || ALLOWED.containsKey(label(call) + " " + parameter.getName());
  }

  /** Calls with null in each place; adds what is wrong to a list and gives the number of calls. */
  private static int check(Executable call, Object on, List<String> wrong) {
    int calls = 0;
    Parameter[] parameters = call.getParameters();
    for (int i = 0; i < parameters.length; i++) {
      if (!parameters[i].getType().isPrimitive() && !allowed(call, parameters[i])) {
        for (Hole hole : holes(parameters[i].getName(), instances.argument(parameters[i]))) {
          Object[] arguments = Arrays.stream(parameters).map(instances::argument).toArray();
          arguments[i] = hole.value;
          String before = String.valueOf(on);
          String answer = call(call, on, arguments);
          if (!answer.equals(hole.name)) {
            wrong.add(label(call) + ": wants " + hole.name + ", says " + answer);
          }
          if (!String.valueOf(on).equals(before)) {
            wrong.add(label(call) + " has changed " + before + " to " + on);
          }
          calls++;
        }
      }
    }
    return calls;
  }

  /** The message of the error that a call with null ends with. */
  private static String call(Executable call, Object on, Object[] arguments) {
    try {
      Object result = call instanceof Method method ? method.invoke(on, arguments)
          : ((Constructor<?>) call).newInstance(arguments);
      return "nothing, gives " + (result == null ? "null" : result.getClass().getName());
    } catch (InvocationTargetException e) {
      Throwable error = e.getCause();
      return error.getClass() == NullPointerException.class ? String.valueOf(error.getMessage()) : error.toString();
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void everyNullIsRefusedByTheNameOfItsArgument() throws Exception {
    List<String> wrong = new ArrayList<>();
    int calls = 0;
    for (Class<?> type : publicTypes()) {
      for (Constructor<?> made : type.getConstructors()) {
        calls += check(made, null, wrong);
      }
      for (Method method : type.getMethods()) {
        if (method.getDeclaringClass().getName().startsWith("dev.fettle.")) {
          boolean still = Modifier.isStatic(method.getModifiers());
          for (Object on : still ? Collections.singletonList(null) : instances.of(type)) {
            calls += check(method, on, wrong);
          }
        }
      }
    }
    assertThat(wrong.stream().distinct()).isEmpty();
    assertThat(calls).isGreaterThan(400);
  }

  @Test
  void everyPublicTypeHasAnInstance() throws Exception {
    assertThat(publicTypes()).hasSizeGreaterThan(80).allMatch(NullArgumentsTest::isTried, "is in PublicInstances");
  }

  /** What all kinds of a type inherit is called on each of them. */
  private static boolean isTried(Class<?> type) {
    return instances.knows(type) || OF_USERS.contains(type)
        || type.isSealed() && Arrays.stream(type.getPermittedSubclasses()).allMatch(NullArgumentsTest::isTried);
  }

  @Test
  void noGradientHasAccumulatedByCallsWithNull() {
    for (Object training : instances.of(Training.class)) {
      assertThatThrownBy(() -> ((Training) training).optimStep(AdamW.standard())).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("gradient");
    }
  }

  @Test
  void aFunctionThatGivesNullIsNamedWithWhatItWasAsked() {
    Training training = (Training) instances.of(Training.class).get(0);
    Retriever retriever = (query, count) -> null;
    Map<String, String> queries = Map.of("q1", "text");

    gaveNull("schedule gave null for 1 steps",
        () -> Sft.on(training).data(Dataset.of(new Text("a"))).schedule(n -> null).run());
    gaveNull("the custom loss returned null",
        () -> training.forwardBackward(Batch.of(Datum.of(1, 2, 3)), Loss.custom((data, logprobs) -> null)));
    gaveNull("the retriever gave null for query q1", () -> RankedRun.of("run", queries, retriever, 3));
    gaveNull("the retriever gave null for query text", () -> HardNegatives.from(retriever, 1).mine("text", Map.of()));
    gaveNull("vectors gave null for row 1",
        () -> VectorIndex.of(List.of("a", "b"), (int i) -> i == 0 ? new float[] {1} : null));
    gaveNull("embed gave null for query text",
        () -> VectorIndex.of(List.of("a"), new float[][] {{1}}).retriever(text -> null).search("text", 1));
  }

  private static void gaveNull(String message, Runnable call) {
    assertThatThrownBy(call::run).isInstanceOf(InvalidInputException.class).hasMessageStartingWith(message);
  }
}

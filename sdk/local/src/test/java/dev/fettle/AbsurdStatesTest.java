package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import dev.fettle.internal.json.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A {@code state.json} with values that no save writes: the error names the file, the key and what to give. */
class AbsurdStatesTest {
  private static final List<String> NEITHER_COUNT_NOR_NUMBER = List.of("1e999", "9".repeat(400), "\"x\"", "true", "[]", "{}");
  private static final List<String> NO_COUNT = List.of("-1", "0.5", "1e300", "9223372036854775807", "9223372036854775808");
  private static final List<String> NO_RATE = List.of("-1", "0", "1e300", "1e-999");

  @TempDir
  private Path files;

  private static List<String> all(List<String> some) {
    List<String> all = new ArrayList<>(NEITHER_COUNT_NOR_NUMBER);
    all.addAll(some);
    return all;
  }

  /** Puts each value in the place of a key, below {@code in}, and resumes; what does not name file and key. */
  private List<String> wrong(Fettle fettle, Path state, List<String> in, String key, List<String> values) throws IOException {
    Path file = state.resolve("state.json");
    String before = Files.readString(file);
    List<String> wrong = new ArrayList<>();
    for (String value : values) {
      JsonNode root = JsonReader.STANDARD.read(before);
      JsonNode node = root;
      for (String step : in) {
        node = node.get(step);
      }
      ((ObjectNode) node).put(key, "HERE");
      Files.writeString(file, root.toString().replace("\"HERE\"", value));
      Throwable error = catchThrowable(() -> fettle.resume(state));
      boolean named = error instanceof InvalidInputException && error.getMessage().startsWith(file + ": ")
          && error.getMessage().contains(key);
      if (!named) {
        wrong.add(in + key + " = " + value + ": " + error);
      }
    }
    Files.writeString(file, before);
    return wrong;
  }

  @Test
  void eachNumberIsRefusedByFileAndKey() throws IOException {
    try (Fettle fettle = Fettle.local()) {
      Path state = files.resolve("state");
      fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(2).plus(Full.of(Modules.norms()).learningRateFactor(0.5)))
          .saveState(state);
      List<String> wrong = new ArrayList<>();
      for (String count : List.of("steps", "passes")) {
        wrong.addAll(wrong(fettle, state, List.of(), count, all(NO_COUNT)));
      }
      wrong.addAll(wrong(fettle, state, List.of(), "seed", all(List.of("0.5", "1e300", "9223372036854775808"))));
      wrong.addAll(wrong(fettle, state, List.of(), "format", all(NO_COUNT)));
      wrong.addAll(wrong(fettle, state, List.of(), "data", List.of("\"x\"", "1", "\"1/1/1/zzz\"", "\"-1/1/1/0\"")));
      wrong.addAll(wrong(fettle, state, List.of(), "dtype", List.of("\"F64\"", "1")));
      for (String count : List.of("threads", "lanes")) {
        wrong.addAll(wrong(fettle, state, List.of("execution"), count, all(NO_COUNT)));
      }
      wrong.addAll(wrong(fettle, state, List.of("lora"), "ratio", all(NO_RATE)));
      for (List<String> part : List.of(List.of("lora"), List.of("full", "part0"))) {
        wrong.addAll(wrong(fettle, state, part, "factor", all(NO_RATE)));
        wrong.addAll(wrong(fettle, state, part, "learning_rate", all(NO_RATE)));
        wrong.addAll(wrong(fettle, state, part, "weight_decay", all(List.of("-1", "1e300"))));
      }
      wrong.addAll(wrong(fettle, state, List.of("full", "part0"), "modules", List.of("[\"\"]", "[1]", "\"x\"")));

      assertThat(wrong).isEmpty();
      assertThat(fettle.resume(state).steps()).isZero();
    }
  }
}

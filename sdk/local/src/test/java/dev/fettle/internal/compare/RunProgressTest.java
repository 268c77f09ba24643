package dev.fettle.internal.compare;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.Lora;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunProgressTest {
  private static final Method SWEPT = Method.of("swept", Lora.rank(1), 1e-3, 1e-2, 1e-1);
  private static final Method GIVEN = Method.of("given", Lora.rank(2), 1e-3);

  @TempDir
  private Path directory;

  private RunProgress agenda(Method... methods) {
    Plan plan = new Plan(null, List.of(methods), 10, 3, 0, null, null, "loss", false, null, Optional.empty(), Map.of(),
        directory);
    return new RunProgress(plan, ResultsFile.open(directory, Map.of()));
  }

  private static void done(RunProgress agenda, Method method, String kind, int times) {
    for (int i = 0; i < times; i++) {
      agenda.done(new RunResult(kind, method.name(), "", 1e-3, i, 1, new double[0], 0, new double[0], 1, 1, 1, 1, 1, 1));
    }
  }

  @Test
  void countsTheSweepAndTheSeedsOfEachMethod() {
    RunProgress agenda = agenda(SWEPT, Method.of("other", Lora.rank(2), 1e-3, 1e-2));

    assertThat(agenda.line("sweep", SWEPT, 1e-3, 0)).startsWith("run 1/11: swept");
  }

  @Test
  void aMethodWithOneGivenRateHasNoSweep() {
    RunProgress agenda = agenda(SWEPT, GIVEN);

    assertThat(agenda.line("sweep", SWEPT, 1e-3, 0)).startsWith("run 1/9: ");
    done(agenda, SWEPT, "sweep", 3);
    done(agenda, SWEPT, "seed", 3);
    assertThat(agenda.line("seed", GIVEN, 1e-3, 1)).startsWith("run 7/9: given");
    done(agenda, GIVEN, "seed", 2);
    assertThat(agenda.line("seed", GIVEN, 1e-3, 3)).startsWith("run 9/9: given");
  }

  @Test
  void aSweepThatGoesOnHasOneRunMoreEachTime() {
    RunProgress agenda = agenda(SWEPT, GIVEN);
    done(agenda, SWEPT, "sweep", 3);

    assertThat(agenda.line("sweep", SWEPT, 1, 0)).startsWith("run 4/10: ");
    done(agenda, SWEPT, "sweep", 1);
    assertThat(agenda.line("seed", SWEPT, 1, 1)).startsWith("run 5/10: ");
  }
}

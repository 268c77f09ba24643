package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.support.Golden;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What holds of every schedule, at the settings where formulas break and at random ones. */
class ScheduleTest {
  private record Setting(String shape, double peak, int steps, int warmup) {
    Schedule schedule() {
      Schedule bare = switch (shape) {
        case "linear" -> Schedule.linear(peak, steps);
        case "cosine" -> Schedule.cosine(peak, steps);
        default -> Schedule.constant(peak);
      };
      return bare.warmup(warmup);
    }

    /** The steps to look at: all, or where there are many, those around the places where the formula changes. */
    List<Long> some() {
      List<Long> all = new ArrayList<>();
      for (long around : new long[] {0, warmup, (warmup + (long) steps) / 2, steps}) {
        for (long step = Math.max(0, around - 40); step < around + 40; step++) {
          all.add(step);
        }
      }
      return all;
    }

    /** The most by which neighbours differ: the warm-up's slope or the fall's steepest one, and rounding. */
    double bound() {
      double rise = warmup < 2 ? 0 : 1.0 / warmup;
      double fall = switch (shape) {
        case "linear" -> 1.0 / Math.max(1, steps - warmup);
        case "cosine" -> Math.PI / 2 / Math.max(1, steps - warmup);
        default -> 0;
      };
      return peak * (Math.max(rise, fall) + 1e-12);
    }
  }

  private static List<Setting> settings() {
    List<Setting> settings = new ArrayList<>();
    Random random = new Random(16);
    for (String shape : List.of("constant", "linear", "cosine")) {
      for (double peak : new double[] {0, 1e-300, 1e-4, 0.1, 1, Double.MAX_VALUE}) {
        for (int steps : new int[] {1, 2, 3, 10, Integer.MAX_VALUE}) {
          for (int warmup : new int[] {0, 1, steps / 2, steps - 1, steps}) {
            if (warmup <= steps) {
              settings.add(new Setting(shape, peak, steps, warmup));
            }
          }
        }
      }
      for (int i = 0; i < 300; i++) {
        int steps = 1 + random.nextInt(200);
        settings.add(new Setting(shape, Math.exp(-20 * random.nextDouble()), steps, random.nextInt(steps + 1)));
      }
    }
    return settings;
  }

  @Test
  void ratesAreNeverNegativeAndNeverAboveThePeak() {
    for (Setting setting : settings()) {
      for (long step : setting.some()) {
        assertThat(setting.schedule().at(step)).as(setting + " at " + step).isBetween(0.0, setting.peak);
      }
    }
  }

  @Test
  void neighbouringStepsDifferByNoMoreThanTheSteepestSlope() {
    for (Setting setting : settings()) {
      Schedule schedule = setting.schedule();
      for (long step : setting.some()) {
        assertThat(Math.abs(schedule.at(step + 1) - schedule.at(step))).as(setting + " from " + step)
            .isLessThanOrEqualTo(setting.bound());
      }
    }
  }

  @Test
  void afterTheLastStepItsRateStays() {
    for (Setting setting : settings()) {
      Schedule schedule = setting.schedule();
      double last = schedule.at(setting.steps - 1);
      for (long later : new long[] {setting.steps, setting.steps + 1L, 2L * setting.steps, Long.MAX_VALUE}) {
        assertThat(schedule.at(later)).as(setting + " at " + later).isEqualTo(last);
      }
    }
  }

  @Test
  void aWarmupOfAllStepsEndsAtThePeak() {
    for (Setting setting : settings()) {
      if (setting.warmup == setting.steps) {
        assertThat(setting.schedule().at(setting.steps - 1)).as(setting.toString()).isEqualTo(setting.peak);
        assertThat(setting.schedule().at(setting.steps)).as(setting.toString()).isEqualTo(setting.peak);
      }
    }
  }

  @Test
  void ratesEqualTheirFormulas() {
    for (JsonNode s : Golden.json("schedules.json").get("schedules")) {
      Setting setting = new Setting(s.get("shape").asString(), 2, s.get("total").asInt(), s.get("warmup").asInt());
      JsonNode factors = s.get("factors");
      assertThat(factors.size()).isEqualTo(setting.steps);
      for (int i = 0; i < factors.size(); i++) {
        assertThat(setting.schedule().at(i) / 2).as(setting + " at " + i).isCloseTo(factors.get(i).asDouble(), within(1e-9));
      }
    }
  }

  @Test
  void whatIsNoScheduleIsRefusedByNameAndValue() {
    refused(() -> Schedule.linear(1, 0), "steps 0");
    refused(() -> Schedule.cosine(1, -1), "steps -1");
    refused(() -> Schedule.linear(1, 5).warmup(6), "warmup 6", "number of steps, 5");
    refused(() -> Schedule.constant(1).warmup(-1), "warmup -1");
    refused(() -> Schedule.constant(1).at(-1), "step -1");
    refused(() -> Schedule.constant(-1), "learning rate -1.0");
    refused(() -> Schedule.cosine(Double.NaN, 3), "learning rate NaN");
    refused(() -> Schedule.linear(Double.POSITIVE_INFINITY, 3), "learning rate Infinity");
  }

  private static void refused(Runnable call, String... parts) {
    assertThatThrownBy(call::run).isInstanceOf(InvalidInputException.class).hasMessageContainingAll(parts);
  }
}

package dev.fettle.internal.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.internal.compare.Significance.Sample;
import dev.fettle.recipes.ComparisonResult.Pair;
import java.util.List;
import org.junit.jupiter.api.Test;

class SignificanceTest {
  private static Sample sample(String name, double... seeds) {
    return new Sample(name, seeds, new double[0]);
  }

  @Test
  void welchsTestGivesWhatIntegratingStudentsDensityGives() {
    assertThat(Significance.welch(new double[] {1, 2, 3}, new double[] {2, 4, 9})).isEqualTo(0.2838344049617108, within(1e-8));
    assertThat(Significance.welch(new double[] {0.51, 0.52, 0.5}, new double[] {0.6, 0.63, 0.61, 0.62}))
        .isEqualTo(7.114467314235633e-05, within(1e-9));
  }

  @Test
  void aKnownValueIsTestedByTheSpreadOfTheOther() {
    assertThat(Significance.welch(new double[] {1}, new double[] {2, 4, 9})).isEqualTo(0.19461273374318763, within(1e-8));
  }

  @Test
  void withoutAnySpreadOnlyEqualValuesAreTies() {
    assertThat(Significance.welch(new double[] {1, 1, 1}, new double[] {1, 1, 1})).isEqualTo(1);
    assertThat(Significance.welch(new double[] {1, 1, 1}, new double[] {0, 0, 0})).isZero();
    assertThat(Significance.welch(new double[] {1}, new double[] {0})).isNaN();
  }

  @Test
  void holmMultipliesTheLeastByTheNumberOfPairs() {
    Sample a = sample("a", 1, 2, 3);
    Sample b = sample("b", 2, 3, 4);
    Sample c = sample("c", 20, 21, 22);
    double near = Significance.p(a, b);
    double far = Significance.p(a, c);
    double second = Significance.p(b, c);

    List<Pair> pairs = Significance.pairs(List.of(a, b, c));

    assertThat(far).isLessThan(second);
    assertThat(pairs.get(1).p()).isEqualTo(3 * far, within(1e-15));
    assertThat(pairs.get(2).p()).isEqualTo(Math.max(3 * far, 2 * second), within(1e-15));
    assertThat(pairs.get(0).p()).isEqualTo(near, within(1e-15));
    assertThat(pairs.get(0).isTie()).isTrue();
    assertThat(pairs.get(1).isTie()).isFalse();
    assertThat(pairs.get(1).difference()).isEqualTo(19);
  }

  @Test
  void anUntestedPairIsATie() {
    assertThat(Significance.pairs(List.of(sample("a", 1), sample("b")))).allMatch(Pair::isTie);
  }
}

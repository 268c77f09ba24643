package dev.fettle.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** What ArchitectureTest relies on: sources that break the order are found, and comments are no code. */
class LayersTest {
  @Test
  void aPartThatNamesOneBesideOrAfterItIsFound() {
    Layers layers = Layers.of(Map.of(
        "internal.text.A", "import dev.fettle.internal.data.B; class A { B b; }",
        "internal.data.B", "class B { dev.fettle.internal.local.C c; }",
        "internal.local.C", "import dev.fettle.internal.text.A; class C {}",
        "Api", "import static dev.fettle.internal.torch.D.d; class Api {}",
        "internal.torch.D", "class D {}"));
    assertThat(layers.outOfOrder()).containsExactlyInAnyOrder("internal.text.A names internal.data.B",
        "internal.data.B names internal.local.C", "Api names internal.torch.D");
  }

  @Test
  void aPartWithoutAPlaceInTheOrderIsFound() {
    assertThat(Layers.of(Map.of("internal.other.A", "class A {}")).outOfOrder())
        .containsExactly("internal.other.A: internal.other has no place in the order of Layers");
  }

  @Test
  void aCircleIsFoundAlsoThroughTypesThatNeedNoImport() {
    Layers layers = Layers.of(Map.of(
        "Facade", "import dev.fettle.internal.text.Inner; class Facade { Inner inner; }",
        "internal.text.Inner", "import dev.fettle.Value; class Inner { Value value; }",
        "Value", "class Value { Facade facade; }"));
    assertThat(layers.circles()).containsExactly("Facade -> internal.text.Inner -> Value -> Facade");
  }

  @Test
  void aTypeWithinHidesOneBeside() {
    Layers layers = Layers.of(Map.of(
        "internal.text.Outer", "class Outer { record Inner() {} Inner inner; }",
        "internal.text.Inner", "import dev.fettle.Facade; class Inner {}",
        "Facade", "import dev.fettle.internal.text.Outer; class Facade {}"));
    assertThat(layers.circles()).isEmpty();
  }

  @Test
  void commentsAndTextsNameNothing() {
    Layers layers = Layers.of(Map.of(
        "Facade", "import dev.fettle.internal.text.Inner; class Facade { Inner inner; }",
        "internal.text.Inner", """
            /** See {@link dev.fettle.Facade}. */
            class Inner { // dev.fettle.Facade
              char quote = '"'; String text = "\\"dev.fettle.Facade"; }
            """));
    assertThat(layers.circles()).isEmpty();
    assertThat(layers.outOfOrder()).isEmpty();
  }
}

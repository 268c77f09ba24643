package dev.fettle.internal.template;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.fettle.InvalidInputException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A template is downloaded with a model: whatever stands in it, it ends soon and reaches nothing. */
class HostileTemplatesTest {
  private static final String GROWING = "{% set ns = namespace(x=START) %}{% for i in range(100000) %}{% set ns.x = NEXT %}{% endfor %}";

  private static void refused(String template, String... parts) {
    assertTimeoutPreemptively(Duration.ofSeconds(20), () -> assertThatThrownBy(() -> ChatTemplate.parse(template, "the template")
        .render(Map.of(), 1000, TemplateFixtures.NOW)).isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("the template").satisfies(e -> org.assertj.core.api.Assertions.assertThat(e.getMessage()).contains(parts)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
      "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
      "{% for i in range(99999) %}{{ ('a' * 300000) is string }}{% endfor %}", "{{ ('a ' * 3000000).split() | length }}",
      "{% for i in range(99999) %}{% set x = range(99999) | sort %}{% endfor %}",
      "{% set x = 'ab ' * 60000 %}{% for i in range(99999) %}{% if 'abc' in x %}{% endif %}{% endfor %}",
      "{% set x = 'ab ' * 60000 %}{% for i in range(99999) %}{% for c in x %}{% break %}{% endfor %}{% endfor %}"})
  void workHasAnEnd(String template) {
    refused(template, "steps", "line 1, column ");
  }

  @Test
  void growthHasAnEnd() {
    refused(GROWING.replace("START", "'aaaaaaaa'").replace("NEXT", "ns.x + ns.x"), "line 1, column 8");
    refused(GROWING.replace("START", "[1]").replace("NEXT", "ns.x + ns.x"), "line 1, column 7");
    refused(GROWING.replace("START", "9").replace("NEXT", "ns.x * ns.x"), "bits");
    refused(GROWING.replace("START", "[]").replace("NEXT", "[ns.x]") + "{{ ns.x }}", "levels");
    refused(GROWING.replace("START", "[]").replace("NEXT", "[ns.x]") + "{{ ns.x == [ns.x] }}", "too deep");
    refused("{{ 'a' * 1000000000 }}", "characters");
    refused("{{ [1] * 1000000000 }}", "items");
    refused("{{ ('a' * 100000) | replace('a', 'b' * 100000) }}", "characters");
    refused("{{ 9 ** 99999999 }}", "bits");
    refused("{{ '%999999999d' % 1 }}", "width");
    refused("{{ range(1000000) }}", "range");
  }

  @Test
  void depthHasAnEnd() {
    refused("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "call themselves");
    refused("{{ " + "(".repeat(50_000) + "1" + ")".repeat(50_000) + " }}", "levels");
    refused("{% if x %}".repeat(10_000), "levels");
    refused("{{ 1" + " + 1".repeat(100_000) + " }}", "too deep");
    refused("{{ 'a'" + " | upper".repeat(50_000) + " }}", "too deep");
    refused("{{ " + "not ".repeat(50_000) + "1 }}", "levels");
    refused("x".repeat(2_000_000), "1048576");
  }

  @ParameterizedTest
  @ValueSource(strings = {"{{ ''.__class__.__mro__ }}", "{{ ().__class__.__base__.__subclasses__() }}", "{{ ''.getClass() }}",
      "{{ messages.class.forName('java.lang.Runtime') }}", "{{ [].append(1) }}", "{{ {}.update({}) }}", "{{ range.__globals__.x }}",
      "{% include '/etc/passwd' %}", "{% import 'os' as os %}", "{{ ''|attr('__class__')|attr('__mro__')|length + undefined }}"})
  void nothingIsReachable(String template) {
    refused(template, "line 1, column ");
  }
}

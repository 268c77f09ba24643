package dev.fettle.internal.template;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.internal.json.JsonNode;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Small templates mean what they mean to Jinja2: {@code src/test/golden/template_golden.py}. */
class JinjaTest {
  @TestFactory
  Stream<DynamicTest> smallTemplates() {
    JsonNode golden = TemplateFixtures.json("jinja.json");
    return golden.get("cases").valueStream().map(each -> DynamicTest.dynamicTest("template " + each.get(0).asString(), () -> {
      String text = TemplateFixtures.rendered(each.get(0).asString(), TemplateFixtures.variables(golden.get("data")));
      assertThat(text).as(each.get(0).asString()).isEqualTo(each.get(1).isNull() ? null : each.get(1).asString());
    }));
  }
}

package dev.fettle.internal.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.internal.json.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Templates of public models, which are not kept here: {@code public.json} says where each is found and the hashes of its
 * renderings. With {@code -Dfettle.templates=DIR}, which holds each repository in a directory {@code OWNER+NAME}.
 */
class PublicTemplatesTest {
  @TestFactory
  Stream<DynamicTest> renderings() {
    String directory = System.getProperty("fettle.templates");
    assumeTrue(directory != null, "skipped: set -Dfettle.templates=DIR");
    JsonNode golden = TemplateFixtures.json("public.json");
    return golden.get("templates").valueStream().map(template -> DynamicTest.dynamicTest(template.get("source").asString() + ": "
        + template.get("path").asString(), () -> check(Path.of(directory), template, golden.get("conversations"))));
  }

  private static void check(Path directory, JsonNode template, JsonNode conversations) throws IOException {
    String repository = template.get("source").asString().replaceAll("@.*", "").replace('/', '+');
    String source = Files.readString(directory.resolve(repository).resolve(template.get("path").asString()));
    assertThat(hash(source)).as("the template itself").isEqualTo(template.get("sha256").asString());
    for (int i = 0; i < template.get("renderings").size(); i++) {
      Map<String, Object> variables = TemplateFixtures.variables(conversations.get(i / 2));
      variables.put("documents", null);
      variables.put("add_generation_prompt", i % 2 == 1);
      variables.put("bos_token", Text.of("<s>"));
      variables.put("eos_token", Text.of("</s>"));
      String text = TemplateFixtures.rendered(source, variables);
      JsonNode expected = template.get("renderings").get(i);
      assertThat(text == null ? null : hash(text).substring(0, 16)).as("rendering " + i + " of conversation " + i / 2 + ": " + text)
          .isEqualTo(expected.isNull() ? null : expected.asString());
    }
  }

  private static String hash(String text) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}

package dev.fettle.internal.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.Fettle;
import dev.fettle.FettleServer;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.openai.Api.Answer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several adapters over one base: each by its name. */
class AdaptersTest {
  @TempDir
  static Path directory;
  private static ServedTiny served;

  @BeforeAll
  static void start() {
    served = new ServedTiny(directory);
  }

  @AfterAll
  static void stop() {
    served.close();
  }

  @Test
  void allAreListedAndEachIsFoundByItsName() {
    JsonNode models = served.api.get("/v1/models").json().path("data");

    assertThat(models.valueStream().map(m -> m.path("id").stringValue()).toList()).containsExactly("tiny", "one", "two");
    assertThat(models.path(1).path("parent").stringValue()).isEqualTo("tiny");
    assertThat(served.api.get("/v1/models/two").json().path("id").stringValue()).isEqualTo("two");
    assertThat(served.api.get("/v1/models/nobody").status()).isEqualTo(404);
  }

  @Test
  void allAtOnceAnswerEachForItself() {
    assertThat(served.answers().values()).doesNotHaveDuplicates();
    List<String> names = new ArrayList<>();
    List<CompletableFuture<Answer>> answers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      for (String name : served.answers().keySet()) {
        names.add(name);
        answers.add(CompletableFuture.supplyAsync(() -> served.api.post("/v1/chat/completions", ServedTiny.chat(name))));
      }
    }

    for (int i = 0; i < names.size(); i++) {
      JsonNode json = answers.get(i).join().json();
      assertThat(json.path("model").stringValue()).isEqualTo(names.get(i));
      assertThat(json.path("choices").path(0).path("message").path("content").stringValue()).isEqualTo(served.answers().get(names.get(i)));
    }
  }

  @Test
  void anAdapterThatIsNoneIsRefusedBeforeAnythingIsServed() {
    try (Fettle fettle = Fettle.local()) {
      FettleServer.Setup setup = FettleServer.serve(fettle, "fettle-tiny");

      assertThatThrownBy(() -> setup.adapter("broken", directory.resolve("nothing")).start())
          .isInstanceOf(InvalidInputException.class).hasMessageContaining("nothing");
      assertThatThrownBy(() -> setup.adapter("fettle-tiny", directory.resolve("one")).start())
          .isInstanceOf(InvalidInputException.class).hasMessageContaining("called as the base model");
      assertThatThrownBy(() -> setup.adapter("a", directory).adapter("a", directory)).isInstanceOf(InvalidInputException.class);
    }
  }
}

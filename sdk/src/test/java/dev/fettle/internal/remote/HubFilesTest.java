package dev.fettle.internal.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.InvalidInputException;
import dev.fettle.ServiceException;
import dev.fettle.internal.local.EmbeddedModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okio.Buffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HubFilesTest {
  private final MockWebServer hub = new MockWebServer();
  private final MockWebServer storage = new MockWebServer();
  private final List<RecordedRequest> stored = new CopyOnWriteArrayList<>();
  @TempDir
  private Path home;

  @BeforeEach
  void serve() throws Exception {
    storage.start();
    storage.setDispatcher(new Dispatcher() {
      @Override
      public MockResponse dispatch(RecordedRequest request) {
        stored.add(request);
        return file("tokenizer.json");
      }
    });
    hub.setDispatcher(new Dispatcher() {
      @Override
      public MockResponse dispatch(RecordedRequest request) {
        String path = request.getUrl().encodedPath();
        if (path.startsWith("/gated/")) {
          return new MockResponse.Builder().code(401).build();
        }
        if (!path.startsWith("/org/model/resolve/main/")) {
          return new MockResponse.Builder().code(404).build();
        }
        String name = path.substring(path.lastIndexOf('/') + 1);
        return switch (name) {
          case "tokenizer.json" -> new MockResponse.Builder().code(302).setHeader("X-Repo-Commit", "abc123")
              .setHeader("Location", storage.url("/blob").toString()).build();
          case "tokenizer_config.json", "config.json" -> file(name);
          default -> new MockResponse.Builder().code(404).build();
        };
      }
    });
    hub.start();
  }

  @AfterEach
  void close() {
    hub.close();
    storage.close();
  }

  private static MockResponse file(String name) {
    try {
      return new MockResponse.Builder().code(200).setHeader("X-Repo-Commit", "abc123")
          .body(new Buffer().write(Files.readAllBytes(EmbeddedModel.directory().resolve(name)))).build();
    } catch (java.io.IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private Map<String, String> env() {
    return Map.of("HF_HOME", home.toString(), "HF_ENDPOINT", hub.url("/").toString(), "HF_TOKEN", "hf_secret");
  }

  @Test
  void tokenizerFilesComeOnceIntoTheHubsOwnCache() {
    ModelFacts facts = new ModelFacts("org/model", env());
    assertThat(facts.tokenizer().encode("hello")).isNotEmpty();
    assertThat(facts.config()).isPresent();
    assertThat(home.resolve("hub/models--org--model/snapshots/abc123/tokenizer.json")).exists();
    assertThat(home.resolve("hub/models--org--model/refs/main")).hasContent("abc123");
    int requests = hub.getRequestCount();
    assertThat(new ModelFacts("org/model:peft:131072", env()).tokenizer().encode("hello")).isNotEmpty();
    assertThat(hub.getRequestCount()).isEqualTo(requests);
    assertThat(stored).hasSize(1).allMatch(r -> r.getHeaders().get("Authorization") == null);
  }

  @Test
  void theTokenizerThatTheServiceNamesComesFirst() {
    ModelFacts facts = new ModelFacts("something/else", env());
    facts.tokenizerId("org/model");
    assertThat(facts.tokenizer().encode("hello")).isNotEmpty();
    ModelFacts local = new ModelFacts("something/else", env());
    local.tokenizerId(EmbeddedModel.directory().toString());
    assertThat(local.tokenizer().encode("hello")).isNotEmpty();
  }

  @Test
  void whatIsNotThereIsSaidWhenTextIsNeeded() {
    ModelFacts facts = new ModelFacts("org/nothing", env());
    assertThat(facts.config()).isEmpty();
    assertThatThrownBy(() -> facts.tokenizer().encode("hello")).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("org/nothing").hasMessageContaining("token ids");
    assertThatThrownBy(() -> new HubFiles(env()).directory("gated/model")).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("HF_TOKEN").satisfies(e -> assertThat(e.toString()).doesNotContain("hf_secret"));
    assertThatThrownBy(() -> new HubFiles(Map.of("HF_HOME", home.toString(), "HF_HUB_OFFLINE", "1")).directory("org/model"))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("HF_HUB_OFFLINE");
    assertThatThrownBy(() -> new HubFiles(Map.of("HF_HOME", home.toString(), "HF_ENDPOINT", "http://localhost:1"))
        .directory("org/model")).isInstanceOf(ServiceException.class);
  }
}

package dev.fettle.internal.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.DType;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.Backend;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.internal.hub.FakeHub;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Models that are loaded by their name on the hub. */
class HubModelTest {
  private static final Optional<DType> F32 = Optional.of(DType.F32);
  @TempDir
  private Path home;
  @RegisterExtension
  final FakeHub server = FakeHub.withModel();
  private LocalBackend backend;

  @BeforeEach
  void open() {
    backend = new LocalBackend(server.env(home));
  }

  @AfterEach
  void close() {
    backend.close();
  }

  @Test
  void oneIsTunedSavedAndResumedByItsName() throws Exception {
    LocalModel model = (LocalModel) backend.load("org/model@main", F32);
    assertThat(model.tokenizer().encode("hello")).isNotEmpty();
    TrainingBackend training = model.tune(Lora.rank(2));
    training.saveAdapter(home.resolve("adapter")).join();
    assertThat(Files.readString(home.resolve("adapter/adapter_config.json")))
        .contains("\"base_model_name_or_path\" : \"org/model\"", "\"revision\" : \"main\"");
    training.saveState(home.resolve("state"), Optional.empty()).join();
    int before = server.hub.size();
    Backend.Resumed resumed = backend.resume(home.resolve("state"));
    assertThat(resumed.model().name()).isEqualTo("org/model@main");
    assertThat(server.hub).hasSize(before);
  }

  @Test
  void aDirectoryStaysADirectory() {
    assertThatThrownBy(() -> backend.load(home + "/nothing/here", F32)).isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll("no such model directory", "owner/name");
    assertThatThrownBy(() -> backend.load("gpt2", F32)).hasMessageContaining("no such model directory");
    assertThat(server.hub).isEmpty();
    assertThatThrownBy(() -> backend.load("models/misspelt", F32)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("no directory of that name is here either");
  }

  @Test
  void anArchitectureThatIsNotSupportedIsRefusedBeforeItsWeightsCome() throws Exception {
    Map<String, byte[]> files = FakeHub.tiny();
    files.put("config.json", new String(files.get("config.json"), StandardCharsets.UTF_8)
        .replaceAll("\"model_type\"\\s*:\\s*\"\\w+\"", "\"model_type\": \"gpt_neox\"")
        .replaceAll("\\w+ForCausalLM", "GPTNeoXForCausalLM").getBytes(StandardCharsets.UTF_8));
    server.commit("org/other", FakeHub.FIRST, files);
    assertThatThrownBy(() -> backend.load("org/other", F32)).isInstanceOf(UnsupportedModelException.class);
    assertThat(server.storage).isEmpty();
  }
}

package dev.fettle.internal.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.InvalidInputException;
import dev.fettle.TrainOn;
import dev.fettle.internal.checkpoint.EmbeddedModel;
import dev.fettle.internal.hub.FakeHub;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The tokenizer of a model that runs elsewhere. */
class HubTokenizerTest {
  @TempDir
  private Path home;
  @RegisterExtension
  final FakeHub server = FakeHub.withModel();

  private ModelFacts facts(String name) {
    return new ModelFacts(name, server.env(home), OptionalInt.empty());
  }

  @Test
  void itComesOnceFromTheHubAndWithoutWeights() {
    ModelFacts facts = facts("org/model");
    assertThat(facts.tokenizer().encode("hello")).isNotEmpty();
    assertThat(facts.config()).isPresent();
    assertThat(facts.weights()).isEmpty();
    int requests = server.hub.size();
    assertThat(facts("org/model:peft:131072").tokenizer().encode("hello")).isNotEmpty();
    assertThat(server.hub).hasSize(requests);
    assertThat(server.storage).isEmpty();
  }

  @Test
  void theTokenizerThatTheServiceNamesComesFirst() {
    ModelFacts facts = facts("something/else");
    facts.tokenizerId("org/model");
    assertThat(facts.tokenizer().encode("hello")).isNotEmpty();
    ModelFacts local = facts("something/else");
    local.tokenizerId(EmbeddedModel.directory().toString());
    assertThat(local.tokenizer().encode("hello")).isNotEmpty();
  }

  @Test
  void theContextIsTheServicesOrElseThatOfTheSettings() {
    ModelFacts told = new ModelFacts("org/model", server.env(home), OptionalInt.of(77));

    assertThat(told.renderer().contextLength()).hasValue(77);
    assertThat(told.renderer().trainOn(TrainOn.ALL_TOKENS).contextLength()).hasValue(77);
    assertThat(facts("org/model").renderer().contextLength())
        .hasValue(facts("org/model").config().orElseThrow().contextLength());
    assertThat(facts("org/nothing").context()).isEmpty();
  }

  @Test
  void whatIsNotThereIsSaidWhenTextIsNeeded() {
    ModelFacts facts = facts("org/nothing");
    assertThat(facts.config()).isEmpty();
    assertThatThrownBy(() -> facts.tokenizer().encode("hello")).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("org/nothing").hasMessageContaining("token ids");
  }
}

package dev.fettle.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.BaseModel;
import dev.fettle.Fettle;
import dev.fettle.Lora;
import dev.fettle.Training;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.scoring.ScoringModel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Rerankers as LangChain4j has them. */
class ScoringModelTest {
  private static final Path RERANKERS = Path.of("../local/src/test/resources/golden/rerankers");

  @Test
  void scoresAreThoseOfTheModelAsProbabilitiesOrAsTheyAre() {
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load(RERANKERS.resolve("bert"));
      Training training = model.tune(Lora.rank(2));
      List<TextSegment> segments = List.of(TextSegment.from("the drag of a cone"), TextSegment.from("heat"));
      float[] logits = model.score("what is drag?", List.of("the drag of a cone", "heat"));

      Response<List<Double>> probabilities = FettleScoringModel.builder().model(model).build().scoreAll(segments, "what is drag?");
      ScoringModel raw = FettleScoringModel.builder().training(training).logits(true).build();

      for (int i = 0; i < logits.length; i++) {
        assertThat(probabilities.content().get(i)).isCloseTo(1 / (1 + Math.exp(-logits[i])), within(1e-12));
        assertThat(raw.score(segments.get(i), "what is drag?").content()).isCloseTo(logits[i], within(1e-5));
      }
      assertThat(probabilities.tokenUsage().inputTokenCount()).isEqualTo(2 * model.tokenizer().encode("what is drag?").length
          + model.tokenizer().encode("the drag of a cone").length + model.tokenizer().encode("heat").length);
    }
  }

  @Test
  void withoutAModelThereIsNone() {
    assertThatThrownBy(() -> FettleScoringModel.builder().build()).hasMessageContaining("model(fettle.load(...))");
    assertThatThrownBy(() -> FettleEmbeddingModel.builder().build()).hasMessageContaining("model(fettle.load(...))");
  }
}

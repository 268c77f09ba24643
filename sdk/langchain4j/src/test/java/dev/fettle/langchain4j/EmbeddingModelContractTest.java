package dev.fettle.langchain4j;

import dev.fettle.BaseModel;
import dev.fettle.Fettle;
import dev.fettle.Prompt;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.common.AbstractEmbeddingModelIT;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;

/** LangChain4j's own contract of embedding models. */
class EmbeddingModelContractTest extends AbstractEmbeddingModelIT {
  private static final Path ENCODER = Path.of("../local/src/test/resources/golden/encoders/mean");

  private static final Fettle FETTLE = Fettle.local();
  private static final BaseModel MODEL = FETTLE.load(ENCODER);

  @AfterAll
  static void close() {
    FETTLE.close();
  }

  @Override
  protected List<EmbeddingModel> models() {
    return List.of(builder(MODEL).build());
  }

  private static FettleEmbeddingModel.Builder builder(BaseModel model) {
    return FettleEmbeddingModel.builder().model(model)
        .queryPrompt(Prompt.of("heat ")).documentPrompt(Prompt.of("wing "));
  }

  @Override
  protected EmbeddingModel modelWith(EmbeddingModelListener listener) {
    return builder(MODEL).listeners(listener).build();
  }

  @Override
  protected EmbeddingModel failingModelWith(EmbeddingModelListener listener) {
    BaseModel closed = FETTLE.load(ENCODER);
    closed.close();
    return builder(closed).listeners(listener).build();
  }

  @Override
  protected boolean supportsDimensionsParameter() {
    return false;
  }

  @Override
  protected boolean supportsImageInput() {
    return false;
  }
}

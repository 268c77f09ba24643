package dev.fettle.internal.openai;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Fettle;
import dev.fettle.FettleServer;
import dev.fettle.Lora;
import dev.fettle.Training;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.openai.Api.Answer;
import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.Ranked;
import dev.fettle.support.Golden;
import dev.fettle.support.LocalFettle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Vectors and rankings of texts. */
class EncodersServedTest {
  private static final List<String> TEXTS = List.of("the drag of a cone", "heat", "supersonic wing flow, and lift");

  @RegisterExtension
  final LocalFettle local = new LocalFettle();
  @TempDir
  Path directory;

  private static float[] floats(JsonNode list) {
    float[] out = new float[list.size()];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) list.get(i).doubleValue();
    }
    return out;
  }

  private static float[] decoded(String base64) {
    ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(base64)).order(ByteOrder.LITTLE_ENDIAN);
    float[] out = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(out);
    return out;
  }

  @Test
  void vectorsAreThoseOfTheModelInBothEncodings() {
    Fettle fettle = local.fettle();
    BaseModel model = fettle.load(Golden.path("encoders/mean"));
    Path adapter = directory.resolve("adapter");
    List<float[]> tuned;
    try (Training training = model.tune(Lora.rank(4))) {
      training.step(List.of(Ranked.pair("heat", "gas jets", "lift theory"), Ranked.pair("mach", "speed")), RankLoss.contrastive(0.5),
          AdamW.learningRate(1e-2));
      training.saveAdapter(adapter);
      tuned = training.embed(TEXTS);
    }
    try (FettleServer server = FettleServer.serve(fettle, model).name("mean").adapter("tuned", adapter).start()) {
      Api api = new Api(server.uri());
      JsonNode plain = api.post("/v1/embeddings", Map.of("model", "mean", "input", TEXTS)).json().path("data");
      JsonNode packed = api.post("/v1/embeddings", Map.of("model", "mean", "input", TEXTS, "encoding_format", "base64")).json().path("data");
      JsonNode adapted = api.post("/v1/embeddings", Map.of("model", "tuned", "input", TEXTS)).json().path("data");
      List<float[]> expected = model.embed(TEXTS);

      for (int i = 0; i < TEXTS.size(); i++) {
        assertThat(floats(plain.path(i).path("embedding"))).containsExactly(expected.get(i));
        assertThat(decoded(packed.path(i).path("embedding").stringValue())).containsExactly(expected.get(i));
        assertThat(floats(adapted.path(i).path("embedding"))).containsExactly(tuned.get(i));
      }
      assertThat(tuned.get(0)).isNotEqualTo(expected.get(0));
      Answer one = api.post("/v1/embeddings", Map.of("model", "mean", "input", TEXTS.get(1), "dimensions", expected.get(0).length));
      assertThat(floats(one.json().path("data").path(0).path("embedding"))).hasSameSizeAs(expected.get(1));
      assertThat(api.post("/v1/embeddings", Map.of("model", "mean", "input", "x", "dimensions", 3)).error()).startsWith("dimensions: ");
      assertThat(api.post("/v1/embeddings", Map.of("model", "mean", "input", List.of())).error()).startsWith("input: ");
      assertThat(api.post("/v1/chat/completions", ServedTiny.chat("mean")).error()).contains("is an encoder");
    }
  }

  @Test
  void documentsComeInTheOrderOfTheirScores() {
    Fettle fettle = local.fettle();
    BaseModel model = fettle.load("fettle-tiny");
    try (FettleServer server = FettleServer.serve(fettle, model).start()) {
      Api api = new Api(server.uri());
      Answer answer = api.post("/v1/rerank", Map.of("model", "fettle-tiny", "query", "wing", "documents",
          List.of(TEXTS.get(0), Map.of("text", TEXTS.get(1)), TEXTS.get(2)), "top_n", 2, "return_documents", true));
      float[] scores = model.score("wing", TEXTS);

      JsonNode results = answer.json().path("results");
      assertThat(results.size()).as(answer.body()).isEqualTo(2);
      int best = results.path(0).path("index").intValue();
      for (float score : scores) {
        assertThat(score).isLessThanOrEqualTo(scores[best]);
      }
      assertThat(results.path(0).path("relevance_score").doubleValue()).isEqualTo(1 / (1 + Math.exp(-scores[best])));
      assertThat(results.path(0).path("document").path("text").stringValue()).isEqualTo(TEXTS.get(best));
      assertThat(results.path(1).path("relevance_score").doubleValue()).isLessThanOrEqualTo(results.path(0).path("relevance_score").doubleValue());
      assertThat(api.post("/v2/rerank", Map.of("model", "fettle-tiny", "query", "wing", "documents", TEXTS)).json().path("results").size())
          .isEqualTo(3);
      assertThat(api.post("/v1/rerank", Map.of("model", "fettle-tiny", "query", "x", "documents", List.of(1))).error())
          .startsWith("documents: ");
    }
  }
}

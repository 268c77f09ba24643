package dev.fettle.langchain4j;

import dev.fettle.BaseModel;
import dev.fettle.InvalidInputException;
import dev.fettle.Tokenizer;
import dev.fettle.Training;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.output.TokenUsage;
import dev.langchain4j.model.scoring.ScoringModel;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Scores how well texts answer a query, with a reranker in this process: {@link BaseModel#score(String, List)}. For
 * LangChain4j's {@code ReRankingContentAggregator} and the like.
 *
 * <p>Scores are probabilities between 0 and 1 unless {@link Builder#logits} asks for the model's own numbers. Token usage counts
 * the tokens of texts and query, the query once for each text, without those that frame them. Thread-safe; closes nothing.
 */
public final class FettleScoringModel implements ScoringModel {
  private final BiFunction<String, List<String>, float[]> scorer;
  private final Tokenizer tokenizer;
  private final boolean logits;

  private FettleScoringModel(BiFunction<String, List<String>, float[]> scorer, Tokenizer tokenizer, boolean logits) {
    this.scorer = scorer;
    this.tokenizer = tokenizer;
    this.logits = logits;
  }

  /** What to build one with; a model or a training is all that it needs. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public Response<List<Double>> scoreAll(List<TextSegment> segments, String query) {
    List<String> texts = segments.stream().map(TextSegment::text).toList();
    try {
      float[] scores = scorer.apply(query, texts);
      List<Double> all = IntStream.range(0, scores.length).mapToObj(i -> logits ? scores[i] : probability(scores[i])).toList();
      int tokens = texts.size() * tokenizer.encode(query).length
          + texts.stream().mapToInt(text -> tokenizer.encode(text).length).sum();
      return Response.from(all, new TokenUsage(tokens));
    } catch (InvalidInputException e) {
      throw new InvalidRequestException(e);
    }
  }

  private static double probability(double logit) {
    return 1 / (1 + Math.exp(-logit));
  }

  /** Builds a {@link FettleScoringModel}. Not thread-safe. */
  public static final class Builder {
    private @Nullable BiFunction<String, List<String>, float[]> scorer;
    private @Nullable Tokenizer tokenizer;
    private boolean logits;

    private Builder() {}

    /** A reranker as it was loaded. */
    public Builder model(BaseModel value) {
      scorer = value::score;
      tokenizer = value.tokenizer();
      return this;
    }

    /** A reranker that is or was trained, as in {@code model.tune(Lora.from(adapter))}; each call scores with its weights of then. */
    public Builder training(Training value) {
      scorer = value::score;
      tokenizer = value.tokenizer();
      return this;
    }

    /** Whether scores are the model's logits, of any size and sign; default false, probabilities. */
    public Builder logits(boolean value) {
      logits = value;
      return this;
    }

    /**
     * The model.
     *
     * @throws IllegalArgumentException if neither a model nor a training was given
     */
    public FettleScoringModel build() {
      if (scorer == null || tokenizer == null) {
        throw new IllegalArgumentException("no model: give one by model(fettle.load(...)), or a training by training(...)");
      }
      return new FettleScoringModel(scorer, tokenizer, logits);
    }
  }
}

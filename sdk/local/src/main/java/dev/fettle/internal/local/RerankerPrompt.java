package dev.fettle.internal.local;

import dev.fettle.InvalidInputException;
import dev.fettle.Tokenizer;
import dev.fettle.internal.checkpoint.Prompts;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/** What a Qwen3-Reranker reads of a query and a text, as its makers write it. */
final class RerankerPrompt {
  private static final String SYSTEM = "system\nJudge whether the Document meets the requirements based on the Query and the "
      + "Instruct provided. Note that the answer can only be \"yes\" or \"no\".";
  private static final String INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query";
  private static final String BODY = "<Instruct>: %s\n<Query>: %s\n<Document>: %s";

  private final Tokenizer tokenizer;
  private final int[] before;
  private final int[] after;
  private final String instruction;

  RerankerPrompt(LocalModel model) {
    this.tokenizer = model.tokenizer();
    int[] start = {id("<|im_start|>")};
    int[] end = {id("<|im_end|>")};
    int[] line = tokenizer.encode("\n");
    this.before = joined(start, tokenizer.encode(SYSTEM), end, line, start, tokenizer.encode("user\n"));
    this.after = joined(end, line, start, tokenizer.encode("assistant\n<think>\n\n</think>\n\n"));
    String own = Prompts.read(model.files(), Prompts.SCORING).text(Optional.empty());
    this.instruction = own.isEmpty() ? INSTRUCTION : own;
  }

  /** Whether a model is one of these: its chat template says so, or its name. */
  static boolean isFor(LocalModel model) {
    return model.config().architecture().type().equals("qwen3") && (model.name().toLowerCase(Locale.ROOT).contains("reranker")
        || model.tokenizer().chatTemplate().filter(t -> t.contains("<Instruct>") && t.contains("<Document>")).isPresent());
  }

  int[] tokens(String query, String text) {
    return joined(before, tokenizer.encode(BODY.formatted(instruction, query, text)), after);
  }

  private int id(String token) {
    return tokenizer.id(token).orElseThrow(() -> new InvalidInputException("the tokenizer has no token " + token
        + ", which stands in the prompt of a Qwen3-Reranker"));
  }

  private static int[] joined(int[]... parts) {
    return Arrays.stream(parts).flatMapToInt(IntStream::of).toArray();
  }
}

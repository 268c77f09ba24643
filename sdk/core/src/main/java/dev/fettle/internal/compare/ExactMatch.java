package dev.fettle.internal.compare;

import dev.fettle.BaseModel;
import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.Dataset;
import dev.fettle.Example;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.Sample;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Tokenizer;
import dev.fettle.Training;
import dev.fettle.internal.Digests;
import dev.fettle.internal.data.Lengths;
import dev.fettle.internal.data.Limit;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** How many answers greedy decoding gives exactly. */
public final class ExactMatch {
  private static final int SPARE_TOKENS = 8;

  private final List<int[]> prompts = new ArrayList<>();
  private final List<String> answers = new ArrayList<>();
  private SamplingParams params = SamplingParams.greedy();

  private ExactMatch() {}

  /** Reads the examples; each must have an answer. Those whose prompt leaves no room for one are skipped or refused. */
  public static ExactMatch of(Dataset examples, BaseModel model) {
    ExactMatch all = new ExactMatch();
    Renderer renderer = model.renderer();
    Tokenizer tokenizer = model.tokenizer();
    Lengths lengths = Lengths.ofPrompts(Limit.NONE.treating(examples.tooLong()).within(renderer.contextLength()));
    int number = 0;
    int longest = 0;
    for (Example example : examples.examples()) {
      String origin = "test example " + (++number);
      int[] prompt = prompt(example, origin, renderer, tokenizer);
      if (lengths.hasRoom(origin, prompt.length)) {
        all.prompts.add(prompt);
        all.answers.add(answer(example));
        longest = Math.max(longest, tokenizer.encode(answer(example)).length);
      }
    }
    lengths.decide("test data");
    if (all.answers.isEmpty()) {
      throw new InvalidInputException("the test data have no example" + (number == 0 ? "" : " that leaves room for an answer"));
    }
    all.params = all.params.maxTokens(longest + SPARE_TOKENS).stoppingAtEndOf(renderer);
    return all;
  }

  /** What the examples hold. */
  public String sha256() {
    StringBuilder all = new StringBuilder("exact");
    for (int i = 0; i < prompts.size(); i++) {
      all.append(java.util.Arrays.toString(prompts.get(i))).append(answers.get(i)).append('\n');
    }
    return Digests.sha256(all.toString());
  }

  /** 1 for each example that is answered exactly, else 0. */
  public double[] items(Training training) {
    List<List<Sample>> samples;
    try (Sampler sampler = training.sampler()) {
      samples = sampler.sample(prompts, params);
    }
    return IntStream.range(0, prompts.size())
        .mapToDouble(i -> samples.get(i).get(0).text().strip().equals(answers.get(i)) ? 1 : 0).toArray();
  }

  private static int[] prompt(Example example, String origin, Renderer renderer, Tokenizer tokenizer) {
    if (example instanceof Conversation chat && chat.messages().size() > 1
        && chat.messages().get(chat.messages().size() - 1).role().equals("assistant")) {
      int last = chat.messages().size() - 1;
      List<Message> before = chat.messages().subList(0, last);
      return renderer.prompt(new Conversation(before, chat.tools()));
    }
    if (example instanceof Completion completion) {
      return withStart(completion.prompt(), tokenizer);
    }
    throw new InvalidInputException(origin + ", " + example + ", has no answer to match: give conversations that end with "
        + "the assistant, or prompts and completions");
  }

  private static String answer(Example example) {
    return (example instanceof Completion completion ? completion.completion()
        : ((Conversation) example).messages().get(((Conversation) example).messages().size() - 1).content()).strip();
  }

  private static int[] withStart(String prompt, Tokenizer tokenizer) {
    IntStream start = tokenizer.addsBos() && tokenizer.bos().isPresent() ? IntStream.of(tokenizer.bos().getAsInt())
        : IntStream.empty();
    return IntStream.concat(start, IntStream.of(tokenizer.encode(prompt))).toArray();
  }
}

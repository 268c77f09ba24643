package dev.fettle.recipes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.BaseModel;
import dev.fettle.Conversation;
import dev.fettle.DType;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.Lora;
import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.Renderers;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Tokenizer;
import dev.fettle.ToolCall;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Talks in several turns: which tokens they are, which of them are learnt, and that what is rewarded becomes more frequent. */
class EnvironmentTest {
  private static final String WEATHER = "{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"description\":\"d\","
      + "\"parameters\":{\"type\":\"object\",\"properties\":{\"place\":{\"type\":\"string\"}}}}}";
  private static final SamplingParams BRIEF = SamplingParams.standard().maxTokens(24);

  private final Fettle fettle = Fettle.local();
  private final BaseModel model = fettle.load("fettle-tiny", DType.F32);

  @AfterEach
  void close() {
    fettle.close();
  }

  /** Asks for more until it was answered so many times; short last answers are good. */
  private static final class Talk implements Environment {
    private final String topic;
    private final int answers;
    private final List<String> said = new ArrayList<>();

    Talk(String topic, int answers) {
      this.topic = topic;
      this.answers = answers;
    }

    @Override
    public Conversation reset() {
      said.clear();
      return Conversation.of(Message.user("I like " + topic + "."));
    }

    @Override
    public List<Message> step(Message answer) {
      said.add(answer.content());
      return said.size() == answers ? List.of() : List.of(Message.user("And " + said.size() + " more?"));
    }

    @Override
    public double reward() {
      return -said.get(said.size() - 1).length() / 50.0;
    }
  }

  private static int[] joined(int[]... parts) {
    return Arrays.stream(parts).flatMapToInt(Arrays::stream).toArray();
  }

  private static Conversation with(Conversation chat, Message... more) {
    List<Message> all = new ArrayList<>(chat.messages());
    all.addAll(List.of(more));
    return new Conversation(all, chat.tools());
  }

  @Test
  void whatFollowsAnAnswerIsWhatTheChatFormatWritesThere() {
    Tokenizer qwen = model.tokenizer();
    Renderer renderer = Renderers.of("qwen2.5", qwen);
    Conversation asked = new Conversation(List.of(Message.system("Be brief."), Message.user("Rain in Kyoto?")), List.of(WEATHER));
    Message call = Message.assistant("").withToolCalls(new ToolCall("", "weather", "{\"place\": \"Kyoto\"}"));
    Message[] replies = {Message.tool("{\"rain\": true}"), Message.tool("and wind")};
    int[] prompt = renderer.prompt(asked);
    int[] whole = renderer.prompt(with(with(asked, call), replies));
    int end = IntStream.range(prompt.length, whole.length).filter(i -> renderer.stopTokens().contains(whole[i])).findFirst().orElseThrow();
    int[] answer = Arrays.copyOfRange(whole, prompt.length, end + 1);

    int[] following = Episodes.following(renderer, with(asked, call), List.of(replies), answer);

    assertThat(joined(prompt, answer, following)).isEqualTo(whole);
    assertThat(Episodes.following(renderer, with(asked, call), List.of(replies), Arrays.copyOf(answer, answer.length - 1)))
        .as("an answer that a stop text ended").isEqualTo(joined(new int[] {answer[answer.length - 1]}, following));
    assertThat(Episodes.following(renderer, with(asked, Message.assistant("<tool_call>\nbroken")), List.of(replies[0]), answer))
        .as("one that is no call").endsWith(Arrays.copyOfRange(whole, whole.length - 3, whole.length));
    assertThatThrownBy(() -> Episodes.following(renderer, asked, List.of(Message.system("a")), answer)).hasMessageContaining("system");
    assertThatThrownBy(() -> Episodes.following(Renderers.of("roles", qwen), with(Conversation.of(Message.user("a")),
        Message.assistant("b")), List.of(Message.user("c")), answer)).hasMessageContaining("roles");
  }

  @Test
  void pastReasoningStaysAsItWasSampled() {
    Tokenizer qwen = model.tokenizer();
    Renderer renderer = Renderers.of("qwen3", qwen);
    Conversation asked = Conversation.of(Message.user("Two and two?"));
    Conversation answered = with(asked, Message.assistant("Four.").withReasoning("They are four."));
    int[] answer = joined(qwen.encode("They are four. Four."), new int[] {renderer.stopTokens().get(0)});

    int[] following = Episodes.following(renderer, answered, List.of(Message.user("And one?")), answer);

    assertThat(qwen.decodeAll(following)).isEqualTo("\n<|im_start|>user\nAnd one?<|im_end|>\n<|im_start|>assistant\n");
  }

  @Test
  void sampledTokensAreLearntWithTheirLogprobsAndTheRestIsOnlyRead() {
    Renderer renderer = model.renderer();
    try (Sampler policy = model.sampler()) {
      List<Environment> group = List.of(new Talk("red", 3), new Talk("red", 3));
      Episodes.Played played = new Episodes(renderer, SamplingParams.standard().maxTokens(40), 4, 1000)
          .play(policy, List.of(group), 5).get(0).get(1);

      assertThat(played.turns()).isEqualTo(3);
      assertThat(played.cut()).isFalse();
      Episode episode = played.episode();
      float[] advantages = new float[episode.tokens().length];
      Arrays.fill(advantages, 2);
      Datum datum = episode.datum(advantages);
      float[] logprobs = policy.logprobs(episode.tokens());
      StringBuilder own = new StringBuilder();
      for (int i = 0; i < datum.length(); i++) {
        assertThat(datum.trains(i)).isEqualTo(episode.isOwn(i + 1));
        assertThat(datum.logprobs()[i]).isCloseTo(episode.isOwn(i + 1) ? logprobs[i] : 0, within(1e-4f));
        own.append(datum.trains(i) ? renderer.tokenizer().decodeAll(datum.targets()[i]) : "");
      }
      List<String> said = ((Talk) group.get(1)).said;
      assertThat(own.toString()).isEqualTo(String.join("<|im_end|>", said) + "<|im_end|>");
      assertThat(renderer.tokenizer().decodeAll(episode.tokens())).isEqualTo(renderer.tokenizer().decodeAll(renderer.prompt(
          Conversation.of(Message.user("I like red."), Message.assistant(said.get(0)), Message.user("And 1 more?"),
              Message.assistant(said.get(1)), Message.user("And 2 more?")))) + said.get(2) + "<|im_end|>");
    }
  }

  @Test
  void limitsOnTurnsAndTokensEndAnEpisode() {
    try (Sampler policy = model.sampler()) {
      List<List<Environment>> endless = List.of(List.of(new Talk("blue", 99)));
      Episodes.Played byTurns = new Episodes(model.renderer(), SamplingParams.standard().maxTokens(40), 2, 1000)
          .play(policy, endless, 5).get(0).get(0);
      Episodes.Played byTokens = new Episodes(model.renderer(), SamplingParams.standard().maxTokens(40), 99, 60)
          .play(policy, endless, 5).get(0).get(0);
      Episodes.Played ofOneTurn = new Episodes(model.renderer(), SamplingParams.standard().maxTokens(2), 99, 1000)
          .play(policy, endless, 5).get(0).get(0);

      assertThat(byTurns.turns()).isEqualTo(2);
      assertThat(byTokens.episode().tokens()).hasSizeLessThanOrEqualTo(60);
      assertThat(ofOneTurn.turns()).as("a message that is cut off has none after it").isEqualTo(1);
      assertThat(List.of(byTurns, byTokens, ofOneTurn)).allMatch(Episodes.Played::cut)
          .allMatch(p -> p.episode().isOwn(p.episode().tokens().length - 1));
      assertThatThrownBy(() -> new Episodes(model.renderer(), BRIEF, 9, 10).play(policy, endless, 5)).hasMessageContaining("no room");
    }
  }

  @Test
  void theRewardOfTheLastTurnRises() {
    Run run = Grpo.on(model.tune(Lora.rank(4))).environments(List.of("red", "green"), topic -> new Talk(topic, 2)).turns(3)
        .samples(6).promptsPerStep(2).steps(14).sampling(BRIEF).learningRate(4e-3).run();

    assertThat(run.metrics()).contains("reward", "turns", "cut_off", "answer_tokens");
    assertThat(run.last("reward", 3)).isGreaterThan(Arrays.stream(run.values("reward")).limit(3).average().orElseThrow() + 0.1);
    assertThat(run.last("turns", 3)).isBetween(1.5, 2.0);
  }

  @Test
  void toolsAnswerCallsUntilNoneIsMade() {
    List<String> called = new ArrayList<>();
    Environment environment = Environment.withTools(new Conversation(List.of(Message.user("Rain?")), List.of(WEATHER)), call -> {
      called.add(call.name() + call.arguments());
      return "dry";
    }, chat -> chat.messages().get(chat.messages().size() - 1).content().contains("dry") ? 1 : 0);

    environment.reset();
    List<Message> replies = environment.step(Message.assistant("").withToolCalls(new ToolCall("c1", "weather", "{}")));

    assertThat(replies).containsExactly(Message.tool("dry").withName("weather").withToolCallId("c1"));
    assertThat(environment.reward()).as("it broke off").isZero();
    assertThat(environment.step(Message.assistant("It is dry."))).isEmpty();
    assertThat(environment.reward()).isEqualTo(1);
    assertThat(called).containsExactly("weather{}");
    environment.reset();
    assertThat(environment.step(Message.assistant("No."))).isEmpty();
    assertThat(environment.reward()).isZero();
  }

  @Test
  void whatIsMissingOrWrongIsSaid() {
    Grpo both = Grpo.on(model.tune(Lora.rank(1))).environments(List.of(1), n -> new Talk("a", n)).prompts("Hello!");

    assertThatThrownBy(both::run).hasMessageContaining("environments").hasMessageContaining("prompts");
    assertThatThrownBy(() -> Grpo.on(model.tune(Lora.rank(1))).environments(List.of(), n -> new Talk("a", 1)))
        .hasMessageContaining("at least one");
    assertThatThrownBy(() -> Grpo.on(model.tune(Lora.rank(1))).turns(0)).hasMessageContaining("turns");
  }
}

package dev.fettle.recipes;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.Renderer;
import dev.fettle.Sample;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.NoNulls;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Plays episodes in environments, many at a time: their turns are sampled together. */
final class Episodes {
  /** Between the seeds of one turn and the next. */
  private static final long STRIDE = 1_000_003;

  private final Renderer renderer;
  private final SamplingParams params;
  private final int turns;
  private final int limit;

  /**
   * @param turns how often the model may speak
   * @param limit how many tokens an episode may have in all
   */
  Episodes(Renderer renderer, SamplingParams params, int turns, int limit) {
    this.renderer = renderer;
    this.params = params.stoppingAtEndOf(renderer);
    this.turns = turns;
    this.limit = Math.min(limit, renderer.contextLength().orElse(Integer.MAX_VALUE));
  }

  /** An episode in its environment. */
  static final class Played {
    private final Environment environment;
    private final List<Message> messages;
    private final List<String> tools;
    private final Episode episode;
    private int turns;
    private boolean over;
    private boolean cut;
    private double reward;

    Played(Environment environment, Conversation prompt, int[] tokens) {
      this.environment = environment;
      this.messages = new ArrayList<>(prompt.messages());
      this.tools = prompt.tools();
      this.episode = new Episode(tokens);
    }

    Episode episode() {
      return episode;
    }

    double reward() {
      return reward;
    }

    /** How often the model spoke. */
    int turns() {
      return turns;
    }

    /** Whether it was a limit that ended it. */
    boolean cut() {
      return cut;
    }
  }

  /**
   * Plays one episode in each environment.
   *
   * @param groups environments, as many in each group, whose first turns are sampled together where they begin alike
   */
  List<List<Played>> play(Sampler policy, List<? extends List<? extends Environment>> groups, long seed) {
    Map<Conversation, int[]> rendered = new HashMap<>();
    List<List<Played>> played = groups.stream().map(group -> group.stream().map(e -> begin(e, rendered)).toList()).toList();
    List<Played> all = played.stream().flatMap(List::stream).toList();
    answered(all, first(policy, played, seed));
    for (int turn = 1; turn < turns; turn++) {
      List<Played> left = all.stream().filter(p -> !p.over).toList();
      if (left.isEmpty()) {
        break;
      }
      List<int[]> prompts = left.stream().map(p -> p.episode.tokens()).toList();
      answered(left, policy.sample(prompts, params.samples(1).seed(seed + turn * STRIDE)).stream().map(s -> s.get(0)).toList());
    }
    all.forEach(Episodes::end);
    return played;
  }

  private Played begin(Environment environment, Map<Conversation, int[]> rendered) {
    Conversation prompt = NoNulls.given(environment.reset(), "reset", environment.toString());
    int[] tokens = rendered.computeIfAbsent(prompt, renderer::prompt);
    if (tokens.length >= limit) {
      throw new InvalidInputException("an environment begins with " + tokens.length + " tokens, which leaves no room for an answer "
          + "within " + limit + ": shorten what reset() gives, or raise maxTokens");
    }
    return new Played(environment, prompt, tokens);
  }

  private List<Sample> first(Sampler policy, List<List<Played>> groups, long seed) {
    boolean alike = groups.stream().allMatch(group -> group.stream()
        .allMatch(p -> Arrays.equals(p.episode.tokens(), group.get(0).episode.tokens())));
    int times = alike ? groups.get(0).size() : 1;
    List<int[]> prompts = (alike ? groups.stream().map(group -> group.get(0)) : groups.stream().flatMap(List::stream))
        .map(p -> p.episode.tokens()).toList();
    return policy.sample(prompts, params.samples(times).seed(seed)).stream().flatMap(List::stream).toList();
  }

  private void answered(List<Played> played, List<Sample> answers) {
    for (int i = 0; i < played.size(); i++) {
      take(played.get(i), answers.get(i));
    }
  }

  private void take(Played p, Sample sampled) {
    int room = limit - p.episode.tokens().length;
    Sample answer = Rollouts.cut(sampled, room);
    p.episode.say(answer);
    p.turns++;
    Message message = renderer.parse(answer.tokens());
    p.messages.add(message);
    List<Message> replies = NoNulls.in(p.environment.step(message), "replies of an environment");
    p.over = replies.isEmpty();
    p.cut = answer.stopReason() == Sample.StopReason.LENGTH || !p.over && p.turns == turns;
    if (!p.over && !p.cut) {
      int[] read = following(renderer, new Conversation(p.messages, p.tools), replies, answer.tokens());
      p.cut = p.episode.tokens().length + read.length >= limit;
      if (!p.cut) {
        p.episode.read(read);
        p.messages.addAll(replies);
      }
    }
    p.over |= p.cut;
  }

  private static void end(Played p) {
    p.reward = p.environment.reward();
    if (!Double.isFinite(p.reward)) {
      throw new InvalidInputException("the reward of \"" + p.messages.get(p.messages.size() - 1).content() + "\" is " + p.reward
          + "; a reward must be a finite number");
    }
  }

  /**
   * The tokens between an answer and the next one: the rest of the answer's frame, what is replied, and the header of the next
   * answer. Where other replies would begin to differ is behind the end of the answer, and the last end of a message before that
   * is the answer's own; so no token of the answer is made anew, and templates that rewrite what is past change nothing here.
   *
   * @param chat with the answer at its end
   * @param answer its tokens as they were sampled; if they lack the token that ends a message, it comes first
   */
  static int[] following(Renderer renderer, Conversation chat, List<Message> replies, int[] answer) {
    Message first = replies.get(0);
    if (!first.role().equals("user") && !first.role().equals("tool")) {
      throw new InvalidInputException("an environment replied with a message of the " + first.role() + ": it speaks as user or tool");
    }
    List<Message> others = new ArrayList<>(replies);
    others.set(0, new Message(first.role(), (first.content().startsWith("a") ? "b" : "a") + first.content(), "", List.of(), false,
        false, first.fields()));
    int[] whole = renderer.prompt(with(chat, replies));
    int same = Arrays.mismatch(whole, renderer.prompt(with(chat, others)));
    int end = same - 1;
    while (end >= 0 && !renderer.stopTokens().contains(whole[end])) {
      end--;
    }
    if (end < 0) {
      throw new UnsupportedModelException("several turns need a chat format in which a token ends each message, and the format "
          + renderer.family() + " has none");
    }
    boolean ended = answer.length > 0 && renderer.stopTokens().contains(answer[answer.length - 1]);
    return Arrays.copyOfRange(whole, ended ? end + 1 : end, whole.length);
  }

  private static Conversation with(Conversation chat, List<Message> more) {
    List<Message> all = new ArrayList<>(chat.messages());
    all.addAll(more);
    return new Conversation(all, chat.tools());
  }
}

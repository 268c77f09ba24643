package dev.fettle;

import static dev.fettle.internal.Futures.join;
import static dev.fettle.internal.Futures.joinOrGiveUp;

import dev.fettle.internal.NoNulls;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.text.AnswerStream;
import dev.fettle.internal.text.PromptTokens;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;

/**
 * A frozen snapshot of weights to sample from. A prompt is tokens, a text (a BOS is put before it where the model has
 * one) or a {@link Conversation}. Thread-safe: calls are carried out one after the other. Closed with its
 * {@link Fettle}, by {@link #close()}, or when it is no longer reachable.
 */
public final class Sampler implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();

  private final SamplerBackend backend;
  private final Cleaner.Cleanable cleanable;

  Sampler(SamplerBackend backend) {
    this.backend = backend;
    this.cleanable = CLEANER.register(this, backend::close);
  }

  /**
   * Samples continuations of several prompts together.
   *
   * @return for each prompt its samples, {@link SamplingParams#samples()} of them
   * @throws InvalidInputException if a prompt is empty, longer than the context or has a token outside the vocabulary
   */
  public List<List<Sample>> sample(List<int[]> prompts, SamplingParams params) {
    Objects.requireNonNull(params, "params");
    try {
      List<int[]> all = List.copyOf(NoNulls.in(prompts, "prompts"));
      return Progress.watch("sample", meter -> joinOrGiveUp(backend.sample(all, params, meter)));
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /**
   * The native memory that {@link #sample(int[], SamplingParams)} will hold at its busiest moment if every sample becomes
   * as long as it may, with the model and what this sampler holds itself.
   *
   * @throws UnsupportedModelException on a service, which does not say
   */
  public MemoryPlan memoryPlan(int[] prompt, SamplingParams params) {
    List<int[]> prompts = List.of(Objects.requireNonNull(prompt, "prompt"));
    try {
      return join(backend.memoryPlan(prompts, Objects.requireNonNull(params, "params")));
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** Samples continuations of tokens. */
  public List<Sample> sample(int[] prompt, SamplingParams params) {
    return sample(List.of(Objects.requireNonNull(prompt, "prompt")), params).get(0);
  }

  /** Samples continuations of a text. */
  public List<Sample> sample(String prompt, SamplingParams params) {
    return sample(tokens(prompt), params);
  }

  /** Samples the next assistant message of a chat; stops where the chat format says that a message ends. */
  public List<Sample> sample(Conversation chat, SamplingParams params) {
    return sample(prompt(chat), ending(params));
  }

  /** Samples the next assistant message of several chats together; one sample each. */
  public List<Sample> sampleChats(List<Conversation> chats, SamplingParams params) {
    List<int[]> prompts = new ArrayList<>();
    for (Conversation chat : NoNulls.in(chats, "chats")) {
      prompts.add(prompt(chat));
    }
    return sample(prompts, ending(params).samples(1)).stream().map(s -> s.get(0)).toList();
  }

  /** Samples one continuation and gives each token as it comes; the loop may be left at any time. */
  public Iterable<Token> stream(int[] prompt, SamplingParams params) {
    Objects.requireNonNull(params, "params");
    int[] tokens = Objects.requireNonNull(prompt, "prompt").clone();
    return () -> new Stream(this, backend.stream(tokens, params));
  }

  /** {@link #stream(int[], SamplingParams)} of a text. */
  public Iterable<Token> stream(String prompt, SamplingParams params) {
    return stream(tokens(prompt), params);
  }

  /** {@link #stream(int[], SamplingParams)} of the next assistant message of a chat. */
  public Iterable<Token> stream(Conversation chat, SamplingParams params) {
    return stream(prompt(chat), ending(params));
  }

  /** The model's likeliest answer to a user's message. */
  public String chat(String message) {
    Objects.requireNonNull(message, "message");
    return chat(Conversation.of(Message.user(message)), SamplingParams.greedy()).content();
  }

  /**
   * The assistant's next message, without the text that ended it, and with reasoning and tool calls split off where the chat
   * format has them.
   */
  public Message chat(Conversation chat, SamplingParams params) {
    int[] prompt = prompt(chat);
    SamplingParams one = ending(params).samples(1);
    return AnswerStream.read(backend.renderer(), prompt, sample(prompt, one).get(0).tokens(), one);
  }

  /**
   * The logprob of each token after the first, given those before it, in nats.
   *
   * @throws InvalidInputException if there are no tokens, too many, or one outside the vocabulary
   */
  public float[] logprobs(int... tokens) {
    try {
      return join(backend.logprobs(List.of(Objects.requireNonNull(tokens, "tokens")))).get(0);
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** The tokenizer. */
  public Tokenizer tokenizer() {
    return backend.tokenizer();
  }

  /** How chats become tokens. */
  public Renderer renderer() {
    return backend.renderer();
  }

  /** Frees the snapshot. Idempotent. */
  @Override
  public void close() {
    cleanable.clean();
  }

  @Override
  public String toString() {
    return "Sampler[" + backend.renderer().family() + "]";
  }

  /** Keeps the sampler reachable, and so open, while its tokens are read. */
  private record Stream(Sampler sampler, Iterator<Token> tokens) implements Iterator<Token> {
    @Override
    public boolean hasNext() {
      try {
        return tokens.hasNext();
      } finally {
        Reference.reachabilityFence(sampler);
      }
    }

    @Override
    public Token next() {
      try {
        return tokens.next();
      } finally {
        Reference.reachabilityFence(sampler);
      }
    }
  }

  private SamplingParams ending(SamplingParams params) {
    return Objects.requireNonNull(params, "params").stoppingAtEndOf(backend.renderer());
  }

  private int[] prompt(Conversation chat) {
    return backend.renderer().prompt(Objects.requireNonNull(chat, "chat"));
  }

  private int[] tokens(String text) {
    return PromptTokens.of(backend.tokenizer(), Objects.requireNonNull(text, "prompt"));
  }
}

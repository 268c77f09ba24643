package dev.fettle.examples.tiny;

import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * How {@code fettle-tiny} is built, pre-trained, and tuned by the quickstart. Learning rates are AdamW's, betas 0.9 and
 * 0.95, no decay. The shape and the rates were chosen by trial.
 */
public final class TinyRecipe {
  /** The longest sequence, in tokens. */
  public static final int CONTEXT = 512;
  /** The number of token ids, special tokens included. */
  public static final int VOCABULARY = 1024;
  /** The width of the residual stream. */
  public static final int HIDDEN = 128;
  /** The number of layers. */
  public static final int LAYERS = 4;
  /** The number of attention heads; as many of keys and values. */
  public static final int HEADS = 4;
  /** The width of the feed-forward part. */
  public static final int FEED_FORWARD = 512;

  /** How many conversations the vocabulary is learned from. */
  public static final int TOKENIZER_CONVERSATIONS = 20_000;
  /** The seed of the conversations that the vocabulary is learned from. */
  public static final long TOKENIZER_SEED = 1;
  /** The seed of the conversations that the model is trained on. */
  public static final long CORPUS_SEED = 7;

  /** Steps of pre-training on {@link Corpus#copying}, before the whole corpus. */
  public static final int COPYING_STEPS = 600;
  /** All steps of pre-training; the rate goes up for {@link #WARMUP_STEPS}, then by a cosine to 0. */
  public static final int STEPS = 4000;
  /** Steps in which the rate rises. */
  public static final int WARMUP_STEPS = 40;
  /** The highest rate of pre-training. */
  public static final double LEARNING_RATE = 4e-3;
  /** The global norm to which gradients are clipped, for a loss that is a mean over the trained tokens. */
  public static final double CLIP_NORM = 1;
  /** Tokens of a batch, sequences padded to the longest: conversations of similar length are batched together. */
  public static final int BATCH_TOKENS = 2048;
  /** How many conversations are sorted by length at a time. */
  public static final int SORTED_TOGETHER = 1000;
  /** The weight of the users' tokens in the loss; assistants' have 1, system messages and marks 0. */
  public static final float USER_WEIGHT = 0.1f;

  /** The quickstart's training examples. Many different ones, seen once or twice, beat few seen often. */
  public static final int TICKETS = 2000;
  /** How often the quickstart sees each. */
  public static final int TICKET_EPOCHS = 2;
  /** The quickstart's examples a step. */
  public static final int TICKET_BATCH = 8;
  /** The rank of the quickstart's adapter, on all linear layers, alpha 32. */
  public static final int TICKET_RANK = 16;
  /** The quickstart's highest rate: it rises for {@link #TICKET_WARMUP_STEPS} steps, then falls linearly to 0. */
  public static final double TICKET_LEARNING_RATE = 3e-3;
  /** Steps in which the quickstart's rate rises. */
  public static final int TICKET_WARMUP_STEPS = 5;

  private TinyRecipe() {}

  /**
   * The model's {@code config.json}, for weights in bfloat16.
   *
   * @param tokenizer gives the ids of the special tokens
   */
  public static String config(TokenizerTrainer tokenizer) {
    ObjectNode config = JsonMapper.shared().createObjectNode();
    config.putArray("architectures").add("LlamaForCausalLM");
    config.put("model_type", "llama").put("vocab_size", tokenizer.size()).put("hidden_size", HIDDEN)
        .put("intermediate_size", FEED_FORWARD).put("num_hidden_layers", LAYERS).put("num_attention_heads", HEADS)
        .put("num_key_value_heads", HEADS).put("head_dim", HIDDEN / HEADS).put("hidden_act", "silu")
        .put("max_position_embeddings", CONTEXT).put("rope_theta", 10000.0).put("rms_norm_eps", 1e-5)
        .put("attention_bias", false).put("mlp_bias", false).put("attention_dropout", 0.0)
        .put("tie_word_embeddings", true).put("initializer_range", 0.02).putNull("bos_token_id")
        .put("eos_token_id", tokenizer.id(TokenizerTrainer.END))
        .put("pad_token_id", tokenizer.id(TokenizerTrainer.END_OF_TEXT)).put("torch_dtype", "bfloat16");
    return JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(config) + "\n";
  }
}

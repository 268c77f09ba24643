package dev.fettle;

import java.util.Objects;
import java.util.regex.Pattern;

/**
 * A choice of a model's modules, by what they are or by name; names are those of Hugging Face checkpoints without
 * {@code .weight}, such as {@code model.layers.0.self_attn.q_proj}. Immutable.
 */
public final class Modules {
  private static final Pattern LAYER =
      Pattern.compile("(?:\\w+\\.){0,2}(?:layers|(?:encoder|transformer)\\.layer)\\.(\\d+)\\..*");
  private static final String ATTENTION = ".*\\.self_attn\\.([qkvo]|qkv)_proj|.*\\.linear_attn\\.(in_proj_(qkv|z|b|a)|out_proj)"
      + "|.*\\.attention\\.(self\\.(query|key|value)|output\\.dense|attn\\.[qkvo]|(q|k|v|out)_lin)|.*\\.attn\\.W(qkv|o)";
  private static final String MLP = ".*\\.mlp\\.(gate|up|gate_up|down)_proj|.*\\.shared_mlp\\.(input|output)_linear"
      + "|.*\\.\\d+\\.(intermediate|output)\\.dense|.*\\.ffn\\.lin[12]|.*\\.mlp\\.W[io]";
  private static final String ROUTER = ".*\\.mlp\\.gate";
  private static final String EXPERTS = ".*\\.mlp\\.experts\\..*";

  private final String text;
  private final Choice choice;

  private Modules(String text, Choice choice) {
    this.text = text;
    this.choice = choice;
  }

  /** The query, key, value and output projections, and those of layers with a state in the place of keys and values. */
  public static Modules attention() {
    return matching("attention", ATTENTION);
  }

  /** The gate, up and down projections; of an encoder the two of its MLP. */
  public static Modules mlp() {
    return matching("mlp", MLP);
  }

  /**
   * All linear layers of the decoder: {@link #attention()} and {@link #mlp()}, without the output embedding. Of a mixture of
   * experts that is attention and the routers, without {@link #experts()}.
   */
  public static Modules linear() {
    return matching("linear", ATTENTION + "|" + MLP + "|" + ROUTER);
  }

  /**
   * The experts of a mixture of experts. Adapters are for all experts of a layer together, as {@code mlp.experts.gate_up_proj}
   * and {@code mlp.experts.down_proj}: A and B of the rank asked for are each expert's own. {@link Full} also takes single ones,
   * such as {@code named("*.mlp.experts.3.up_proj")}.
   */
  public static Modules experts() {
    return matching("experts", EXPERTS);
  }

  /** The output embedding. */
  public static Modules lmHead() {
    return matching("lmHead", "lm_head");
  }

  /** The input embedding. */
  public static Modules embeddings() {
    return matching("embeddings", "(model\\.)?(language_model\\.)?embed_tokens|(\\w+\\.)?embeddings\\..*_embeddings");
  }

  /** All norms. */
  public static Modules norms() {
    return matching("norms", ".*(norm|LayerNorm)");
  }

  /**
   * Everything in the layers {@code first} to {@code last}, both included, counted from 0.
   *
   * @throws InvalidInputException if {@code first} is negative or greater than {@code last}
   */
  public static Modules layers(int first, int last) {
    if (first < 0 || first > last) {
      throw new InvalidInputException("layers(" + first + ", " + last + "): give 0 <= first <= last");
    }
    return new Modules("layers(" + first + ", " + last + ")", (name, layer, of) -> layer >= first && layer <= last);
  }

  /**
   * Everything in the last {@code n} layers.
   *
   * @throws InvalidInputException if {@code n} is less than 1
   */
  public static Modules lastLayers(int n) {
    if (n < 1) {
      throw new InvalidInputException("lastLayers(" + n + "): give at least 1");
    }
    return new Modules("lastLayers(" + n + ")", (name, layer, of) -> layer >= 0 && layer >= of - n);
  }

  /**
   * The modules whose name fits a pattern in which {@code *} stands for any characters; a pattern without a leading
   * {@code *} may begin at any dot, so {@code q_proj} and {@code *.q_proj} mean the same.
   */
  public static Modules named(String glob) {
    Objects.requireNonNull(glob, "glob");
    if (glob.isBlank()) {
      throw new InvalidInputException("named(\"\"): give a module name or a pattern such as *.q_proj");
    }
    StringBuilder regex = new StringBuilder("(.*\\.)?");
    for (String part : glob.split("(?<=\\*)|(?=\\*)")) {
      regex.append(part.equals("*") ? ".*" : Pattern.quote(part));
    }
    return matching("named(" + glob + ")", regex.toString());
  }

  /** Those of these modules that are also among others, such as {@code attention().within(lastLayers(2))}. */
  public Modules within(Modules other) {
    return new Modules(text + ".within(" + Objects.requireNonNull(other, "other").text + ")",
        (name, layer, of) -> choice.contains(name, layer, of) && other.choice.contains(name, layer, of));
  }

  /**
   * Whether a module is chosen.
   *
   * @param module its name
   * @param layers how many layers the model has
   */
  public boolean contains(String module, int layers) {
    var m = LAYER.matcher(Objects.requireNonNull(module, "module"));
    return choice.contains(module, m.matches() ? Integer.parseInt(m.group(1)) : -1, layers);
  }

  @Override
  public String toString() {
    String shown = text.replaceAll("[\\p{Cntrl}<>]", " ");
    return shown.length() > 80 ? shown.substring(0, 77) + "..." : shown;
  }

  private static Modules matching(String text, String regex) {
    Pattern pattern = Pattern.compile(regex);
    return new Modules(text, (name, layer, of) -> pattern.matcher(name).matches());
  }

  @FunctionalInterface
  private interface Choice {
    boolean contains(String module, int layer, int layers);
  }
}

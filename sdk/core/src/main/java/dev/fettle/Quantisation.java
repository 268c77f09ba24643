package dev.fettle;

import dev.fettle.internal.NoNulls;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * How the frozen linear layers of a base model are held: in 8 or 4 bits in place of 16 or 32; an output embedding
 * of its own is one of them. Norms, biases, the routers of experts, and unless {@link #including} says otherwise embeddings stay as
 * they are. Adapters are trained on top as on any model; what is to be trained in full must be left out by {@link #except}. Immutable.
 *
 * <pre>{@code
 * BaseModel model = fettle.load("Qwen/Qwen3-8B", Quantisation.nf4().except(Modules.lmHead()));
 * }</pre>
 */
public final class Quantisation {
  /** The forms that weights can be held in. */
  public enum Form {
    /** 8-bit integers with a scale for each row: a byte a weight. */
    INT8,
    /** 4-bit levels of a normal distribution (Dettmers et al. 2023) with a scale for each block of 64: 0.56 bytes a weight. */
    NF4,
    /** 4-bit integers from -8 to 7 with a scale for each block of 32: 0.63 bytes a weight. */
    INT4,
    /** Numbers as they are in the compute type. */
    DENSE
  }

  private final Form form;
  private final boolean nested;
  private final List<Modules> dense;
  private final List<Modules> included;

  private Quantisation(Form form) {
    this(form, false, List.of(), List.of());
  }

  private Quantisation(Form form, boolean nested, List<Modules> dense, List<Modules> included) {
    this.form = form;
    this.nested = nested;
    this.dense = dense;
    this.included = included;
  }

  /** 8-bit integers with a scale for each row. */
  public static Quantisation int8() {
    return new Quantisation(Form.INT8);
  }

  /** QLoRA's 4-bit levels, with a scale for each block of 64 weights of a row, the last of which may be shorter. */
  public static Quantisation nf4() {
    return new Quantisation(Form.NF4);
  }

  /** 4-bit integers, with a scale for each block of 32 weights of a row, the last of which may be shorter. */
  public static Quantisation int4() {
    return new Quantisation(Form.INT4);
  }

  /** No quantisation: a checkpoint that holds quantised weights is read as numbers in the compute type. */
  public static Quantisation dequantised() {
    return new Quantisation(Form.DENSE);
  }

  /**
   * The same with the scales of {@link #nf4()} in 8 bits too, as bitsandbytes nests them: 0.52 bytes a weight. A matrix whose
   * number of scales is no multiple of 256 keeps them as they are.
   *
   * @throws InvalidInputException for another form
   */
  public Quantisation doubleQuantised() {
    if (form != Form.NF4) {
      throw new InvalidInputException("doubleQuantised() is for Quantisation.nf4(), this is " + this);
    }
    return new Quantisation(form, true, dense, included);
  }

  /**
   * The same with more modules that stay as they are. Linear layers that read the same input are held together (queries, keys and
   * values; gate and up), and stay as they are together.
   *
   * @throws InvalidInputException when a model is loaded, if it has none of the modules
   */
  public Quantisation except(Modules... modules) {
    return new Quantisation(form, nested, with(dense, modules), included);
  }

  /**
   * The same with modules that are rounded beside linear layers: {@link Modules#embeddings()}, of which the embedding of tokens is.
   * Where it is the output embedding too ({@code tie_word_embeddings}), that is a quarter of a small model's weights. What
   * {@link #except} names stays as it is all the same.
   *
   * @throws InvalidInputException when a model is loaded, if they do not name its embedding of tokens
   */
  public Quantisation including(Modules... modules) {
    return new Quantisation(form, nested, dense, with(included, modules));
  }

  private static List<Modules> with(List<Modules> before, Modules... modules) {
    List<Modules> all = new ArrayList<>(before);
    all.addAll(List.of(NoNulls.in(modules, "modules")));
    return List.copyOf(all);
  }

  /** The form of weights. */
  public Form form() {
    return form;
  }

  /** Whether scales are in 8 bits too. */
  public boolean isDoubleQuantised() {
    return nested;
  }

  /** The modules that stay as they are beside those that always do. */
  public List<Modules> exceptions() {
    return dense;
  }

  /** The modules that are rounded beside linear layers. */
  public List<Modules> inclusions() {
    return included;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Quantisation q && q.form == form && q.nested == nested && q.dense.toString().equals(dense.toString())
        && q.included.toString().equals(included.toString());
  }

  @Override
  public int hashCode() {
    return Objects.hash(form, nested, dense.toString(), included.toString());
  }

  /** Such as {@code nf4, but for lmHead}. */
  @Override
  public String toString() {
    String text = (form == Form.DENSE ? "dequantised" : form.name().toLowerCase(Locale.ROOT)) + (nested ? ", double" : "")
        + (included.isEmpty() ? "" : " with " + named(included)) + (dense.isEmpty() ? "" : ", but for " + named(dense));
    return text.length() > 80 ? text.substring(0, 77) + "..." : text;
  }

  private static String named(List<Modules> modules) {
    return String.join(", ", modules.stream().map(Modules::toString).toList());
  }
}

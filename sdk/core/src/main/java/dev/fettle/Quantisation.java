package dev.fettle;

import dev.fettle.internal.NoNulls;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * How the frozen linear layers of a base model are held: in 8 or 4 bits in place of 16 or 32. Embeddings, norms, biases, and the
 * routers of experts stay as they are; an output embedding that is not the input embedding too is rounded. Adapters are trained on
 * top as on any model; what is to be trained in full must be left out by {@link #except}. Immutable.
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

  private Quantisation(Form form, boolean nested, List<Modules> dense) {
    this.form = form;
    this.nested = nested;
    this.dense = dense;
  }

  /** 8-bit integers with a scale for each row. */
  public static Quantisation int8() {
    return new Quantisation(Form.INT8, false, List.of());
  }

  /** QLoRA's 4-bit levels, with a scale for each block of 64 weights of a row, the last of which may be shorter. */
  public static Quantisation nf4() {
    return new Quantisation(Form.NF4, false, List.of());
  }

  /** 4-bit integers, with a scale for each block of 32 weights of a row, the last of which may be shorter. */
  public static Quantisation int4() {
    return new Quantisation(Form.INT4, false, List.of());
  }

  /** No quantisation: a checkpoint that holds quantised weights is read as numbers in the compute type. */
  public static Quantisation dequantised() {
    return new Quantisation(Form.DENSE, false, List.of());
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
    return new Quantisation(form, true, dense);
  }

  /**
   * The same with more modules that stay as they are. Linear layers that read the same input are held together (queries, keys and
   * values; gate and up), and stay as they are together.
   *
   * @throws InvalidInputException when a model is loaded, if it has none of the modules
   */
  public Quantisation except(Modules... modules) {
    List<Modules> all = new ArrayList<>(dense);
    all.addAll(List.of(NoNulls.in(modules, "modules")));
    return new Quantisation(form, nested, List.copyOf(all));
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

  @Override
  public boolean equals(Object other) {
    return other instanceof Quantisation q && q.form == form && q.nested == nested && q.dense.toString().equals(dense.toString());
  }

  @Override
  public int hashCode() {
    return Objects.hash(form, nested, dense.toString());
  }

  /** Such as {@code nf4, but for lmHead}. */
  @Override
  public String toString() {
    String text = (form == Form.DENSE ? "dequantised" : form.name().toLowerCase(Locale.ROOT)) + (nested ? ", double" : "")
        + (dense.isEmpty() ? "" : ", but for " + String.join(", ", dense.stream().map(Modules::toString).toList()));
    return text.length() > 80 ? text.substring(0, 77) + "..." : text;
  }
}

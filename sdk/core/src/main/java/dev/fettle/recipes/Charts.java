package dev.fettle.recipes;

import dev.fettle.InvalidInputException;
import dev.fettle.Sampler;
import dev.fettle.Schedule;
import dev.fettle.Training;
import dev.fettle.internal.NoNulls;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.Positive;
import dev.fettle.internal.chart.Bars;
import dev.fettle.internal.chart.Curve;
import dev.fettle.internal.chart.Curve.Style;
import dev.fettle.internal.chart.HeatMap;
import dev.fettle.internal.chart.Plot;
import dev.fettle.internal.chart.Smooth;
import dev.fettle.internal.chart.Theme;
import dev.fettle.internal.chart.TokenMap;
import dev.fettle.internal.chart.UpdateNorms;
import dev.fettle.ranking.Interval;
import dev.fettle.ranking.Metric;
import dev.fettle.ranking.Scores;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Pictures of a training, 900 pixels wide: notebooks show a {@link BufferedImage} by themselves, and
 * {@code ImageIO.write(picture, "png", file)} saves it. Needs no screen. Immutable and thread-safe.
 *
 * <pre>{@code
 * Charts.light().lossCurve(run);
 * Charts.dark().tokenLoss(sampler, "Where is my parcel?");
 * }</pre>
 */
public final class Charts {
  private static final Charts LIGHT = new Charts(Theme.LIGHT);
  private static final Charts DARK = new Charts(Theme.DARK);

  private static final List<String> EXACT = List.of("learning_rate", "validation_loss", "seconds");

  private final Theme theme;

  private Charts(Theme theme) {
    this.theme = theme;
  }

  /** On a white background. */
  public static Charts light() {
    return LIGHT;
  }

  /** On a dark background. */
  public static Charts dark() {
    return DARK;
  }

  /**
   * What an axis shows.
   *
   * @param label its name and unit
   * @param kind which numbers it has
   */
  public record Axis(String label, Kind kind) {
    /** Which numbers an axis has. */
    public enum Kind {
      /** From about the least value to the greatest. */
      STRAIGHT,
      /** From zero. */
      FROM_ZERO,
      /** Powers; values that are not positive are left out. */
      LOGARITHMIC
    }

    public Axis {
      Objects.requireNonNull(label, "label");
      Objects.requireNonNull(kind, "kind");
    }

    /** A straight axis. */
    public static Axis of(String label) {
      return new Axis(label, Kind.STRAIGHT);
    }

    /** A straight axis that begins at zero. */
    public static Axis fromZero(String label) {
      return new Axis(label, Kind.FROM_ZERO);
    }

    /** A logarithmic axis. */
    public static Axis log(String label) {
      return new Axis(label, Kind.LOGARITHMIC);
    }

    @Override
    public String toString() {
      return OneLine.of("Axis", label + ", " + kind.name().toLowerCase(Locale.ROOT).replace('_', ' '));
    }
  }

  /**
   * Values to draw, in order. NaN leaves a gap.
   *
   * @param name for the legend
   * @param x where each is
   * @param y what each is
   * @param error half the length of each error bar; empty for none
   */
  public record Series(String name, double[] x, double[] y, double[] error) {
    public Series {
      Objects.requireNonNull(name, "name");
      x = Objects.requireNonNull(x, "x").clone();
      y = Objects.requireNonNull(y, "y").clone();
      error = Objects.requireNonNull(error, "error").clone();
      if (x.length != y.length || error.length != 0 && error.length != y.length) {
        throw new InvalidInputException("series " + name + ": " + x.length + " x, " + y.length + " y and " + error.length
            + " errors; give as many of each, or no errors");
      }
    }

    /** Values without errors. */
    public static Series of(String name, double[] x, double[] y) {
      return new Series(name, x, y, new double[0]);
    }

    /** Values at 1, 2, 3 and so on. */
    public static Series of(String name, double... y) {
      double[] x = new double[Objects.requireNonNull(y, "y").length];
      Arrays.setAll(x, i -> i + 1);
      return of(name, x, y);
    }

    @Override
    public String toString() {
      return OneLine.of("Series", name + ", " + y.length + " values");
    }
  }

  /** Lines, with a dot at each value where there are few. */
  public BufferedImage lines(String title, Axis x, Axis y, Series... series) {
    List<Curve> curves = new ArrayList<>();
    for (Series s : NoNulls.in(series, "series")) {
      curves.add(curve(s, s.x().length <= 24 ? Style.DOTTED : Style.LINE, curves.size()));
    }
    return draw(title, x, y, curves);
  }

  /** Points, with bars for their errors. */
  public BufferedImage scatter(String title, Axis x, Axis y, Series... series) {
    List<Curve> curves = new ArrayList<>();
    for (Series s : NoNulls.in(series, "series")) {
      curves.add(curve(s, Style.POINTS, curves.size()));
    }
    return draw(title, x, y, curves);
  }

  private static Curve curve(Series s, Style style, int colour) {
    return new Curve(s.name, s.x, s.y, s.error, style, colour);
  }

  private static Plot.Axis plotted(Axis axis, String name) {
    Axis.Kind kind = Objects.requireNonNull(axis, name).kind;
    return new Plot.Axis(axis.label, kind == Axis.Kind.FROM_ZERO, kind == Axis.Kind.LOGARITHMIC);
  }

  private BufferedImage draw(String title, Axis x, Axis y, List<Curve> curves) {
    return Plot.draw(theme, Objects.requireNonNull(title, "title"), plotted(x, "x"), plotted(y, "y"), curves);
  }

  /**
   * A bar for each name, from zero.
   *
   * @param what the values are, with their unit
   * @throws InvalidInputException unless there are as many values as names
   */
  public BufferedImage bars(String title, String what, List<String> names, double... values) {
    Objects.requireNonNull(title, "title");
    Objects.requireNonNull(what, "what");
    if (NoNulls.in(names, "names").size() != Objects.requireNonNull(values, "values").length) {
      throw new InvalidInputException(names.size() + " names but " + values.length + " values");
    }
    List<Bars.Bar> bars = new ArrayList<>();
    for (int i = 0; i < values.length; i++) {
      bars.add(new Bars.Bar(names.get(i), values[i], Double.NaN, Double.NaN));
    }
    return Bars.draw(theme, title, what, bars);
  }

  /**
   * A bar for each ranking's mean, with its 95 % interval over queries; see {@link Scores#interval(long)} with seed 1. Intervals that
   * overlap do not mean that two rankings cannot be told apart: {@link Scores#to} compares query by query.
   *
   * @param scores of one metric
   * @throws InvalidInputException if their metrics differ
   */
  public BufferedImage scores(String title, Scores... scores) {
    Objects.requireNonNull(title, "title");
    Set<Metric> metrics = Arrays.stream(NoNulls.in(scores, "scores")).map(Scores::metric).collect(Collectors.toSet());
    if (metrics.size() != 1) {
      throw new InvalidInputException("scores of " + metrics + ": give those of one metric");
    }
    List<Bars.Bar> bars = new ArrayList<>();
    for (Scores s : scores) {
      Interval interval = s.interval(1);
      bars.add(new Bars.Bar(s.run(), s.mean(), interval.low(), interval.high()));
    }
    return Bars.draw(theme, title, scores[0].metric() + ", with 95 % intervals", bars);
  }

  /**
   * A table of numbers as colours, from zero to the largest; NaN leaves a cell empty.
   *
   * @param what the values are, with their unit
   * @param values one array for each row
   * @throws InvalidInputException if the numbers of rows or columns differ
   */
  public BufferedImage heatMap(String title, String what, List<String> rows, List<String> columns, double[][] values) {
    Objects.requireNonNull(title, "title");
    Objects.requireNonNull(what, "what");
    NoNulls.in(rows, "rows");
    NoNulls.in(columns, "columns");
    if (rows.size() != NoNulls.in(values, "values").length
        || Arrays.stream(values).anyMatch(v -> v.length != columns.size())) {
      throw new InvalidInputException("a heat map of " + rows.size() + " rows and " + columns.size()
          + " columns needs an array for each row with a value for each column");
    }
    return HeatMap.draw(theme, title, what, List.copyOf(rows), List.copyOf(columns), values);
  }

  /**
   * The loss of a run by step: as it was at each step, before its update, smoothed, and of the validation data where there are
   * some. The smooth line lies where the steps around it do, to the last one, so it can be compared with the validation.
   */
  public BufferedImage lossCurve(Run run) {
    double[] steps = Objects.requireNonNull(run, "run").values("step");
    double[] loss = run.values("loss");
    List<Curve> curves = new ArrayList<>();
    curves.add(curve(Series.of("training, each step", steps, loss), Style.FAINT, 0));
    curves.add(curve(Series.of("training, smoothed", steps, Smooth.of(loss)), Style.LINE, 0));
    Series validation = run.series("validation_loss");
    if (validation.x().length > 0) {
      curves.add(curve(new Series("validation", validation.x(), validation.y(), new double[0]), Style.DOTTED, 1));
    }
    return draw("Loss", Axis.of("step"), Axis.of("nats a token"), curves);
  }

  /** The smoothed losses of several runs by name, over steps. */
  public BufferedImage lossCurves(Map<String, Run> runs) {
    List<Series> series = new ArrayList<>();
    NoNulls.in(runs, "runs").forEach((name, run) ->
        series.add(new Series(name, run.values("step"), run.values("loss"), new double[0])));
    return lossCurves(series);
  }

  /** The same of losses by step, which are smoothed here. */
  public BufferedImage lossCurves(List<Series> losses) {
    NoNulls.in(losses, "losses");
    List<Curve> curves = new ArrayList<>();
    for (int i = 0; i < losses.size(); i++) {
      curves.add(new Curve("", losses.get(i).x(), losses.get(i).y(), losses.get(i).error(), Style.FAINT, i));
    }
    for (int i = 0; i < losses.size(); i++) {
      Series s = losses.get(i);
      curves.add(curve(Series.of(s.name(), s.x(), Smooth.of(s.y())), Style.LINE, i));
    }
    return draw("Loss", Axis.of("step"), Axis.of("nats a token"), curves);
  }

  /** Any metric of a run by step, raw and smoothed, such as {@code reward}; see {@link Run#metrics()}. */
  public BufferedImage curve(Run run, String metric) {
    Series values = Objects.requireNonNull(run, "run").series(metric);
    if (values.y().length == 0) {
      throw new InvalidInputException("no step of the run has " + metric + "; there are " + run.metrics());
    }
    String name = metric.replace('_', ' ').replaceAll("\\bkl\\b", "KL");
    boolean exact = EXACT.contains(metric);
    Curve main = curve(Series.of(exact ? name : "smoothed", values.x(), exact ? values.y() : Smooth.of(values.y())),
        Style.LINE, 0);
    return draw(name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1), Axis.of("step"), Axis.of(name),
        exact ? List.of(main) : List.of(curve(Series.of("each step", values.x(), values.y()), Style.FAINT, 0), main));
  }

  /** The learning rate of each of a number of steps. */
  public BufferedImage schedule(Schedule schedule, int steps) {
    Objects.requireNonNull(schedule, "schedule");
    double[] rates = new double[Positive.of("steps", steps)];
    Arrays.setAll(rates, schedule::at);
    return draw("Learning rate", Axis.of("step"), Axis.of("learning rate"),
        List.of(curve(Series.of("learning rate", rates), Style.LINE, 0)));
  }

  /** Quality against the number of trained parameters, with the spread over seeds as errors; one series a method. */
  public BufferedImage quality(String metric, List<Series> methods) {
    Objects.requireNonNull(metric, "metric");
    return scatter("Quality against what is trained", Axis.log("trained parameters"), Axis.of(metric),
        NoNulls.in(methods, "methods").toArray(Series[]::new));
  }

  /** The final loss against the learning rate; one series a method. */
  public BufferedImage learningRates(List<Series> methods) {
    List<Curve> curves = new ArrayList<>();
    NoNulls.in(methods, "methods").forEach(s -> curves.add(curve(s, Style.DOTTED, curves.size())));
    return draw("Loss by learning rate", Axis.log("learning rate"), Axis.of("nats a token"), curves);
  }

  /**
   * A text in which each token's colour says how much it surprises the model. Texts are cut at 600 tokens.
   *
   * @throws InvalidInputException if the text has fewer than two tokens
   */
  public BufferedImage tokenLoss(Sampler sampler, String text) {
    int[] tokens = Objects.requireNonNull(sampler, "sampler").tokenizer().encode(text);
    return tokenLoss(sampler, tokens.length > 600 ? Arrays.copyOf(tokens, 600) : tokens);
  }

  /** The same of tokens, such as a rendered conversation's. */
  public BufferedImage tokenLoss(Sampler sampler, int... tokens) {
    Objects.requireNonNull(sampler, "sampler");
    if (Objects.requireNonNull(tokens, "tokens").length < 2) {
      throw new InvalidInputException("tokenLoss of " + tokens.length + " tokens: give at least 2");
    }
    float[] logprobs = sampler.logprobs(tokens);
    float[] losses = new float[tokens.length];
    losses[0] = Float.NaN;
    List<String> pieces = new ArrayList<>();
    for (int i = 0; i < tokens.length; i++) {
      pieces.add(sampler.tokenizer().decodeAll(tokens[i]));
      losses[i] = i == 0 ? Float.NaN : -logprobs[i - 1];
    }
    return TokenMap.draw(theme, "What surprises the model", pieces, losses);
  }

  /**
   * Where a LoRA training acted: the Frobenius norm of {@code s B A} of each adapted module, by layer.
   *
   * @param adapter a directory in PEFT's layout
   */
  public BufferedImage weightChange(Path adapter) {
    return weightChange(UpdateNorms.of(Objects.requireNonNull(adapter, "adapter")));
  }

  /** The same of a training in progress. */
  public BufferedImage weightChange(Training training) {
    return weightChange(UpdateNorms.ofSaved(Objects.requireNonNull(training, "training")::saveAdapter));
  }

  /**
   * Where any training acted: the Frobenius norm of the difference of each module's weights, biases included, by layer.
   *
   * @param base the model before, a directory in Hugging Face layout
   * @param tuned the model after, of the same shape, such as {@link Training#saveMerged} writes
   * @throws InvalidInputException if the two differ in shape or in nothing
   */
  public BufferedImage weightChange(Path base, Path tuned) {
    return weightChange(UpdateNorms.between(Objects.requireNonNull(base, "base"), Objects.requireNonNull(tuned, "tuned")));
  }

  private BufferedImage weightChange(UpdateNorms norms) {
    return HeatMap.draw(theme, "Where tuning acted", String.format(Locale.ROOT,
        "norm of each weight's update, by layer and module; all together %.3g", norms.total()), norms.layers(),
        norms.modules(), norms.values());
  }

  /** Pictures one below the other, as one. */
  public BufferedImage stack(BufferedImage... pictures) {
    return Plot.stack(theme, List.of(NoNulls.in(pictures, "pictures")));
  }

  @Override
  public String toString() {
    return "Charts[" + theme.name().toLowerCase(Locale.ROOT) + "]";
  }
}

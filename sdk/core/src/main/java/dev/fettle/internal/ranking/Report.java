package dev.fettle.internal.ranking;

import dev.fettle.InvalidInputException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** trec_eval's lines. */
public final class Report {
  private static final String ALL = "all";

  private final List<Measure> measures;
  private final Settings settings;
  private final String run;
  private final List<String> lines = new ArrayList<>();

  private Report(List<Measure> measures, Settings settings, String run) {
    this.measures = measures;
    this.settings = settings;
    this.run = run;
  }

  /**
   * The lines for each query, if wanted, and for all of them.
   *
   * @param wanted measures as {@code -m} takes them; none for the official ones
   */
  public static List<String> lines(Evaluation evaluation, boolean queries, boolean summary, String... wanted) {
    Settings settings = evaluation.settings();
    Report report = new Report(Catalog.measures(settings, wanted), settings, evaluation.run());
    report.add(evaluation, queries, summary);
    return report.lines;
  }

  private void add(Evaluation evaluation, boolean queries, boolean summary) {
    if (evaluation.queries().isEmpty()) {
      throw new InvalidInputException("no query has both a ranking and judgements: do the two files belong together?");
    }
    double[][] sums = new double[measures.size()][];
    for (Map.Entry<String, Judged> query : evaluation.queries().entrySet()) {
      boolean missing = evaluation.missing().contains(query.getKey());
      for (int m = 0; m < sums.length; m++) {
        Measure measure = measures.get(m);
        double[] values = missing && measure.kind() == Measure.Kind.MEAN && !measure.name().equals("ideal_dcg")
            ? new double[measure.outputs().size()] : measure.values().of(query.getValue(), settings);
        sums[m] = sum(sums[m], values);
        if (queries && !(missing && settings.nine())) {
          single(measure, query.getKey(), query.getValue(), values);
        }
      }
    }
    for (int m = 0; summary && m < sums.length; m++) {
      total(measures.get(m), sums[m], evaluation);
    }
  }

  private static double[] sum(double[] sums, double... values) {
    if (sums == null) {
      return values.clone();
    }
    for (int i = 0; i < sums.length; i++) {
      sums[i] += values[i];
    }
    return sums;
  }

  private void single(Measure measure, String query, Judged judged, double... values) {
    switch (measure.kind()) {
      case MEAN -> each(measure, query, values);
      case COUNT -> line(measure.outputs().get(0), query, String.valueOf((long) values[0]));
      case GRADES -> line(measure.outputs().get(0), query, "'" + grades(judged, (int) values[0]) + "'");
      default -> { }
    }
  }

  private void total(Measure measure, double[] sums, Evaluation evaluation) {
    int count = evaluation.queries().size();
    String output = measure.outputs().get(0);
    switch (measure.kind()) {
      case MEAN -> {
        double[] means = sums.clone();
        for (int i = 0; i < means.length; i++) {
          means[i] /= count;
        }
        each(measure, ALL, means);
      }
      case COUNT -> line(output, ALL, String.valueOf((long) sums[0]));
      case QUERIES -> line(output, ALL, String.valueOf(count));
      case GEOMETRIC -> line(output, ALL, number(Math.exp(sums[0] / count)));
      case NAME -> line(output, ALL, run);
      default -> { }
    }
  }

  private void each(Measure measure, String query, double... values) {
    for (int i = 0; i < values.length; i++) {
      line(measure.outputs().get(i), query, number(values[i]));
    }
  }

  private void line(String output, String query, String value) {
    lines.add(String.format(Locale.ROOT, "%-22s\t%s\t%s", output, query, value));
  }

  private static String grades(Judged judged, int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < Math.min(length, judged.retrieved()); i++) {
      int grade = judged.grades()[i];
      text.append(grade > 9 ? '>' : grade >= 0 ? (char) ('0' + grade) : grade == Judged.OUTSIDE ? '-' : '.');
    }
    return text.toString();
  }

  /** C's {@code %6.4f}: the exact binary value is rounded, halves to even; Java's format rounds its shortest text. */
  static String number(double value) {
    String text = Double.isNaN(value) ? "-nan"
        : Double.isInfinite(value) ? value > 0 ? "inf" : "-inf"
        : (Math.copySign(1, value) < 0 ? "-" : "")
            + new BigDecimal(Math.abs(value)).setScale(4, RoundingMode.HALF_EVEN).toPlainString();
    return text.length() < 6 ? " ".repeat(6 - text.length()) + text : text;
  }
}

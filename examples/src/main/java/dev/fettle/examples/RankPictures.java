package dev.fettle.examples;

import dev.fettle.internal.chart.Bars;
import dev.fettle.internal.chart.Theme;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.ranking.Bootstrap;
import dev.fettle.ranking.Interval;
import dev.fettle.ranking.Scores;
import dev.fettle.recipes.Charts;
import dev.fettle.recipes.Charts.Axis;
import dev.fettle.recipes.Charts.Series;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;

/** The pictures of a comparison of rankings. */
final class RankPictures {
  private static final String NDCG = "nDCG@10";

  private final RankStudy study;
  private final RankScores scores;
  private final long seed;

  RankPictures(RankStudy study, RankScores scores, long seed) {
    this.study = study;
    this.scores = scores;
    this.seed = seed;
  }

  /** Writes {@code intervals.png}, {@code cost.png} and {@code curve.png}. */
  void write(List<RankSystem> systems) {
    List<Bars.Bar> bars = new ArrayList<>();
    List<Series> costs = new ArrayList<>();
    for (RankSystem system : systems) {
      Map<String, Double> values = scores.values(system, RankScores.Measure.NDCG, study.collections());
      double[] all = values.values().stream().mapToDouble(v -> v).toArray();
      Interval interval = Bootstrap.interval(all, Scores.RESAMPLES, seed);
      double middle = (interval.low() + interval.high()) / 2;
      double half = (interval.high() - interval.low()) / 2;
      bars.add(new Bars.Bar(system.name(), Arrays.stream(all).average().orElse(Double.NaN), interval.low(), interval.high()));
      double seconds = study.store().beginning(system.key() + ".").stream().mapToDouble(c -> system.isTuned() ? c.cpuSeconds() : 0)
          .average().orElse(0);
      costs.add(new Series(system.name(), new double[] {seconds}, new double[] {middle}, new double[] {half}));
    }
    Charts charts = Charts.light();
    save("intervals.png", Bars.draw(Theme.LIGHT, "Quality of each system", NDCG + " with 95 % bootstrap intervals over queries", bars));
    save("cost.png", charts.scatter("Quality against the cost of training", Axis.fromZero("processor seconds of a training"),
        Axis.of(NDCG), costs.toArray(Series[]::new)));
    List<Series> curves = new ArrayList<>();
    for (RankCollection collection : study.collections()) {
      List<RankCurve.Point> points = RankCurve.of(study, scores, collection);
      curves.add(new Series(collection.name(), points.stream().mapToDouble(RankCurve.Point::queries).toArray(),
          points.stream().mapToDouble(RankCurve.Point::mean).toArray(), points.stream().mapToDouble(RankCurve.Point::spread).toArray()));
    }
    save("curve.png", charts.lines("Learning curve", Axis.fromZero("training queries"), Axis.of(NDCG), curves.toArray(Series[]::new)));
  }

  private void save(String name, BufferedImage picture) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      ImageIO.write(picture, "png", bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    AtomicFiles.writeFile(study.store().directory().resolve(name), channel -> channel.write(ByteBuffer.wrap(bytes.toByteArray())));
  }
}

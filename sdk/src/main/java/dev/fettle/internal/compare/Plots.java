package dev.fettle.internal.compare;

import dev.fettle.Charts;
import dev.fettle.Charts.Series;
import dev.fettle.Compared;
import dev.fettle.Compared.Row;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;

/** The pictures of a comparison. */
final class Plots {
  private Plots() {}

  static void write(Plan plan, Compared compared, List<Outcome> outcomes) throws IOException {
    List<Series> quality = new ArrayList<>();
    for (Row row : compared.rows()) {
      double[] values = row.quality().stream().mapToDouble(v -> v).toArray();
      if (row.trained() > 0 && values.length > 0) {
        quality.add(new Series(row.method(), new double[] {row.trained()}, new double[] {Significance.mean(values)},
            new double[] {Significance.deviation(values)}));
      }
    }
    List<Series> losses = new ArrayList<>();
    for (Method method : plan.methods()) {
      outcomes.stream().filter(o -> o.kind().equals("seed") && o.method().equals(method.name())).findFirst()
          .ifPresent(o -> losses.add(Series.of(o.method(), o.losses())));
    }
    List<Series> rates = Sweeps.of(plan, outcomes).stream().map(s -> Series.of(s.method(), s.rates(), s.losses())).toList();
    save(plan, "quality", Charts.light().quality(plan.metric(), quality));
    save(plan, "losses", Charts.light().lossCurves(losses));
    if (!rates.isEmpty()) {
      save(plan, "learning-rates", Charts.light().learningRates(rates));
    }
  }

  private static void save(Plan plan, String name, BufferedImage picture) throws IOException {
    ImageIO.write(picture, "png", plan.directory().resolve(name + ".png").toFile());
  }
}

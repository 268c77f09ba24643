package dev.fettle.internal.compare;

import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.recipes.Charts;
import dev.fettle.recipes.Charts.Series;
import dev.fettle.recipes.ComparisonResult;
import dev.fettle.recipes.ComparisonResult.Row;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;

/** The pictures of a comparison. */
final class Plots {
  private static final String QUALITY = "quality.png";
  private static final String LOSSES = "losses.png";
  private static final String RATES = "learning-rates.png";
  static final List<String> FILES = List.of(QUALITY, LOSSES, RATES);

  private Plots() {}

  static void write(Plan plan, ComparisonResult compared, List<RunResult> outcomes) throws IOException {
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
    save(plan, QUALITY, Charts.light().quality(plan.metric(), quality));
    save(plan, LOSSES, Charts.light().lossCurves(losses));
    if (!rates.isEmpty()) {
      save(plan, RATES, Charts.light().learningRates(rates));
    }
  }

  private static void save(Plan plan, String name, BufferedImage picture) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageIO.write(picture, "png", bytes);
    AtomicFiles.writeFile(plan.directory().resolve(name), channel -> channel.write(ByteBuffer.wrap(bytes.toByteArray())));
  }
}

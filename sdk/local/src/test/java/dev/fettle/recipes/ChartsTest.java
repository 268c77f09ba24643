package dev.fettle.recipes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.fettle.AdamW;
import dev.fettle.Batch;
import dev.fettle.Completion;
import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Sampler;
import dev.fettle.Schedule;
import dev.fettle.Training;
import dev.fettle.recipes.Charts.Axis;
import dev.fettle.recipes.Charts.Series;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every picture is drawn in both themes and left in target/charts, to be looked at. */
class ChartsTest {
  private static final Path OUT = Path.of("target/charts");

  private interface Drawing {
    BufferedImage by(Charts charts);
  }

  private static BufferedImage drawn(String name, Drawing drawing) throws Exception {
    Files.createDirectories(OUT);
    BufferedImage light = drawing.by(Charts.light());
    BufferedImage dark = drawing.by(Charts.dark());
    ImageIO.write(light, "png", OUT.resolve(name + ".png").toFile());
    ImageIO.write(dark, "png", OUT.resolve(name + "-dark.png").toFile());
    assertThat(light.getWidth()).isEqualTo(900);
    assertThat(colours(light)).isGreaterThan(20);
    assertThat(light.getRGB(0, 0) & 0xFFFFFF).isEqualTo(0xFFFFFF);
    assertThat(dark.getRGB(0, 0) & 0xFF).isLessThan(0x40);
    assertThat(cutOff(light, 0xFFFFFF)).as("ink on the edge of " + name).isFalse();
    return light;
  }

  private static long colours(BufferedImage image) {
    return java.util.stream.IntStream.range(0, image.getWidth() * image.getHeight())
        .map(i -> image.getRGB(i % image.getWidth(), i / image.getWidth())).distinct().count();
  }

  private static boolean cutOff(BufferedImage image, int ground) {
    for (int x = 0; x < image.getWidth(); x++) {
      if ((image.getRGB(x, 0) & 0xFFFFFF) != ground || (image.getRGB(x, image.getHeight() - 1) & 0xFFFFFF) != ground) {
        return true;
      }
    }
    for (int y = 0; y < image.getHeight(); y++) {
      if ((image.getRGB(0, y) & 0xFFFFFF) != ground || (image.getRGB(image.getWidth() - 1, y) & 0xFFFFFF) != ground) {
        return true;
      }
    }
    return false;
  }

  static Run run(int steps, double scale, long seed) {
    Random random = new Random(seed);
    List<Run.Step> lines = new ArrayList<>();
    for (int i = 0; i < steps; i++) {
      Map<String, Double> line = new LinkedHashMap<>();
      line.put("step", i + 1.0);
      line.put("loss", scale * (0.3 + 3 * Math.exp(-i / (steps / 5.0))) + 0.25 * random.nextGaussian());
      line.put("reward", 1 - Math.exp(-i / (steps / 3.0)) + 0.1 * random.nextGaussian());
      if ((i + 1) % (steps / 10) == 0) {
        line.put("validation_loss", scale * (0.45 + 3 * Math.exp(-i / (steps / 5.0))));
      }
      lines.add(new Run.Step(line));
    }
    try (Fettle fettle = Fettle.local()) {
      return new Run("sft", fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(1)), lines, "done", 0, Optional.empty());
    }
  }

  @Test
  void aLossCurveShowsRawAndSmoothedTrainingAndValidation() throws Exception {
    Run run = run(500, 1, 1);

    BufferedImage image = drawn("loss", charts -> charts.lossCurve(run));

    assertThat(image.getHeight()).isBetween(300, 600);
    assertThat(colours(run.lossCurve())).isEqualTo(colours(image));
    drawn("reward", charts -> charts.curve(run, "reward"));
    assertThatThrownBy(() -> run.curve("kl")).isInstanceOf(InvalidInputException.class).hasMessageContaining("reward");
  }

  @Test
  void theLossesOfSeveralRunsAreTold() throws Exception {
    Map<String, Run> runs = new LinkedHashMap<>();
    for (String name : List.of("LoRA, rank 4", "LoRA, rank 32", "LoRA, attention only", "LoRA, MLP only", "full", "hybrid, two layers")) {
      runs.put(name, run(300, 0.6 + 0.15 * runs.size(), runs.size()));
    }

    drawn("losses", charts -> charts.lossCurves(runs));
  }

  @Test
  void schedulesWithWarmUpAreDrawn() throws Exception {
    drawn("schedule", charts -> charts.schedule(Schedule.cosine(5e-4, 400).warmup(40), 400));
  }

  /** Neither mirrored nor upside down: what falls with the steps stands high at the left and low at the right. */
  @Test
  void theFirstStepIsAtTheLeftAndTheLargestValueAtTheTop() throws Exception {
    BufferedImage falling = drawn("falling", charts -> charts.schedule(Schedule.linear(5e-4, 400), 400));
    BufferedImage rising = drawn("rising", charts -> charts.schedule(Schedule.linear(5e-4, 400).warmup(399), 400));

    assertThat(height(falling, 0, 0.4)).isGreaterThan(height(falling, 0.6, 1) + 50);
    assertThat(height(rising, 0, 0.4)).isLessThan(height(rising, 0.6, 1) - 50);
  }

  /** The mean height of the first series' line, in pixels from below, in a part of the picture's width. */
  private static double height(BufferedImage image, double from, double to) {
    return java.util.stream.IntStream.range((int) (from * image.getWidth()), (int) (to * image.getWidth())).boxed()
        .flatMap(x -> java.util.stream.IntStream.range(0, image.getHeight())
            .filter(y -> (image.getRGB(x, y) & 0xFFFFFF) == 0x0B62C4).boxed())
        .mapToInt(y -> image.getHeight() - y).average().orElseThrow();
  }

  @Test
  void qualityAgainstTrainedParametersHasErrorBars() throws Exception {
    List<Series> methods = List.of(
        new Series("LoRA", new double[] {20_480, 81_920, 327_680}, new double[] {0.71, 0.83, 0.88}, new double[] {0.03, 0.02, 0.015}),
        new Series("full", new double[] {1_180_000}, new double[] {0.89}, new double[] {0.01}),
        new Series("hybrid", new double[] {420_000}, new double[] {0.885}, new double[] {0.02}));

    drawn("quality", charts -> charts.quality("share answered exactly", methods));
  }

  @Test
  void lossByLearningRateHasALogarithmicAxis() throws Exception {
    double[] rates = {1e-4, 3e-4, 1e-3, 3e-3, 1e-2};
    List<Series> methods = List.of(Series.of("LoRA", rates, new double[] {1.9, 1.2, 0.7, 0.55, 1.4}),
        Series.of("full", new double[] {1e-5, 3e-5, 1e-4, 3e-4, 1e-3}, new double[] {1.8, 1.1, 0.66, 0.6, 2.1}));

    drawn("rates", charts -> charts.learningRates(methods));
  }

  @Test
  void barsAndHeatMapsAreDrawn() throws Exception {
    drawn("bars", charts -> charts.bars("Tokens a second", "the more, the better",
        List.of("LoRA, rank 16", "full", "hybrid with a rather long name that has to be shortened somewhere"), 1234.5, 830, 990));
    double[][] values = new double[28][7];
    Random random = new Random(3);
    for (int i = 0; i < 28; i++) {
      for (int j = 0; j < 7; j++) {
        values[i][j] = random.nextDouble() * (i + 3) / 10;
      }
    }
    values[4][2] = Double.NaN;
    drawn("heat", charts -> charts.heatMap("A larger model", "norm", java.util.stream.IntStream.range(0, 28).mapToObj(i -> "layer " + i).toList(),
        List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"), values));
    assertThatThrownBy(() -> Charts.light().bars("t", "w", List.of("a"), 1, 2)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> Charts.light().heatMap("t", "w", List.of("a"), List.of("b"), new double[][] {{1, 2}}))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void aTextIsColouredByWhatSurprisesTheModel() throws Exception {
    try (Fettle fettle = Fettle.local()) {
      Sampler sampler = fettle.load("fettle-tiny", DType.F32).sampler();

      drawn("tokens", charts -> charts.tokenLoss(sampler, "Hello! Where is my parcel? I ordered a blue lamp last week, and it has "
          + "not come yet.\nPlease tell me what 12 plus 30 is, <b>zebra</b> quantum, before the parcel comes to my house."));

      assertThatThrownBy(() -> Charts.light().tokenLoss(sampler, new int[] {5})).isInstanceOf(InvalidInputException.class);
    }
  }

  @Test
  void weightChangeIsTheNormOfEachUpdate() throws Exception {
    try (Fettle fettle = Fettle.local()) {
      Training training = fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(4));
      Batch batch = Batch.of(training.renderer().render(new Completion("Where is my parcel?", " track parcel")).get(0).datum());
      for (int i = 0; i < 20; i++) {
        training.step(batch, Loss.crossEntropy(), AdamW.learningRate(3e-3));
      }

      drawn("change", charts -> charts.weightChange(training));
    }
  }

  @Test
  void weightChangeOfAMergedModelIsThatOfItsAdapter(@TempDir Path directory) throws Exception {
    Path base = dev.fettle.support.Golden.path("models/qwen3");
    Path adapter = dev.fettle.support.Golden.path("run/qwen3/adapter-end");
    Path merged = directory.resolve("merged");
    try (Fettle fettle = Fettle.local()) {
      fettle.load(base, DType.F32).tune(Lora.from(adapter)).saveMerged(merged);
    }

    var difference = dev.fettle.internal.chart.UpdateNorms.between(base, merged);

    var norms = dev.fettle.internal.chart.UpdateNorms.of(adapter);
    assertThat(difference.layers()).isEqualTo(norms.layers());
    assertThat(difference.modules()).isEqualTo(norms.modules());
    for (int i = 0; i < norms.values().length; i++) {
      assertThat(difference.values()[i]).containsExactly(norms.values()[i], within(1e-4));
    }
    drawn("difference", charts -> charts.weightChange(base, merged));
    assertThatThrownBy(() -> Charts.light().weightChange(base, base)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("has the weights of");
  }

  @ParameterizedTest
  @ValueSource(strings = {"experts", "experts-one"})
  void weightChangeOfExpertsIsThatOfTheMergedModel(String kind, @TempDir Path directory) {
    Path base = dev.fettle.support.Golden.path(kind.equals("experts") ? "families/olmoe" : "families/qwen3-moe");
    Path adapter = dev.fettle.support.Golden.path("peft-cases/" + kind);
    Path merged = directory.resolve("merged");
    try (Fettle fettle = Fettle.local()) {
      fettle.load(base, DType.F32).tune(Lora.from(adapter)).saveMerged(merged);
    }

    var norms = dev.fettle.internal.chart.UpdateNorms.of(adapter);

    assertThat(norms.modules()).contains("gate_up_proj");
    assertThat(norms.total()).isCloseTo(dev.fettle.internal.chart.UpdateNorms.between(base, merged).total(), within(1e-4));
  }

  @Test
  void normsOfAnAdapterEqualThoseOfTheProductOfItsMatrices() {
    var norms = dev.fettle.internal.chart.UpdateNorms.of(dev.fettle.support.Golden.path("run/qwen3/adapter-end"));

    double[] products = product(norms.layers().size(), norms.modules());
    int at = 0;
    for (double[] row : norms.values()) {
      for (double value : row) {
        assertThat(value).isCloseTo(products[at], within(1e-6 + 1e-5 * products[at]));
        at++;
      }
    }
    assertThat(at).isGreaterThan(6);
  }

  /** The norms by multiplying the matrices out. */
  private static double[] product(int layers, List<String> modules) {
    Path directory = dev.fettle.support.Golden.path("run/qwen3/adapter-end");
    var config = dev.fettle.internal.checkpoint.AdapterConfig.parse(directory.resolve("adapter_config.json"));
    double[] norms = new double[layers * modules.size()];
    try (var file = dev.fettle.internal.checkpoint.SafetensorsFile.open(directory.resolve("adapter_model.safetensors"))) {
      for (var a : file.tensors().values()) {
        var m = java.util.regex.Pattern.compile("base_model\\.model\\.(model\\.layers\\.(\\d+)\\..*\\.(\\w+))\\.lora_A\\.weight").matcher(a.name());
        if (m.matches()) {
          var b = file.tensors().get(a.name().replace("lora_A", "lora_B"));
          var x = file.bytes(a, 0, (int) a.bytes()).asFloatBuffer();
          var y = file.bytes(b, 0, (int) b.bytes()).asFloatBuffer();
          int rank = (int) a.shape()[0];
          int in = (int) a.shape()[1];
          double sum = 0;
          for (int o = 0; o < b.shape()[0]; o++) {
            for (int i = 0; i < in; i++) {
              double v = 0;
              for (int r = 0; r < rank; r++) {
                v += y.get(o * rank + r) * (double) x.get(r * in + i);
              }
              sum += v * v;
            }
          }
          norms[Integer.parseInt(m.group(2)) * modules.size() + modules.indexOf(m.group(3))] = config.scale(m.group(1)) * Math.sqrt(sum);
        }
      }
    }
    return norms;
  }

  @Test
  void emptyOrConstantValuesAreDrawnToo() throws Exception {
    drawn("constant", charts -> charts.lines("Constant", Axis.of("step"), Axis.of("loss"), Series.of("same", 2, 2, 2, Double.NaN, 2)));
    drawn("nearly-nothing", charts -> charts.lines("Nearly nothing", Axis.of("step"), Axis.of("loss"), Series.of("a", 1e-14, -3e-13)));
    assertThat(Charts.light().lines("Nothing", Axis.of("x"), Axis.log("y"), Series.of("none", 0, -1)).getWidth()).isEqualTo(900);
    assertThatThrownBy(() -> Series.of("a", new double[2], new double[3])).isInstanceOf(InvalidInputException.class);
  }
}

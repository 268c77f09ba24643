package dev.fettle.internal.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.DType;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.NotEnoughMemoryException;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The property fettle.memory limits all native memory of a process; what goes beyond is refused before it begins. */
class MemoryLimitTest {
  @Test
  void whatGoesBeyondTheLimitIsRefusedWithItsPartsAndAllElseGoesOn() throws Exception {
    long limit = 24 << 20;
    Process program = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m",
        "-Dfettle.memory=" + limit, "-Dfettle.threads=16", "-cp", System.getProperty("java.class.path"), Main.class.getName())
        .redirectErrorStream(true).start();
    String text = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(program.waitFor()).as(text).isZero();

    List<String> lines = text.lines().filter(line -> line.startsWith("> ")).map(line -> line.substring(2)).toList();
    assertThat(lines).as(text).hasSize(6);
    assertThat(lines.get(0)).startsWith("LoRA of ").contains("parameters ", "gradients ", "moments ", "beside ", "weights ",
        "of the 0.02 GiB of fettle.memory");
    assertThat(lines.get(1)).isEqualTo("stepped");
    assertThat(lines.get(2)).startsWith("a pass over ").contains("activations ", "gradients ");
    assertThat(lines.get(3)).startsWith("sampling 4096 x 1 continuations").contains("caches ");
    assertThat(lines.get(4)).startsWith("LoRA of ");
    assertThat(lines.get(5)).isEqualTo("stepped again");
  }

  /** A second program, in which the limit holds from the beginning. */
  static final class Main {
    public static void main(String[] args) {
      try (Fettle fettle = Fettle.local()) {
        BaseModel base = fettle.load("fettle-tiny", DType.F32);
        say(() -> base.tune(Lora.rank(200)));
        Training training = base.tune(Lora.rank(2));
        training.step(batch(2, 16), Loss.crossEntropy(), AdamW.learningRate(1e-4));
        say(() -> System.out.println("> stepped"));
        say(() -> training.forwardBackward(batch(64, 64), Loss.crossEntropy()));
        try (Sampler sampler = training.sampler()) {
          say(() -> sampler.sample("A", SamplingParams.standard().maxTokens(200).samples(4096)));
        }
        say(() -> {
          for (int i = 0; i < 1000; i++) {
            base.tune(Lora.rank(8));
          }
        });
        training.step(batch(2, 16), Loss.crossEntropy(), AdamW.learningRate(1e-4));
        say(() -> System.out.println("> stepped again"));
      }
    }

    private static void say(Runnable work) {
      try {
        work.run();
      } catch (NotEnoughMemoryException e) {
        System.out.println("> " + e.getMessage());
      }
    }

    private static Batch batch(int size, int length) {
      SplittableRandom random = new SplittableRandom(1);
      return Batch.of(random.ints(size).mapToObj(i -> Datum.of(random.ints(length, 0, 100).toArray())).toList());
    }
  }
}

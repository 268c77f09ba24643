package dev.fettle.internal.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.Dataset;
import dev.fettle.Example;
import dev.fettle.Text;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StreamingTest {
  private static final int LINES = 120_000;

  @TempDir Path dir;

  private Path thousand() {
    return Fakes.write(dir.resolve("thousand.jsonl"),
        IntStream.range(0, 1000).mapToObj(i -> "{\"n\":" + i + "}").toArray(String[]::new));
  }

  @Test
  void linesAreReadOnlyWhenAskedFor() {
    AtomicInteger read = new AtomicInteger();
    Dataset data = Dataset.jsonl(thousand(), line -> new Text("N" + read.incrementAndGet()));
    assertThat(read).hasValue(0);
    assertThat(data.take(3).count()).isEqualTo(3);
    assertThat(read).hasValue(3);
    read.set(0);
    data.batches(4, Fakes.characters()).iterator().next();
    assertThat(read).as("one sequence is looked ahead").hasValue(5);
  }

  @Test
  void shuffleHoldsNoMoreThanItsBuffer() {
    AtomicInteger read = new AtomicInteger();
    Dataset data = Dataset.jsonl(thousand(), line -> new Text("N" + read.incrementAndGet())).shuffle(7, 50);
    int given = 0;
    for (Iterator<Example> examples = data.examples().iterator(); examples.hasNext(); examples.next()) {
      given++;
      assertThat(read.get() - given).isLessThanOrEqualTo(50);
    }
    assertThat(given).isEqualTo(1000);
  }

  /** 240 MB of lines and 60 MB of a table through every operation, in a JVM whose heap is 24 MB. */
  @Test
  void filesLargerThanTheHeap() throws IOException, InterruptedException {
    Path lines = packed("large.jsonl.gz", LINES, "", "{\"text\":\"N%d ", "\"}\n");
    Path table = packed("large.csv.gz", LINES / 4, "other;words\n", ";\"N%d\n;", "\"\n");
    Path log = dir.resolve("log");
    Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx24m",
        "-XX:+UseSerialGC", "-Dfettle.progress=off", "-cp", System.getProperty("java.class.path"),
        ReadAll.class.getName(), lines.toString(), table.toString())
        .redirectErrorStream(true).redirectOutput(log.toFile()).start();
    assertThat(process.waitFor()).as(Files.readString(log)).isZero();
    assertThat(Files.readString(log).lines()).containsExactly(String.valueOf(LINES), String.valueOf(LINES / 4));
  }

  private Path packed(String name, int rows, String first, String before, String after) throws IOException {
    Path file = dir.resolve(name);
    byte[] filler = "x".repeat(2000).getBytes(StandardCharsets.UTF_8);
    try (OutputStream out = new BufferedOutputStream(new GZIPOutputStream(Files.newOutputStream(file)))) {
      out.write(first.getBytes(StandardCharsets.UTF_8));
      for (int i = 0; i < rows; i++) {
        out.write(before.replace("%d", String.valueOf(i)).getBytes(StandardCharsets.UTF_8));
        out.write(filler);
        out.write(after.getBytes(StandardCharsets.UTF_8));
      }
    }
    return file;
  }

  /** The program of the small JVM. */
  static final class ReadAll {
    private ReadAll() {}

    public static void main(String[] args) {
      read(Dataset.jsonl(Path.of(args[0])));
      read(Dataset.csv(Path.of(args[1])).fields("text=words"));
    }

    private static void read(Dataset data) {
      long sequences = 0;
      for (Dataset part : data.shuffle(7, 500).split(0.9, 0.1)) {
        for (var batch : part.maxLength(100).batches(16, Fakes.characters())) {
          sequences += batch.size();
        }
      }
      System.out.println(sequences);
    }
  }

  @Test
  void aLoopThatIsLeftEarlyLeaksNoFile() throws Exception {
    assumeTrue(Files.isDirectory(Path.of("/proc/self/fd")), "open files can be counted only on Linux");
    Path file = thousand();
    Dataset data = Dataset.jsonl(file, line -> new Text("NN"));
    data.count();
    assertThat(open(file)).as("read to the end").isZero();
    Iterator<Example> kept = data.examples().iterator();
    kept.next();
    assertThat(open(file)).as("being read").isEqualTo(1);
    assertThat(kept.hasNext()).isTrue();
    kept = null;
    for (int i = 0; i < 20; i++) {
      for (var batch : data.batches(2, Fakes.characters())) {
        assertThat(batch.size()).isEqualTo(2);
        break;
      }
    }
    for (int i = 0; i < 100 && open(file) > 0; i++) {
      System.gc();
      Thread.sleep(50);
    }
    assertThat(open(file)).isZero();
  }

  private static long open(Path file) throws IOException {
    Path real = file.toRealPath();
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors.filter(descriptor -> {
        try {
          return Files.readSymbolicLink(descriptor).equals(real);
        } catch (IOException e) {
          return false;
        }
      }).count();
    }
  }
}

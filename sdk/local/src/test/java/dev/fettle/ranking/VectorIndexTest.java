package dev.fettle.ranking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.ClosedException;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.torch.Torch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Exact on every processor: one without VNNI adds products of 8-bit numbers in 16 bits. */
@Tag("golden")
class VectorIndexTest {
  @TempDir
  private Path directory;

  private static List<String> names(int count) {
    return IntStream.range(0, count).mapToObj(i -> "d" + i).toList();
  }

  private static float[] vector(Random random, int dimensions, double scale) {
    float[] x = new float[dimensions];
    for (int i = 0; i < dimensions; i++) {
      x[i] = (float) (scale * random.nextGaussian());
    }
    return x;
  }

  /** Every row in double precision. */
  private static List<Hit> exhaustive(float[][] vectors, float[] query, int count) {
    return IntStream.range(0, vectors.length).mapToObj(i -> new Hit("d" + i, product(vectors[i], query)))
        .sorted(Comparator.comparingDouble(Hit::score).reversed()).limit(count).toList();
  }

  private static double product(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) b[i] * a[i];
    }
    return sum;
  }

  @ParameterizedTest
  @ValueSource(strings = {"random", "close", "sparse", "large", "lengths", "signs"})
  void theBestAreThoseOfComparingWithEveryVector(String kind) {
    Random random = new Random(1);
    int n = 9000;
    int d = 48;
    float[] centre = vector(random, d, 1);
    float[][] vectors = new float[n][];
    for (int i = 0; i < n; i++) {
      float[] x = vector(random, d,
          kind.equals("large") ? 1e4 : kind.equals("lengths") ? Math.exp(random.nextGaussian()) : 1);
      for (int j = 0; j < d; j++) {
        x[j] = kind.equals("signs") ? Math.signum(x[j]) : kind.equals("close") ? centre[j] + 1e-5f * x[j] : kind.equals("sparse") && j != i % d ? 0 : x[j];
      }
      vectors[i] = x;
    }
    try (VectorIndex index = VectorIndex.of(names(n), vectors)) {
      List<float[]> queries = IntStream.range(0, 11).mapToObj(i -> vector(random, d, 1)).toList();
      if (kind.equals("signs")) {
        for (float[] q : queries) {
          for (int j = 0; j < d; j++) {
            q[j] = Math.signum(q[j]);
          }
        }
      }
      List<List<Hit>> found = index.search(queries, 20);
      for (int i = 0; i < queries.size(); i++) {
        List<Hit> expected = exhaustive(vectors, queries.get(i), 20);
        assertThat(found.get(i)).as("query " + i).isEqualTo(expected);
        assertThat(index.search(queries.get(i), 20)).isEqualTo(expected);
      }
    }
  }

  @Test
  void ofEqualVectorsTheEarlierComesFirst() {
    float[][] vectors = new float[50][];
    Arrays.setAll(vectors, i -> new float[] {i % 2, 0});
    try (VectorIndex index = VectorIndex.of(names(50), vectors)) {
      assertThat(index.search(new float[] {1, 0}, 3)).containsExactly(new Hit("d1", 1), new Hit("d3", 1), new Hit("d5",
          1));
      assertThat(index.search(new float[2], 2)).containsExactly(new Hit("d0", 0), new Hit("d1", 0));
      assertThat(index.search(new float[] {0, 1}, 99)).hasSize(50);
      assertThat(index.retriever(text -> new float[] {text.length(), 0}).search("ab", 1)).containsExactly(new Hit("d1",
          2));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"v.npy", "v.fvecs"})
  void filesAreReadBackTheSame(String name) throws Exception {
    Random random = new Random(2);
    float[][] vectors = new float[4099][];
    Arrays.setAll(vectors, i -> vector(random, 7, 1));
    Path file = directory.resolve(name);
    try (VectorIndex index = VectorIndex.of(names(4099), vectors)) {
      index.write(file);
    }
    try (VectorIndex read = VectorIndex.read(file)) {
      assertThat(read).hasToString("VectorIndex[4099 x 7]");
      assertThat(read.ids()).isEqualTo(names(4099));
      for (int row : new int[] {0, 1, 4095, 4096, 4098}) {
        assertThat(read.vector(row)).isEqualTo(vectors[row]);
      }
      assertThat(read.search(vectors[4097], 5)).isEqualTo(exhaustive(vectors, vectors[4097], 5));
    }
    Files.delete(directory.resolve(name + ".ids"));
    try (VectorIndex read = VectorIndex.read(file)) {
      assertThat(read.ids()).hasSize(4099).startsWith("0", "1");
    }
  }

  @Test
  void theFilesAreWhatOtherProgramsExpect() throws Exception {
    Path npy = directory.resolve("v.npy");
    Path fvecs = directory.resolve("v.fvecs");
    try (VectorIndex index = VectorIndex.of(List.of("a", "\u00fc"), new float[][] {{1, 2, 3}, {4, 5, 6}})) {
      index.write(npy);
      index.write(fvecs);
    }
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(npy)).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(bytes.remaining()).isEqualTo(128 + 24);
    assertThat(bytes.getShort(8)).isEqualTo((short) 118);
    assertThat(new String(bytes.array(), 1, 127, StandardCharsets.ISO_8859_1)).startsWith("NUMPY\1\0")
        .contains("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }").endsWith(" \n");
    assertThat(bytes.getFloat(128 + 12)).isEqualTo(4);
    ByteBuffer second = ByteBuffer.wrap(Files.readAllBytes(fvecs)).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(second.remaining()).isEqualTo(32);
    assertThat(second.getInt(16)).isEqualTo(3);
    assertThat(second.getFloat(20)).isEqualTo(4);
    assertThat(directory.resolve("v.npy.ids")).hasContent("a\n\u00fc");
  }

  @Test
  void brokenFilesAreNamed() throws Exception {
    Path npy = directory.resolve("v.npy");
    try (VectorIndex index = VectorIndex.of(List.of("a", "b"), new float[][] {{1, 2}, {4, 5}})) {
      index.write(npy);
    }
    byte[] whole = Files.readAllBytes(npy);
    Files.write(npy, Arrays.copyOf(whole, whole.length - 1));
    assertThatThrownBy(() -> VectorIndex.read(npy)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("v.npy").hasMessageContaining("2 vectors of 2 numbers");
    Files.write(npy, new String(whole, StandardCharsets.ISO_8859_1).replace("<f4", "<f8")
        .getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> VectorIndex.read(npy)).hasMessageContaining("expected a matrix of 32-bit floats");
    Files.write(npy, new byte[40]);
    assertThatThrownBy(() -> VectorIndex.read(npy)).hasMessageContaining("is not a NumPy file");
    Files.write(npy, whole);
    Files.writeString(directory.resolve("v.npy.ids"), "a\n");
    assertThatThrownBy(() -> VectorIndex.read(npy)).hasMessageContaining("has 1 lines")
        .hasMessageContaining("2 vectors");
    assertThatThrownBy(() -> VectorIndex.read(directory.resolve("v.txt"))).hasMessageContaining(".npy or .fvecs");
    assertThatThrownBy(() -> VectorIndex.read(directory.resolve("none.npy"))).hasMessageContaining("none.npy");
  }

  @Test
  void whatCannotBeSearchedIsRefused() {
    assertThatThrownBy(() -> VectorIndex.of(names(2), new float[][] {{1, 2}, {1}}))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("vector 1 has 1 numbers, the first has 2");
    assertThatThrownBy(() -> VectorIndex.of(names(2), new float[][] {{1, 2}, {1, Float.NaN}}))
        .hasMessageContaining("vector 1 has the number NaN in place 1");
    assertThatThrownBy(() -> VectorIndex.of(names(1), new float[0][])).hasMessageContaining("1 ids for 0 vectors");
    VectorIndex index = VectorIndex.of(names(1), new float[][] {{1, 2}});
    assertThatThrownBy(() -> index.search(new float[3], 1)).hasMessageContaining("3 numbers, the vectors have 2");
    assertThatThrownBy(() -> index.search(new float[2], 0)).hasMessageContaining("count = 0");
    index.close();
    index.close();
    assertThatThrownBy(() -> index.search(new float[2], 1)).isInstanceOf(ClosedException.class);
  }

  @Test
  void nothingIsLeftInNativeMemory() {
    VectorIndex.of(names(1), new float[][] {{1, 2}}).close();
    long before = Torch.liveHandles();
    try (VectorIndex index = VectorIndex.of(names(3), new float[3][2])) {
      index.search(new float[2], 1);
    }
    assertThatThrownBy(() -> VectorIndex.of(names(2), new float[][] {{1}, {Float.NaN}})).isNotNull();
    assertThat(Torch.liveHandles()).isEqualTo(before);
  }
}

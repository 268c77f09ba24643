package dev.fettle.internal.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are no GGUF, or broken ones: each is rejected with its name, and nothing ends the process. */
class BrokenGgufTest {
  @TempDir
  Path directory;
  private Path file;
  private byte[] whole;

  @BeforeEach
  void read() throws IOException {
    file = directory.resolve("broken.gguf");
    whole = Files.readAllBytes(Golden.path("gguf/model.gguf"));
  }

  private GgufModel open(byte[] content) throws IOException {
    Files.write(file, content);
    return GgufModel.open(file);
  }

  /** The file with some bytes replaced from where a text stands, or so many bytes behind its end. */
  private byte[] with(String text, int behind, byte... bytes) {
    byte[] out = whole.clone();
    int at = new String(whole, StandardCharsets.ISO_8859_1).indexOf(text);
    assertThat(at).isPositive();
    System.arraycopy(bytes, 0, out, at + (behind < 0 ? 0 : text.length() + behind), bytes.length);
    return out;
  }

  private static byte[] int32(int value) {
    return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
  }

  private static byte[] int64(long value) {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
  }

  private void requireRejected(byte[] content, Class<? extends FettleException> as, String... said) {
    var thrown = assertThatThrownBy(() -> open(content).close()).isInstanceOf(as).hasMessageContaining("broken.gguf");
    for (String words : said) {
      thrown.hasMessageContaining(words);
    }
  }

  @Test
  void theWholeOneIsRead() throws IOException {
    try (GgufModel model = open(whole)) {
      assertThat(model.config().layers()).hasSize(2);
      assertThat(model.files().path()).isEqualTo(file);
    }
  }

  @Test
  void whatIsNone() {
    requireRejected("GGML".getBytes(StandardCharsets.UTF_8), InvalidInputException.class, "is no GGUF");
    requireRejected(new byte[] {'G', 'G'}, InvalidInputException.class, "is no GGUF");
    byte[] version = whole.clone();
    version[4] = 9;
    requireRejected(version, UnsupportedModelException.class, "version 9");
  }

  @Test
  void truncatedOnes() throws IOException {
    for (int length : new int[] {5, 30, 200, 1500, 4000, whole.length / 2, whole.length - 40}) {
      requireRejected(Arrays.copyOf(whole, length), InvalidInputException.class);
    }
    requireRejected(Arrays.copyOf(whole, whole.length - 40), InvalidInputException.class, "tensor blk.1.ffn_down.weight", "reach beyond");
  }

  @Test
  void absurdCountsAndLengths() {
    for (int at : new int[] {8, 16}) {
      for (long count : new long[] {-1, Long.MAX_VALUE, 1L << 33, whole.length}) {
        byte[] out = whole.clone();
        System.arraycopy(int64(count), 0, out, at, 8);
        requireRejected(out, InvalidInputException.class, "more than the file");
      }
    }
    // The length of a key stands before it.
    byte[] key = whole.clone();
    int at = new String(whole, StandardCharsets.ISO_8859_1).indexOf("llama.context_length");
    System.arraycopy(int64(1L << 40), 0, key, at - 8, 8);
    requireRejected(key, InvalidInputException.class);
  }

  @Test
  void wrongMetadata() {
    requireRejected(with("llama.block_count", 0, int32(6)), InvalidInputException.class, "llama.block_count", "whole number");
    requireRejected(with("llama.block_count", 0, int32(77)), InvalidInputException.class, "llama.block_count", "the type 77");
    requireRejected(with("llama.block_count", 4, int32(0)), InvalidInputException.class, "llama.block_count", "from 1 to");
    requireRejected(with("llama.block_count", 4, int32(1)), UnsupportedModelException.class, "tensor blk.1.");
    requireRejected(with("llama.block_count", 4, int32(3)), InvalidInputException.class, "tensor blk.2.attn_norm.weight is missing");
    requireRejected(with("llama.attention.head_count", 4, int32(7)), InvalidInputException.class);
    requireRejected(with("general.architecture", 12, "lamma".getBytes(StandardCharsets.UTF_8)), UnsupportedModelException.class,
        "general.architecture is lamma");
    requireRejected(with("llama.feed_forward_length", 4, int32(128)), InvalidInputException.class, "has the shape");
  }

  @Test
  void tensorsThatCannotBe() {
    // Behind a name: dimensions, the shape, the type, where it begins.
    String name = "blk.1.attn_q.weight";
    requireRejected(with(name, 0, int32(9)), InvalidInputException.class, "tensor " + name, "9 dimensions");
    requireRejected(with(name, 4, int64(-5)), InvalidInputException.class, "tensor " + name, "-5");
    requireRejected(with(name, 4, int64(Long.MAX_VALUE / 32 * 32)), InvalidInputException.class, "tensor " + name, "overflows");
    requireRejected(with(name, 4, int64(250)), InvalidInputException.class, "tensor " + name, "no multiple of the 32");
    requireRejected(with(name, 20, int32(3)), UnsupportedModelException.class, "tensor " + name, "Q4_1");
    requireRejected(with(name, 20, int32(99)), UnsupportedModelException.class, "tensor " + name, "unknown type (99)");
    requireRejected(with(name, 24, int64(7)), InvalidInputException.class, "tensor " + name, "no multiple");
    requireRejected(with(name, 24, int64(1L << 50)), InvalidInputException.class, "tensor " + name, "beyond");
    requireRejected(with(name, 24, int64(0)), InvalidInputException.class, "tensor", "overlaps");
    requireRejected(with("blk.1.attn_q", -1, "blk.0".getBytes(StandardCharsets.UTF_8)), InvalidInputException.class, "is there twice");
  }

  @Test
  void scalesThatAreNoNumbers() throws IOException {
    try (GgufModel model = open(whole)) {
      GgufTensor tensor = model.file().tensors().get("token_embd.weight");
      byte[] out = whole.clone();
      int data = whole.length - (int) model.file().tensors().values().stream().mapToLong(t -> t.begin() + (t.bytes() + 31) / 32 * 32).max()
          .orElseThrow();
      int second = data + (int) (tensor.begin() + tensor.rowBytes());
      out[second] = 0;
      out[second + 1] = 0x7E;
      try (GgufModel broken = open(out)) {
        assertThatThrownBy(() -> broken.file().numbers(tensor, 0, 2)).isInstanceOf(InvalidInputException.class)
            .hasMessageContainingAll("broken.gguf", "tensor token_embd.weight", "row 1", "scale");
      }
    }
  }

  /** With bytes changed at random, mostly in the head: what can still be read is, the rest is rejected. */
  @Test
  void aThousandChangedAtRandom() throws IOException {
    Random random = new Random(7);
    int rejected = 0;
    for (int i = 0; i < 1000; i++) {
      byte[] out = whole.clone();
      int changes = 1 + random.nextInt(4);
      for (int c = 0; c < changes; c++) {
        int at = random.nextInt(random.nextInt(5) == 0 ? out.length : 3500);
        out[at] = (byte) (random.nextBoolean() ? random.nextInt() : random.nextBoolean() ? 0xFF : out[at] ^ 1 << random.nextInt(8));
      }
      try (GgufModel model = open(i % 10 == 0 ? Arrays.copyOf(out, random.nextInt(out.length)) : out)) {
        model.tensors().keySet().forEach(name -> model.file().numbers(model.file().tensors().get(name), 0, 1));
      } catch (FettleException e) {
        assertThat(e.getMessage()).contains("broken.gguf");
        rejected++;
      }
    }
    assertThat(rejected).isBetween(500, 999);
  }
}

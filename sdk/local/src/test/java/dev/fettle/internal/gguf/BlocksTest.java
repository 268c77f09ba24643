package dev.fettle.internal.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.StoredTensor;
import dev.fettle.support.Golden;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Blocks of each type beside the numbers, and numbers beside the blocks, of Python's gguf package ({@code gguf_files.py}). */
class BlocksTest {
  private static float[] floats(SafetensorsFile file, String name) {
    StoredTensor tensor = file.tensors().get(name);
    float[] out = new float[(int) tensor.elements()];
    file.bytes(tensor, 0, (int) tensor.bytes()).asFloatBuffer().get(out);
    return out;
  }

  @ParameterizedTest
  @EnumSource(GgmlType.class)
  void areReadAsTheirFormulasSay(GgmlType type) {
    try (GgufFile file = GgufFile.open(Golden.path("gguf/blocks.gguf"));
        SafetensorsFile expected = SafetensorsFile.open(Golden.path("gguf/blocks.safetensors"))) {
      GgufTensor tensor = file.tensors().get(type.name());
      assertThat(tensor.shape()).containsExactly(3, 512);
      assertThat(file.numbers(tensor, 0, 3)).isEqualTo(floats(expected, type.name()));
      assertThat(file.numbers(tensor, 2, 1)).hasSize(512);
    }
  }

  @ParameterizedTest
  @EnumSource(value = GgmlType.class, mode = Mode.INCLUDE, names = {"F16", "BF16", "Q8_0", "Q4_0"})
  void areWrittenBitByBitAsThePackageWritesThem(GgmlType type) {
    try (SafetensorsFile expected = SafetensorsFile.open(Golden.path("gguf/blocks.safetensors"))) {
      float[] x = floats(expected, "x");
      ByteBuffer bytes = ByteBuffer.allocate((int) type.bytes(x.length)).order(ByteOrder.LITTLE_ENDIAN);
      assertThat(Blocks.write(type, x, x.length, bytes)).isTrue();
      StoredTensor raw = expected.tensors().get("bytes." + type);
      byte[] wanted = new byte[(int) raw.bytes()];
      expected.bytes(raw, 0, wanted.length).get(wanted);
      assertThat(bytes.array()).isEqualTo(wanted);
    }
  }

  @Test
  void eachHalfIsWhatItWasRead() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = Halves.fromF16((short) bits);
      if (!Float.isNaN(value)) {
        assertThat(Halves.toF16(value)).isEqualTo((short) bits);
      }
      float brain = Halves.fromBf16((short) bits);
      if (!Float.isNaN(brain)) {
        assertThat(Halves.toBf16(brain)).isEqualTo((short) bits);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(value = GgmlType.class, mode = Mode.INCLUDE, names = {"F16", "Q8_0", "Q4_0"})
  void whatATypeCannotHoldIsSaid(GgmlType type) {
    for (float wrong : new float[] {1e9f, Float.NaN, Float.POSITIVE_INFINITY}) {
      float[] x = new float[32];
      x[17] = wrong;
      ByteBuffer bytes = ByteBuffer.allocate((int) type.bytes(x.length)).order(ByteOrder.LITTLE_ENDIAN);
      // What is no number before stays none in a plain type.
      boolean held = type.isPlain() && !Float.isFinite(wrong);
      assertThat(Blocks.write(type, x, x.length, bytes)).as("%s as %s", wrong, type).isEqualTo(held);
    }
  }
}

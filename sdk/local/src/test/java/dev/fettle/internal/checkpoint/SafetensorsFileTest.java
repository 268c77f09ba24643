package dev.fettle.internal.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsFileTest {
  @TempDir Path directory;

  @Test
  void reads_what_the_python_library_wrote() {
    try (SafetensorsFile file = SafetensorsFile.open(Fixtures.file("python.safetensors"))) {
      assertThat(file.tensors()).containsOnlyKeys("i64", "f32", "scalar", "empty", "f16", "bf16", "bool");
      assertThat(file.metadata()).containsEntry("format", "pt").containsEntry("note", "äöü");
      StoredTensor f32 = file.tensors().get("f32");
      assertThat(f32.shape()).containsExactly(2, 3);
      assertThat(f32.elements()).isEqualTo(6);
      float[] values = new float[6];
      file.bytes(f32, 0, 24).asFloatBuffer().get(values);
      assertThat(values).containsExactly(-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f);
      ByteBuffer bf16 = file.bytes(file.tensors().get("bf16"), 0, 12);
      for (float value : values) {
        assertThat(Float.intBitsToFloat(bf16.getShort() << 16)).isEqualTo(value);
      }
      assertThat(file.bytes(file.tensors().get("i64"), 8, 8).getLong()).isEqualTo(-2);
      assertThat(file.tensors().get("scalar").shape()).isEmpty();
      assertThat(file.bytes(file.tensors().get("scalar"), 0, 4).getFloat()).isEqualTo(7f);
      assertThat(file.tensors().get("empty").elements()).isZero();
      assertThat(file.bytes(file.tensors().get("empty"), 0, 0).remaining()).isZero();
    }
  }

  @Test
  void a_piece_is_direct_read_only_little_endian_and_outlives_the_file() {
    ByteBuffer piece;
    StoredTensor tensor;
    SafetensorsFile file = SafetensorsFile.open(Fixtures.file("python.safetensors"));
    try (file) {
      tensor = file.tensors().get("f32");
      piece = file.bytes(tensor, 4, 8);
    }
    assertThat(piece.isDirect()).isTrue();
    assertThat(piece.isReadOnly()).isTrue();
    assertThat(piece.order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
    assertThat(piece.getFloat()).isEqualTo(-1.5f);
    assertThatThrownBy(() -> file.bytes(tensor, 0, 4))
        .isInstanceOf(FettleException.class)
        .hasMessageContaining("closed");
  }

  @ParameterizedTest
  @CsvSource({"-1, 4", "0, 25", "24, 1", "25, 0", "9223372036854775807, 1", "0, -1"})
  void a_piece_beyond_the_tensor_is_refused(long from, int length) {
    try (SafetensorsFile file = SafetensorsFile.open(Fixtures.file("python.safetensors"))) {
      StoredTensor tensor = file.tensors().get("f32");
      assertThatThrownBy(() -> file.bytes(tensor, from, length))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("python.safetensors")
          .hasMessageContaining("f32");
    }
  }

  @Test
  void a_tensor_of_another_file_is_refused() throws IOException {
    String header = "{\"f32\":{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[0,9]}}";
    Path other = Fixtures.safetensors(directory, header, 9);
    try (SafetensorsFile file = SafetensorsFile.open(Fixtures.file("python.safetensors"));
        SafetensorsFile second = SafetensorsFile.open(other)) {
      assertThatThrownBy(() -> file.bytes(second.tensors().get("f32"), 0, 9))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("not of this file");
    }
  }

  @Test
  void a_missing_file_a_directory_and_a_stub_are_refused() throws IOException {
    assertRefused(directory.resolve("none.safetensors"), "no such file");
    assertRefused(directory, directory.toString());
    assertRefused(Files.write(directory.resolve("a.safetensors"), new byte[7]), "truncated");
  }

  @Test
  void a_header_length_beyond_the_file_or_the_limit_is_refused() throws IOException {
    byte[] bytes = Fixtures.safetensors("{}", 0);
    for (long length : new long[] {3, 100_000_001, -1, Long.MIN_VALUE, 0, 1}) {
      ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
      assertRefused(Files.write(directory.resolve("a.safetensors"), bytes), "header length");
    }
  }

  @Test
  void a_file_larger_than_two_gibibytes_is_read_at_its_end() throws IOException {
    long elements = 3L << 30;
    String header = "{\"big\":{\"dtype\":\"U8\",\"shape\":[" + elements + "],\"data_offsets\":[0," + elements + "]}}";
    Path path = Fixtures.safetensors(directory, header, 0);
    try (var sparse = new java.io.RandomAccessFile(path.toFile(), "rw")) {
      sparse.setLength(path.toFile().length() + elements);
      sparse.seek(path.toFile().length() - 1);
      sparse.write(42);
    }
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      StoredTensor big = file.tensors().get("big");
      assertThat(file.bytes(big, elements - 2, 2).get(1)).isEqualTo((byte) 42);
      assertThat(file.bytes(big, 1, Integer.MAX_VALUE).remaining()).isEqualTo(Integer.MAX_VALUE);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "[]|0|one JSON object",
        "{{|0|not well-formed",
        "{} x|0|not well-formed",
        "{}|4|0 bytes of data",
        "{'a':5}|0|must be an object",
        "{'a':{'shape':[1],'data_offsets':[0,1]}}|1|dtype",
        "{'a':{'dtype':'U8','shape':[-1],'data_offsets':[0,1]}}|1|shape",
        "{'a':{'dtype':'U8','shape':[1.5],'data_offsets':[0,1]}}|1|shape",
        "{'a':{'dtype':'U8','shape':['1'],'data_offsets':[0,1]}}|1|shape",
        "{'a':{'dtype':'U8','shape':[99999999999999999999],'data_offsets':[0,1]}}|1|shape",
        "{'a':{'dtype':'F32','shape':[4611686018427387904],'data_offsets':[0,0]}}|0|overflows",
        "{'a':{'dtype':'U8','shape':[4294967296,4294967296],'data_offsets':[0,0]}}|0|overflows",
        "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,1]}}|1|needs 2 bytes",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[1,0]}}|1|data_offsets",
        "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]}}|1|data_offsets",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0]}}|1|data_offsets",
        "{'a':{'dtype':'U8','shape':[1]}}|1|data_offsets",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[1,2]}}|2|gap",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]}}|2|1 bytes of data",
        "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]},'b':{'dtype':'U8','shape':[2],'data_offsets':[1,3]}}|3"
            + "|overlaps",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]},'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]}}|1"
            + "|uplicate",
        "{'__metadata__':{'a':1}}|0|__metadata__",
        "{'__metadata__':[]}|0|__metadata__"
      })
  void a_wrong_header_is_refused(String header, int dataBytes, String message) throws IOException {
    assertRefused(Fixtures.safetensors(directory, header.replace('\'', '"'), dataBytes), message);
  }

  @Test
  void a_header_that_is_not_utf8_or_too_deep_is_refused() throws IOException {
    byte[] bytes = Fixtures.safetensors("{\"__metadata__\":{\"a\":\"?\"}}", 0);
    bytes[bytes.length - 4] = (byte) 0xff;
    assertRefused(Files.write(directory.resolve("a.safetensors"), bytes), "UTF-8");
    assertRefused(Fixtures.safetensors(directory, "{\"a\":" + "[".repeat(100_000), 0), "not well-formed");
  }

  @Test
  void an_unknown_type_is_refused_by_name() throws IOException {
    String header = "{\"a\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[0,1]}}";
    Path path = Fixtures.safetensors(directory, header, 1);
    assertThatThrownBy(() -> SafetensorsFile.open(path))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("x.safetensors")
        .hasMessageContaining("F4");
  }

  private static void assertRefused(Path path, String message) {
    assertThatThrownBy(() -> SafetensorsFile.open(path).close())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(path.getFileName().toString())
        .hasMessageContaining(message);
  }
}

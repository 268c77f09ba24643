package dev.fettle.internal.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
  @TempDir Path directory;

  @Test
  void what_is_written_in_pieces_is_read_back() {
    Path path = directory.resolve("a.safetensors");
    new SafetensorsWriter()
        .add("odd", StoredType.BF16, 3)
        .add("wide", StoredType.F32, 2, 2)
        .add("none", StoredType.F32, 0)
        .write(path, SafetensorsWriterTest::countUp);

    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.metadata()).isEqualTo(Map.of("format", "pt"));
      assertThat(file.tensors().keySet()).containsOnly("wide", "none", "odd");
      assertThat(file.tensors().get("odd").begin()).as("after the wider ones, so aligned").isEqualTo(16);
      ByteBuffer wide = file.bytes(file.tensors().get("wide"), 0, 16);
      for (byte i = 0; i < 16; i++) {
        assertThat(wide.get()).isEqualTo(i);
      }
    }
  }

  @Test
  void the_data_begins_at_a_multiple_of_eight() throws IOException {
    for (int length = 1; length < 12; length++) {
      Path path = directory.resolve("a.safetensors");
      new SafetensorsWriter().add("n".repeat(length), StoredType.U8, 1).write(path, SafetensorsWriterTest::countUp);
      long header = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN).getLong();
      assertThat(header % 8).isZero();
    }
  }

  @Test
  void a_copy_of_a_python_file_is_the_same_tensor_by_tensor() {
    Path copy = directory.resolve("copy.safetensors");
    try (SafetensorsFile source = SafetensorsFile.open(Fixtures.file("python.safetensors"))) {
      SafetensorsWriter writer = new SafetensorsWriter().metadata(source.metadata());
      source.tensors().values().forEach(each -> writer.add(each.name(), each.type(), each.shape()));
      writer.write(
          copy,
          (tensor, sink) -> {
            StoredTensor from = source.tensors().get(tensor.name());
            sink.put(source.bytes(from, 0, (int) from.bytes()));
          });
      try (SafetensorsFile written = SafetensorsFile.open(copy)) {
        assertThat(written.metadata()).isEqualTo(source.metadata());
        assertThat(written.tensors().keySet()).isEqualTo(source.tensors().keySet());
        for (StoredTensor each : source.tensors().values()) {
          StoredTensor other = written.tensors().get(each.name());
          assertThat(other.shape()).isEqualTo(each.shape());
          assertThat(written.bytes(other, 0, (int) other.bytes()))
              .isEqualTo(source.bytes(each, 0, (int) each.bytes()));
        }
      }
    }
  }

  @Test
  void too_few_or_too_many_bytes_leave_the_old_file() throws IOException {
    Path path = Files.writeString(directory.resolve("a.safetensors"), "old");
    SafetensorsWriter writer = new SafetensorsWriter().add("a", StoredType.F32, 2);
    for (int bytes : new int[] {0, 7, 9}) {
      assertThatThrownBy(() -> writer.write(path, (tensor, sink) -> sink.put(ByteBuffer.allocate(bytes))))
          .isInstanceOf(FettleException.class)
          .hasMessageContaining("a.safetensors")
          .hasMessageContaining("tensor a");
    }
    assertThat(path).hasContent("old");
    try (Stream<Path> left = Files.list(directory)) {
      assertThat(left.toList()).isEqualTo(List.of(path));
    }
  }

  @Test
  void a_name_twice_a_reserved_name_and_a_negative_dimension_are_refused() {
    SafetensorsWriter writer = new SafetensorsWriter().add("a", StoredType.F32, 2);
    assertThatThrownBy(() -> writer.add("a", StoredType.F32, 2)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> writer.add("__metadata__", StoredType.F32)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> writer.add("b", StoredType.F32, -2)).isInstanceOf(InvalidInputException.class);
  }

  private static void countUp(StoredTensor tensor, SafetensorsWriter.Sink sink) throws IOException {
    for (long i = 0; i < tensor.bytes(); i++) {
      sink.put(ByteBuffer.wrap(new byte[] {(byte) i}));
    }
  }
}

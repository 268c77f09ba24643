package dev.fettle.recipes;

import dev.fettle.internal.FileErrors;
import dev.fettle.internal.Linux;
import dev.fettle.internal.checkpoint.AtomicFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32C;

/**
 * A run's metrics as TensorBoard reads them: records of TensorFlow (length, its checksum, content, its checksum, all of them
 * little-endian), each with an {@code Event} message of {@code tensorboard/compat/proto/event.proto}; a step is one event with a
 * scalar for each metric.
 */
final class EventFile implements RunListener {
  private static final AtomicLong COUNTER = new AtomicLong();
  private static final int WALL_TIME = 1;
  private static final int STEP = 2;
  private static final int FILE_VERSION = 3;
  private static final int SUMMARY = 5;
  private static final int SESSION = 7;
  private static final int SUMMARY_VALUE = 1;
  private static final int VALUE_TAG = 1;
  private static final int VALUE_SIMPLE = 2;
  private static final int SESSION_STATUS = 1;
  private static final int SESSION_START = 1;
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private final Path directory;
  private Path file;
  private OutputStream out;

  /** Event files in a directory, one for each run that is told of. */
  EventFile(Path directory) {
    this.directory = directory;
    AtomicFiles.rehearseWithin(directory);
  }

  @Override
  public void begin(Run run) {
    file = directory.resolve("events.out.tfevents." + System.currentTimeMillis() / 1000 + "." + Linux.HERE.hostName().orElse("host")
        + "." + ProcessHandle.current().pid() + "." + COUNTER.getAndIncrement());
    try {
      Files.createDirectories(directory);
      out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw FileErrors.unsaved(file, e);
    }
    record(new Message().time().bytes(FILE_VERSION, "brain.Event:2".getBytes(StandardCharsets.UTF_8)));
    if (!run.steps().isEmpty()) {
      // What an earlier file has of later steps is of a run that was interrupted after its last checkpoint.
      record(new Message().time().number(STEP, run.steps().size() + 1L)
          .bytes(SESSION, new Message().number(SESSION_STATUS, SESSION_START).content()));
    }
  }

  @Override
  public void step(Run.Step step) {
    Message summary = new Message();
    for (Map.Entry<String, Double> metric : step.metrics().entrySet()) {
      if (!metric.getKey().equals("step")) {
        summary.bytes(SUMMARY_VALUE, new Message().bytes(VALUE_TAG, metric.getKey().getBytes(StandardCharsets.UTF_8))
            .single(VALUE_SIMPLE, metric.getValue().floatValue()).content());
      }
    }
    record(new Message().time().number(STEP, (long) step.value("step")).bytes(SUMMARY, summary.content()));
  }

  @Override
  public void end(Run run) {
    try {
      out.close();
    } catch (IOException e) {
      throw FileErrors.unsaved(file, e);
    }
  }

  private void record(Message message) {
    byte[] content = message.content();
    ByteBuffer record = ByteBuffer.allocate(content.length + 16).order(ByteOrder.LITTLE_ENDIAN).putLong(content.length);
    record.putInt(masked(record.array(), 8)).put(content).putInt(masked(content, content.length));
    try {
      out.write(record.array());
      out.flush();
    } catch (IOException e) {
      throw FileErrors.unsaved(file, e);
    }
  }

  /** TensorFlow's checksum: CRC-32C, turned and shifted, as that of data which holds checksums would be weak. */
  private static int masked(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return Integer.rotateRight((int) crc.getValue(), 15) + 0xA282EAD8;
  }

  /** A message of protobuf while it is written. */
  private static final class Message {
    private final ByteArrayOutputStream content = new ByteArrayOutputStream();

    Message time() {
      key(WALL_TIME, FIXED64);
      fixed(8, Double.doubleToLongBits(System.currentTimeMillis() / 1e3));
      return this;
    }

    Message number(int field, long value) {
      key(field, VARINT);
      varint(value);
      return this;
    }

    Message single(int field, float value) {
      key(field, FIXED32);
      fixed(4, Float.floatToIntBits(value));
      return this;
    }

    Message bytes(int field, byte[] value) {
      key(field, BYTES);
      varint(value.length);
      content.writeBytes(value);
      return this;
    }

    byte[] content() {
      return content.toByteArray();
    }

    private void key(int field, int type) {
      varint(field << 3 | type);
    }

    private void varint(long value) {
      long left = value;
      while ((left & ~0x7FL) != 0) {
        content.write((int) (left & 0x7F | 0x80));
        left >>>= 7;
      }
      content.write((int) left);
    }

    private void fixed(int bytes, long value) {
      for (int i = 0; i < bytes; i++) {
        content.write((int) (value >>> 8 * i));
      }
    }
  }
}

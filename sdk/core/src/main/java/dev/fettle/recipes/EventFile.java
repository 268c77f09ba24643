package dev.fettle.recipes;

import dev.fettle.internal.FileErrors;
import dev.fettle.internal.Linux;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.wire.Proto;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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

  private final Path directory;
  private Path file;
  private OutputStream out = OutputStream.nullOutputStream();

  /** Event files in a directory, one for each run that is told of. */
  EventFile(Path directory) {
    this.directory = directory;
    this.file = directory;
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
    record(event().text(FILE_VERSION, "brain.Event:2"));
    if (!run.steps().isEmpty()) {
      // What an earlier file has of later steps is of a run that was interrupted after its last checkpoint.
      record(event().number(STEP, run.steps().size() + 1L)
          .message(SESSION, new Proto.Message().number(SESSION_STATUS, SESSION_START)));
    }
  }

  @Override
  public void step(Run.Step step) {
    Proto.Message summary = new Proto.Message();
    for (Map.Entry<String, Double> metric : step.metrics().entrySet()) {
      if (!metric.getKey().equals("step")) {
        summary.message(SUMMARY_VALUE, new Proto.Message().text(VALUE_TAG, metric.getKey())
            .single(VALUE_SIMPLE, metric.getValue().floatValue()));
      }
    }
    record(event().number(STEP, (long) step.value("step")).message(SUMMARY, summary));
  }

  @Override
  public void end(Run run) {
    try {
      out.close();
    } catch (IOException e) {
      throw FileErrors.unsaved(file, e);
    }
  }

  private void record(Proto.Message message) {
    byte[] content = message.toBytes();
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

  private static Proto.Message event() {
    return new Proto.Message().decimal(WALL_TIME, System.currentTimeMillis() / 1e3);
  }
}

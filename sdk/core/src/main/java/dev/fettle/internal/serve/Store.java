package dev.fettle.internal.serve;

import dev.fettle.FettleException;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.wire.Checkpoints.Checkpoint;
import dev.fettle.internal.wire.WireException;
import dev.fettle.internal.wire.WireJson;
import java.io.IOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Checkpoints below a directory, as {@code RUN/KIND/NAME/} with what is known of one in {@code RUN/KIND/NAME.json},
 * which is written last and removed first. Thread-safe.
 */
final class Store {
  private static final String META = ".json";

  /** What is known of a checkpoint; {@code expiresAt} is null where it stays. */
  record Meta(String baseModel, Boolean isLora, Integer loraRank, Boolean trainMlp, Boolean trainAttn, String time,
      String expiresAt, Boolean shared, Map<String, String> userMetadata) {
    Meta expiring(String at) {
      return new Meta(baseModel, isLora, loraRank, trainMlp, trainAttn, time, at, shared, userMetadata);
    }

    Meta shared(boolean value) {
      return new Meta(baseModel, isLora, loraRank, trainMlp, trainAttn, time, expiresAt, value, userMetadata);
    }

    Meta copied(String now, String at) {
      return new Meta(baseModel, isLora, loraRank, trainMlp, trainAttn, now, at, false, userMetadata);
    }

    private boolean hasExpired(Instant now) {
      return expiresAt != null && !Instant.parse(expiresAt).isAfter(now);
    }
  }

  private final Path root;
  private final LongSupplier clock;

  /** @param clock milliseconds since 1970 */
  Store(Path root, LongSupplier clock) {
    this.root = root;
    this.clock = clock;
    try {
      Files.createDirectories(root);
    } catch (IOException e) {
      throw FileErrors.unsaved(root, e);
    }
  }

  static String after(Instant now, Long seconds) {
    if (seconds == null) {
      return null;
    }
    if (seconds < 1 || seconds > 100L * 365 * 24 * 3600) {
      throw Problem.invalid("ttl_seconds is " + seconds + ": give at least 1, or null for ever");
    }
    return now.plusSeconds(seconds).truncatedTo(ChronoUnit.MILLIS).toString();
  }

  /** The directory of a checkpoint, existing or not. */
  Path directory(CheckpointId id) {
    return folder(id).resolve(id.name());
  }

  private Path folder(CheckpointId id) {
    return root.resolve(URLEncoder.encode(id.run(), StandardCharsets.UTF_8)).resolve(id.kind().path());
  }

  private Path meta(CheckpointId id) {
    return folder(id).resolve(id.name() + META);
  }

  boolean exists(CheckpointId id) {
    return Files.exists(meta(id)) && !hasExpired(stored(id));
  }

  private boolean hasExpired(Meta meta) {
    return meta.hasExpired(Instant.ofEpochMilli(clock.getAsLong()));
  }

  /** Lets a checkpoint be written and then makes it known. */
  synchronized void save(CheckpointId id, Meta meta, boolean overwrite, Consumer<Path> writer) {
    if (exists(id) && !overwrite) {
      throw Problem.invalid(id + " exists already: take another name, delete it, or ask to overwrite it");
    }
    try {
      Files.createDirectories(folder(id));
    } catch (IOException e) {
      throw FileErrors.unsaved(folder(id), e);
    }
    writer.accept(directory(id));
    write(id, meta);
  }

  synchronized void write(CheckpointId id, Meta meta) {
    AtomicFiles.writeFile(meta(id), channel -> {
      ByteBuffer bytes = ByteBuffer.wrap(WireJson.write(meta));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    });
  }

  Meta read(CheckpointId id) {
    Meta meta = stored(id);
    if (hasExpired(meta)) {
      throw Problem.unknown("checkpoint " + id + " expired at " + meta.expiresAt());
    }
    return meta;
  }

  /** Of one that has expired too, as long as it was not deleted. */
  private Meta stored(CheckpointId id) {
    try {
      return WireJson.read(Files.readAllBytes(meta(id)), Meta.class);
    } catch (IOException | WireException e) {
      throw Problem.unknown("there is no checkpoint " + id);
    }
  }

  /** Saves a checkpoint again in another place; files that are the same share their bytes where the disk can do that. */
  void copy(CheckpointId from, CheckpointId to, Instant now, String expires) {
    Meta meta = read(from);
    save(to, meta.copied(now.toString(), expires), false, target -> AtomicFiles.writeDirectory(target, into -> {
      for (Path file : children(directory(from))) {
        linkOrCopy(file, into.resolve(file.getFileName().toString()));
      }
    }));
  }

  private static void linkOrCopy(Path from, Path to) throws IOException {
    try {
      Files.createLink(to, from);
    } catch (UnsupportedOperationException | IOException noLinks) {
      Files.copy(from, to);
    }
  }

  synchronized void delete(CheckpointId id) {
    stored(id);
    try {
      Files.deleteIfExists(meta(id));
      deleteAll(directory(id));
    } catch (IOException e) {
      throw new FettleException(id + " cannot be deleted: " + FileErrors.reason(directory(id), e), e);
    }
  }

  static void deleteAll(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  /** The checkpoints of the runs that are asked for. */
  Map<CheckpointId, Meta> list(Predicate<String> runs) {
    Map<CheckpointId, Meta> out = all(runs);
    out.values().removeIf(this::hasExpired);
    return out;
  }

  private Map<CheckpointId, Meta> all(Predicate<String> runs) {
    Map<CheckpointId, Meta> out = new TreeMap<>(Comparator.comparing(CheckpointId::toString));
    for (Path run : children(root)) {
      String name = URLDecoder.decode(run.getFileName().toString(), StandardCharsets.UTF_8);
      if (!runs.test(name)) {
        continue;
      }
      for (CheckpointId.Kind kind : CheckpointId.Kind.values()) {
        for (Path file : children(run.resolve(kind.path()))) {
          String text = file.getFileName().toString();
          if (text.endsWith(META) && !text.startsWith(".")) {
            CheckpointId id = new CheckpointId(name, kind, text.substring(0, text.length() - META.length()));
            try {
              out.put(id, stored(id));
            } catch (Problem deletedMeanwhile) {
              continue;
            }
          }
        }
      }
    }
    return out;
  }

  private static List<Path> children(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  Checkpoint describe(CheckpointId id, Meta meta) {
    long size = 0;
    for (Path file : children(directory(id))) {
      try {
        size += Files.size(file);
      } catch (IOException deletedMeanwhile) {
        continue;
      }
    }
    return new Checkpoint(id.id(), id.kind().type(), meta.time(), id.toString(), size,
        Boolean.TRUE.equals(meta.shared()),
        meta.expiresAt(), meta.baseModel(), meta.userMetadata());
  }

  List<Checkpoint> describe(Predicate<String> runs) {
    return list(runs).entrySet().stream().map(e -> describe(e.getKey(), e.getValue()))
        .sorted(Comparator.comparing(Checkpoint::time)).toList();
  }

  /** Deletes what has reached its end. */
  void sweep(Instant now) {
    all(run -> true).forEach((id, meta) -> {
      if (meta.hasExpired(now)) {
        delete(id);
      }
    });
  }
}

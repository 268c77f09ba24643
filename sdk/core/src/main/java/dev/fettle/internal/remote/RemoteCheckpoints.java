package dev.fettle.internal.remote;

import dev.fettle.Checkpoint;
import dev.fettle.InvalidInputException;
import dev.fettle.ServiceException;
import dev.fettle.internal.CheckpointsBackend;
import dev.fettle.internal.wire.Checkpoints;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.Weights;
import dev.fettle.internal.wire.WireException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** What a service has stored of trainings. */
public final class RemoteCheckpoints implements CheckpointsBackend {
  private static final int PAGE = 100;
  private static final int BUILDING = 6;

  private final RemoteBackend owner;
  private final RetryingClient calls;

  RemoteCheckpoints(RemoteBackend owner) {
    this.owner = owner;
    this.calls = owner.calls();
  }

  @Override
  public List<Checkpoint> list() {
    owner.session().config();
    List<Checkpoints.Checkpoint> found = new ArrayList<>();
    for (int offset = 0;; offset += PAGE) {
      ApiRequest ask = ApiRequest.get(Paths.CHECKPOINTS, "listing checkpoints").query(page(offset));
      ApiResponse answer = calls.send(ask).answer();
      if (offset == 0 && (answer.status() == 404 || answer.status() == 405)) {
        return listByRun();
      }
      Checkpoints.CheckpointList part = list(ask, answer);
      found.addAll(part.checkpoints());
      if (!more(part.cursor(), offset, part.checkpoints().size())) {
        return found.stream().map(RemoteCheckpoints::checkpoint).toList();
      }
    }
  }

  private static Map<String, String> page(int offset) {
    return Map.of("limit", String.valueOf(PAGE), "offset", String.valueOf(offset));
  }

  private static boolean more(Checkpoints.Cursor cursor, int offset, int got) {
    return got > 0 && cursor != null && cursor.totalCount() != null && offset + PAGE < cursor.totalCount();
  }

  private Checkpoints.CheckpointList list(ApiRequest ask, ApiResponse answer) {
    if (!answer.ok()) {
      throw calls.problems().of(answer, ask.what());
    }
    Checkpoints.CheckpointList list = calls.read(answer, ask.what(), Checkpoints.CheckpointList.class);
    if (list.checkpoints() == null) {
      throw calls.problems().strange(ask.what(), new WireException("no checkpoints"));
    }
    return list;
  }

  /** For services that list only by training. */
  private List<Checkpoint> listByRun() {
    List<Checkpoint> out = new ArrayList<>();
    for (int offset = 0;; offset += PAGE) {
      Checkpoints.TrainingRuns runs = calls.read(ApiRequest.get(Paths.TRAINING_RUNS, "listing trainings").query(page(offset)),
          Checkpoints.TrainingRuns.class);
      for (Checkpoints.TrainingRun run : runs.trainingRuns()) {
        ofRun(run.trainingRunId()).forEach(c -> out.add(checkpoint(c)));
      }
      if (!more(runs.cursor(), offset, runs.trainingRuns().size())) {
        return out;
      }
    }
  }

  private List<Checkpoints.Checkpoint> ofRun(String run) {
    ApiRequest ask = ApiRequest.get(Paths.TRAINING_RUNS + "/" + run + "/checkpoints", "listing checkpoints");
    return list(ask, calls.send(ask).answer()).checkpoints();
  }

  /** The path of a checkpoint of a training by its name. */
  Optional<String> find(String run, String name) {
    try {
      return ofRun(run).stream().map(Checkpoints.Checkpoint::tinkerPath)
          .filter(p -> p != null && p.endsWith("/" + name)).findFirst();
    } catch (InvalidInputException | ServiceException e) {
      return Optional.empty();
    }
  }

  private static Checkpoint checkpoint(Checkpoints.Checkpoint c) {
    boolean resumable = c.checkpointType() == null ? String.valueOf(c.tinkerPath()).contains("/weights/")
        : c.checkpointType().equals("training");
    return new Checkpoint(String.valueOf(c.tinkerPath()), resumable, time(c.time()),
        c.sizeBytes() == null ? OptionalLong.empty() : OptionalLong.of(c.sizeBytes()), time(c.expiresAt()),
        Optional.ofNullable(c.baseModel()), c.userMetadata() == null ? Map.of() : c.userMetadata());
  }

  private static Optional<Instant> time(String text) {
    if (text == null) {
      return Optional.empty();
    }
    try {
      // Some services leave the zone out, which is UTC.
      return Optional.of(OffsetDateTime.parse(text.matches(".*(Z|[+-]\\d\\d:?\\d\\d)") ? text : text + "Z").toInstant());
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  @Override
  public void delete(String path) {
    owner.session().config();
    ApiRequest ask = ApiRequest.delete(TinkerPath.parse(path).resources(false).get(0), "deleting " + path);
    RetryingClient.Reply reply = calls.send(ask);
    boolean gone = reply.repeated() && reply.answer().status() == 404;
    if (!reply.answer().ok() && !gone) {
      throw calls.problems().of(reply.answer(), ask.what());
    }
  }

  @Override
  public void expire(String path, Optional<Duration> after) {
    owner.session().config();
    ApiRequest ask = ApiRequest.put(TinkerPath.parse(path).resources(false).get(0) + "/ttl",
        new Checkpoints.Ttl(after.map(Duration::toSeconds).orElse(null)), "setting the time to live of " + path);
    ApiResponse answer = calls.send(ask).answer();
    if (answer.status() == 404 || answer.status() == 405) {
      throw new ServiceException(ask.what() + ": " + calls.problems().host() + " does not know the checkpoint, or no time "
          + "to live: " + calls.problems().detail(answer), answer.status());
    }
    if (!answer.ok()) {
      throw calls.problems().of(answer, ask.what());
    }
  }

  @Override
  public String copy(String path) {
    Session session = owner.session();
    ApiRequest ask = ApiRequest.post(Paths.COPY_WEIGHTS, new Weights.Copy(session.id(), session.nextModel(),
        TinkerPath.parse(path).toString(), null), "copying " + path);
    ApiResponse answer = calls.send(ask).answer();
    if (answer.isUnknown()) {
      throw new ServiceException(ask.what() + ": " + calls.problems().host() + " does not know the checkpoint, or does not copy "
          + "any: " + calls.problems().detail(answer), answer.status());
    }
    if (!answer.ok()) {
      throw calls.problems().of(answer, ask.what());
    }
    String copied = calls.read(answer, ask.what(), Weights.Copied.class).tinkerPath();
    if (copied == null) {
      throw calls.problems().strange(ask.what(), new WireException("no tinker_path"));
    }
    return copied;
  }

  @Override
  public void download(String path, Path directory) {
    owner.session().config();
    TinkerPath checkpoint = TinkerPath.parse(path);
    unpacked(checkpoint, unpacked -> AdapterDirectory.write(unpacked, directory, baseModel(checkpoint)));
  }

  private String baseModel(TinkerPath checkpoint) {
    ApiResponse answer = calls.send(ApiRequest.get(Paths.TRAINING_RUNS + "/" + checkpoint.run(), "asking for the base model")).answer();
    String name = answer.ok() ? calls.read(answer, "the training", Checkpoints.TrainingRun.class).baseModel() : null;
    return name == null ? "" : name;
  }

  /** Downloads a checkpoint, gives its files to be used, and deletes them. */
  void unpacked(TinkerPath checkpoint, Snapshots.Use use) {
    try {
      Path temporary = Snapshots.temporary();
      try {
        Path archive = temporary.resolve("archive");
        fetch(checkpoint, archive);
        Path unpacked = Files.createDirectory(temporary.resolve("unpacked"));
        Tar.unpack(archive, unpacked);
        use.of(unpacked);
      } finally {
        try (Stream<Path> files = Files.walk(temporary)) {
          for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
            Files.deleteIfExists(file);
          }
        }
      }
    } catch (IOException e) {
      throw Snapshots.files(e);
    }
  }

  private void fetch(TinkerPath checkpoint, Path into) throws IOException {
    ApiResponse answer = archive(checkpoint);
    String what = "downloading " + checkpoint;
    Optional<String> location = answer.header("Location");
    if (answer.ok()) {
      if (!answer.header("Content-Type").orElse("").contains("json")) {
        Files.write(into, answer.body());
        return;
      }
      location = Optional.ofNullable(calls.read(answer, what, Checkpoints.Archive.class).url());
    } else if (answer.status() < 300 || answer.status() >= 400) {
      throw calls.problems().of(answer, what);
    }
    String url = location.orElseThrow(() -> calls.problems().strange(what, new WireException("no address")));
    for (int failures = 0;; failures++) {
      try {
        calls.http().download(url, calls.auth().token(calls), in -> {
          try (var out = Files.newOutputStream(into)) {
            in.transferTo(out);
          }
        });
        return;
      } catch (IOException e) {
        if (failures == 5) {
          throw calls.problems().unreachable(what, e);
        }
        calls.workers().sleep(calls.patience().pause(failures));
      }
    }
  }

  /** Where the archive is; asks again while it is being built, and by the other name if there is none of the first. */
  private ApiResponse archive(TinkerPath checkpoint) {
    ApiResponse answer = null;
    for (String resource : checkpoint.resources(true)) {
      ApiRequest ask = ApiRequest.get(resource + "/archive", "downloading " + checkpoint).withoutRedirects();
      for (int tries = 0; tries < BUILDING; tries++) {
        answer = calls.send(ask, calls.patience().budget(), status -> status == 503 || status == 425).answer();
        if (answer.status() != 503 && answer.status() != 425) {
          break;
        }
        calls.workers().sleep(60 * calls.patience().unit());
      }
      // To SkyRL a path with a kind is one that can be deleted only.
      if (answer.status() != 404 && answer.status() != 405) {
        return answer;
      }
    }
    return answer;
  }
}

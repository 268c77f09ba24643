package dev.fettle;

import dev.fettle.internal.Interruption;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.checkpoint.Claim;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where a loop of one's own will save: checked before the first step, and reserved until it is closed.
 *
 * <pre>{@code
 * try (Destination out = Destination.replacing(Path.of("my-adapter"))) {
 *   for (Batch batch : batches) {
 *     training.step(batch, Loss.crossEntropy(), settings);
 *     if (out.stopAsked()) {
 *       break;
 *     }
 *   }
 *   training.saveAdapter(out.path());
 * }
 * }</pre>
 *
 * <p>The factories reject a place where nothing could be saved, or that another process or thread has reserved; the
 * message says why, or who. The end of a process, however it comes, frees its places. One thread may reserve a place
 * several times: a recipe may save to a directory that the program has reserved. Recipes do all this by themselves. Used
 * by one thread.
 */
public final class Destination implements AutoCloseable {
  private final Path path;
  private final Claim claim;
  private final boolean made;
  private @Nullable Interruption interruption;
  private boolean closed;

  private Destination(Path path, Claim claim, boolean made) {
    this.path = path;
    this.claim = claim;
    this.made = made;
  }

  /**
   * A directory that {@link Training#saveAdapter}, {@link Training#saveMerged} or {@link Training#saveState} will write:
   * one that is not there, is empty, or was saved by Fettle.
   *
   * @throws InvalidInputException if it holds a file that Fettle did not write, other than a README and the like, cannot
   *     be written, or is reserved by another
   */
  public static Destination replacing(Path directory) {
    AtomicFiles.rehearse(Objects.requireNonNull(directory, "directory"));
    return new Destination(directory, Claim.of(directory), false);
  }

  /**
   * A directory that several files will be written into; it is made, and goes again if it is still empty when this is closed.
   *
   * @throws InvalidInputException if no file can be written there, or it is reserved by another
   */
  public static Destination within(Path directory) {
    boolean made = !Files.exists(Objects.requireNonNull(directory, "directory"));
    AtomicFiles.rehearseWithin(directory);
    return new Destination(directory, Claim.within(directory), made);
  }

  /**
   * A file that will be written or replaced.
   *
   * @throws InvalidInputException if it is a directory, cannot be written, or is reserved by another
   */
  public static Destination file(Path file) {
    AtomicFiles.rehearseFile(Objects.requireNonNull(file, "file"));
    return new Destination(file, Claim.of(file), false);
  }

  /** Where it is, as it was given. */
  public Path path() {
    return path;
  }

  /**
   * Whether the process was told to end, by Ctrl-C or SIGTERM. The loop that asks after each step then ends and saves:
   * from the first question on, such a signal no longer ends the process at once but when this is closed, the thread has
   * ended, or an hour has passed. The program then has two seconds to say what it has to. A second signal ends the process
   * at once; saving leaves nothing half-written.
   */
  public boolean stopAsked() {
    if (interruption == null && !closed) {
      interruption = Interruption.awaiting(path + ": told to end; the step under way is finished and saved first, Ctrl-C "
          + "again ends at once");
    }
    return Interruption.asked();
  }

  /** Frees the place for others, and signals end the process again. Idempotent. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    claim.close();
    if (made) {
      AtomicFiles.deleteIfEmpty(path);
    }
    if (interruption != null) {
      interruption.close();
    }
  }

  @Override
  public String toString() {
    return OneLine.of("Destination", path.toString());
  }
}

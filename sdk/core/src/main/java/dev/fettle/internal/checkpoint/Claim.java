package dev.fettle.internal.checkpoint;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.Linux;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.LocalDateTime;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * That one process, and one thread of it, alone writes to a place. The system ends it with the process, however that
 * ends. The same thread may claim a place again; it is free when each of these claims is closed.
 */
public final class Claim implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Claim.class);
  private static final Map<Path, Claim> HELD = new HashMap<>();
  /** Far behind the text: on Windows nobody else can read what is locked. */
  private static final long LOCKED_BYTE = Long.MAX_VALUE - 1;
  private static final String HERE = "another run of this process";
  private static final int TEXT_BYTES = 500;

  private final Path file;
  private final Thread holder = Thread.currentThread();
  private final FileChannel channel;
  private int count = 1;

  private Claim(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Claims a file or a directory that is replaced as a whole; the note of it is beside it.
   *
   * @throws InvalidInputException if someone else has it; the message says who
   */
  public static Claim of(Path target) {
    Path real = AtomicFiles.real(target);
    return take(target, real.resolveSibling("." + real.getFileName() + ".fettle-lock"));
  }

  /** Claims a directory into which files are written; the note of it is within. */
  public static Claim within(Path directory) {
    return take(directory, AtomicFiles.real(directory).resolve(".fettle-lock"));
  }

  private static synchronized Claim take(Path target, Path named) {
    try {
      Path file = named.getParent().toRealPath().resolve(named.getFileName());
      Claim held = HELD.get(file);
      if (held != null && held.holder != Thread.currentThread()) {
        throw taken(target, HERE);
      } else if (held != null) {
        held.count++;
        return held;
      }
      Claim claim = new Claim(file, locked(target, file));
      HELD.put(file, claim);
      return claim;
    } catch (IOException e) {
      throw new FettleException(target + ": cannot be claimed: " + FileErrors.whyUnsaved(named, e), e);
    }
  }

  private static FileChannel locked(Path target, Path file) throws IOException {
    while (true) {
      FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
          StandardOpenOption.WRITE);
      try {
        Object opened = key(file);
        if (!lock(target, channel)) {
          throw taken(target, text(channel));
        }
        // The one before may have deleted the file between the opening and the lock: then another one has its name.
        if (opened != null && opened.equals(key(file)) || opened == null && Files.exists(file)) {
          channel.truncate(0).write(ByteBuffer.wrap(self().getBytes(StandardCharsets.UTF_8)), 0);
          FileChannel kept = channel;
          channel = null;
          return kept;
        }
      } finally {
        if (channel != null) {
          channel.close();
        }
      }
    }
  }

  private static boolean lock(Path target, FileChannel channel) {
    try {
      return channel.tryLock(LOCKED_BYTE, 1, false) != null;
    } catch (OverlappingFileLockException e) {
      throw taken(target, HERE);
    } catch (IOException e) {
      LOG.warn("{}: this file system has no locks, so a second run that writes there is not noticed", target);
      return true;
    }
  }

  private static Object key(Path file) throws IOException {
    try {
      return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).fileKey();
    } catch (NoSuchFileException e) {
      return new Object();
    }
  }

  private static InvalidInputException taken(Path target, String who) {
    return new InvalidInputException(target + ": " + (who.isBlank() ? "another process" : who) + " writes there; wait until "
        + "it has ended, or name another place");
  }

  private static String text(FileChannel channel) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(TEXT_BYTES);
    channel.read(bytes, 0);
    return StandardCharsets.UTF_8.decode(bytes.flip()).toString();
  }

  /** This process as others are told of it; of its command line the program alone, as the rest may be secret. */
  private static String self() {
    String program = Objects.toString(System.getProperty("sun.java.command"), "").split(" ")[0];
    return "process " + ProcessHandle.current().pid() + (program.isEmpty() ? "" : " (" + program + ")") + host() + ", since "
        + LocalDateTime.now().truncatedTo(ChronoUnit.SECONDS).toString().replace('T', ' ') + ",";
  }

  private static String host() {
    return Linux.HERE.hostName().map(name -> " on " + name).orElse("");
  }

  @Override
  public void close() {
    synchronized (Claim.class) {
      if (count == 0 || --count > 0) {
        return;
      }
      HELD.remove(file);
      try (channel) {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        LOG.warn("{} could not be deleted: {}; it does no harm", file, e.toString());
      }
    }
  }
}

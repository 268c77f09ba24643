package dev.fettle.internal.hub;

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Native;
import dev.fettle.FettleException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Held by one thread of one process at a time. Python's tools take {@code flock} on the same file, which Java's own
 * locks do not see on Linux; on Windows both are the same. The file stays: deleting it would let two hold it.
 */
final class Lock implements AutoCloseable {
  private static final Map<Path, ReentrantLock> HERE = new ConcurrentHashMap<>();
  private static final long PAUSE_MILLIS = 50;
  private static final int READ_WRITE = 2;
  private static final int EXCLUSIVE_NOW = 2 | 4;

  /** C library functions, as JNA binds them. */
  interface LibC extends Library {
    int open(String path, int flags) throws LastErrorException;

    int flock(int descriptor, int operation) throws LastErrorException;

    int close(int descriptor) throws LastErrorException;
  }

  private final ReentrantLock here;
  private final FileChannel channel;
  private final int descriptor;

  private Lock(ReentrantLock here, FileChannel channel, int descriptor) {
    this.here = here;
    this.channel = channel;
    this.descriptor = descriptor;
  }

  /** Waits for it; whoever takes it closes it. The callback is called once if there is something to wait for. */
  static Lock take(Path file, Runnable waiting) throws IOException {
    Files.createDirectories(file.getParent());
    ReentrantLock here = HERE.computeIfAbsent(file.toAbsolutePath().normalize(), f -> new ReentrantLock());
    try {
      if (!here.tryLock()) {
        waiting.run();
        here.lockInterruptibly();
      }
    } catch (InterruptedException e) {
      throw interrupted(file);
    }
    FileChannel channel = null;
    int descriptor = -1;
    try {
      channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      descriptor = Holder.LIBC == null ? -1 : open(file);
      for (boolean first = true; !locked(channel, descriptor); first = false) {
        if (first) {
          waiting.run();
        }
        Thread.sleep(PAUSE_MILLIS);
      }
      Lock lock = new Lock(here, channel, descriptor);
      channel = null;
      return lock;
    } catch (InterruptedException e) {
      throw interrupted(file);
    } finally {
      if (channel != null) {
        new Lock(here, channel, descriptor).close();
      }
    }
  }

  private static FettleException interrupted(Path file) {
    Thread.currentThread().interrupt();
    return new FettleException("interrupted while another download held " + file);
  }

  private static int open(Path file) {
    try {
      return Holder.LIBC.open(file.toString(), READ_WRITE | Holder.CLOSE_ON_EXEC);
    } catch (LastErrorException e) {
      return -1;
    }
  }

  private static boolean locked(FileChannel channel, int descriptor) throws IOException {
    if (descriptor >= 0) {
      try {
        return Holder.LIBC.flock(descriptor, EXCLUSIVE_NOW) == 0;
      } catch (LastErrorException e) {
        if (e.getErrorCode() == Holder.WOULD_BLOCK || e.getErrorCode() == Holder.INTERRUPTED) {
          return false;
        }
        // This file system has no such locks.
      }
    }
    FileLock lock = channel.tryLock(0, 1, false);
    return lock != null;
  }

  @Override
  public void close() {
    try {
      if (descriptor >= 0) {
        Holder.LIBC.close(descriptor);
      }
      channel.close();
    } catch (IOException | LastErrorException e) {
      // The end of the process frees it.
    } finally {
      here.unlock();
    }
  }

  private static final class Holder {
    private static final boolean MAC = System.getProperty("os.name", "").startsWith("Mac");
    static final int CLOSE_ON_EXEC = MAC ? 0x1000000 : 0x80000;
    static final int WOULD_BLOCK = MAC ? 35 : 11;
    static final int INTERRUPTED = 4;
    static final LibC LIBC = load();

    private static LibC load() {
      if (!MAC && !System.getProperty("os.name", "").equals("Linux")) {
        return null;
      }
      try {
        return Native.load("c", LibC.class);
      } catch (LinkageError | RuntimeException e) {
        return null;
      }
    }
  }
}

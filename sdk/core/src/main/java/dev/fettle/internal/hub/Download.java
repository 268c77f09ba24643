package dev.fettle.internal.hub;

import dev.fettle.FettleException;
import dev.fettle.ServiceException;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.Status;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One content on its way into the cache: {@code ETAG.incomplete} until it is whole and what its ETag promises. */
final class Download {
  private static final Logger LOG = LoggerFactory.getLogger(Download.class);
  private static final int BUFFER = 1 << 18;
  private static final double MEGA = 1e6;

  private final Client client;
  private final Retries retries;
  private final Repository repository;
  private final String file;
  private final Client.Facts facts;
  private final Path blob;
  private final Path partial;
  private final long start = System.nanoTime();
  private long arrived;

  Download(Client client, Retries retries, Repository repository, String file, Client.Facts facts, Path blob) {
    this.client = client;
    this.retries = retries;
    this.repository = repository;
    this.file = file;
    this.facts = facts;
    this.blob = blob;
    this.partial = blob.resolveSibling(facts.etag() + ".incomplete");
  }

  /** Fetches what is missing; the lock of the content is held. */
  void run() throws IOException {
    Files.createDirectories(blob.getParent());
    boolean resumed = size() > 0;
    fetch();
    if (resumed && !Checksum.fits(partial, facts.etag())) {
      // What an earlier process left was not what it should have been.
      Files.delete(partial);
      fetch();
    }
    if (!Checksum.fits(partial, facts.etag())) {
      Files.delete(partial);
      throw new ServiceException(repository + ": " + file + " arrived with another checksum than the hub gives for it ("
          + facts.etag() + "); it was deleted. Call again to fetch it anew", 0);
    }
    try (FileChannel channel = FileChannel.open(partial, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
    Files.move(partial, blob, StandardCopyOption.ATOMIC_MOVE);
    LOG.info("downloaded {} of {}: {} bytes", file, repository, Files.size(blob));
  }

  private long size() throws IOException {
    return Files.isRegularFile(partial) ? Files.size(partial) : 0;
  }

  private void fetch() throws IOException {
    if (facts.size() >= 0 && size() > facts.size()) {
      Files.delete(partial);
    }
    requireSpace();
    try {
      retries.run(repository + ": " + file + " cannot be downloaded", this::size, () -> {
        long from = size();
        if (from == 0 || from != facts.size()) {
          attempt(from);
        }
        if (facts.size() >= 0 && size() != facts.size()) {
          throw new IOException("it ended after " + size() + " of " + facts.size() + " bytes");
        }
        return null;
      });
    } finally {
      Status.doing(this, null);
    }
  }

  private void attempt(long from) throws IOException {
    try {
      client.content(repository, facts.commit(), file, from, this::take);
    } catch (Client.Transient e) {
      if (from > 0 && e.getMessage().startsWith("status 416")) {
        Files.deleteIfExists(partial);
      }
      throw e;
    }
  }

  private void take(InputStream in, long from) throws IOException {
    byte[] buffer = new byte[BUFFER];
    try (FileChannel out = FileChannel.open(partial, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      out.truncate(from);
      out.position(from);
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        write(out, ByteBuffer.wrap(buffer, 0, n));
        arrived += n;
        tell(out.position());
      }
    }
  }

  private void write(FileChannel out, ByteBuffer bytes) throws ClosedByInterruptException {
    try {
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
    } catch (ClosedByInterruptException e) {
      throw e;
    } catch (IOException e) {
      throw new FettleException(partial + ": cannot be written: " + FileErrors.reason(partial, e)
          + "; make room or let HF_HOME name "
          + "a directory with more of it, and call again: what has arrived is kept", e);
    }
  }

  private void requireSpace() throws IOException {
    long needed = facts.size() - size();
    long usable = Files.getFileStore(blob.getParent()).getUsableSpace();
    if (facts.size() >= 0 && usable < needed) {
      throw new FettleException(String.format(Locale.ROOT, "%s: %s needs %,.1f MB more, and %s has room for %,.1f MB; "
          + "make room or let HF_HOME name a directory with more of it", repository, file, needed / MEGA,
          blob.getParent(), usable / MEGA));
    }
  }

  private void tell(long position) {
    double seconds = (System.nanoTime() - start) / 1e9;
    double rate = arrived / Math.max(seconds, 1e-3);
    String of = facts.size() < 0 ? "" : String.format(Locale.ROOT, " of %,.0f", facts.size() / MEGA);
    String left = facts.size() < 0 || seconds < 1 ? ""
        : String.format(Locale.ROOT, ", %.0f s left", (facts.size() - position) / rate);
    Status.doing(this, String.format(Locale.ROOT, "%s: %,.0f%s MB, %.1f MB/s%s", file, position / MEGA, of,
        rate / MEGA, left));
  }
}

package dev.fettle.internal.data;

import dev.fettle.ranking.Triple;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/** The triples of files, read as they are asked for: one line is held at a time. */
public final class TripleCursor implements Iterator<Triple> {
  private final Iterator<Path> files;
  private Lines lines;
  private Iterator<Triple> ready = List.<Triple>of().iterator();

  /** Opens no file yet, but refuses a list without any. */
  public TripleCursor(List<Path> files) {
    this.files = FileSource.checked(files, Format.JSONL).iterator();
  }

  @Override
  public boolean hasNext() {
    while (!ready.hasNext()) {
      if (lines != null && RetrievalFiles.row(lines, RetrievalFiles.TRIPLE,
          node -> ready = RetrievalFiles.triples(node).iterator())) {
        continue;
      }
      if (!files.hasNext()) {
        return false;
      }
      lines = new Lines(files.next());
    }
    return true;
  }

  @Override
  public Triple next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return ready.next();
  }
}

package dev.fettle.internal.data;

import dev.fettle.Example;
import java.util.Iterator;
import java.util.NoSuchElementException;

/** The examples of one pass. After an error every call throws it again. */
public final class ExampleCursor implements Iterator<Example> {
  private final Cursor cursor;
  private Item ahead;
  private boolean ended;
  private RuntimeException failure;

  /** Takes over a cursor. */
  public ExampleCursor(Cursor cursor) {
    this.cursor = cursor;
  }

  @Override
  public boolean hasNext() {
    if (ahead == null && !ended && failure == null) {
      try {
        ahead = cursor.next();
        ended = ahead == null;
      } catch (RuntimeException e) {
        failure = e;
        cursor.close();
      }
    }
    if (failure != null) {
      throw failure;
    }
    return ahead != null;
  }

  @Override
  public Example next() {
    if (!hasNext()) {
      throw new NoSuchElementException("no example is left");
    }
    Example example = ahead.example();
    ahead = null;
    return example;
  }
}

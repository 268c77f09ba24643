package dev.fettle.internal.serve;

import dev.fettle.internal.wire.Checkpoints.Cursor;
import java.util.List;

/** Which part of a list a client asks for. */
record Page(int offset, int limit) {
  static Page of(Request request, int standard) {
    return new Page(request.number("offset", 0, Integer.MAX_VALUE), request.number("limit", standard, 10_000));
  }

  <T> List<T> cut(List<T> all) {
    int from = Math.min(offset, all.size());
    return all.subList(from, from + Math.min(limit, all.size() - from));
  }

  Cursor cursor(List<?> all) {
    return new Cursor(offset, limit, all.size());
  }
}

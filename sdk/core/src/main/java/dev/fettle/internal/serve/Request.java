package dev.fettle.internal.serve;

import com.sun.net.httpserver.Headers;
import dev.fettle.internal.wire.WireJson;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * An HTTP request whose body has been read.
 *
 * @param path the segments after {@code /api/v1/}
 */
record Request(String method, List<String> path, Map<String, String> query, Headers headers, byte[] body) {
  /** The message in the body. */
  <T> T read(Class<T> type) {
    return WireJson.request(body, type);
  }

  String header(String name) {
    String value = headers.getFirst(name);
    return value == null ? "" : value;
  }

  boolean contains(String name, String value) {
    return header(name).toLowerCase(Locale.ROOT).contains(value);
  }

  /** A whole number of the query, within bounds. */
  int number(String name, int standard, int most) {
    String text = query.get(name);
    if (text == null) {
      return standard;
    }
    try {
      return Math.min(most, Integer.parseUnsignedInt(text));
    } catch (NumberFormatException e) {
      throw new Problem(422, name + " is \"" + text + "\": give a whole number, at least 0");
    }
  }

  String segment(int index) {
    return path.get(index);
  }
}

package dev.fettle.internal.torch;

import ai.djl.pytorch.jni.JniUtils;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where the time within kernels goes, by libtorch's operations, as libtorch's own profiler sees it: on the thread that starts
 * it, which each operation keeps longer for as long as it is watched. One at a time in a process.
 */
public final class OperationProfile {
  private OperationProfile() {}

  /**
   * An operation, or a function of the kernels: what it takes beside the operations in it is the interpreter's.
   *
   * @param seconds spent in it, those in operations that it calls left out
   */
  public record Operation(double seconds, long calls) {
    /** Both together. */
    public Operation plus(Operation other) {
      return new Operation(seconds + other.seconds, calls + other.calls);
    }
  }

  private record Event(String name, int thread, double start, double microseconds) {}

  /** Begins to watch this thread. */
  public static void start() {
    JniUtils.startProfile(false, false, false);
  }

  /** Ends watching, on the thread that began it; all that was seen, by name. */
  public static Map<String, Operation> stop() {
    try {
      Path file = Files.createTempFile("fettle-profile", ".json");
      try {
        JniUtils.stopProfile(file.toString());
        return operations(JsonReader.STANDARD.read(Files.readAllBytes(file)));
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Map<String, Operation> operations(JsonNode trace) {
    List<Event> events = new ArrayList<>();
    for (JsonNode e : trace.values()) {
      if (e.has("dur")) {
        events.add(new Event(e.get("name").stringValue(), e.get("tid").intValue(), e.get("ts").doubleValue(), e.get("dur").doubleValue()));
      }
    }
    // What encloses another begins no later and is no shorter.
    events.sort(Comparator.comparingInt(Event::thread).thenComparingDouble(Event::start)
        .thenComparing(Comparator.comparingDouble(Event::microseconds).reversed()));
    Map<String, Operation> out = new TreeMap<>();
    Map<Integer, Deque<Event>> open = new HashMap<>();
    for (Event event : events) {
      Deque<Event> around = open.computeIfAbsent(event.thread, t -> new ArrayDeque<>());
      while (!around.isEmpty() && around.peek().start + around.peek().microseconds <= event.start) {
        around.pop();
      }
      if (!around.isEmpty()) {
        add(out, around.peek().name, -event.microseconds, 0);
      }
      add(out, event.name, event.microseconds, 1);
      around.push(event);
    }
    return out;
  }

  private static void add(Map<String, Operation> to, String name, double microseconds, long once) {
    to.merge(name, new Operation(microseconds / 1e6, once), Operation::plus);
  }
}

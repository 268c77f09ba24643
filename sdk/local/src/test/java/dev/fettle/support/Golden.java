package dev.fettle.support;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reference values made by the scripts in src/test/golden, and the shared models where they are present. */
public final class Golden {
  private Golden() {}

  /** A file or directory among the golden resources. */
  public static Path path(String name) {
    URL url = Golden.class.getResource("/golden/" + name);
    if (url == null) {
      throw new IllegalArgumentException("no golden resource " + name);
    }
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A golden JSON file. */
  public static JsonNode json(String name) {
    return json(path(name));
  }

  /** A JSON file. */
  public static JsonNode json(Path file) {
    try {
      return JsonReader.STANDARD.read(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A path below shared/; the test is skipped where it is absent. */
  public static Path shared(String name) {
    Path path = Path.of(System.getProperty("fettle.shared", "../shared")).resolve(name);
    assumeTrue(Files.exists(path), () -> "skipped: " + path.toAbsolutePath() + " is not here");
    return path;
  }

  /** A JSON array of numbers. */
  public static float[] floats(JsonNode array) {
    float[] out = new float[array.size()];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) array.get(i).asDouble();
    }
    return out;
  }

  /** A JSON array of integers. */
  public static int[] ints(JsonNode array) {
    int[] out = new int[array.size()];
    for (int i = 0; i < out.length; i++) {
      out[i] = array.get(i).asInt();
    }
    return out;
  }

  /** The largest difference between two arrays of one length. */
  public static double maxDifference(float[] a, float[] b) {
    if (a.length != b.length) {
      throw new IllegalArgumentException(a.length + " values against " + b.length);
    }
    double max = 0;
    for (int i = 0; i < a.length; i++) {
      double d = Math.abs(a[i] - b[i]);
      max = Double.isNaN(d) ? Double.POSITIVE_INFINITY : Math.max(max, d);
    }
    return max;
  }

  /** |a - b| / |b|, the relative difference of two vectors. */
  public static double relativeDifference(float[] a, float[] b) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < b.length; i++) {
      difference += (a[i] - b[i]) * (double) (a[i] - b[i]);
      norm += b[i] * (double) b[i];
    }
    return Math.sqrt(difference) / Math.sqrt(norm);
  }
}

package dev.fettle.internal.gguf;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.Quote;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The keys and values at the head of a GGUF, in its order. Reading one in another type than it has fails naming file and key.
 * Not thread-safe while it is filled.
 */
public final class Metadata {
  /**
   * A value: a Long, Double, Boolean or String; of an array long[], double[], boolean[] or String[].
   *
   * @param type its type, or that of an array's elements
   */
  record Value(ValueType type, Object content) {
    boolean isArray() {
      return content.getClass().isArray();
    }

    @Override
    public String toString() {
      return isArray() ? "a list of " + type : type + " " + content;
    }
  }

  private final String source;
  private final Map<String, Value> values = new LinkedHashMap<>();

  /** None yet; source names the file in errors. */
  public Metadata(String source) {
    this.source = source;
  }

  /** The file. */
  public String source() {
    return source;
  }

  Map<String, Value> values() {
    return values;
  }

  /** Puts a text. */
  public Metadata put(String key, String value) {
    return put(key, ValueType.STRING, value);
  }

  /** Puts a whole number of 32 bits without a sign. */
  public Metadata put(String key, long value) {
    return put(key, ValueType.U32, value);
  }

  /** Puts a 32-bit floating-point number. */
  public Metadata put(String key, double value) {
    return put(key, ValueType.F32, (double) (float) value);
  }

  /** Puts yes or no. */
  public Metadata put(String key, boolean value) {
    return put(key, ValueType.BOOL, value);
  }

  /** Puts a list of texts. */
  public Metadata put(String key, String[] value) {
    return put(key, ValueType.STRING, value);
  }

  /** Puts a list of 32-bit whole numbers. */
  public Metadata put(String key, long[] value) {
    return put(key, ValueType.I32, value);
  }

  /** Puts a list of 32-bit floating-point numbers. */
  public Metadata put(String key, double[] value) {
    return put(key, ValueType.F32, value);
  }

  /** Puts a list of yes and no. */
  public Metadata put(String key, boolean[] value) {
    return put(key, ValueType.BOOL, value);
  }

  /** Puts bytes. */
  public Metadata putBytes(String key, long[] value) {
    return put(key, ValueType.U8, value);
  }

  Metadata put(String key, ValueType type, Object content) {
    values.put(key, new Value(type, content));
    return this;
  }

  /** All keys. */
  public Set<String> keys() {
    return values.keySet();
  }

  /** Whether a key is there. */
  public boolean has(String key) {
    return values.containsKey(key);
  }

  /** A text, if it is there. */
  public Optional<String> text(String key) {
    return find(key, String.class, "a text");
  }

  /** A text that must be there. */
  public String requiredText(String key) {
    return text(key).orElseThrow(() -> missing(key));
  }

  /** A whole number within bounds, if it is there. */
  public OptionalInt whole(String key, int min, int max) {
    OptionalLong found = find(key, Long.class, "a whole number").map(OptionalLong::of).orElse(OptionalLong.empty());
    if (found.isPresent() && (found.getAsLong() < min || found.getAsLong() > max)) {
      throw invalid(key, "a whole number from " + min + " to " + max);
    }
    return found.isEmpty() ? OptionalInt.empty() : OptionalInt.of((int) found.getAsLong());
  }

  /** A whole number within bounds that must be there. */
  public int requiredWhole(String key, int min, int max) {
    return whole(key, min, max).orElseThrow(() -> missing(key));
  }

  /** A finite number, if it is there. */
  public Optional<Double> number(String key) {
    Optional<Double> found = find(key, Double.class, "a number");
    if (found.isPresent() && !Double.isFinite(found.get())) {
      throw invalid(key, "a finite number");
    }
    return found;
  }

  /** Yes or no, if it is there. */
  public Optional<Boolean> yes(String key) {
    return find(key, Boolean.class, "true or false");
  }

  /** A list of texts, if it is there. */
  public Optional<List<String>> texts(String key) {
    return find(key, String[].class, "a list of texts").map(Arrays::asList);
  }

  /** A list of whole numbers, if it is there. */
  public Optional<long[]> wholes(String key) {
    return find(key, long[].class, "a list of whole numbers");
  }

  /** A list of numbers, if it is there. */
  public Optional<double[]> numbers(String key) {
    return find(key, double[].class, "a list of numbers");
  }

  /** A list of yes and no, if it is there. */
  public Optional<boolean[]> flags(String key) {
    return find(key, boolean[].class, "a list of true and false");
  }

  private <T> Optional<T> find(String key, Class<T> type, String what) {
    Value value = values.get(key);
    if (value == null) {
      return Optional.empty();
    }
    if (!type.isInstance(value.content)) {
      throw invalid(key, what);
    }
    return Optional.of(type.cast(value.content));
  }

  /** What is said where a key is missing. */
  public InvalidInputException missing(String key) {
    return new InvalidInputException(source + ": the metadata has no " + key + ", without which the model cannot be read");
  }

  /** What is said where a value is not as it must be. */
  public InvalidInputException invalid(String key, String must) {
    return new InvalidInputException(source + ": " + key + " is " + Quote.line(String.valueOf(values.get(key))) + "; it must be " + must);
  }
}

package dev.fettle;

import dev.fettle.internal.NoNulls;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * Which service {@link Fettle#remote(Remote)} talks to, and how. Immutable; each method returns a changed copy. The key
 * is in no text that Fettle writes.
 *
 * <p>Programs are the same as on this machine, with these differences: the service chooses the compute type; only rank,
 * seed and whole kinds of modules of a {@link Lora} can be asked for, and {@link Full#all()} where the service takes it;
 * {@link Training#step} submits the optimizer's step without waiting for the pass, so a pass that fails does not hold it
 * back; a gradient that has accumulated is not part of a saved state; {@link Sampler#stream} gives its tokens when the
 * sample is whole; {@link OptimResult#gradientNorm()} is NaN where the service does not tell it.
 */
public final class Remote {
  /** The service of Thinking Machines. */
  public static final URI HOSTED = URI.create("https://tinker.thinkingmachines.dev/services/tinker-prod");
  /** How long a request may take unless {@link #deadline} is called. */
  public static final Duration DEFAULT_DEADLINE = Duration.ofHours(2);

  /** Set to 1 where every program may use http without TLS, as in a closed network. */
  private static final String PLAIN_HTTP = "FETTLE_PLAIN_HTTP";

  private final URI uri;
  private final Supplier<String> key;
  private final boolean plainHttp;
  private final Duration deadline;
  private final Map<String, String> metadata;

  private Remote(URI uri, Supplier<String> key, boolean plainHttp, Duration deadline, Map<String, String> metadata) {
    this.uri = uri;
    this.key = key;
    this.plainHttp = plainHttp;
    this.deadline = deadline;
    this.metadata = metadata;
  }

  /**
   * The service at a base URL, without or with {@code /api/v1}, with the key of the environment variable TINKER_API_KEY.
   *
   * @throws InvalidInputException if it is no http or https URL, or holds a user name, a query or a fragment
   */
  public static Remote at(URI uri) {
    String scheme = String.valueOf(Objects.requireNonNull(uri, "uri").getScheme());
    if (!scheme.equalsIgnoreCase("http") && !scheme.equalsIgnoreCase("https") || uri.getHost() == null) {
      throw new InvalidInputException("the service's URL has to be like https://host or http://localhost:8000");
    }
    if (uri.getRawUserInfo() != null || uri.getRawQuery() != null || uri.getRawFragment() != null) {
      throw new InvalidInputException("the URL of the service at " + uri.getHost() + " holds a user name, a query or a "
          + "fragment: leave them out; the key is given by key() or TINKER_API_KEY");
    }
    return new Remote(withoutCalls(uri), () -> System.getenv("TINKER_API_KEY"), "1".equals(System.getenv(PLAIN_HTTP)),
        DEFAULT_DEADLINE, Map.of());
  }

  /** What calls are added to. */
  private static URI withoutCalls(URI uri) {
    String text = uri.toString();
    return URI.create(text.replaceFirst("/api/v1/*$", ""));
  }

  /**
   * The service of TINKER_BASE_URL, or {@link #HOSTED} where that is not set.
   *
   * @throws InvalidInputException if the variable holds no such URL
   */
  public static Remote fromEnv() {
    String value = System.getenv("TINKER_BASE_URL");
    try {
      return at(value == null || value.isBlank() ? HOSTED : URI.create(value.strip()));
    } catch (IllegalArgumentException e) {
      throw new InvalidInputException("TINKER_BASE_URL is not a URL");
    }
  }

  /** With a key; it is asked for when it is needed, again and again, so that it may change. Null stands for no key. */
  public Remote key(Supplier<String> supplier) {
    return new Remote(uri, Objects.requireNonNull(supplier, "supplier"), plainHttp, deadline, metadata);
  }

  /**
   * Allows http without TLS to hosts other than this one: whoever is on the way can read key and data. The environment
   * variable FETTLE_PLAIN_HTTP=1 allows it too.
   */
  public Remote allowPlainHttp() {
    return new Remote(uri, key, true, deadline, metadata);
  }

  /**
   * Sets how long a request may take until it fails, queueing included.
   *
   * @throws InvalidInputException if it is not positive
   */
  public Remote deadline(Duration value) {
    if (Objects.requireNonNull(value, "value").isNegative() || value.isZero()) {
      throw new InvalidInputException("deadline " + value + ": give a positive time");
    }
    return new Remote(uri, key, plainHttp, value, metadata);
  }

  /**
   * Has the service note what a client, its trainings and its checkpoints belong to; {@link Checkpoint#metadata()} gives it
   * back. A service that keeps no notes leaves them out.
   *
   * @throws InvalidInputException if a name is empty
   */
  public Remote metadata(Map<String, String> notes) {
    Map<String, String> copy = Map.copyOf(NoNulls.in(notes, "notes"));
    if (copy.keySet().stream().anyMatch(String::isBlank)) {
      throw new InvalidInputException("metadata " + copy + ": a name is empty");
    }
    return new Remote(uri, key, plainHttp, deadline, copy);
  }

  /** The base URL. */
  public URI uri() {
    return uri;
  }

  /** Where the key comes from. */
  public Supplier<String> key() {
    return key;
  }

  /** Whether http without TLS is allowed to other hosts. */
  public boolean isPlainHttpAllowed() {
    return plainHttp;
  }

  /** How long a request may take. */
  public Duration deadline() {
    return deadline;
  }

  /** What the service is to note; empty unless {@link #metadata(Map)} was called. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** The base URL, shortened to fit a line. */
  String address() {
    String text = uri.toString();
    return text.length() > 60 ? text.substring(0, 57) + "..." : text;
  }

  @Override
  public String toString() {
    return "Remote[" + address() + "]";
  }
}

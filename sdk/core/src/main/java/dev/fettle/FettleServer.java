package dev.fettle;

import dev.fettle.internal.FileErrors;
import dev.fettle.internal.serve.Limits;
import dev.fettle.internal.serve.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A server of a model of this process. Clients of OpenAI find it below {@code /v1}: chats, completions, embeddings and rankings
 * by the model or one of its {@linkplain Setup#adapter adapters}; what is under way is sampled together. Clients of the Tinker
 * protocol train and sample it; their requests are carried out one after the other, and clients take turns. What one client may
 * ask for at a time is bounded: 64 MiB a request, or a sixteenth of Java's memory, rank 1024, 16384 data a pass, 1024 samples,
 * 1024 sessions, 256 requests of OpenAI's clients.
 *
 * <pre>{@code
 * try (Fettle fettle = Fettle.local();
 *     FettleServer server = FettleServer.serve(fettle, fettle.load("fettle-tiny")).port(8000).start()) {
 *   server.await();
 * }
 * }</pre>
 *
 * <p>Its threads are daemons. Closing it frees what clients made; the model stays open. Thread-safe.
 */
public final class FettleServer implements AutoCloseable {
  private final Server server;
  private final @Nullable Path temporary;
  private final CountDownLatch closed = new CountDownLatch(1);

  private FettleServer(Server server, @Nullable Path temporary) {
    this.server = server;
    this.temporary = temporary;
  }

  /** A server of a model that a {@link Fettle} has loaded; {@link Setup#start} starts it. */
  public static Setup serve(Fettle fettle, BaseModel model) {
    Objects.requireNonNull(fettle, "fettle");
    Objects.requireNonNull(model, "model");
    return new Setup(fettle, model, model.name(), Map.of(), "127.0.0.1", 0, () -> null, null, Limits.standard());
  }

  /** {@link #serve(Fettle, BaseModel)} of a model that is loaded now. */
  public static Setup serve(Fettle fettle, String model) {
    Objects.requireNonNull(model, "model");
    return serve(fettle, Objects.requireNonNull(fettle, "fettle").load(model));
  }

  /** How a server is to be. Immutable; each method returns a changed copy. */
  public static final class Setup {
    private final Fettle fettle;
    private final BaseModel model;
    private final String name;
    private final Map<String, Path> adapters;
    private final String host;
    private final int port;
    private final Supplier<@Nullable String> token;
    private final @Nullable Path state;
    private final Limits limits;

    private Setup(Fettle fettle, BaseModel model, String name, Map<String, Path> adapters, String host, int port,
        Supplier<@Nullable String> token, @Nullable Path state, Limits limits) {
      this.fettle = fettle;
      this.model = model;
      this.name = name;
      this.adapters = adapters;
      this.host = host;
      this.port = port;
      this.token = token;
      this.state = state;
      this.limits = limits;
    }

    /** What clients call the model; by default the name it was loaded by, which they may use in any case. */
    public Setup name(String value) {
      return new Setup(fettle, model, Objects.requireNonNull(value, "value"), adapters, host, port, token, state, limits);
    }

    /**
     * One adapter more, in PEFT's layout, which clients of OpenAI choose by its name in place of the model's. All share the
     * model's weights.
     *
     * @throws InvalidInputException if there is one of that name already
     */
    public Setup adapter(String adapter, Path directory) {
      Map<String, Path> more = new LinkedHashMap<>(adapters);
      if (more.put(Objects.requireNonNull(adapter, "adapter"), Objects.requireNonNull(directory, "directory")) != null) {
        throw new InvalidInputException("two adapters are called " + adapter + ": give one of them another name");
      }
      return new Setup(fettle, model, name, more, host, port, token, state, limits);
    }

    /**
     * The port to listen at; 0, the default, takes a free one.
     *
     * @throws InvalidInputException if there is no such port
     */
    public Setup port(int value) {
      if (value < 0 || value > 65535) {
        throw new InvalidInputException("port " + value + ": give 0 to 65535");
      }
      return new Setup(fettle, model, name, adapters, host, value, token, state, limits);
    }

    /** The address to listen at; by default only this machine reaches it. Others need a token. */
    public Setup host(String value) {
      return new Setup(fettle, model, name, adapters, Objects.requireNonNull(value, "value"), port, token, state, limits);
    }

    /**
     * What clients have to send as their key (OpenAI's as bearer token). It is asked for at each request, so that it can change;
     * where it is null, the default, any client is served. Tinker's client for Python takes only keys that begin with {@code tml-}.
     */
    public Setup token(Supplier<@Nullable String> value) {
      return new Setup(fettle, model, name, adapters, host, port, Objects.requireNonNull(value, "value"), state, limits);
    }

    /**
     * Where checkpoints are kept; a server started on it again knows them. By default a directory deleted at the end.
     */
    public Setup state(Path directory) {
      return new Setup(fettle, model, name, adapters, host, port, token, Objects.requireNonNull(directory, "directory"), limits);
    }

    /**
     * How long a client may be silent before what it made is freed; by default 5 minutes. Clients report every 10 s.
     */
    public Setup sessionTimeout(Duration value) {
      if (Objects.requireNonNull(value, "value").isNegative() || value.isZero()) {
        throw new InvalidInputException("sessionTimeout " + value + ": give more than 0");
      }
      return limits(limits.session(value));
    }

    /**
     * How many requests may be unfinished; by default 1024, one client has at most half of them. Others wait outside.
     */
    public Setup queue(int value) {
      return limits(limits.queue(atLeastOne("queue", value)));
    }

    /**
     * How many trainings may be in memory; by default 128, one client has at most three quarters. Others wait. Whatever this
     * says, one that does not fit into memory is refused.
     */
    public Setup trainings(int value) {
      return limits(limits.models(atLeastOne("trainings", value)));
    }

    private static int atLeastOne(String name, int value) {
      if (value < 1) {
        throw new InvalidInputException(name + " " + value + ": give at least 1");
      }
      return value;
    }

    Setup limits(Limits value) {
      return new Setup(fettle, model, name, adapters, host, port, token, state, value);
    }

    Limits limits() {
      return limits;
    }

    /**
     * Starts to listen.
     *
     * @throws InvalidInputException if the address is taken or unknown, or other machines could reach it without a
     *     token
     */
    public FettleServer start() {
      InetAddress address;
      try {
        address = InetAddress.getByName(host);
      } catch (UnknownHostException e) {
        throw new InvalidInputException("host " + host + " is not known on this machine", e);
      }
      String secret = token.get();
      if (!address.isLoopbackAddress() && (secret == null || secret.isBlank())) {
        throw new InvalidInputException("host " + host + " can be reached from other machines: set a token");
      }
      Path temporary = state == null ? temporary() : null;
      try {
        Path directory = temporary == null ? state : temporary;
        return new FettleServer(Server.start(fettle.backend(), model.backend(), name, adapters, directory, limits,
            new InetSocketAddress(address, port), token), temporary);
      } catch (RuntimeException | Error e) {
        delete(temporary);
        throw e;
      }
    }

    private static Path temporary() {
      try {
        return Files.createTempDirectory("fettle-server");
      } catch (IOException e) {
        throw new FettleException("no temporary directory for checkpoints: "
            + FileErrors.reason(Path.of(System.getProperty("java.io.tmpdir")), e), e);
      }
    }

    @Override
    public String toString() {
      return "FettleServer.Setup[" + host + ":" + port + (token.get() == null ? "" : ", with token") + "]";
    }
  }

  /** Where clients find it: the base URL. */
  public URI uri() {
    InetSocketAddress address = server.address();
    String host = address.getAddress().getHostAddress();
    if (address.getAddress().isAnyLocalAddress()) {
      host = "localhost";
    }
    return URI.create("http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort());
  }

  /** Waits until it is closed, or the thread is interrupted. */
  public void await() {
    try {
      closed.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Stops listening and frees what clients made. Idempotent. */
  @Override
  public void close() {
    if (closed.getCount() > 0) {
      server.close();
      delete(temporary);
      closed.countDown();
    }
  }

  private static void delete(@Nullable Path directory) {
    if (directory != null) {
      Server.deleteQuietly(directory);
    }
  }

  @Override
  public String toString() {
    return "FettleServer[" + uri() + "]";
  }
}

package dev.fettle.internal.serve;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.NotEnoughMemoryException;
import dev.fettle.internal.Backend;
import dev.fettle.internal.Daemons;
import dev.fettle.internal.HttpServers;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.openai.Bounds;
import dev.fettle.internal.openai.OpenAi;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.WireException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Listens, reads requests, and writes answers; whatever goes wrong in a call becomes an answer too. */
public final class Server implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Server.class);
  private static final int THREADS = 32;

  private final Engine engine;
  private final Clients clients;
  private final Routes routes;
  private final Replies replies = new Replies();
  private final Bodies bodies;
  private final OpenAiCalls openAi;
  private final Supplier<String> token;
  private final HttpServer http;
  private final ThreadPoolExecutor executor;
  private final ScheduledExecutorService sweeper;

  Server(Engine engine, InetSocketAddress address, Supplier<String> token) {
    this(engine, Map.of(), address, token);
  }

  Server(Engine engine, Map<String, Path> adapters, InetSocketAddress address, Supplier<String> token) {
    this.engine = engine;
    this.token = token;
    this.clients = new Clients(engine);
    this.bodies = new Bodies(engine.limits().sizes().bodyBytes(), engine.limits().sizes().bodiesBytes());
    this.openAi = new OpenAiCalls(new OpenAi(engine.model(), engine.name(), adapters, Bounds.standard()), bodies, token);
    ThreadFactory daemons = Daemons.named("fettle-http");
    executor = new ThreadPoolExecutor(THREADS, THREADS, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), daemons);
    executor.allowCoreThreadTimeOut(true);
    sweeper = Executors.newSingleThreadScheduledExecutor(daemons);
    routes = new Routes(engine, clients, executor);
    http = listen(address);
    sweeper.scheduleWithFixedDelay(() -> guarded(this::sweepClients), 1, 1, TimeUnit.SECONDS);
    sweeper.scheduleWithFixedDelay(() -> guarded(this::sweepStore), 0, 30, TimeUnit.SECONDS);
  }

  /**
   * Starts a server.
   *
   * @param name what clients call the base model
   * @param adapters over it that OpenAI's clients choose by their names
   * @param state where checkpoints go
   * @param token gives what clients have to send, or null where they need none
   */
  public static Server start(Backend backend, ModelBackend model, String name, Map<String, Path> adapters, Path state,
      Limits limits, InetSocketAddress address, Supplier<String> token) {
    LongSupplier clock = System::currentTimeMillis;
    return new Server(new Engine(backend, model, name, limits, new Store(state, clock), clock), adapters, address, token);
  }

  private HttpServer listen(InetSocketAddress address) {
    try {
      HttpServer server = HttpServers.listen(address);
      server.createContext("/", this::handle);
      server.setExecutor(executor);
      // Its dispatcher is a daemon if the thread that starts it is one.
      executor.submit(server::start).get();
      return server;
    } catch (IOException e) {
      close();
      throw new InvalidInputException(address + " cannot be listened at: " + e.getMessage(), e);
    } catch (InterruptedException | java.util.concurrent.ExecutionException e) {
      close();
      throw new FettleException("the server cannot start: " + e, e);
    }
  }

  /** Deletes a directory that served one server only; what cannot be deleted is left for the system. */
  public static void deleteQuietly(Path directory) {
    try {
      Store.deleteAll(directory);
    } catch (IOException e) {
      LOG.warn("{} is left: {}", directory, e.toString());
    }
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return http.getAddress();
  }

  /** Ends what has run out: sessions, results, checkpoints. */
  void sweep() {
    sweepClients();
    sweepStore();
  }

  private void sweepClients() {
    clients.sweep();
    engine.promises().sweep(engine.now());
  }

  private void sweepStore() {
    engine.store().sweep(engine.instant());
  }

  private static void guarded(Runnable work) {
    try {
      work.run();
    } catch (RuntimeException | Error e) {
      LOG.error("while looking for what has run out", e);
    }
  }

  private void handle(HttpExchange exchange) {
    if (OpenAiCalls.takes(exchange)) {
      openAi.handle(exchange);
      return;
    }
    CompletionStage<Reply> reply;
    try {
      reply = answer(exchange);
    } catch (Throwable e) {
      send(exchange, problem(e));
      return;
    }
    reply.whenComplete((value, error) -> send(exchange, error == null ? value : problem(error)));
  }

  private CompletionStage<Reply> answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    String prefix = "/" + Paths.PREFIX;
    if (path == null || !path.startsWith(prefix)) {
      throw Problem.unknown("there is nothing at this path; calls are below " + prefix + " and /v1/");
    }
    List<String> segments = Arrays.asList(path.substring(prefix.length()).split("/"));
    Routes.Route route = routes.find(exchange.getRequestMethod(), segments);
    refuseBrowsers(exchange);
    if (route.kind() != Routes.Kind.OPEN) {
      authenticate(exchange);
    }
    byte[] body = bodies.read(exchange);
    try {
      return call(route, path, new Request(exchange.getRequestMethod(), segments, query(exchange),
          exchange.getRequestHeaders(), body));
    } finally {
      bodies.release(body.length);
    }
  }

  static void refuseBrowsers(HttpExchange exchange) {
    if (exchange.getRequestHeaders().containsKey("Origin")) {
      throw new Problem(403, "pages in a browser are not served, since any page could then use this server");
    }
  }

  private CompletionStage<Reply> call(Routes.Route route, String path, Request request) {
    String key = request.header(Paths.IDEMPOTENCY_KEY);
    if (route.kind() == Routes.Kind.ONCE && !key.isEmpty()) {
      return replies.once(key, Fingerprint.of(request.method() + " " + path, request.body()),
          () -> route.call().apply(request));
    }
    return route.call().apply(request);
  }

  private void authenticate(HttpExchange exchange) {
    String expected = token.get();
    String given = exchange.getRequestHeaders().getFirst(Paths.API_KEY);
    if (expected != null && (given == null || !Fingerprint.same(expected, given))) {
      throw new Problem(401, given == null ? "the header " + Paths.API_KEY + " with the token is missing"
          : "the token in " + Paths.API_KEY + " is not the one that this server asks for");
    }
  }

  private static Map<String, String> query(HttpExchange exchange) {
    Map<String, String> out = new LinkedHashMap<>();
    String query = exchange.getRequestURI().getQuery();
    for (String part : query == null ? new String[0] : query.split("&")) {
      String[] pair = part.split("=", 2);
      out.put(pair[0], pair.length == 2 ? pair[1] : "");
    }
    return out;
  }

  private static Reply problem(Throwable error) {
    Throwable e = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
    if (e instanceof Problem problem) {
      return Reply.problem(problem.status(), problem.getMessage());
    } else if (e instanceof WireException) {
      return Reply.problem(422, e.getMessage());
    } else if (e instanceof NotEnoughMemoryException || e instanceof OutOfMemoryError) {
      return Reply.problem(503, e instanceof OutOfMemoryError ? "the request did not fit into memory" : e.getMessage());
    } else if (e instanceof FettleException) {
      return Reply.problem(400, e.getMessage());
    }
    if (!(e instanceof IOException)) {
      LOG.error("a request failed", e);
    }
    return Reply.problem(500, "internal error: " + e);
  }

  private static void send(HttpExchange exchange, Reply reply) {
    try (exchange) {
      reply.headers().forEach(exchange.getResponseHeaders()::set);
      if (reply.type() == null || exchange.getRequestMethod().equals("HEAD")) {
        exchange.sendResponseHeaders(reply.status(), -1);
        return;
      }
      exchange.getResponseHeaders().set("Content-Type", reply.type());
      exchange.sendResponseHeaders(reply.status(), reply.length() == 0 ? -1 : reply.length());
      if (reply.length() > 0) {
        reply.body().to(exchange.getResponseBody());
      }
      if (reply.status() == 413) {
        exchange.getResponseBody().flush();
        Bodies.discard(exchange);
      }
    } catch (IOException | RuntimeException clientHasGone) {
      LOG.debug("an answer could not be sent", clientHasGone);
    }
  }

  /** Stops listening and frees all that clients made. Idempotent. */
  @Override
  public void close() {
    if (http != null) {
      http.stop(0);
    }
    sweeper.shutdownNow();
    openAi.close();
    clients.close();
    engine.scheduler().close();
    executor.shutdownNow();
  }
}

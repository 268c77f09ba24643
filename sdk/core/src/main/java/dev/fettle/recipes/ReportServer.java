package dev.fettle.recipes;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.fettle.InvalidInputException;
import dev.fettle.internal.Daemons;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.HttpServers;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.recipe.Report;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * A run's page in a browser on this machine, which follows the run: its curves are drawn anew when someone looks, at most
 * every two seconds.
 *
 * <pre>{@code
 * try (ReportServer page = ReportServer.at(8080)) {
 *   System.out.println(page.uri());
 *   Sft.on(training).data(train).listen(page).run();
 * }
 * }</pre>
 *
 * <p>It is reached from this machine alone, and shows nothing before the first run begins; the latest run that it is told of
 * is shown. Whoever makes it closes it: then the page is gone, and a browser that looks keeps how the run ended. Thread-safe.
 */
public final class ReportServer implements RunListener, AutoCloseable {
  private static final long STAYS = 2_000_000_000L;
  /** Drawing takes no more than this part of a processor's time. */
  private static final int SHARE = 10;
  /** A browser asks every second; one that did within this time is given the end of the run before all is gone. */
  private static final long WATCHES = 3_000_000_000L;

  private final HttpServer server;
  private final ExecutorService threads;
  private final List<Run.Step> steps = new ArrayList<>();
  private @Nullable Run run;
  private int changes;
  private final Object drawing = new Object();
  private String page = Report.waiting();
  private int drawn;
  private int drawings;
  private long due = System.nanoTime();
  private long watched = System.nanoTime() - WATCHES;
  private int seen;

  private ReportServer(HttpServer server, ExecutorService threads) {
    this.server = server;
    this.threads = threads;
  }

  /**
   * Serves from now on.
   *
   * @param port of this machine; 0 takes a free one
   * @throws InvalidInputException if the port is none, or taken
   */
  public static ReportServer at(int port) {
    if (port < 0 || port > 65535) {
      throw new InvalidInputException("port " + port + ": give 0 to 65535");
    }
    HttpServer server;
    try {
      server = HttpServers.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    } catch (IOException e) {
      throw new InvalidInputException("port " + port + " cannot be had: " + e.getMessage() + "; give another one, or 0 for a free "
          + "one", e);
    }
    ExecutorService threads = Executors.newCachedThreadPool(Daemons.named("fettle-report"));
    ReportServer made = new ReportServer(server, threads);
    server.setExecutor(threads);
    server.createContext("/", made::answer);
    // The server's own thread is of the kind of the one that starts it: this page keeps no process from ending.
    CompletableFuture.runAsync(server::start, threads).join();
    return made;
  }

  /** Where a browser finds it. */
  public URI uri() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
  }

  @Override
  public synchronized void begin(Run begun) {
    Objects.requireNonNull(begun, "begun");
    steps.clear();
    steps.addAll(begun.steps());
    run = begun;
    changes++;
  }

  @Override
  public synchronized void step(Run.Step step) {
    steps.add(Objects.requireNonNull(step, "step"));
    changes++;
  }

  @Override
  public synchronized void end(Run ended) {
    begin(Objects.requireNonNull(ended, "ended"));
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String host = Objects.toString(exchange.getRequestHeaders().getFirst("Host"), "").replaceAll(":\\d+$", "");
      String path = exchange.getRequestURI().getPath();
      // A page of another site whose name leads here must not read this one.
      if (!host.equals("127.0.0.1") && !host.equals("localhost") && !host.equals("[::1]")) {
        send(exchange, 403, "text/plain", "ask for 127.0.0.1");
      } else if (path.equals("/")) {
        int now = drawn();
        send(exchange, 200, "text/html", page());
        seen(now);
      } else if (path.equals("/state")) {
        send(exchange, 200, "text/plain", state());
      } else {
        send(exchange, 404, "text/plain", "there is / alone");
      }
    }
  }

  private static void send(HttpExchange exchange, int code, String type, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type + "; charset=utf-8");
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    boolean head = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(code, head ? -1 : bytes.length);
    try (OutputStream body = exchange.getResponseBody()) {
      body.write(head ? new byte[0] : bytes);
    }
  }

  /** How many changes the page has, if it is asked for now. */
  private int drawn() {
    synchronized (drawing) {
      page();
      return drawn;
    }
  }

  private void seen(int changes) {
    synchronized (drawing) {
      seen = Math.max(seen, changes);
      drawing.notifyAll();
    }
  }

  /** Waits a moment for a browser that looks to see how the run ended. */
  private void showEnd() {
    synchronized (drawing) {
      long until = watched + WATCHES;
      try {
        for (long left = until - System.nanoTime(); left > 0 && seen < changes(); left = until - System.nanoTime()) {
          drawing.wait(1 + left / 1_000_000);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private synchronized int changes() {
    return changes;
  }

  /** Differs when the page does. */
  private String state() {
    synchronized (drawing) {
      watched = System.nanoTime();
      page();
      return String.valueOf(drawings);
    }
  }

  private String page() {
    synchronized (drawing) {
      Run shown;
      int now;
      synchronized (this) {
        now = changes;
        shown = run == null || now == drawn ? null : new Run(run.recipe(), run.training(), steps, run.ending(), run.best(),
            run.directory());
      }
      long start = System.nanoTime();
      if (shown != null && (start - due >= 0 || !Report.isRunning(shown))) {
        page = draw(shown);
        drawn = now;
        drawings++;
        due = System.nanoTime() + Math.max(STAYS, SHARE * (System.nanoTime() - start));
      }
      return page;
    }
  }

  private static String draw(Run shown) {
    Optional<Path> file = shown.directory().map(directory -> directory.resolve("report.html")).filter(Files::exists);
    if (file.isPresent() && !Report.isRunning(shown)) {
      try {
        return Files.readString(file.get());
      } catch (IOException e) {
        throw FileErrors.unread(file.get(), e);
      }
    }
    return Report.live(shown, about(shown));
  }

  private static Map<String, Object> about(Run run) {
    Map<String, Object> about = new LinkedHashMap<>();
    about.put("model", run.training().model().name());
    about.put("tuning", run.training().tuning().toString());
    run.directory().ifPresent(directory -> about.put("directory", directory.toString()));
    return about;
  }

  /** Ends the service, within three seconds if a browser looks, which is shown how the run ended. Idempotent. */
  @Override
  public void close() {
    showEnd();
    server.stop(0);
    threads.shutdown();
  }

  @Override
  public String toString() {
    return OneLine.of("ReportServer", uri().toString());
  }
}

package dev.fettle.internal.openai;

import com.sun.net.httpserver.HttpExchange;
import dev.fettle.internal.Daemons;
import dev.fettle.internal.ModelBackend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The calls of OpenAI's clients. Each has a thread as long as it lasts, as it may have to wait for a slow client. */
public final class OpenAi implements AutoCloseable {
  private static final String PREFIX = "/v1/";
  /** Where Cohere's newer clients rank. */
  private static final String RERANK = "/v2/rerank";

  private static final Logger LOG = LoggerFactory.getLogger(OpenAi.class);

  private final ServedModels models;
  private final Map<String, Call> calls;
  private final ModelCalls list;
  private final ThreadPoolExecutor threads;

  /** What answers requests of one path. */
  @FunctionalInterface
  private interface Call {
    void answer(Fields fields, Outgoing out) throws IOException;
  }

  /** Reads the body of a request, or refuses it. */
  @FunctionalInterface
  public interface Body {
    /**
     * Its bytes.
     *
     * @throws Refused with the reason
     */
    byte[] read() throws IOException;
  }

  /** A request that is refused before it is read. */
  public static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final int status;

    /** With an HTTP status and the reason. */
    public Refused(int status, String message) {
      super(message);
      this.status = status;
    }
  }

  /**
   * The calls about a model.
   *
   * @param name what clients call it
   * @param adapters over it, by what clients call them
   */
  public OpenAi(ModelBackend model, String name, Map<String, Path> adapters, Bounds bounds) {
    models = new ServedModels(model, name, adapters);
    calls = Map.of(
        "chat/completions", new ChatCall(models, bounds)::answer,
        "completions", new CompletionCall(models, bounds)::answer,
        "embeddings", new EmbeddingCall(models, bounds)::answer,
        "rerank", new RerankCall(models, bounds)::answer);
    list = new ModelCalls(models);
    threads = new ThreadPoolExecutor(0, bounds.requests(), 30, TimeUnit.SECONDS, new SynchronousQueue<>(),
        Daemons.named("fettle-openai"));
  }

  /** Whether a path is one of OpenAI's clients. */
  public static boolean takes(String path) {
    return path != null && (path.startsWith(PREFIX) || path.equals(RERANK));
  }

  /** Takes a request on and returns at once. */
  public void handle(HttpExchange exchange, Body body) {
    try {
      threads.execute(() -> answer(exchange, body));
    } catch (RejectedExecutionException e) {
      send(exchange, ApiError.busy(threads.getMaximumPoolSize() + " requests are under way, the most at a time: try again later"));
    }
  }

  private static void send(HttpExchange exchange, ApiError error) {
    try (exchange) {
      new Outgoing(exchange).error(error);
    } catch (IOException e) {
      LOG.debug("an error could not be sent", e);
    }
  }

  private void answer(HttpExchange exchange, Body body) {
    Outgoing out = new Outgoing(exchange);
    try (exchange) {
      try {
        call(exchange.getRequestMethod(), exchange.getRequestURI().getPath().substring(PREFIX.length()), body.read(), out);
      } catch (RuntimeException | Error e) {
        ApiError error = e instanceof Refused refused ? ApiError.of(refused.status, refused.getMessage()) : ApiError.of(e);
        if (error.status() == 500) {
          LOG.error("a request failed", e);
        }
        out.error(error);
      }
    } catch (IOException | IllegalStateException clientHasGone) {
      LOG.debug("a client has gone", clientHasGone);
    }
  }

  private void call(String method, String path, byte[] body, Outgoing out) throws IOException {
    boolean get = path.equals("models") || path.startsWith("models/");
    Call call = calls.get(path);
    if (call == null && !get) {
      throw ApiError.unknown(null, "unknown_url", "there is no call " + PREFIX + path + " here");
    } else if (!method.equals(get ? "GET" : "POST")) {
      throw ApiError.of(405, PREFIX + path + " takes " + (get ? "GET" : "POST") + ", not " + method);
    } else if (call != null) {
      call.answer(Fields.of(body), out);
    } else {
      out.document(200, path.equals("models") ? list.list() : list.one(path.substring("models/".length())));
    }
  }

  /** Ends what is under way and frees the adapters. */
  @Override
  public void close() {
    threads.shutdownNow();
    models.close();
  }
}

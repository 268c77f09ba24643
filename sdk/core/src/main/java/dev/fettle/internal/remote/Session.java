package dev.fettle.internal.remote;

import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.Sessions;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The session of one client with the service: asked what it wants first, begun when the first model needs it. */
final class Session {
  private static final Logger LOG = LoggerFactory.getLogger(Session.class);
  /** The version of the protocol that is spoken; a service may choose its flags by it. */
  private static final String VERSION = System.getProperty("fettle.tinker.version", "0.25.0");
  private static final int SILENT_BEATS = 12;
  private static final long HANDSHAKE_MILLIS = 5_000;

  private final RetryingClient calls;
  private final Map<String, String> metadata;
  private final AtomicInteger models = new AtomicInteger();
  private final AtomicInteger samplers = new AtomicInteger();
  private Sessions.Config config;
  private boolean unknown;
  private String id;
  private final AtomicBoolean finished = new AtomicBoolean();
  private int missed;
  private Sessions.DynamicConfig changing;
  private long changingAt;

  /** @param metadata what the service is to note of the session and of what is made in it */
  Session(RetryingClient calls, Map<String, String> metadata) {
    this.calls = calls;
    this.metadata = metadata;
  }

  Map<String, String> metadata() {
    return metadata;
  }

  /** What the service asks of its clients; the first contact with it. */
  synchronized Sessions.Config config() {
    if (config == null) {
      ApiRequest ask = ApiRequest.post(Paths.CLIENT_CONFIG, new Sessions.ConfigRequest(VERSION), "the first request");
      ApiResponse answer = first(ask);
      unknown = answer.isUnknown();
      if (!unknown && !answer.ok()) {
        throw calls.problems().of(answer, ask.what());
      }
      Sessions.Config read = unknown ? Sessions.Config.defaults() : calls.read(answer, ask.what(), Sessions.Config.class);
      if (Boolean.TRUE.equals(read.pjwtAuthEnabled())) {
        calls.auth().exchange();
      }
      if (read.billingExceptionMaxPauseDurationSec() != null) {
        calls.billingPause(Duration.ofSeconds(read.billingExceptionMaxPauseDurationSec()));
      }
      config = read;
    }
    return config;
  }

  /** Whoever answers without encryption does not answer a handshake, or late: that is found out soon. */
  private ApiResponse first(ApiRequest ask) {
    if (calls.http().base().isHttps()) {
      try {
        ApiResponse answer = calls.once(ask.polling(Math.min(HANDSHAKE_MILLIS, calls.patience().read().toMillis()), () -> { }));
        if (answer.ok() || answer.isUnknown()) {
          return answer;
        }
      } catch (SSLException | SocketTimeoutException e) {
        if (calls.http().answersPlainly()) {
          throw calls.problems().unencrypted(calls.http().base(), e);
        }
      } catch (IOException e) {
        LOG.debug("{}: {}", ask.what(), calls.problems().text(String.valueOf(e.getMessage())));
      }
    }
    return calls.send(ask, calls.patience().firstContact(), s -> s == 501).answer();
  }

  /** Whether the service did not know the first request. */
  synchronized boolean isUnknown() {
    config();
    return unknown;
  }

  synchronized String id() {
    if (id == null) {
      config();
      String tags = System.getenv("TINKER_TAGS");
      List<String> named = tags == null ? List.of()
          : Arrays.stream(tags.split(",")).map(String::strip).filter(t -> !t.isEmpty()).distinct().toList();
      String project = System.getenv("TINKER_PROJECT_ID");
      Sessions.Session session = calls.read(ApiRequest.post(Paths.CREATE_SESSION,
          Sessions.CreateSession.of(named, metadata, VERSION, project == null || project.isBlank() ? null : project.strip()),
          "beginning a session"), Sessions.Session.class);
      if (session.sessionId() == null) {
        throw calls.problems().strange("beginning a session",
            new dev.fettle.internal.wire.WireException("no session_id"));
      }
      say(session);
      id = session.sessionId();
      calls.workers().every(calls.patience().heartbeat().toMillis(), this::beat);
    }
    return id;
  }

  /** Whether the service wants to hear of samples that nobody waits for any more; it may say otherwise later. */
  boolean cancels() {
    config();
    synchronized (this) {
      Integer seconds = changing == null ? null : changing.refreshIntervalSec();
      long kept = Math.max(10, seconds == null ? 300 : seconds) * 1_000_000_000L;
      if (changing == null || System.nanoTime() - changingAt > kept) {
        changing = asked();
        changingAt = System.nanoTime();
      }
      return Boolean.TRUE.equals(changing.sampleCancelEnabled());
    }
  }

  private Sessions.DynamicConfig asked() {
    String what = "asking what has changed";
    try {
      ApiResponse answer = calls.once(ApiRequest.post(Paths.DYNAMIC_CONFIG, new Sessions.ConfigRequest(VERSION), what));
      if (answer.ok()) {
        return calls.read(answer, what, Sessions.DynamicConfig.class);
      }
    } catch (IOException | RuntimeException e) {
      LOG.debug("{}: {}", what, calls.problems().text(String.valueOf(e.getMessage())));
    }
    return new Sessions.DynamicConfig(null, null, null);
  }

  private void say(Sessions.Session session) {
    ErrorMapper problems = calls.problems();
    if (session.infoMessage() != null) {
      LOG.info("{}: {}", problems.host(), problems.text(session.infoMessage()));
    }
    for (String warning : Arrays.asList(session.warningMessage(), session.errorMessage())) {
      if (warning != null) {
        LOG.warn("{}: {}", problems.host(), problems.text(warning));
      }
    }
  }

  /** Tells the service that nothing more comes; one that does not know that ends the session when it is silent. */
  void finish() {
    String begun;
    synchronized (this) {
      begun = id;
    }
    if (begun != null && !finished.getAndSet(true)) {
      try {
        calls.once(ApiRequest.post(Paths.SESSIONS + "/" + begun + "/finish", Sessions.Finish.success(), "finishing a session"));
      } catch (IOException | RuntimeException e) {
        LOG.debug("finishing a session: {}", calls.problems().text(String.valueOf(e.getMessage())));
      }
    }
  }

  private void beat() {
    if (finished.get()) {
      return;
    }
    boolean alive = false;
    try {
      ApiResponse answer = calls.once(ApiRequest.post(Paths.HEARTBEAT, Sessions.Heartbeat.of(id), "heartbeat"));
      alive = answer.ok();
      if (answer.status() == 410) {
        finished.set(true);
      }
    } catch (IOException | RuntimeException e) {
      LOG.debug("heartbeat: {}", calls.problems().text(String.valueOf(e.getMessage())));
    }
    missed = alive ? 0 : missed + 1;
    if (missed == SILENT_BEATS && !calls.workers().isClosed()) {
      LOG.warn("{} has not answered a heartbeat for {} s: it may end the session", calls.problems().host(),
          SILENT_BEATS * calls.patience().heartbeat().toSeconds());
    }
  }

  int nextModel() {
    return models.getAndIncrement();
  }

  /** Shared by sampling sessions and by snapshots without a name. */
  int nextSampler() {
    return samplers.getAndIncrement();
  }
}

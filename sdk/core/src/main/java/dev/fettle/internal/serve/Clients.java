package dev.fettle.internal.serve;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/** The sessions, and what is found through them. Thread-safe. */
final class Clients {
  private static final int REMEMBERED = 10_000;
  private static final String RESUME =
      " is not known to this server: it was restarted, or the session has ended because its "
      + "client was silent for too long. Begin a new session and load the state saved last";

  private final Engine engine;
  private final Map<String, Session> sessions = new ConcurrentHashMap<>();
  private final Map<String, Boolean> finished = Collections.synchronizedMap(new LinkedHashMap<>() {
    private static final long serialVersionUID = 1;

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
      return size() > REMEMBERED;
    }
  });
  private final Session shared;

  Clients(Engine engine) {
    this.engine = engine;
    this.shared = new Session(engine, "shared", Map.of());
  }

  /**
   * A new session.
   *
   * @throws Problem 429 if there are too many
   */
  Session begin(Map<String, Object> userMetadata) {
    int most = engine.limits().sizes().sessions();
    if (sessions.size() >= most) {
      throw new Problem(429, "there are " + most + " sessions, the most at a time. One ends when its client has been silent "
          + "for " + engine.limits().session().toSeconds() + " s: try again then");
    }
    Session session = new Session(engine, String.format("s%016x", ThreadLocalRandom.current().nextLong()),
        userMetadata);
    sessions.put(session.id(), session);
    return session;
  }

  List<Session> all() {
    return sessions.values().stream().sorted((a, b) -> a.id().compareTo(b.id())).toList();
  }

  /** What belongs to nobody: samplers of requests without a session. */
  Session shared() {
    return shared;
  }

  /** Ends a session as its client wishes. */
  void finish(String id) {
    Session session = sessions.get(id);
    if (session != null) {
      finished.put(id, true);
      end(session, "session " + id + " has ended: its client finished it");
    } else if (!finished.containsKey(id)) {
      throw Problem.unknown("session " + id + RESUME);
    }
  }

  Session session(String id) {
    Session session = sessions.get(Problem.require(id, "session_id"));
    if (session == null && finished.containsKey(id)) {
      throw new Problem(410, "session " + id + " was finished by its client: begin another");
    }
    if (session == null) {
      throw Problem.unknown("session " + id + RESUME);
    }
    session.touch();
    return session;
  }

  private Session owner(String id) {
    Session session = sessions.get(id.split(":", 2)[0]);
    if (session != null) {
      session.touch();
    }
    return session;
  }

  Trained model(String id) {
    Session session = owner(Problem.require(id, "model_id"));
    Trained model = session == null ? null : session.model(id);
    if (model == null) {
      throw Problem.unknown("model " + id + RESUME);
    }
    return model;
  }

  Sampled sampler(String id) {
    Session session = owner(Problem.require(id, "sampling_session_id"));
    Sampled sampler = session == null ? null : session.sampler(id);
    if (sampler == null) {
      throw Problem.unknown("sampling session " + id + RESUME);
    }
    return sampler;
  }

  /** Ends the sessions of clients that have gone. */
  void sweep() {
    for (Session session : all()) {
      session.models().forEach(Trained::expire);
      if (session.isSilent()) {
        end(session, "session " + session.id() + " has ended: its client was silent for more than "
            + engine.limits().session().toSeconds() + " s");
      }
    }
  }

  private void end(Session session, String reason) {
    sessions.remove(session.id());
    session.end(Problem.unknown(reason));
  }

  void close() {
    all().forEach(session -> end(session, "the server has shut down"));
    shared.end(new Problem(503, "the server has shut down"));
  }
}

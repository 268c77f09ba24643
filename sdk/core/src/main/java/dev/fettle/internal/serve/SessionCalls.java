package dev.fettle.internal.serve;

import dev.fettle.internal.wire.Sessions;
import java.util.List;
import java.util.Map;

/** The calls before and beside the work. */
final class SessionCalls {
  private static final int REFRESH_SECONDS = 300;

  private final Engine engine;
  private final Clients clients;

  SessionCalls(Engine engine, Clients clients) {
    this.engine = engine;
    this.clients = clients;
  }

  Reply health(Request request) {
    return Reply.json(new Sessions.Health("ok"));
  }

  Reply capabilities(Request request) {
    return Reply.json(new Sessions.Capabilities(List.of(
        new Sessions.SupportedModel(engine.name(), engine.model().contextLength()))));
  }

  /** Asks clients for no more samples in flight than one of them may queue. */
  Reply config(Request request) {
    return Reply.json(new Sessions.Config(false, null, null, null, null, null, null,
        Math.max(1, engine.limits().queue() / 4), null, null, null));
  }

  Reply dynamicConfig(Request request) {
    return Reply.json(new Sessions.DynamicConfig(REFRESH_SECONDS, true, null));
  }

  Reply create(Request request) {
    Sessions.CreateSession body = request.read(Sessions.CreateSession.class);
    return Reply.json(new Sessions.Session("create_session", clients.begin(body.userMetadata()).id(),
        "This server puts no adapter on the output head: train_unembed has no effect.", null, null));
  }

  Reply heartbeat(Request request) {
    clients.session(request.read(Sessions.Heartbeat.class).sessionId());
    return Reply.json(new Sessions.Typed("session_heartbeat"));
  }

  /** Ends a session before it is silent; to say so again is no error. */
  Reply finish(Request request) {
    Sessions.Finish body = request.read(Sessions.Finish.class);
    Problem.require(Problem.require(body.reason(), "reason").type(), "reason.type");
    clients.finish(request.segment(1));
    return Reply.json(new Sessions.Health("ok"));
  }

  Reply telemetry(Request request) {
    return Reply.json(new Sessions.Health("accepted"));
  }

  Reply list(Request request) {
    List<String> ids = clients.all().stream().map(Session::id).toList();
    return Reply.json(Map.of("sessions", Page.of(request, 20).cut(ids)));
  }

  Reply session(Request request) {
    Session session = clients.session(request.segment(1));
    return Reply.json(new Sessions.Description(session.models().stream().map(Trained::id).toList(),
        session.samplers().stream().map(Sampled::id).toList(), session.userMetadata()));
  }
}

package dev.fettle.internal.serve;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;

/** Which call a request is. */
final class Routes {
  /** How a call treats one that is sent again with the same idempotency key, and whether it needs the token. */
  enum Kind { PLAIN, ONCE, OPEN }

  /** A call that was found. */
  record Route(String method, List<String> path, Kind kind, Function<Request, CompletionStage<Reply>> call) {
    private boolean fits(List<String> asked) {
      if (asked.size() != path.size()) {
        return false;
      }
      for (int i = 0; i < asked.size(); i++) {
        if (!path.get(i).equals("*") && !path.get(i).equals(asked.get(i))) {
          return false;
        }
      }
      return true;
    }
  }

  private static final String CHECKPOINT = "training_runs/*/checkpoints/*/*";

  private final List<Route> routes = new ArrayList<>();

  Routes(Engine engine, Clients clients, Executor executor) {
    SessionCalls sessions = new SessionCalls(engine, clients);
    add("GET", "healthz", Kind.OPEN, sessions::health);
    add("GET", "get_server_capabilities", Kind.PLAIN, sessions::capabilities);
    add("POST", "client/config", Kind.PLAIN, sessions::config);
    add("POST", "client/dynamic_config", Kind.PLAIN, sessions::dynamicConfig);
    add("POST", "create_session", Kind.ONCE, sessions::create);
    add("POST", "session_heartbeat", Kind.PLAIN, sessions::heartbeat);
    add("POST", "telemetry", Kind.PLAIN, sessions::telemetry);
    add("GET", "sessions", Kind.PLAIN, sessions::list);
    add("GET", "sessions/*", Kind.PLAIN, sessions::session);
    add("POST", "sessions/*/finish", Kind.PLAIN, sessions::finish);

    TrainingCalls training = new TrainingCalls(engine, clients);
    add("POST", "create_model", Kind.ONCE, training::create);
    add("POST", "get_info", Kind.PLAIN, training::info);
    add("POST", "unload_model", Kind.ONCE, training::unload);
    add("POST", "forward_backward", Kind.ONCE, training::forwardBackward);
    add("POST", "forward", Kind.ONCE, training::forward);
    add("POST", "optim_step", Kind.ONCE, training::optimStep);
    add("POST", "save_weights", Kind.ONCE, training::save);
    add("POST", "load_weights", Kind.ONCE, training::load);
    add("POST", "save_weights_for_sampler", Kind.ONCE, training::saveForSampler);

    SamplingCalls sampling = new SamplingCalls(engine, clients);
    add("POST", "create_sampling_session", Kind.ONCE, sampling::createSession);
    add("POST", "join_sampling_session", Kind.ONCE, sampling::join);
    add("GET", "samplers/*", Kind.PLAIN, sampling::sampler);
    add("POST", "asample", Kind.ONCE, sampling::sample);

    FutureCalls futures = new FutureCalls(engine, clients, executor);
    routes.add(new Route("POST", List.of("retrieve_future"), Kind.PLAIN, futures::retrieve));
    routes.add(new Route("POST", List.of("retrieve_futures"), Kind.PLAIN, futures::follow));
    add("POST", "cancel_future", Kind.PLAIN, futures::cancel);

    CheckpointCalls checkpoints = new CheckpointCalls(engine, clients);
    add("POST", "weights_info", Kind.PLAIN, checkpoints::weightsInfo);
    add("POST", "copy_weights", Kind.ONCE, checkpoints::copy);
    add("GET", "checkpoints", Kind.PLAIN, checkpoints::all);
    add("GET", "training_runs", Kind.PLAIN, checkpoints::runs);
    add("GET", "training_runs/*", Kind.PLAIN, checkpoints::run);
    add("GET", "training_runs/*/checkpoints", Kind.PLAIN, checkpoints::ofRun);
    add("DELETE", CHECKPOINT, Kind.ONCE, checkpoints::delete);
    add("GET", CHECKPOINT + "/archive", Kind.PLAIN, checkpoints::archive);
    add("POST", CHECKPOINT + "/publish", Kind.ONCE, checkpoints::publish);
    add("DELETE", CHECKPOINT + "/publish", Kind.ONCE, checkpoints::unpublish);
    add("PUT", CHECKPOINT + "/ttl", Kind.ONCE, checkpoints::ttl);
    add("GET", "download/*", Kind.OPEN, checkpoints::download);
    for (String external : List.of("save_weights_external", "external_weights_upload_start", "external_weights_upload_finish")) {
      add("POST", external, Kind.PLAIN, request -> refuseExternal());
    }
    add("GET", CHECKPOINT + "/external_weights_urls", Kind.PLAIN, request -> refuseExternal());
  }

  private static Reply refuseExternal() {
    throw new Problem(422, "external weights are not kept here: save_weights_for_sampler and the archive of its checkpoint give the "
        + "files of an adapter");
  }

  private void add(String method, String path, Kind kind, Function<Request, Reply> call) {
    routes.add(new Route(method, List.of(path.split("/")), kind,
        request -> CompletableFuture.completedFuture(call.apply(request))));
  }

  /**
   * The call of a method and a path.
   *
   * @throws Problem 404 or 405 if there is none
   */
  Route find(String method, List<String> path) {
    Route other = null;
    for (Route route : routes) {
      if (route.fits(path)) {
        if (route.method.equals(method)) {
          return route;
        }
        other = route;
      }
    }
    String asked = String.join("/", path);
    throw other == null ? Problem.unknown("there is no call /api/v1/" + asked + " here")
        : new Problem(405, "/api/v1/" + asked + " takes " + other.method + ", not " + method);
  }
}

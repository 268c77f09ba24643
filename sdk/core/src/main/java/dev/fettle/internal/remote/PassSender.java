package dev.fettle.internal.remote;

import dev.fettle.internal.wire.PassProto;
import dev.fettle.internal.wire.Passes;
import dev.fettle.internal.wire.Paths;
import java.util.Set;

/**
 * Sends passes as protobuf, or as JSON to servers that turn out to want it: if the first pass is refused as protobuf and
 * taken as JSON with the same number, JSON it stays. Thread-safe.
 */
final class PassSender {
  /** How servers answer that do not know protobuf; among them those that stumble over it. */
  private static final Set<Integer> NOT_UNDERSTOOD = Set.of(400, 415, 422, 500, 501);

  private enum Format { UNKNOWN, PROTOBUF, JSON }

  private final RetryingClient calls;
  private volatile Format format = Format.UNKNOWN;

  PassSender(RetryingClient calls) {
    this.calls = calls;
  }

  /** Whether results are asked for as protobuf. */
  boolean protobuf() {
    return format != Format.JSON;
  }

  PendingRequest send(Passes.Pass pass) {
    String what = pass.forwardOnly() ? "forward" : "forward_backward";
    String type = pass.forwardOnly() ? "Forward" : "ForwardBackward";
    long start = System.nanoTime();
    Format known = format;
    if (known == Format.JSON) {
      return PendingRequest.submit(calls, json(pass, what), type);
    }
    ApiRequest ask = ApiRequest.post(Paths.FORWARD_BACKWARD, PassProto.write(pass), Paths.PROTOBUF, what);
    ApiResponse answer = calls.send(ask, calls.patience().budget(), s -> known == Format.UNKNOWN && s == 500).answer();
    if (known == Format.UNKNOWN && NOT_UNDERSTOOD.contains(answer.status())) {
      ApiResponse other = calls.send(json(pass, what), calls.patience().budget(), s -> s >= 500).answer();
      if (other.ok()) {
        format = Format.JSON;
        return PendingRequest.of(calls, other, what, type, start);
      }
      if (answer.status() == 500) {
        answer = calls.send(ask).answer();
      }
    }
    if (!answer.ok()) {
      throw calls.problems().of(answer, what);
    }
    format = Format.PROTOBUF;
    return PendingRequest.of(calls, answer, what, type, start);
  }

  private static ApiRequest json(Passes.Pass pass, String what) {
    return ApiRequest.post(pass.forwardOnly() ? Paths.FORWARD : Paths.FORWARD_BACKWARD, pass.json(), Paths.JSON, what);
  }
}

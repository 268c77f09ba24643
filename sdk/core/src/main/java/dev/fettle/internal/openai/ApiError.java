package dev.fettle.internal.openai;

import dev.fettle.FettleException;
import dev.fettle.NotEnoughMemoryException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** A call that is answered with an error in OpenAI's form; the text is for the person at the client. */
final class ApiError extends FettleException {
  private static final long serialVersionUID = 1;
  private static final String INVALID = "invalid_request_error";

  private final int status;
  private final String type;
  private final String param;
  private final String code;

  private ApiError(int status, String type, String param, String code, String message) {
    super(message);
    this.status = status;
    this.type = type;
    this.param = param;
    this.code = code;
  }

  /** Something is wrong with a field; {@code null} if it is the request as a whole. */
  static ApiError invalid(String param, String message) {
    return new ApiError(400, INVALID, param, null, message);
  }

  /** The same with OpenAI's name for it. */
  static ApiError invalid(String param, String code, String message) {
    return new ApiError(400, INVALID, param, code, message);
  }

  static ApiError unsupported(String param, String message) {
    return new ApiError(400, INVALID, param, "unsupported_parameter", message);
  }

  static ApiError unknown(String param, String code, String message) {
    return new ApiError(404, INVALID, param, code, message);
  }

  static ApiError busy(String message) {
    return new ApiError(429, "rate_limit_error", null, "rate_limit_exceeded", message);
  }

  /** An error of any kind as one for the client. */
  static ApiError of(Throwable e) {
    if (e instanceof ApiError own) {
      return own;
    } else if (e instanceof NotEnoughMemoryException || e instanceof OutOfMemoryError) {
      return of(503, e instanceof OutOfMemoryError ? "the request did not fit into memory" : e.getMessage());
    }
    return e instanceof FettleException ? invalid(null, e.getMessage()) : of(500, "internal error: " + e);
  }

  /** The error that an HTTP status stands for. */
  static ApiError of(int status, String message) {
    return status == 401 ? new ApiError(401, INVALID, null, "invalid_api_key", message)
        : status == 429 ? busy(message)
        : new ApiError(status, status < 500 ? INVALID : "server_error", null, null, message);
  }

  int status() {
    return status;
  }

  Map<String, Object> json() {
    Map<String, Object> error = new LinkedHashMap<>();
    error.put("message", getMessage());
    error.put("type", type);
    error.put("param", param);
    error.put("code", code);
    return Collections.singletonMap("error", error);
  }
}

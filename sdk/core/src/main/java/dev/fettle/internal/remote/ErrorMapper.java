package dev.fettle.internal.remote;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.ServiceException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.WireException;
import dev.fettle.internal.wire.WireJson;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okhttp3.HttpUrl;

/** From what a service answers to errors for people. */
final class ErrorMapper {
  private static final int LONGEST = 400;
  private static final Pattern TITLE = Pattern.compile("(?is)<title[^>]*>(.*?)</title>");

  private final String host;
  private final Redactor secrets;

  ErrorMapper(String host, Redactor secrets) {
    this.host = host;
    this.secrets = secrets;
  }

  /** The error that an answer stands for. */
  FettleException of(ApiResponse answer, String what) {
    String said = what + " at " + host + ": " + answer.status() + " " + detail(answer);
    return switch (answer.status()) {
      case 400, 413, 422 -> new InvalidInputException(said);
      case 401 -> new ServiceException(said + ". The key is missing, wrong or expired: set TINKER_API_KEY, or give it by "
          + "Remote.key", 401);
      case 402 -> new ServiceException(said + ". The account cannot pay for it: see the service's billing", 402);
      case 403 -> new ServiceException(said + ". The key does not permit this", 403);
      case 301, 302, 303, 307, 308 -> new ServiceException(said + ". The service is elsewhere, and neither key nor data "
          + "follow by themselves: give its new URL", answer.status());
      case 429 -> new ServiceException(said + ". The service is asked too much: call again later", 429);
      case 502, 503, 504 -> new ServiceException(said + ". Whatever stands before the service says so: see that the service itself "
          + "runs", answer.status());
      default -> new ServiceException(said, answer.status());
    };
  }

  /** The error of a service that cannot be reached. */
  ServiceException unreachable(String what, Throwable cause) {
    return new ServiceException(what + ": " + host + " cannot be reached: " + why(cause)
        + ". See that the service runs and the URL is right", 0, cause);
  }

  private String why(Throwable cause) {
    return cause instanceof UnknownHostException ? "there is no computer of that name, or no network"
        : cause instanceof ConnectException ? "nothing listens there (" + text(String.valueOf(cause.getMessage())) + ")"
        : text(String.valueOf(cause));
  }

  /** The error of a URL below which there is no service of this protocol. */
  ServiceException nothing(HttpUrl url, ApiResponse answer) {
    String shorter = url.encodedPath().equals("/") ? "" : ", maybe " + plain(url.resolve("/"));
    return new ServiceException(plain(url) + ": what listens there does not speak the Tinker protocol: it knows neither "
        + Paths.CLIENT_CONFIG + " nor " + Paths.CAPABILITIES + " (" + answer.status() + " " + detail(answer)
        + "). Give the URL of a service that does" + shorter, answer.status());
  }

  /** The error of an encrypted URL of what does not encrypt. */
  InvalidInputException unencrypted(HttpUrl url, Exception cause) {
    return new InvalidInputException(plain(url) + ": this server speaks plain http: use "
        + plain(url.newBuilder().scheme("http").port(url.port()).build()) + ", or put something that encrypts before it", cause);
  }

  private String plain(HttpUrl url) {
    return text(url.toString().replaceAll("/$", ""));
  }

  /** The error of work that the service has taken on and could not do. */
  FettleException failed(String what, String requestId, String error, String category) {
    String said = what + " at " + host + " failed (request " + requestId + "): " + text(error);
    return "user".equalsIgnoreCase(category) ? new InvalidInputException(said) : new ServiceException(said, 200);
  }

  /** The error of an answer that cannot be understood; its cause is a copy without secrets. */
  ServiceException strange(String what, WireException cause) {
    String said = text(cause.getMessage());
    return new ServiceException(what + ": the answer of " + host + " cannot be understood: " + said
        + ". Is it a service that speaks the Tinker protocol?", 0, new WireException(said));
  }

  /** What a page for people says; empty if it is none. */
  static Optional<String> page(byte[] body) {
    String text = new String(body, StandardCharsets.UTF_8).strip();
    if (!text.startsWith("<")) {
      return Optional.empty();
    }
    Matcher title = TITLE.matcher(text);
    return Optional.of(title.find() ? title.group(1) : text.replaceAll("<[^>]*>", " "));
  }

  /** What the body of an error says, on one line and without secrets. */
  String detail(ApiResponse answer) {
    String body = new String(answer.body(), StandardCharsets.UTF_8);
    try {
      JsonNode root = WireJson.tree(answer.body());
      for (String key : new String[] {"detail", "error", "message"}) {
        JsonNode node = root.get(key);
        if (node != null && !node.isNull()) {
          return text(words(node));
        }
      }
    } catch (WireException e) {
      // Not JSON: the text itself has to do.
    }
    return text(page(answer.body()).orElse(body.isBlank() ? "without a reason" : body));
  }

  private static String words(JsonNode node) {
    if (node.isString()) {
      return node.asString();
    }
    StringJoiner out = new StringJoiner("; ");
    for (JsonNode part : node.isArray() ? node : java.util.List.of(node)) {
      JsonNode message = part.get("msg") != null ? part.get("msg") : part.get("message");
      String where = part.get("loc") == null ? "" : part.get("loc").toString() + " ";
      out.add(message == null ? part.toString() : where + (message.isString() ? message.asString() : message.toString()));
    }
    return out.toString();
  }

  String text(String raw) {
    String line = secrets.scrub(raw).replaceAll("\\s+", " ").strip();
    return line.length() > LONGEST ? line.substring(0, LONGEST) + "..." : line;
  }

  String host() {
    return host;
  }
}

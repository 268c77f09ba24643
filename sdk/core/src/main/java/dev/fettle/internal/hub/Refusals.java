package dev.fettle.internal.hub;

import dev.fettle.InvalidInputException;
import java.io.IOException;
import okhttp3.HttpUrl;
import okhttp3.Response;

/** What to do about answers that are not a file. */
final class Refusals {
  private static final String NOR_HERE = " (no directory of that name is here either)";

  private final Settings settings;

  Refusals(Settings settings) {
    this.settings = settings;
  }

  /** A model's name may have been meant as a path. */
  static String norHere(Repository repository) {
    return repository.kind() == Repository.Kind.MODEL ? NOR_HERE : "";
  }

  /** Whether what goes to a URL can be read by nobody on the way. */
  static boolean isPrivate(HttpUrl url) {
    return url.isHttps() || url.host().equals("localhost") || url.host().matches("127\\.[0-9.]+|::1");
  }

  /** Whether a 404 is about the file alone; a hub that does not say is taken at its word by what else is asked for. */
  boolean isAbsent(Response response) {
    String code = response.header("X-Error-Code", "EntryNotFound");
    return code.equals("EntryNotFound");
  }

  /** Lets successes pass. */
  void check(Response response, Repository repository, String file, boolean home) throws IOException {
    int status = response.code();
    if (response.isSuccessful()) {
      return;
    }
    String said = settings.token().scrub(response.header("X-Error-Message", ""));
    String where = home ? settings.host() : response.request().url().host();
    if (status == 404) {
      throw "RevisionNotFound".equals(response.header("X-Error-Code"))
          ? new InvalidInputException(repository.id() + ": " + where + " has no revision " + repository.revision()
              + " of it; name a branch, a tag or a commit")
          : noSuch(repository);
    }
    if (home && (status == 401 || status == 403)) {
      throw denied(repository, file, status, said, "GatedRepo".equals(response.header("X-Error-Code")));
    }
    if (status == 408 || status == 429 || status >= 500 || !home && (status == 401 || status == 403)) {
      String wait = response.header("Retry-After", "0");
      throw new Client.Transient(where + " answers with status " + status + (said.isEmpty() ? "" : ": " + said),
          wait.matches("\\d{1,6}") ? Long.parseLong(wait) : 0);
    }
    throw new InvalidInputException(repository + ": " + where + " does not give " + file + ": status " + status
        + (said.isEmpty() ? "" : ": " + said));
  }

  /** For a name that the hub does not know. */
  InvalidInputException noSuch(Repository repository) {
    return new InvalidInputException(repository + ": " + settings.host() + " has no such " + repository.kind() + " or revision; check "
        + "the name, and if it is private set HF_TOKEN" + norHere(repository));
  }

  private InvalidInputException denied(Repository repository, String file, int status, String said, boolean gated) {
    String page = settings.endpoint().newBuilder().addPathSegments(repository.path()).build().toString();
    String token;
    if (!settings.token().isPresent()) {
      token = "set HF_TOKEN to a token of yours";
    } else if (!Refusals.isPrivate(settings.endpoint())) {
      token = "the token is not sent, because HF_ENDPOINT is not encrypted: use https";
    } else {
      token = "the token of " + settings.token().source() + " has no access: take one that may read it";
    }
    return new InvalidInputException(repository + ": " + settings.host() + " does not give " + file + " (" + status
        + "): " + (gated ? "the " + repository.kind() + " is gated"
            : "the name is wrong" + norHere(repository) + ", or the " + repository.kind() + " is private or gated")
        + ". Accept its licence on " + page + " and " + token + (said.isEmpty() ? "" : ". It says: " + said));
  }
}

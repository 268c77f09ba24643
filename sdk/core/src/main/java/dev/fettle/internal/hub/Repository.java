package dev.fettle.internal.hub;

import dev.fettle.InvalidInputException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A repository on the hub at a revision.
 *
 * @param kind what is in it
 * @param id such as {@code Qwen/Qwen3-0.6B}; old ones have no owner
 * @param revision a branch, a tag or a commit
 */
record Repository(Kind kind, String id, String revision) {
  /** What repositories hold. */
  enum Kind {
    MODEL("models--", "", "model"),
    DATASET("datasets--", "datasets/", "dataset");

    private final String folder;
    private final String path;
    private final String word;

    Kind(String folder, String path, String word) {
      this.folder = folder;
      this.path = path;
      this.word = word;
    }

    @Override
    public String toString() {
      return word;
    }
  }

  static final String MAIN = "main";
  private static final String PART = "[A-Za-z0-9][\\w.-]{0,95}";
  private static final Pattern NAME = Pattern.compile("((?:" + PART + "/)?" + PART + ")(?:@(\\w[\\w./-]{0,249}))?");
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  /** Reads {@code owner/name} or {@code owner/name@revision} of a model; empty if a text is neither. */
  static Optional<Repository> parse(String text) {
    return parse(Kind.MODEL, text);
  }

  private static Optional<Repository> parse(Kind kind, String text) {
    Matcher matcher = NAME.matcher(text);
    if (!matcher.matches() || text.contains("..") || matcher.group(1).contains("--")
        || matcher.group(1).matches(".*[.-](/.*)?")) {
      return Optional.empty();
    }
    String revision = matcher.group(2) == null ? MAIN : matcher.group(2);
    return revision.contains("//") || revision.endsWith("/") ? Optional.empty()
        : Optional.of(new Repository(kind, matcher.group(1), revision));
  }

  static Repository of(String text) {
    return of(Kind.MODEL, text);
  }

  static Repository of(Kind kind, String text) {
    return parse(kind, text).orElseThrow(() -> new InvalidInputException("\"" + text
        + "\" is not a name on the Hugging Face hub: owner/name or owner/name@revision"));
  }

  boolean hasOwner() {
    return id.contains("/");
  }

  /** Whether the revision is a commit, which never changes. */
  boolean isCommit() {
    return COMMIT.matcher(revision).matches();
  }

  /** The name of its directory in the cache. */
  String folder() {
    return kind.folder + id.replace("/", "--");
  }

  /** Where its page is below the hub's address. */
  String path() {
    return kind.path + id;
  }

  /** The same repository at another revision. */
  Repository at(String other) {
    return new Repository(kind, id, other);
  }

  @Override
  public String toString() {
    return revision.equals(MAIN) ? id : id + "@" + revision;
  }
}

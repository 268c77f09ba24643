package dev.fettle.internal.hub;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import dev.fettle.ServiceException;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The files of one commit of a repository, as they are asked for: from the cache, else from the hub into the cache. */
final class Snapshot implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Snapshot.class);

  private static final Pattern SHARD = Pattern.compile("(.*-)(\\d{5})-of-(\\d{5})[^/]*");

  private final Settings settings;
  private final Repository repository;
  private final Cache cache;
  private final Retries retries;
  private final List<String> missing = new ArrayList<>();
  private Client client;
  private boolean exists;
  private String commit;
  private boolean enough;
  private boolean cut;

  Snapshot(Settings settings, Repository repository, Duration pause) {
    this.settings = settings;
    this.repository = repository;
    this.cache = new Cache(settings.cache(), repository);
    this.retries = new Retries(pause, settings.token());
    this.commit = cache.commit().orElse(null);
  }

  Repository repository() {
    return repository;
  }

  /** Where a file of this commit is, or will be. */
  Path path(String file) {
    return cache.snapshot(commit).resolve(file);
  }

  boolean has(String file) {
    return commit != null && Files.isRegularFile(path(file));
  }

  /** What must be there is there: what else there may be is done without if the hub cannot be reached. */
  void isEnough() {
    enough = true;
  }

  /**
   * The names of all files, sorted; of those that are here where the hub may not or cannot be asked.
   *
   * @throws InvalidInputException if nothing of it is here and nothing may be downloaded
   */
  List<String> files() {
    String what = repository + ": " + settings.host() + " cannot be asked for its files";
    List<String> here = here();
    if (settings.offline()) {
      if (here.isEmpty()) {
        missing.add("every file");
        requireNothingMissing("");
      }
      return here;
    }
    try {
      Listing listing = here.isEmpty() ? retries.run(what, () -> 0, () -> client().listing(repository, revision()))
          : client().listing(repository, revision());
      if (commit == null) {
        commit = listing.commit();
        cache.commit(commit);
      }
      return listing.files();
    } catch (IOException | FettleException e) {
      if (here.isEmpty()) {
        throw e instanceof FettleException failure ? failure : unkept("the commit of " + repository.revision(), (IOException) e);
      }
      cut = true;
      LOG.warn("{}: {}; going on with what {} holds", what, settings.token().scrub(e.getMessage()), cache.root());
      return here;
    }
  }

  /** Whether the hub was asked in vain, or may not be asked, so that files may be missing. */
  boolean isCut() {
    return cut || settings.offline();
  }

  /** Where all of its files are, as far as is known, for errors. */
  String place() {
    return !isCut() ? "there" : "in the cache, " + cache.root() + (settings.offline()
        ? ", and HF_HUB_OFFLINE forbids to download: unset it once" : ", and " + settings.host() + " cannot be reached");
  }

  private List<String> here() {
    if (commit == null || !Files.isDirectory(cache.snapshot(commit))) {
      return List.of();
    }
    Path root = cache.snapshot(commit);
    try (Stream<Path> files = Files.walk(root)) {
      return files.filter(Files::isRegularFile).map(file -> root.relativize(file).toString().replace('\\', '/')).sorted().toList();
    } catch (UncheckedIOException e) {
      throw FileErrors.unread(root, e.getCause());
    } catch (IOException e) {
      throw FileErrors.unread(root, e);
    }
  }

  private FettleException unkept(String file, IOException e) {
    return new FettleException(cache.root() + ": " + file + " of " + repository + " cannot be kept there: "
        + FileErrors.reason(cache.root(), e)
        + "; let HF_HOME name a directory that can be written", e);
  }

  /** A file that must be there. Offline it is noted as missing. */
  Path require(String file) {
    if (!find(file)) {
      requireSomeModel();
      missing.add(file);
    }
    return commit == null ? cache.root() : path(file);
  }

  /** Whether there is such a file; then it is in the cache from now on. */
  boolean find(String file) {
    if (has(file)) {
      return true;
    }
    if (settings.offline() || cut || commit != null && cache.lacks(commit, file)) {
      return false;
    }
    try {
      return fetch(file);
    } catch (IOException e) {
      throw unkept(file, e);
    }
  }

  private boolean fetch(String file) throws IOException {
    Optional<Client.Facts> found;
    String what = repository + ": " + settings.host() + " cannot be asked for " + file;
    try {
      found = enough ? ask(file) : retries.run(what, () -> 0, () -> ask(file));
    } catch (IOException | FettleException e) {
      if (!enough) {
        throw e;
      }
      cut = true;
      LOG.warn("{}: {}; going on with what {} holds, without {}", what, settings.token().scrub(e.getMessage()),
          cache.root(), file);
      return false;
    }
    if (found.isEmpty()) {
      return false;
    }
    Client.Facts facts = found.get();
    if (commit == null) {
      commit = facts.commit();
      cache.commit(commit);
    }
    bring(file, new Client.Facts(commit, facts.etag(), facts.size()));
    return true;
  }

  private Optional<Client.Facts> ask(String file) throws IOException {
    return client().facts(repository, revision(), file, c -> lacking(c, file));
  }

  private Client client() {
    if (client == null) {
      client = new Client(settings);
    }
    return client;
  }

  private String revision() {
    return commit == null ? repository.revision() : commit;
  }

  private void lacking(String of, String file) {
    exists = true;
    try {
      cache.lacking(of, file);
    } catch (IOException e) {
      LOG.debug("{}: cannot be noted as missing in the cache: {}", file, e.toString());
    }
  }

  private void bring(String file, Client.Facts facts) throws IOException {
    Runnable waiting = () -> Status.doing(this, file + ": another download of it goes on");
    Lock lock = Lock.take(cache.lock(facts.etag()), waiting);
    try {
      Status.doing(this, null);
      if (has(file)) {
        return;
      }
      Path blob = cache.blob(facts.etag());
      boolean fresh = !Files.isRegularFile(blob);
      if (fresh) {
        new Download(client(), retries, repository, file, facts, blob).run();
      }
      cache.link(facts.etag(), path(file), fresh);
    } finally {
      Status.doing(this, null);
      lock.close();
    }
  }

  /** A hub that lacks what every model has lacks the model. */
  private void requireSomeModel() {
    if (!settings.offline() && !exists && commit == null) {
      throw new Refusals(settings).noSuch(repository);
    }
  }

  /** For weights of which nothing is here: that nothing may be downloaded is what to say then. */
  void requireOnline(String file) {
    if (settings.offline()) {
      missing.add(file);
      requireNothingMissing("");
    }
  }

  /** Notes what is missing of files that are numbered, {@code -00000-of-00003}, where the hub does not say what there is. */
  void requireWhole(List<String> files) {
    for (String file : files) {
      Matcher shard = SHARD.matcher(file);
      for (int i = 0; shard.matches() && i < Integer.parseInt(shard.group(3)); i++) {
        String start = shard.group(1) + String.format(Locale.ROOT, "%05d", i) + "-of-" + shard.group(3);
        if (files.stream().noneMatch(f -> f.startsWith(start)) && !missing.contains(start)) {
          missing.add(start);
        }
      }
    }
  }

  /** Says what was required and is not there; more than the last file may follow. */
  void requireNothingMissing(String last) {
    if (missing.isEmpty()) {
      return;
    }
    String files = String.join(", ", missing) + (last.isEmpty() ? "" : " and all that follows from it");
    if (settings.offline()) {
      throw new InvalidInputException(repository + ": not in the cache, " + cache.root() + ": " + files
          + "; HF_HUB_OFFLINE forbids to download: unset it once, or let HF_HOME name the cache that has it"
          + Refusals.norHere(repository));
    }
    if (cut) {
      throw new ServiceException(repository + ": " + settings.host() + " cannot be reached, and the cache, " + cache.root() + ", has no "
          + files + "; check the network and proxy settings, and call again", 0);
    }
    throw new ServiceException(repository + ": " + settings.host() + " has no " + files
        + " at this revision: the repository is incomplete", 404);
  }

  @Override
  public void close() {
    if (client != null) {
      client.close();
    }
  }
}

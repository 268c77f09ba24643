package dev.fettle.internal.hub;

import dev.fettle.ServiceException;
import dev.fettle.internal.json.JsonException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * The files of a repository at a commit.
 *
 * @param files their names, sorted
 */
record Listing(String commit, List<String> files) {
  private static final int MOST = 64 << 20;

  /** Reads what the hub says of a revision. */
  static Listing read(InputStream in, Repository repository, String host) throws IOException {
    byte[] text = in.readNBytes(MOST);
    JsonNode said;
    try {
      said = JsonReader.STANDARD.read(text);
    } catch (JsonException e) {
      throw new IOException("the list of files is no JSON: " + e.getMessage(), e);
    }
    String commit = said.path("sha").asString("");
    if (!Client.isCommit(commit) || !said.path("siblings").isArray()) {
      throw new ServiceException(repository + ": " + host + " lists its files in another way than a hub does; if HF_ENDPOINT is set, "
          + "does it name a hub?", 0);
    }
    List<String> files = new ArrayList<>();
    for (JsonNode file : said.get("siblings")) {
      String name = file.path("rfilename").asString("");
      // A name becomes a path in the cache.
      if (!name.isEmpty() && !name.startsWith("/") && !List.of(name.split("/")).contains("..")) {
        files.add(name);
      }
    }
    return new Listing(commit, files.stream().sorted().toList());
  }
}

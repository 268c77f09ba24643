package dev.fettle.examples;

import dev.fettle.FettleException;
import dev.fettle.InvalidInputException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/** Fetches the three files of the Cranfield collection, of which the checksums are known, and converts them. */
final class CranfieldDownload {
  /** A copy of the collection that cannot change: the address names a commit. */
  static final URI SOURCE = URI.create("https://raw.githubusercontent.com/noramtboraas/information-retrieval/"
      + "4ea1b8e02da1db64b68b0364d50620b3c95528dc/");
  private static final Map<String, String> SHA256 = new LinkedHashMap<>();

  static {
    SHA256.put(CranfieldFiles.DOCUMENTS, "fbb8935a93263ab6c9fadefb507fd7cd5e101e7fbeb31c12e6bff6dd501315e8");
    SHA256.put(CranfieldFiles.QUERIES, "99578ceb88941ef89c14faf7c63c23776a376d8fba319b990f01d0c601d8b03f");
    SHA256.put(CranfieldFiles.JUDGEMENTS, "a90f56082cd44db70bf2c21ebca39a1a34e37c82ccb5ddf1bcc64f18795234c7");
  }

  private CranfieldDownload() {}

  /**
   * Makes a directory as {@link RankCollection#read} takes it. Files that are there with the right checksum are not fetched
   * again.
   *
   * @throws FettleException if a file cannot be fetched or is another than it should be; it is not kept
   */
  static void into(Path directory, URI source) {
    try {
      Files.createDirectories(directory);
      HttpClient client = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL)
          .connectTimeout(Duration.ofSeconds(30)).build();
      for (Map.Entry<String, String> file : SHA256.entrySet()) {
        Path target = directory.resolve(file.getKey());
        if (!Files.exists(target) || !sha256(Files.readAllBytes(target)).equals(file.getValue())) {
          fetch(client, source.resolve(file.getKey()), file.getValue(), target);
        }
      }
    } catch (IOException e) {
      throw new FettleException("the Cranfield collection cannot be put into " + directory + ": " + e, e);
    }
    CranfieldFiles.convert(directory);
  }

  private static void fetch(HttpClient client, URI address, String expected, Path target) throws IOException {
    byte[] body;
    try {
      HttpResponse<byte[]> answer = client.send(HttpRequest.newBuilder(address).timeout(Duration.ofMinutes(2)).build(),
          HttpResponse.BodyHandlers.ofByteArray());
      if (answer.statusCode() != 200) {
        throw new InvalidInputException(address + " answers " + answer.statusCode() + ": fetch it by other means, put "
            + "it beside " + target + " and call again");
      }
      body = answer.body();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FettleException("interrupted while fetching " + address, e);
    }
    String found = sha256(body);
    if (!found.equals(expected)) {
      throw new InvalidInputException(address + " is another file than it should be: its SHA-256 is " + found + ", not "
          + expected + "; nothing was kept");
    }
    Path part = target.resolveSibling(target.getFileName() + ".part");
    Files.write(part, body);
    Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}

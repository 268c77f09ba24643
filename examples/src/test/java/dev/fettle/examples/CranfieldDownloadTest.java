package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import dev.fettle.FettleException;
import dev.fettle.internal.HttpServers;
import dev.fettle.ranking.RetrievalData;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CranfieldDownloadTest {
  private static final Path CRANFIELD =
      Path.of(System.getProperty("fettle.shared", "../../shared"), "data", "cranfield");

  @TempDir
  private Path directory;
  private final AtomicInteger requests = new AtomicInteger();
  private HttpServer server;
  private Path served;

  @BeforeEach
  void serve() throws IOException {
    served = directory.resolve("none");
    server = HttpServers.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    server.createContext("/", exchange -> {
      requests.incrementAndGet();
      Path file = served.resolve(exchange.getRequestURI().getPath().substring(1));
      byte[] body = Files.exists(file) ? Files.readAllBytes(file) : new byte[] {1};
      exchange.sendResponseHeaders(Files.isDirectory(served) ? 200 : 404, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private URI address() {
    return URI.create("http://localhost:" + server.getAddress().getPort() + "/");
  }

  @Test
  void theConvertedCollectionIsThePublishedOne() {
    assumeTrue(Files.isDirectory(CRANFIELD), CRANFIELD + " is not there: give -Dfettle.shared=DIR");
    served = CRANFIELD;
    Path target = directory.resolve("made");

    CranfieldDownload.into(target, address());

    RetrievalData made = RankCollection.read(target, 5).data();
    RetrievalData known = RankCollection.read(CRANFIELD, 5).data();
    assertThat(made.corpus()).isEqualTo(known.corpus());
    assertThat(made.queries()).isEqualTo(known.queries());
    known.queries().keySet().forEach(q -> assertThat(made.qrels().grades(q)).as(q).isEqualTo(known.qrels().grades(q)));
    assertThat(requests).hasValue(3);
    CranfieldDownload.into(target, address());
    assertThat(requests).hasValue(3);
  }

  @Test
  void aFileWithAnotherChecksumIsRefusedAndNotKept() throws IOException {
    served = Files.createDirectories(directory.resolve("served"));
    Files.writeString(served.resolve("cran.all.1400"), ".I 1\n.T\nother\n");
    Path target = directory.resolve("made");

    assertThatThrownBy(() -> CranfieldDownload.into(target, address())).isInstanceOf(FettleException.class)
        .hasMessageContaining("cran.all.1400").hasMessageContaining("SHA-256");
    assertThat(target).isEmptyDirectory();
  }

  @Test
  void anAnswerThatIsNoFileSaysWhatToDo() {
    assertThatThrownBy(() -> CranfieldDownload.into(directory.resolve("made"), address()))
        .isInstanceOf(FettleException.class).hasMessageContaining("404").hasMessageContaining("other means");
  }

  @Test
  void aCodeThatDoesNotExistIsRefusedByFileAndLine() throws IOException {
    Files.writeString(directory.resolve("cran.all.1400"), ".I 1\n.T\na\n.A\n.B\n.W\na b\n");
    Files.writeString(directory.resolve("cran.qry"), ".I 001\n.W\nwhat\n");
    Files.writeString(directory.resolve("cranqrel"), "1 1 2\n1 1 9\n");

    assertThatThrownBy(() -> CranfieldFiles.convert(directory)).isInstanceOf(FettleException.class)
        .hasMessageContaining("cranqrel line 2").hasMessageContaining("1 1 9");
  }
}

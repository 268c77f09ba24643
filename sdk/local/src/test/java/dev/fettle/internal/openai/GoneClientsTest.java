package dev.fettle.internal.openai;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.fettle.DType;
import dev.fettle.internal.HttpServers;
import dev.fettle.internal.LiveRequest;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.SampleListener;
import dev.fettle.internal.SampledToken;
import dev.fettle.internal.SamplerBackend;
import dev.fettle.internal.json.JsonPrinter;
import dev.fettle.internal.local.LocalBackend;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that go away before a sample ends, which here never does. */
class GoneClientsTest {
  private final CompletableFuture<Void> abandoned = new CompletableFuture<>();
  private final LocalBackend backend = new LocalBackend();
  private HttpServer http;
  private OpenAi calls;

  private Object endless(LiveRequest request) {
    SampleListener listener = request.listeners().get(0);
    Thread thread = new Thread(() -> {
      while (!listener.abandoned()) {
        listener.token(new SampledToken(5, "a", -1, false, new int[0], new float[0]));
        try {
          Thread.sleep(5);
        } catch (InterruptedException e) {
          return;
        }
      }
      abandoned.complete(null);
    });
    thread.setDaemon(true);
    thread.start();
    return null;
  }

  @BeforeEach
  void start() throws IOException {
    ModelBackend model = backend.load("fettle-tiny", Optional.of(DType.F32));
    SamplerBackend sampler = Instead.of(SamplerBackend.class, model.sampler(), "begin", a -> endless((LiveRequest) a[0]));
    calls = new OpenAi(Instead.of(ModelBackend.class, model, "sampler", a -> sampler), "endless", Map.of(), Bounds.standard());
    http = HttpServers.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    http.createContext("/", exchange -> calls.handle(exchange, () -> exchange.getRequestBody().readAllBytes()));
    http.start();
  }

  @AfterEach
  void stop() {
    http.stop(0);
    calls.close();
    backend.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theirWorkEnds(boolean streamed) throws Exception {
    String body = JsonPrinter.line(ServedTiny.chat("endless", "stream", streamed));
    try (Socket socket = new Socket(http.getAddress().getAddress(), http.getAddress().getPort())) {
      socket.getOutputStream().write(("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length() + "\r\n\r\n"
          + body).getBytes(StandardCharsets.US_ASCII));
      if (streamed) {
        BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        for (int events = 0; events < 5;) {
          events += in.readLine().startsWith("data: ") ? 1 : 0;
        }
      } else {
        socket.getInputStream().read();
      }
      assertThat(abandoned).isNotDone();
    }

    abandoned.get(20, TimeUnit.SECONDS);
  }
}

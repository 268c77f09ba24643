package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServeTest {
  @TempDir
  Path state;

  @Test
  void itServesUntilItIsInterrupted() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    CompletableFuture<Integer> code = new CompletableFuture<>();
    Thread program = new Thread(() -> code.complete(Serve.run(new String[] {"--model", "fettle-tiny", "--port", "0",
        "--state",
        state.toString(), "--name", "org/tiny"}, new PrintStream(out, true, StandardCharsets.UTF_8), System.err)));
    program.start();
    while (!out.toString(StandardCharsets.UTF_8).contains("\n") && !code.isDone()) {
      Thread.sleep(20);
    }
    String line = out.toString(StandardCharsets.UTF_8).strip();
    assertThat(line).startsWith("serving org/tiny at http://127.0.0.1:");

    HttpResponse<String> answer = HttpClient.newHttpClient().send(HttpRequest.newBuilder(
        URI.create(line.substring(line.indexOf("http")) + "/api/v1/get_server_capabilities")).build(),
        HttpResponse.BodyHandlers.ofString());
    program.interrupt();

    assertThat(answer.body()).contains("\"model_name\":\"org/tiny\"");
    assertThat(code.get()).isZero();
  }

  @Test
  void otherMachinesAreOnlyServedWithAToken() {
    Outcome outcome = Outcome.of(Serve::run, "--model", "fettle-tiny", "--host", "0.0.0.0", "--port", "0", "--state",
        state.toString());

    assertThat(outcome.code()).isEqualTo(1);
    assertThat(outcome.err()).contains("set a token");
  }
}

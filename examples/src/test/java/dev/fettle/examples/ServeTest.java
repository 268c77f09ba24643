package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class ServeTest {
  @TempDir
  Path state;

  /** A program that serves, and what it printed. */
  private final class Running implements AutoCloseable {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final CompletableFuture<Integer> code = new CompletableFuture<>();
    private final Thread program;

    Running(String... more) throws InterruptedException {
      List<String> args = new ArrayList<>(List.of("--port", "0", "--state", state.toString()));
      args.addAll(List.of(more));
      program = new Thread(() -> code.complete(Serve.run(args.toArray(String[]::new),
          new PrintStream(out, true, StandardCharsets.UTF_8), System.err)));
      program.start();
      while (!line().contains("http") && !code.isDone()) {
        Thread.sleep(20);
      }
    }

    String line() {
      return out.toString(StandardCharsets.UTF_8).strip();
    }

    String uri() {
      return line().substring(line().indexOf("http"));
    }

    @Override
    public void close() {
      program.interrupt();
      assertThat(code.join()).isZero();
    }
  }

  @Test
  void itServesUntilItIsInterrupted() throws Exception {
    try (Running server = new Running("--model", "fettle-tiny", "--name", "org/tiny")) {
      assertThat(server.line()).startsWith("serving org/tiny at http://127.0.0.1:");

      HttpResponse<String> answer = HttpClient.newHttpClient().send(HttpRequest.newBuilder(
          URI.create(server.uri() + "/api/v1/get_server_capabilities")).build(), HttpResponse.BodyHandlers.ofString());

      assertThat(answer.body()).contains("\"model_name\":\"org/tiny\"");
    }
  }

  @Test
  void theSameCommandLineGivesTheSameResultHereAndThere() throws Exception {
    Path data = state.resolve("train.jsonl");
    Files.writeString(data, "{\"messages\":[{\"role\":\"user\",\"content\":\"Say blue.\"},{\"role\":\"assistant\","
        + "\"content\":\"blue\"}]}\n{\"prompt\":\"one two three\",\"completion\":\" four\"}\n{\"text\":\"A plain line.\"}\n");
    List<String> tune = List.of("--model", "fettle-tiny", "--data", data.toString(), "--epochs", "4", "--batch", "2", "--rank",
        "4", "--out");
    try (Running server = new Running("--model", "fettle-tiny", "--dtype", "f32")) {
      JsonNode here = run(Tune::run, tune, state.resolve("here").toString(), "--dtype", "f32");
      JsonNode there = run(Tune::run, tune, state.resolve("there").toString(), "--remote", server.uri());

      assertThat(there.get("loss_first").asDouble()).isCloseTo(here.get("loss_first").asDouble(), within(1e-6));
      assertThat(there.get("loss_last").asDouble()).isCloseTo(here.get("loss_last").asDouble(), within(1e-6));
      assertThat(there.get("steps")).isEqualTo(here.get("steps"));
    }
    List<String> score = List.of("--model", "fettle-tiny", "--dtype", "f32", "--tokens", "[5,6,7,8,9]", "--adapter");
    JsonNode here = run(Score::run, score, state.resolve("here").toString()).get("logprobs");
    JsonNode there = run(Score::run, score, state.resolve("there").toString()).get("logprobs");
    for (int i = 0; i < 4; i++) {
      assertThat(there.get(i).asDouble()).isCloseTo(here.get(i).asDouble(), within(1e-6));
    }
  }

  private static JsonNode run(Outcome.Program program, List<String> args, String... more) {
    List<String> all = new ArrayList<>(args);
    all.addAll(List.of(more));
    Outcome outcome = Outcome.of(program, all.toArray(String[]::new));
    assertThat(outcome.code()).as(outcome.err()).isZero();
    return outcome.json();
  }

  @Test
  void otherMachinesAreOnlyServedWithAToken() {
    Outcome outcome = Outcome.of(Serve::run, "--model", "fettle-tiny", "--host", "0.0.0.0", "--port", "0", "--state",
        state.toString());

    assertThat(outcome.code()).isEqualTo(1);
    assertThat(outcome.err()).contains("set a token");
  }
}

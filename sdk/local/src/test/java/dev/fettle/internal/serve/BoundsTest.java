package dev.fettle.internal.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.wire.PassProto;
import dev.fettle.internal.wire.Passes;
import dev.fettle.internal.wire.Paths;
import dev.fettle.internal.wire.Sampling;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a client may ask for: more is refused with what the most is, before it takes memory. */
class BoundsTest {
  private static final int[] TOKENS = {5, 6, 7, 8, 9, 10, 11, 12};

  @TempDir
  Path state;
  private Small small;
  private Wire wire;

  @BeforeEach
  void start() {
    small = new Small(Limits.standard().models(4).poll(Duration.ofMillis(100))
        .sizes(new Limits.Sizes(100_000, 150_000, 64, 10, 50, 8, 5)), state);
    wire = small.wire;
  }

  @AfterEach
  void stop() {
    small.close();
  }

  /** Sends bytes as they are, ends the sending, and reads what comes until the connection is closed. */
  private String raw(String head, byte[] body) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", small.server.address().getPort())) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(head.getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().write(body);
      socket.getOutputStream().flush();
      socket.shutdownOutput();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static String head(String path, String more) {
    return "POST /" + path + " HTTP/1.1\r\nHost: a\r\n" + more + "\r\n";
  }

  @Test
  void aBodyThatWasCutIsTheClientsFault() throws Exception {
    String cut = raw(head(Paths.OPTIM_STEP, "Content-Length: 100\r\n"), "{\"model_id\":".getBytes(StandardCharsets.UTF_8));
    assertThat(cut).startsWith("HTTP/1.1 400").contains("cut after 12 bytes of 100");
    String chunked = raw(head(Paths.SAMPLE, "Transfer-Encoding: chunked\r\n"), "5\r\nab".getBytes(StandardCharsets.UTF_8));
    assertThat(chunked).startsWith("HTTP/1.1 400").contains("cut after");

    ByteArrayOutputStream zipped = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(zipped)) {
      out.write("{\"model_id\":\"none\"}".getBytes(StandardCharsets.UTF_8));
    }
    byte[] half = java.util.Arrays.copyOf(zipped.toByteArray(), zipped.size() - 6);
    assertThat(wire.send("POST", Paths.GET_INFO, half, "Content-Encoding", "gzip").status()).isEqualTo(400);
    assertThat(wire.send("POST", Paths.GET_INFO, zipped.toByteArray(), "Content-Encoding", "gzip").status()).isEqualTo(404);
  }

  @Test
  void aBodyThatIsTooLargeIsRefusedAtItsHeader() throws Exception {
    long start = System.nanoTime();
    String refused = raw(head(Paths.FORWARD, "Content-Length: 314572800\r\n"), new byte[10]);
    assertThat(refused).startsWith("HTTP/1.1 413").contains("314572800 bytes", "at most 100000");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));

    assertThat(wire.send("POST", Paths.FORWARD, new byte[400_000]).detail()).contains("at most 100000");
    ByteArrayOutputStream bomb = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bomb)) {
      out.write(new byte[50_000_000]);
    }
    assertThat(wire.send("POST", Paths.FORWARD, bomb.toByteArray(), "Content-Encoding", "gzip").status()).isEqualTo(413);
    assertThat(wire.get(Paths.HEALTH).status()).isEqualTo(200);
  }

  @Test
  void bodiesThatAreReadAtATimeHaveABoundTooAndAreForgotten() throws Exception {
    List<Socket> slow = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      Socket socket = new Socket("127.0.0.1", small.server.address().getPort());
      socket.getOutputStream().write(head(Paths.FORWARD, "Content-Length: 99000\r\n").getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().write(new byte[70_000]);
      slow.add(socket);
    }
    Wire.Answer answer = wire.send("POST", Paths.FORWARD, new byte[90_000]);
    for (int i = 0; i < 100 && answer.status() != 429; i++) {
      Thread.sleep(50);
      answer = wire.send("POST", Paths.FORWARD, new byte[90_000]);
    }
    assertThat(answer.status()).isEqualTo(429);
    assertThat(answer.headers()).containsKey("Retry-After");
    for (Socket socket : slow) {
      socket.close();
    }
    for (int i = 0; i < 100 && answer.status() == 429; i++) {
      Thread.sleep(50);
      answer = wire.send("POST", Paths.FORWARD, new byte[90_000]);
    }
    assertThat(answer.status()).isEqualTo(422);
  }

  @Test
  void ranksDataTokensAndSamplesHaveABound() {
    String session = wire.session();
    assertThat(wire.create(session, 0, 65, null)).matches(a -> a.status() == 400).extracting(Wire.Answer::detail).asString()
        .contains("65", "at most 64");
    String model = wire.model(session, 0);
    Passes.Datum one = Wire.datum(5, 6);
    Passes.Pass many = new Passes.Pass(model, 1, Collections.nCopies(11, one), "cross_entropy", null, false);
    assertThat(wire.send("POST", Paths.FORWARD_BACKWARD, PassProto.write(many), "Content-Type", Paths.PROTOBUF).detail())
        .contains("11 data", "at most 10");
    Passes.Pass large = new Passes.Pass(model, 1, Collections.nCopies(9, Wire.datum(TOKENS)), "cross_entropy", null, false);
    assertThat(wire.send("POST", Paths.FORWARD_BACKWARD, large.json()).detail()).contains("more than 50 targets");
    String sampler = wire.post(Paths.CREATE_SAMPLING_SESSION, Sampling.CreateSession.of(session, 0, "fettle-tiny", null))
        .text("sampling_session_id");
    assertThat(wire.post(Paths.SAMPLE, Sampling.Sample.of(sampler, 0, TOKENS, 9, new Sampling.Params(2, null, null, 0.0, -1,
        1.0), false)).detail()).contains("num_samples is 9", "at most 8");
  }

  @Test
  void aCheckpointThatHasExpiredIsGoneBeforeItIsDeleted() {
    String model = wire.model(wire.session(), 0);
    String save = "{\"model_id\":\"" + model + "\",\"path\":\"a\",\"ttl_seconds\":5}";
    String path = wire.result(wire.post(Paths.SAVE_WEIGHTS, save)).get("path").asString();
    Map<String, String> asked = Map.of("tinker_path", path);
    assertThat(wire.post(Paths.WEIGHTS_INFO, asked).status()).isEqualTo(200);
    small.time.addAndGet(5_000);
    assertThat(wire.post(Paths.WEIGHTS_INFO, asked)).extracting(Wire.Answer::status, Wire.Answer::detail).satisfies(
        told -> assertThat(told.toString()).contains("404", "expired at"));
    assertThat(wire.get(Paths.CHECKPOINTS).json().get("checkpoints").size()).isZero();
    assertThat(state.toFile().list()).isNotEmpty();
    assertThat(wire.result(wire.post(Paths.SAVE_WEIGHTS, save)).get("path").asString()).as("its name is free").isEqualTo(path);
    small.pass(5);
    assertThat(small.engine.store().directory(CheckpointId.parse(path))).doesNotExist();
  }

  @Test
  void aSparseTensorOfManyZerosTakesNoMemory() {
    String model = wire.model(wire.session(), 0);
    String huge = "{\"data\":[],\"dtype\":\"int64\",\"shape\":[2,130000000],\"sparse_crow_indices\":[0,0,0],"
        + "\"sparse_col_indices\":[]}";
    assertThat(wire.post(Paths.FORWARD_BACKWARD, "{\"forward_backward_input\":{\"data\":[{\"model_input\":{\"chunks\":[{"
        + "\"type\":\"encoded_text\",\"tokens\":[5,6]}]},\"loss_fn_inputs\":{\"target_tokens\":" + huge + "}}],"
        + "\"loss_fn\":\"cross_entropy\"},\"model_id\":\"" + model + "\",\"seq_id\":1}").detail())
        .contains("shape [2, 130000000]");
  }

  @Test
  void oneClientLeavesRoomForAnother() {
    String greedy = wire.session();
    for (int i = 0; i < 3; i++) {
      wire.model(greedy, i);
    }
    Wire.Answer fourth = wire.create(greedy, 3, 4, null);
    JsonNode waiting = wire.post(Paths.RETRIEVE, Map.of("request_id", fourth.text("request_id"))).json();
    assertThat(waiting.get("queue_state_reason").asString()).contains("3 models of this client");
    assertThat(wire.model(wire.session(), 0)).isNotBlank();
  }

  @Test
  void thereAreNoMoreSessionsThanSo() {
    for (int i = 0; i < 5; i++) {
      wire.session();
    }
    Wire.Answer refused = wire.post(Paths.CREATE_SESSION, "{}");
    assertThat(refused.status()).isEqualTo(429);
    assertThat(refused.detail()).contains("5 sessions");
    small.pass(301);
    assertThat(wire.session()).isNotBlank();
  }

  @Test
  void aResultThatNobodyFetchesGoesAfterAnHour() {
    String session = wire.session();
    String model = wire.model(session, 0);
    String id = wire.forwardBackward(model, 1, 5, 6, 7).text("request_id");
    wire.result(wire.forwardBackward(model, 2, 5, 6, 7));
    for (int i = 0; i < 14; i++) {
      wire.post(Paths.HEARTBEAT, Map.of("session_id", session));
      small.pass(290);
    }
    assertThat(wire.retrieve(id, Paths.JSON).status()).isEqualTo(410);
  }
}

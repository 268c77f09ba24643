package dev.fettle.recipes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Training;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What listeners write, without a run. */
class RunSinksTest {
  @TempDir private Path directory;
  private final Fettle fettle = Fettle.local();
  private final Training training = fettle.load("fettle-tiny", DType.F32).tune(Lora.rank(2));

  @AfterEach
  void close() {
    fettle.close();
  }

  private Run run(String ending, Run.Step... steps) {
    return new Run("sft", training, List.of(steps), ending, 0, Optional.empty());
  }

  private static Run.Step step(double number, double loss) {
    return new Run.Step(new TreeMap<>(Map.of("step", number, "loss", loss)));
  }

  @Test
  void commaSeparatedValuesGetAColumnWhenAMetricFirstComes() throws IOException {
    Path file = directory.resolve("run.csv");
    RunListener csv = RunListener.csv(file);
    assertThat(file).as("nothing is changed before the run begins").doesNotExist();
    csv.begin(run("running", step(1, 2.5)));
    csv.step(step(2, Double.NaN));
    csv.step(new Run.Step(new TreeMap<>(Map.of("step", 3.0, "loss", 0.25, "validation_loss", 0.5))));
    csv.step(step(4, 1e-5));
    csv.end(run("done"));

    assertThat(file).hasContent("step,loss,validation_loss\n1,2.5,\n2,,\n3,0.25,0.5\n4,1.0E-5,\n");
    assertThatThrownBy(() -> RunListener.csv(directory)).isInstanceOf(InvalidInputException.class);
  }

  @Test
  void metersHaveTheLatestOfEachMetricWhileTheRunGoesOn() {
    MeterRegistry registry = new SimpleMeterRegistry();
    RunMeters meters = RunMeters.in(registry);
    meters.begin(run("running"));
    meters.step(step(1, 2.5));
    meters.step(new Run.Step(new TreeMap<>(Map.of("step", 2.0, "loss", 0.25, "gradient_norm", 3.0))));

    assertThat(registry.get("fettle.run.loss").tag("recipe", "sft").tag("model", "fettle-tiny").gauge().value()).isEqualTo(0.25);
    assertThat(registry.get("fettle.run.gradient.norm").gauge().value()).isEqualTo(3);
    meters.end(run("done"));
    assertThat(registry.getMeters()).isEmpty();
  }

  @Test
  void eventFilesHaveTensorFlowsRecordsAndAScalarForEachMetric() throws IOException {
    RunListener events = RunListener.tensorBoard(directory.resolve("events"));
    events.begin(run("running"));
    events.step(step(1, 2.5));
    events.end(run("done"));
    events.begin(run("running", step(1, 2.5)));
    events.step(new Run.Step(new TreeMap<>(Map.of("step", 300.0, "loss", 0.25, "reward", -1.0))));
    events.end(run("done"));

    List<Path> files = files(directory.resolve("events"));
    assertThat(files).hasSize(2).allMatch(f -> f.getFileName().toString().startsWith("events.out.tfevents."));
    assertThat(records(files.get(0))).containsExactly("version brain.Event:2", "step 1: loss 2.5");
    // The second tells readers that later steps of the first are void.
    assertThat(records(files.get(1))).containsExactly("version brain.Event:2", "step 2: start", "step 300: loss 0.25 reward -1.0");
  }

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted((a, b) -> Integer.compare(number(a), number(b))).toList();
    }
  }

  private static int number(Path file) {
    return Integer.parseInt(file.toString().replaceAll(".*\\.", ""));
  }

  /** The records of a file in words, their checksums checked. */
  private static List<String> records(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    List<String> records = new ArrayList<>();
    while (bytes.hasRemaining()) {
      byte[] length = new byte[8];
      bytes.mark().get(length).reset();
      byte[] content = new byte[(int) bytes.getLong()];
      assertThat(unmasked(bytes.getInt())).isEqualTo(crc(length));
      bytes.get(content);
      assertThat(unmasked(bytes.getInt())).isEqualTo(crc(content));
      records.add(event(CodedInputStream.newInstance(content)));
    }
    return records;
  }

  private static int unmasked(int masked) {
    return Integer.rotateLeft(masked - 0xa282ead8, 15);
  }

  private static int crc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  private static String event(CodedInputStream in) throws IOException {
    StringBuilder text = new StringBuilder();
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (WireFormat.getTagFieldNumber(tag)) {
        case 1 -> assertThat(in.readDouble()).isCloseTo(System.currentTimeMillis() / 1e3, org.assertj.core.data.Offset.offset(600.0));
        case 2 -> text.append("step ").append(in.readInt64()).append(':');
        case 3 -> text.append("version ").append(in.readString());
        case 5 -> scalars(CodedInputStream.newInstance(in.readByteArray()), text);
        case 7 -> {
          assertThat(in.readByteArray()).containsExactly(8, 1);
          text.append(" start");
        }
        default -> throw new IllegalStateException("field " + WireFormat.getTagFieldNumber(tag));
      }
    }
    return text.toString();
  }

  private static void scalars(CodedInputStream in, StringBuilder text) throws IOException {
    while (in.readTag() != 0) {
      CodedInputStream value = CodedInputStream.newInstance(in.readByteArray());
      value.readTag();
      text.append(' ').append(value.readString());
      value.readTag();
      text.append(' ').append(value.readFloat());
    }
  }

  private static String get(URI uri, int code) throws Exception {
    var answer = HttpClient.newHttpClient().send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
    assertThat(answer.statusCode()).isEqualTo(code);
    return answer.body();
  }

  @Test
  void aBrowserSeesTheRunOnThisMachineAlone() throws Exception {
    try (ReportServer server = ReportServer.at(0)) {
      URI uri = server.uri();
      assertThat(get(uri, 200)).contains("No run has begun");
      String none = get(uri.resolve("/state"), 200);
      server.begin(run("running", step(1, 2.5)));
      server.step(step(2, 1.5));

      String begun = get(uri.resolve("/state"), 200);
      assertThat(begun).isNotEqualTo(none);
      assertThat(get(uri, 200)).contains("SFT of fettle-tiny", "2 steps", "running", "data:image/png;base64,", "fetch(\"/state\")");
      server.step(step(3, 0.5));
      assertThat(get(uri.resolve("/state"), 200)).as("not drawn at every step").isEqualTo(begun);
      server.end(run("all 3 steps done", step(1, 2.5), step(2, 1.5), step(3, 0.5)));
      assertThat(get(uri.resolve("/state"), 200)).isNotEqualTo(begun);
      assertThat(get(uri, 200)).contains("3 steps", "all 3 steps done").doesNotContain("running");
      get(uri.resolve("/other"), 404);
      try (Socket socket = new Socket()) {
        socket.connect(new InetSocketAddress("127.0.0.1", uri.getPort()));
        socket.getOutputStream().write("GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8)).contains(" 403 ").doesNotContain("SFT");
      }
      assertThatThrownBy(() -> ReportServer.at(uri.getPort())).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("port " + uri.getPort() + " cannot be had");
      server.end(run("all 4 steps done", step(4, 0.5)));
      get(uri.resolve("/state"), 200);
      CompletableFuture<Void> closed = CompletableFuture.runAsync(server::close);
      assertThat(get(uri, 200)).as("who looks sees the end, though it closes").contains("all 4 steps done");
      closed.join();
    }
  }
}

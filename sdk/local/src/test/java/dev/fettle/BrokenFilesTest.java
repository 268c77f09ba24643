package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.support.Golden;
import dev.fettle.support.LocalFettle;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Files that are not what they should be, all the way through to native memory. */
class BrokenFilesTest {
  @TempDir Path directory;
  @RegisterExtension final LocalFettle local = new LocalFettle();
  private final Fettle fettle = local.fettle();

  @Test
  void twoThousandRandomCorruptionsEitherLoadOrAreRefused() throws IOException {
    Path model = copy(Golden.path("models/llama"), "model");
    Path adapter = copy(Golden.path("lora/llama"), "adapter");
    List<Path> files = List.of(model.resolve("config.json"), model.resolve("model.safetensors"),
        adapter.resolve("adapter_config.json"), adapter.resolve("adapter_model.safetensors"));
    SplittableRandom random = new SplittableRandom(42);
    int refused = 0;
    int loaded = 0;
    for (int i = 0; i < 2000; i++) {
      Path file = files.get(i % files.size());
      byte[] whole = Files.readAllBytes(file);
      Files.write(file, corrupted(whole, random));
      try (BaseModel base = fettle.load(model, DType.F32)) {
        Training training = base.tune(Lora.from(adapter));
        assertThat(training.forward(Batch.of(Datum.of(1, 2, 3))).logprobs().get(0)).hasSize(2);
        loaded++;
      } catch (FettleException e) {
        assertThat(e).as("corruption " + i).isNotInstanceOf(ClosedException.class);
        assertThat(e.getMessage()).as("corruption " + i).isNotBlank();
        refused++;
      } finally {
        Files.write(file, whole);
      }
    }
    assertThat(refused).isGreaterThan(500);
    assertThat(loaded).isGreaterThan(100);
    assertThat(fettle.load(model, DType.F32).sampler().logprobs(1, 2, 3)).hasSize(2);
  }

  private static byte[] corrupted(byte[] whole, SplittableRandom random) {
    byte[] bytes = whole.clone();
    int header = Math.min(bytes.length, 2000);
    switch (random.nextInt(5)) {
      case 0:
        return Arrays.copyOf(bytes, random.nextInt(bytes.length));
      case 1:
        bytes[random.nextInt(Math.min(8, bytes.length))] = (byte) random.nextInt();
        return bytes;
      case 2:
        bytes[random.nextInt(header)] ^= (byte) (1 << random.nextInt(8));
        return bytes;
      case 3:
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        return bytes;
      default:
        int at = random.nextInt(header);
        bytes[at] = "0123456789{}[],:\"-e".getBytes(StandardCharsets.US_ASCII)[random.nextInt(19)];
        return bytes;
    }
  }

  @Test
  void aModelThatCannotFitIsRefusedBeforeAnythingIsAllocated() throws IOException {
    Path huge = Files.createDirectory(directory.resolve("huge"));
    Files.writeString(huge.resolve("config.json"), """
        {"model_type":"llama","vocab_size":200000,"hidden_size":65536,"intermediate_size":262144,
         "num_hidden_layers":200,"num_attention_heads":64,"num_key_value_heads":64,"hidden_act":"silu"}
        """);

    assertThatThrownBy(() -> fettle.initialise(huge, 1)).isInstanceOf(NotEnoughMemoryException.class)
        .hasMessageContaining("GiB").hasMessageContaining("huge");
  }

  @Test
  void whatIsMissingIsNamed() throws IOException {
    Path model = copy(Golden.path("models/llama"), "model");
    assertThatThrownBy(() -> fettle.load(directory.resolve("nowhere"))).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("nowhere");
    Files.move(model.resolve("model.safetensors"), directory.resolve("elsewhere"));
    assertThatThrownBy(() -> fettle.load(model)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("model.safetensors");
    Files.createFile(model.resolve("model.safetensors"));
    assertThatThrownBy(() -> fettle.load(model)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("model.safetensors");
    Files.delete(model.resolve("config.json"));
    assertThatThrownBy(() -> fettle.load(model)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("config.json");
    assertThatThrownBy(() -> fettle.resume(model)).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("state.json");
  }

  @Test
  void weightsThatAreNotNumbersAreNoticedInTheFirstPass() throws IOException {
    Path model = copy(Golden.path("models/llama"), "model");
    Path file = model.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(file);
    Arrays.fill(bytes, bytes.length - 4000, bytes.length, (byte) 0xFF);
    Files.write(file, bytes);
    Training training = fettle.load(model, DType.F32).tune(Lora.rank(2));

    assertThatThrownBy(() -> training.forwardBackward(Batch.of(Datum.of(1, 2, 3)), Loss.crossEntropy()))
        .isInstanceOf(NumericException.class).hasMessageContaining("data[0]");
  }

  private Path copy(Path from, String name) throws IOException {
    Path to = Files.createDirectory(directory.resolve(name));
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
    return to;
  }
}

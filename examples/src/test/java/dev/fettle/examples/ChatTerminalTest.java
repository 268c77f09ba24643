package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.Conversation;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Message;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code Generate --chat} without a text, whose lines come from a stream as they do from a pipe. */
class ChatTerminalTest {
  private static final SamplingParams PARAMS = SamplingParams.greedy().maxTokens(24);
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);
  /** Where a signal is not ignored, it comes within some milliseconds. */
  private static final long SOON_NANOS = TimeUnit.SECONDS.toNanos(2);

  private static Fettle fettle;
  private static BaseModel model;
  @TempDir
  private Path directory;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @BeforeAll
  static void load() {
    fettle = Fettle.local();
    model = fettle.load("fettle-tiny");
  }

  @AfterAll
  static void close() {
    fettle.close();
  }

  private static PrintStream print(OutputStream stream) {
    return new PrintStream(stream, true, StandardCharsets.UTF_8);
  }

  /** What is written to lines of input. */
  private String chat(String prompt, String... lines) {
    ChatTerminal terminal = new ChatTerminal(model, null, PARAMS, print(out), print(err));
    terminal.run(new BufferedReader(new StringReader(String.join("\n", lines))), prompt);
    return out.toString(StandardCharsets.UTF_8);
  }

  private static String answer(Sampler sampler, Message... messages) {
    return sampler.chat(Conversation.of(messages), PARAMS).content();
  }

  @Test
  void answersKnowWhatWasSaidUntilItIsForgotten() {
    String first = "What can you do?";
    String second = "And then?";
    String printed = chat("", "/system Be brief.", first, "", second, "/reset", second, "/system", second, "/exit", "never read");

    Sampler sampler = model.sampler();
    Message system = Message.system("Be brief.");
    String one = answer(sampler, system, Message.user(first));
    String two = answer(sampler, system, Message.user(first), Message.assistant(one), Message.user(second));
    String three = answer(sampler, system, Message.user(second));
    String four = answer(sampler, Message.user(second), Message.assistant(three), Message.user(second));
    assertThat(two).isNotEqualTo(three);
    assertThat(printed).isEqualTo(String.join(System.lineSeparator(), one, two, three, four, ""));
    assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
  }

  @Test
  void anAdapterAnswersFromThenOnAndAnErrorChangesNothing() {
    Training training = model.tune(Lora.rank(8));
    Datum datum = training.renderer().render(Conversation.of(Message.user("Say it."), Message.assistant("blue"))).get(0).datum();
    for (int i = 0; i < 12; i++) {
      training.step(Batch.of(datum), Loss.crossEntropy(), AdamW.learningRate(1e-2));
    }
    training.saveAdapter(directory.resolve("adapter"));

    String printed = chat("> ", "/adapter " + directory.resolve("adapter"), "Say it.", "/adapter nowhere", "/reset", "Say it.",
        "much too long ".repeat(300), "/nothing", "/reset", "/adapter", "Say it.");

    String plain = answer(model.sampler(), Message.user("Say it."));
    assertThat(plain).isNotEqualTo("blue");
    String line = System.lineSeparator();
    assertThat(printed).isEqualTo("> > blue" + line + "> > > blue" + line + "> > > > > " + plain + line + "> ");
    assertThat(err.toString(StandardCharsets.UTF_8).lines()).hasSize(3)
        .anyMatch(error -> error.contains("nowhere")).anyMatch(error -> error.contains("512"))
        .contains("unknown command /nothing; /help lists them");
  }

  @Test
  void ctrlCStopsTheAnswerAndNotTheProgram() throws Exception {
    AtomicBoolean heard = new AtomicBoolean();
    CtrlC.during(() -> {
      raise();
      assumeTrue(await(heard::get, SOON_NANOS), "SIGINT is ignored by whoever started these tests");
    }, () -> heard.set(true));
    AtomicReference<ChatTerminal> terminal = new AtomicReference<>();
    OutputStream pressing = new OutputStream() {
      private int written;

      @Override
      public void write(int value) {
        out.write(value);
        if (++written == 3) {
          raise();
          assertThat(await(terminal.get()::stopping, PATIENCE_NANOS)).isTrue();
        }
      }
    };
    terminal.set(new ChatTerminal(model, null, PARAMS.temperature(50), print(pressing), print(err)));

    terminal.get().run(new BufferedReader(new StringReader("Tell me a story.\n/help")), "");

    List<String> lines = new ArrayList<>(out.toString(StandardCharsets.UTF_8).lines().toList());
    int help = lines.indexOf("/help          this");
    assertThat(help).isPositive();
    int whole = model.sampler().sample(Conversation.of(Message.user("Tell me a story.")), PARAMS.temperature(50)).get(0).text().length();
    assertThat(String.join("\n", lines).indexOf("/system TEXT")).isPositive().isLessThan(whole);
  }

  private static void raise() {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      signal.getMethod("raise", signal).invoke(null, signal.getConstructor(String.class).newInstance("INT"));
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private static boolean await(BooleanSupplier condition, long nanos) {
    long end = System.nanoTime() + nanos;
    while (!condition.getAsBoolean() && System.nanoTime() < end) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
    }
    return condition.getAsBoolean();
  }

  @Test
  void theProgramChatsWhereNoTextIsGiven() {
    String[] args = {"--model", "fettle-tiny", "--chat", "--max-tokens", "4"};

    int code = Generate.run(args, new ByteArrayInputStream("Hello!\nHello!\n".getBytes(StandardCharsets.UTF_8)), print(out), print(err));

    assertThat(code).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8).lines()).hasSize(2).allMatch(line -> !line.isBlank());
  }
}

package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.Conversation;
import dev.fettle.FettleException;
import dev.fettle.Lora;
import dev.fettle.Message;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Token;
import dev.fettle.Training;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A chat by lines: each is a message or a command, and the answer comes as it is sampled. */
final class ChatTerminal {
  private static final String HELP = """
      /system TEXT   what the model is told before all messages; without a text nothing
      /adapter DIR   answer with this adapter from now on; without DIR as the model was loaded
      /reset         forget all messages
      /help          this
      /exit          end, as the end of the input does
      Ctrl-C stops an answer; where none is written it ends the program.
      """;

  private final BaseModel model;
  private final SamplingParams params;
  private final PrintStream out;
  private final PrintStream err;
  private final List<Message> messages = new ArrayList<>();
  private String system = "";
  private Training adapter;
  private Sampler sampler;
  private volatile boolean stopping;

  /** @param adapter the adapter to begin with, or null */
  ChatTerminal(BaseModel model, Path adapter, SamplingParams params, PrintStream out, PrintStream err) {
    this.model = model;
    this.params = params;
    this.out = out;
    this.err = err;
    use(adapter);
  }

  /** Whether the answer that is written was told to stop. */
  boolean stopping() {
    return stopping;
  }

  /**
   * Answers until the input ends.
   *
   * @param prompt what is written before each line is read; empty where no person reads it
   */
  void run(BufferedReader in, String prompt) {
    try {
      out.print(prompt);
      out.flush();
      for (String line = in.readLine(); line != null && !line.strip().equals("/exit"); line = in.readLine()) {
        take(line.strip());
        out.print(prompt);
        out.flush();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One line; an error is told and changes nothing. */
  private void take(String line) {
    try {
      if (line.startsWith("/")) {
        command(line.split("\\s+", 2)[0], line.replaceFirst("^\\S+\\s*", ""));
      } else if (!line.isEmpty()) {
        answer(line);
      }
    } catch (FettleException e) {
      err.println(e.getMessage());
    }
  }

  private void command(String name, String text) {
    switch (name) {
      case "/help" -> out.print(HELP);
      case "/reset" -> messages.clear();
      case "/system" -> system = text;
      case "/adapter" -> use(text.isEmpty() ? null : Path.of(text));
      default -> err.println("unknown command " + name + "; /help lists them");
    }
  }

  private void use(Path directory) {
    Training loaded = directory == null ? null : model.tune(Lora.from(directory));
    Sampler next = loaded == null ? model.sampler() : loaded.sampler();
    if (sampler != null) {
      sampler.close();
    }
    if (adapter != null) {
      adapter.close();
    }
    adapter = loaded;
    sampler = next;
  }

  private void answer(String question) {
    List<Message> said = new ArrayList<>(messages);
    said.add(Message.user(question));
    List<Message> all = new ArrayList<>(said);
    if (!system.isEmpty()) {
      all.add(0, Message.system(system));
    }
    List<Integer> ids = new ArrayList<>();
    stopping = false;
    CtrlC.during(() -> write(new Conversation(all, List.of()), ids), () -> stopping = true);
    said.add(sampler.renderer().parse(ids.stream().mapToInt(Integer::intValue).toArray()));
    messages.clear();
    messages.addAll(said);
  }

  private void write(Conversation chat, List<Integer> ids) {
    for (Token token : sampler.stream(chat, params)) {
      ids.add(token.id());
      out.print(token.text());
      out.flush();
      if (stopping) {
        break;
      }
    }
    out.println();
  }
}

//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.Conversation;
import dev.fettle.Example;
import dev.fettle.Fettle;
import dev.fettle.InvalidInputException;
import dev.fettle.Preference;
import dev.fettle.Rendered;
import dev.fettle.Renderer;
import dev.fettle.Renderers;
import dev.fettle.Tokenizers;
import dev.fettle.TrainOn;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Prints what a model would be trained on: the sequences of examples, and which of their tokens are learnt. */
public final class Render {
  private static final Command COMMAND = new Command("Render",
      "Prints one line of JSON for each sequence that examples give: {\"text\":...,\"tokens\":[...],\"weights\":[...]}.")
      .requires(Option.MODEL, Option.DATA)
      .takes(Option.TRAIN_ON, "last_assistant_message")
      .takes(Option.TOOLS, Option.TRUST, Option.TEMPLATE_ARGS, Option.FIELDS);
  private static final JsonMapper JSON = new JsonMapper();

  private Render() {}

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, Render::render);
  }

  private static void render(Options options, PrintStream out) {
    List<String> tools = options.has(Option.TOOLS) ? tools(options.path(Option.TOOLS)) : List.of();
    Path directory = Path.of(options.text(Option.MODEL));
    if (Files.isDirectory(directory)) {
      // The weights are not needed.
      print(Renderers.detect(Tokenizers.open(directory)), tools, options, out);
      return;
    }
    try (Fettle fettle = Fettle.local()) {
      print(fettle.load(options.text(Option.MODEL)).renderer(), tools, options, out);
    }
  }

  private static void print(Renderer any, List<String> tools, Options options, PrintStream out) {
    Renderer renderer = any.trainOn(TrainOn.valueOf(options.text(Option.TRAIN_ON).toUpperCase(Locale.ROOT)));
    if (options.has(Option.TRUST)) {
      renderer = renderer.trust(options.text(Option.TRUST).equals("yes"));
    }
    if (options.has(Option.TEMPLATE_ARGS)) {
      for (Map.Entry<?, ?> argument : ((Map<?, ?>) options.value(Option.TEMPLATE_ARGS)).entrySet()) {
        renderer = renderer.with((String) argument.getKey(), argument.getValue());
      }
    }
    for (Example example : options.examples(Option.DATA).examples()) {
      for (Rendered sequence : sequences(example, tools, renderer)) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("text", sequence.text().isEmpty() ? renderer.tokenizer().decodeAll(sequence.tokens()) : sequence.text());
        line.put("tokens", sequence.tokens());
        line.put("weights", sequence.weights());
        out.println(JSON.writeValueAsString(line));
      }
    }
  }

  /** Of a pair those of the chosen answer, then those of the rejected one. */
  private static List<Rendered> sequences(Example example, List<String> tools, Renderer renderer) {
    if (example instanceof Preference pair) {
      Renderer answers = renderer.trainOn(TrainOn.CUSTOMIZED);
      return Stream.of(pair.chosen(), pair.rejected()).flatMap(answer -> sequences(answer, tools, answers).stream()).toList();
    }
    boolean given = example instanceof Conversation chat && chat.tools().isEmpty() && !tools.isEmpty();
    return renderer.render(given ? new Conversation(((Conversation) example).messages(), tools) : example);
  }

  private static List<String> tools(Path file) {
    List<String> tools = new ArrayList<>();
    try {
      JsonNode list = JSON.readTree(Files.readString(file));
      if (!list.isArray()) {
        throw new InvalidInputException(file + " holds no JSON array: write the tools as [{\"type\": \"function\", ...}]");
      }
      list.forEach(tool -> tools.add(tool.toString()));
    } catch (IOException | JacksonException e) {
      throw new InvalidInputException(file + " cannot be read as a JSON array of tools: " + e.getMessage(), e);
    }
    return tools;
  }
}

package dev.fettle.examples.notebook;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A cell of code within a notebook: a view of the notebook's JSON. */
public final class Cell {
  private static final String HTML = "text/html";

  private final ObjectNode json;

  Cell(ObjectNode json) {
    this.json = json;
  }

  /** The code, as it was written. */
  public String source() {
    return text(json.get("source"));
  }

  /** The code without the lines that are meant for the kernel and not for Java. */
  public String java() {
    return source().lines().filter(line -> !line.startsWith("%")).collect(Collectors.joining("\n"));
  }

  /** Whether it is meant for the kernel alone, which says in its own words what it did. */
  boolean isForKernel() {
    return !source().isEmpty() && java().isEmpty();
  }

  /** Whether its output differs from run to run in more than times: it has the tag {@code varies}. */
  public boolean varies() {
    return StreamSupport.stream(json.path("metadata").path("tags").spliterator(), false)
        .anyMatch(tag -> tag.asString().equals("varies"));
  }

  /** What it shows, in order; what was printed in pieces is one output. */
  public List<Output> outputs() {
    StringBuilder printed = new StringBuilder();
    List<Output> results = new ArrayList<>();
    for (JsonNode output : json.get("outputs")) {
      if (output.get("output_type").asString().equals("stream")) {
        printed.append(text(output.get("text")));
        continue;
      }
      if (output.get("output_type").asString().equals("error")) {
        results.add(new Output(Output.ERROR, output.path("ename").asString() + ": " + output.path("evalue").asString()));
        continue;
      }
      JsonNode data = output.path("data");
      // Rapaio's kernel calls a value's text HTML.
      for (String type : List.of(Output.PICTURE, Output.TEXT, HTML)) {
        if (data.has(type)) {
          results.add(new Output(type.equals(HTML) ? Output.TEXT : type, text(data.get(type)).strip()));
          break;
        }
      }
    }
    if (!printed.isEmpty()) {
      results.add(0, new Output(Output.STREAM, printed.toString()));
    }
    return results;
  }

  /** Replaces what it shows, as Jupyter saves it. */
  void show(int number, List<Output> outputs) {
    json.put("execution_count", number);
    ArrayNode all = json.putArray("outputs");
    for (Output output : outputs) {
      ObjectNode node = all.addObject();
      if (output.type().equals(Output.STREAM)) {
        node.put("output_type", "stream").put("name", "stdout");
        lines(node.putArray("text"), output.data());
      } else {
        node.put("output_type", "execute_result").put("execution_count", number);
        ObjectNode data = node.putObject("data");
        if (output.type().equals(Output.PICTURE)) {
          data.put(Output.PICTURE, output.data());
          data.put(Output.TEXT, "a picture of " + Base64.getDecoder().decode(output.data()).length / 1024 + " KiB");
        } else {
          lines(data.putArray(output.data().startsWith("<pre ") ? HTML : Output.TEXT), output.data());
        }
        node.putObject("metadata");
      }
    }
  }

  private static void lines(ArrayNode to, String text) {
    for (int begin = 0; begin < text.length();) {
      int end = text.indexOf('\n', begin) + 1;
      to.add(text.substring(begin, end == 0 ? text.length() : end));
      begin = end == 0 ? text.length() : end;
    }
  }

  /** Notebooks hold text as a string or as the list of its lines. */
  private static String text(JsonNode node) {
    return node.isArray() ? StreamSupport.stream(node.spliterator(), false).map(JsonNode::asString)
        .collect(Collectors.joining()) : node.asString();
  }
}

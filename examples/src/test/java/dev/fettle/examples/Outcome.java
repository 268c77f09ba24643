package dev.fettle.examples;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a program did: its exit code and what it wrote. */
record Outcome(int code, String out, String err) {
  interface Program {
    int run(String[] args, PrintStream out, PrintStream err);
  }

  static Outcome of(Program program, String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code = program.run(args, new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8));
    return new Outcome(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /** The last line, which is JSON. */
  JsonNode json() {
    List<String> lines = out.lines().toList();
    return new JsonMapper().readTree(lines.get(lines.size() - 1));
  }
}

package dev.fettle.examples.notebook;

import dev.fettle.InvalidInputException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import jdk.jshell.EvalException;
import jdk.jshell.ExpressionSnippet;
import jdk.jshell.JShell;
import jdk.jshell.JShellException;
import jdk.jshell.Snippet;
import jdk.jshell.Snippet.SubKind;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis.CompletionInfo;
import jdk.jshell.VarSnippet;

/**
 * What a notebook's kernel does, in this process: runs cells one after the other and gives what each shows, which is what
 * it printed and the value of its last line. One at a time: it takes over {@code System.out} while a cell runs.
 */
public final class NotebookShell implements AutoCloseable {
  private static Object shown;

  private final JShell shell = JShell.builder().executionEngine("local").build();

  /** For the generated code that takes a value out of JShell. */
  public static void show(Object value) {
    shown = value;
  }

  /**
   * Runs the code of a cell.
   *
   * @throws InvalidInputException if Java does not take it, or it throws
   */
  public List<Output> run(String source) {
    PrintStream before = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    List<Output> outputs = new ArrayList<>();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      Object value = evaluate(source);
      if (value != null) {
        outputs.add(value instanceof BufferedImage picture ? new Output(Output.PICTURE, png(picture))
            : new Output(Output.TEXT, value.toString().strip()));
      }
    } finally {
      System.setOut(before);
    }
    String text = Output.seen(printed.toString(StandardCharsets.UTF_8));
    if (!text.isBlank()) {
      outputs.add(0, new Output(Output.STREAM, text));
    }
    return outputs;
  }

  private Object evaluate(String source) {
    shown = null;
    Snippet last = null;
    for (String rest = source; !rest.isBlank();) {
      CompletionInfo part = shell.sourceCodeAnalysis().analyzeCompletion(rest);
      if (!part.completeness().isComplete()) {
        throw new InvalidInputException("the code ends too early or is not Java: " + rest);
      }
      last = checked(shell.eval(part.source()), part.source());
      rest = part.remaining();
    }
    String name = name(last);
    if (name != null) {
      String take = NotebookShell.class.getName() + ".show(" + name + ");";
      checked(shell.eval(take), take);
    }
    return shown;
  }

  private Snippet checked(List<SnippetEvent> events, String source) {
    for (SnippetEvent event : events) {
      JShellException e = event.exception();
      if (e != null) {
        String what = e instanceof EvalException thrown ? thrown.getExceptionClassName() : e.getClass().getName();
        throw new InvalidInputException(source.strip() + "\nthrows " + what + ": " + e.getMessage(), e);
      }
      if (event.status() != Snippet.Status.VALID && event.causeSnippet() == null) {
        throw new InvalidInputException(source.strip() + "\nis not taken: " + shell.diagnostics(event.snippet())
            .map(d -> d.getMessage(Locale.ROOT)).collect(Collectors.joining("; ")));
      }
    }
    return events.get(0).snippet();
  }

  /** What a value can be asked for by; null for what is no value. */
  private static String name(Snippet snippet) {
    if (snippet instanceof VarSnippet variable && snippet.subKind() == SubKind.TEMP_VAR_EXPRESSION_SUBKIND) {
      return variable.name();
    }
    return snippet instanceof ExpressionSnippet value && snippet.subKind() == SubKind.VAR_VALUE_SUBKIND ? value.name() : null;
  }

  private static String png(BufferedImage picture) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      ImageIO.write(picture, "png", bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Base64.getEncoder().encodeToString(bytes.toByteArray());
  }

  @Override
  public void close() {
    shell.close();
  }
}

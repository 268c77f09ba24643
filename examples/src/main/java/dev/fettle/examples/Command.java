package dev.fettle.examples;

import dev.fettle.FettleException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** A program's command line: which options it takes, its help, and what becomes of errors. Immutable once in use. */
public final class Command {
  static final int FAILED = 1;
  static final int MISUSED = 2;
  /** As much as any terminal and any page shows. */
  private static final int WIDTH = 60;

  private final String name;
  private final String summary;
  private final Set<Option> required = EnumSet.noneOf(Option.class);
  private final Set<Option> optional = EnumSet.noneOf(Option.class);
  private final Map<Option, String> defaults = new EnumMap<>(Option.class);
  private final List<Argument> arguments = new ArrayList<>();

  /** What may be given without an option's name. */
  private record Argument(String placeholder, String help) {}

  /** What a program does once its options are understood. */
  @FunctionalInterface
  public interface Body {
    void run(Options options, PrintStream out);
  }

  /**
   * A command without options.
   *
   * @param summary what the program does and prints
   */
  public Command(String name, String summary) {
    this.name = name;
    this.summary = summary;
  }

  Command requires(Option... options) {
    required.addAll(Arrays.asList(options));
    return this;
  }

  Command takes(Option... options) {
    optional.addAll(Arrays.asList(options));
    return this;
  }

  Command takes(Option option, String standard) {
    optional.add(option);
    defaults.put(option, standard);
    return this;
  }

  /** What may be given without an option's name, after those named before; any number of the last, if its name ends with dots. */
  public Command argument(String placeholder, String help) {
    arguments.add(new Argument(placeholder, help));
    return this;
  }

  /** How many arguments may be given without an option's name. */
  int arguments() {
    boolean any = !arguments.isEmpty() && arguments.get(arguments.size() - 1).placeholder.endsWith("...");
    return any ? Integer.MAX_VALUE : arguments.size();
  }

  Set<Option> required() {
    return required;
  }

  Map<Option, String> defaults() {
    return defaults;
  }

  /** The option that is written so. */
  Option option(String flag) {
    Set<String> known = new TreeSet<>();
    for (Set<Option> options : List.of(required, optional)) {
      for (Option option : options) {
        if (option.flag().equals(flag)) {
          return option;
        }
        known.add(option.flag());
      }
    }
    throw new UsageException("unknown option \"" + flag + "\"" + Nearest.of(flag, known).map(n -> "; do you mean " + n + "?").orElse(""));
  }

  /** The options that may be set. */
  Set<Option> options() {
    Set<Option> all = EnumSet.copyOf(required.isEmpty() ? EnumSet.noneOf(Option.class) : required);
    all.addAll(optional);
    return all;
  }

  String name() {
    return name;
  }

  String usage() {
    List<String> call = new ArrayList<>();
    required.forEach(o -> call.add(o.flag() + " " + o.placeholder()));
    arguments.forEach(a -> call.add("[" + a.placeholder + "]"));
    if (!optional.isEmpty()) {
      call.add("[options]");
    }
    String begin = "usage: " + name;
    List<String> lines = new ArrayList<>(wrapped(begin, call, " ".repeat(7)));
    lines.addAll(wrapped("", List.of(summary.split("\\s+")), "  "));
    lines.add("");
    arguments.forEach(a -> {
      lines.add("  " + a.placeholder);
      lines.addAll(wrapped("", List.of(a.help.split(" ")), "      "));
    });
    for (Option option : options()) {
      String standard = required.contains(option) ? " (required)"
          : defaults.containsKey(option) ? " (default " + defaults.get(option) + ")" : "";
      lines.add("  " + option.flag() + " " + option.placeholder());
      lines.addAll(wrapped("", List.of((option.help() + standard).split(" ")), "      "));
    }
    lines.addAll(List.of("  --help", "      prints this"));
    return String.join(System.lineSeparator(), lines) + System.lineSeparator();
  }

  /** Words in lines of at most {@link #WIDTH}, of which long lists are broken after commas; those after the first are indented. */
  private static List<String> wrapped(String begin, List<String> words, String indent) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder(begin.isEmpty() ? indent : begin);
    String space = begin.isEmpty() ? "" : " ";
    for (String word : words) {
      for (String part : indent.length() + word.length() > WIDTH ? word.split("(?<=,)") : new String[] {word}) {
        if (line.length() > indent.length() && line.length() + space.length() + part.length() > WIDTH) {
          lines.add(line.toString());
          line = new StringBuilder(indent);
          space = "";
        }
        line.append(space).append(part);
        space = "";
      }
      space = " ";
    }
    lines.add(line.toString());
    return lines;
  }

  /** Runs a program as its {@code main}. */
  public void main(String[] args, Body body) {
    exit(run(args, utf8(System.out), utf8(System.err), body));
  }

  /** Runs a program and gives its exit code: 0, or 1 with an error's message, or 2 with where the options are explained. */
  int run(String[] args, PrintStream out, PrintStream err, Body body) {
    if (Arrays.asList(args).contains("--help")) {
      out.print(usage());
      return 0;
    }
    // What a program prints is its result, for other programs to read.
    boolean ours = System.getProperty("fettle.progress") == null;
    if (ours) {
      System.setProperty("fettle.progress", "err");
    }
    try {
      body.run(Options.parse(this, args), out);
      out.flush();
      return 0;
    } catch (UsageException e) {
      return misused(e, name, err);
    } catch (FettleException e) {
      err.println(String.valueOf(e.getMessage()).replaceAll("\\R", " "));
      return FAILED;
    } finally {
      if (ours) {
        System.clearProperty("fettle.progress");
      }
    }
  }

  /** Says what is wrong with a command line, and where to read how it is done. */
  static int misused(UsageException error, String name, PrintStream err) {
    err.println(error.getMessage());
    err.println(name + " --help lists what can be given");
    return MISUSED;
  }

  /** Text for people and programs alike: UTF-8 whatever the system's locale says. */
  static PrintStream utf8(PrintStream stream) {
    return new PrintStream(stream, true, StandardCharsets.UTF_8);
  }

  /** Ends the process if something went wrong; otherwise {@code main} returns. */
  static void exit(int code) {
    if (code != 0) {
      System.exit(code);
    }
  }
}

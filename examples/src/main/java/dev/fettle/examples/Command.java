package dev.fettle.examples;

import dev.fettle.FettleException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** A program's command line: which options it takes, its usage, and what becomes of errors. Immutable once in use. */
final class Command {
  static final int FAILED = 1;
  static final int MISUSED = 2;

  private final String name;
  private final String summary;
  private final Set<Option> required = EnumSet.noneOf(Option.class);
  private final Set<Option> optional = EnumSet.noneOf(Option.class);
  private final Map<Option, String> defaults = new EnumMap<>(Option.class);

  /** What a program does once its options are understood. */
  @FunctionalInterface
  interface Body {
    void run(Options options, PrintStream out);
  }

  Command(String name, String summary) {
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
    throw new UsageException("unknown option \"" + flag + "\"; there are " + String.join(" ", known));
  }

  String name() {
    return name;
  }

  String usage() {
    StringBuilder usage = new StringBuilder("usage: " + name);
    required.forEach(o -> usage.append(' ').append(o.flag()).append(' ').append(o.placeholder()));
    usage.append(optional.isEmpty() ? "\n" : " [options]\n").append("  ").append(summary).append('\n');
    for (Option option : Option.values()) {
      if (required.contains(option) || optional.contains(option)) {
        String standard = required.contains(option) ? " (required)"
            : defaults.containsKey(option) ? " (default " + defaults.get(option) + ")" : "";
        String flag = option.flag() + " " + option.placeholder();
        usage.append(String.format("  %-34s %s%s%n", flag, option.help(), standard));
      }
    }
    return usage.toString();
  }

  /** Runs a program and gives its exit code: 0, or 1 with an error's message, or 2 with the usage. */
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
      err.println(e.getMessage());
      err.print(usage());
      return MISUSED;
    } catch (FettleException e) {
      err.println(String.valueOf(e.getMessage()).replaceAll("\\R", " "));
      return FAILED;
    } finally {
      if (ours) {
        System.clearProperty("fettle.progress");
      }
    }
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

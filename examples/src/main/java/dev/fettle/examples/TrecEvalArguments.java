package dev.fettle.examples;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** trec_eval's command line: options as {@code getopt_long} takes them, anywhere among the two files. */
record TrecEvalArguments(boolean help, boolean queries, boolean summary, boolean complete, boolean judgedOnly,
    int level, int depth, long collection, boolean nine, List<String> named, List<String> files) {
  private static final String FLAGS = "hqcnJo";
  private static final String VALUED = "mlMNDRT";
  private static final Map<String, Character> LONG = Map.ofEntries(
      Map.entry("help", 'h'), Map.entry("query_eval_wanted", 'q'), Map.entry("measure", 'm'),
      Map.entry("complete_rel_info_wanted", 'c'), Map.entry("level_for_rel", 'l'), Map.entry("nosummary", 'n'),
      Map.entry("Debug_level", 'D'), Map.entry("Judged_docs_only", 'J'), Map.entry("Number_docs_in_coll", 'N'),
      Map.entry("Max_retrieved_per_topic", 'M'), Map.entry("Rel_info_format", 'R'), Map.entry("Results_format", 'T'),
      Map.entry("as", 'V'));

  static TrecEvalArguments parse(String... args) {
    Builder builder = new Builder();
    boolean options = true;
    for (int i = 0; i < args.length; i++) {
      String arg = args[i];
      if (!options || !arg.startsWith("-") || arg.equals("-")) {
        builder.files.add(arg);
      } else if (arg.equals("--")) {
        options = false;
      } else if (arg.startsWith("--")) {
        String[] parts = arg.substring(2).split("=", 2);
        char option = longOption(parts[0]);
        String value = parts.length == 2 ? parts[1] : null;
        if (value == null && FLAGS.indexOf(option) < 0) {
          value = next(arg, args, ++i);
        }
        builder.set(option, value);
      } else {
        i = cluster(builder, args, i);
      }
    }
    return builder.done();
  }

  String[] measures() {
    return named.toArray(String[]::new);
  }

  String qrels() {
    return files.get(0);
  }

  String run() {
    return files.get(1);
  }

  /** Options in one argument: {@code -qc}, {@code -l2}, {@code -qm map}. */
  private static int cluster(Builder builder, String[] args, int index) {
    String arg = args[index];
    for (int at = 1; at < arg.length(); at++) {
      char option = arg.charAt(at);
      if (VALUED.indexOf(option) >= 0) {
        boolean joined = at + 1 < arg.length();
        builder.set(option, joined ? arg.substring(at + 1) : next("-" + option, args, index + 1));
        return joined ? index : index + 1;
      }
      if (FLAGS.indexOf(option) < 0) {
        throw new UsageException("unknown option -" + option);
      }
      builder.set(option, null);
    }
    return index;
  }

  private static char longOption(String name) {
    List<String> fitting = LONG.keySet().stream().filter(o -> o.equals(name) || !name.isEmpty() && o.startsWith(name))
        .toList();
    if (!LONG.containsKey(name) && fitting.size() != 1) {
      throw new UsageException("unknown option --" + name);
    }
    return LONG.get(LONG.containsKey(name) ? name : fitting.get(0));
  }

  private static String next(String option, String[] args, int index) {
    if (index >= args.length) {
      throw new UsageException(option + " needs a value");
    }
    return args[index];
  }

  private static final class Builder {
    private boolean help;
    private boolean queries;
    private boolean summary = true;
    private boolean complete;
    private boolean judgedOnly;
    private int level = 1;
    private int depth = Integer.MAX_VALUE;
    private long collection;
    private boolean nine;
    private final List<String> named = new ArrayList<>();
    private final List<String> files = new ArrayList<>();

    void set(char option, String value) {
      switch (option) {
        case 'h' -> help = true;
        case 'q' -> queries = true;
        case 'n' -> summary = false;
        case 'c' -> complete = true;
        case 'J' -> judgedOnly = true;
        case 'm' -> named.add(value);
        case 'l' -> level = (int) number(option, value, Integer.MIN_VALUE);
        case 'M' -> depth = (int) Math.min(Integer.MAX_VALUE, number(option, value, 1));
        case 'N' -> collection = number(option, value, 0);
        case 'R' -> only("-R", "qrels", value);
        case 'T' -> only("-T", "trec_results", value);
        case 'V' -> nine = version(value);
        // The old layout and the debugging output no longer exist in trec_eval, or are none of its results.
        default -> { }
      }
    }

    TrecEvalArguments done() {
      if (!help && files.size() != 2) {
        throw new UsageException("give two files, judgements and run: there are " + files.size());
      }
      return new TrecEvalArguments(help, queries, summary, complete, judgedOnly, level, depth, collection, nine, named,
          files);
    }

    private static boolean version(String value) {
      if (!value.equals("9") && !value.equals("10")) {
        throw new UsageException("--as takes 9 or 10, not " + value);
      }
      return value.equals("9");
    }

    private static void only(String option, String known, String value) {
      if (!known.equals(value)) {
        throw new UsageException(option + " " + value + ": only " + known + " is known");
      }
    }

    private static long number(char option, String value, long least) {
      try {
        long number = Long.parseLong(value.strip());
        if (number >= least) {
          return number;
        }
      } catch (NumberFormatException e) {
        // Told below, together with numbers that are too small.
      }
      throw new UsageException("-" + option + " takes a whole number"
          + (least == Integer.MIN_VALUE ? "" : " of at least " + least) + ", not " + value);
    }
  }
}

//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.Fettle;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/** Measures training steps, sampling, embedding and starting; examples/bench/compare.sh compares it with PEFT. */
public final class Bench {
  private static final Map<String, Mode> MODES = new LinkedHashMap<>();

  /** A command and what it does. */
  private record Mode(Command command, Command.Body body) {}

  @FunctionalInterface
  interface Measurement {
    /** The values of the last line. */
    Map<String, Object> of(BaseModel model, Options options);
  }

  static {
    mode("train", "Times training steps on random tokens, every position in the loss, --length positions a\n"
        + "  sequence. The last line is JSON: tokens a second, seconds of the median step, peak memory, mean loss of\n"
        + "  the last step; planned_bytes of a step. With --new, tokens are sampled after the last.",
        BenchTrain::random)
        .takes(Option.ADAPTER, Option.RANK, Option.LAST_LAYERS, Option.LR, Option.NEW)
        .takes(Option.METHOD, "lora")
        .takes(Option.BATCH, "4")
        .takes(Option.LENGTH, "256")
        .takes(Option.TIMED, "5");
    mode("full", "The same for all weights: train with --method full.", BenchTrain::random)
        .takes(Option.LR)
        .takes(Option.METHOD, "full")
        .takes(Option.BATCH, "4")
        .takes(Option.LENGTH, "256")
        .takes(Option.TIMED, "5");
    mode("sft", "Times training steps on real examples, answers alone in the loss. The last line is JSON as of\n"
        + "  train, and trained_tokens_per_second, which counts the tokens in the loss alone.", BenchTrain::examples)
        .requires(Option.DATA)
        .takes(Option.ADAPTER, Option.RANK, Option.LAST_LAYERS, Option.LR, Option.BATCH_TOKENS, Option.TOKENIZER)
        .takes(Option.DUMP, Option.BATCH, Option.FIELDS)
        .takes(Option.METHOD, "lora")
        .takes(Option.LENGTH, "1024")
        .takes(Option.TIMED, "5");
    mode("decode", "Times sampling from random prompts, greedy but for --samples. The last line is JSON: new tokens a\n"
        + "  second, seconds of the median run (prompt included), peak memory, prompt and ids of the first sequence.",
        BenchDecode::decode)
        .takes(Option.ADAPTER)
        .takes(Option.BATCH, "1")
        .takes(Option.SAMPLES, "1")
        .takes(Option.WEIGHTS, "exact")
        .takes(Option.PROMPT_TOKENS, "32")
        .takes(Option.NEW, "64")
        .takes(Option.TIMED, "3");
    mode("embed", "Times an encoder's vectors of texts of --length tokens, --batch texts a call. All of the call counts,\n"
        + "  tokenising included. The last line is JSON: documents and tokens a second, seconds of the median call, peak\n"
        + "  memory, the last call's first vector.", BenchEmbed::embed)
        .takes(Option.DUMP)
        .takes(Option.BATCH, "128")
        .takes(Option.LENGTH, "128")
        .takes(Option.TIMED, "5");
    mode("contrastive", "Times training steps of an encoder on --batch pairs of texts of --length tokens, each other's\n"
        + "  negatives. The last line is JSON: pairs and tokens a second, tokenising included, seconds of the median step,\n"
        + "  peak memory, loss of the last step.", BenchContrastive::contrastive)
        .takes(Option.ADAPTER, Option.RANK, Option.LAST_LAYERS, Option.LR, Option.DUMP)
        .takes(Option.METHOD, "lora")
        .takes(Option.BATCH, "32")
        .takes(Option.NEGATIVES, "0")
        .takes(Option.LENGTH, "128")
        .takes(Option.TIMED, "5");
    mode("serve", "Times --batch requests at once to a server beside one alone, in turn. The last line is JSON: new tokens a second of\n"
        + "  both, and how many times as many the requests at once give.", BenchServe::serve)
        .takes(Option.BATCH, "16")
        .takes(Option.PROMPT_TOKENS, "32")
        .takes(Option.NEW, "64")
        .takes(Option.TIMED, "3");
    mode("profile", "Says what the time of a training step is spent on, or with --new that of decoding. The last line is JSON as of\n"
        + "  train or decode, with the seconds a step by phase and by native call, and microseconds and calls a step, or a\n"
        + "  token of all sequences, by libtorch's operation, of the first thread while it is watched.",
        BenchProfile::profile)
        .takes(Option.ADAPTER, Option.RANK, Option.LAST_LAYERS, Option.LR, Option.NEW)
        .takes(Option.SAMPLES, "1")
        .takes(Option.PROMPT_TOKENS, "32")
        .takes(Option.WEIGHTS, "exact")
        .takes(Option.METHOD, "lora")
        .takes(Option.BATCH, "4")
        .takes(Option.LENGTH, "256")
        .takes(Option.TIMED, "5");
    mode("sweep", "Times LoRA steps while one thing grows: length 128 to 4096 (one sequence), rank 1 to 256,\n"
        + "  batch 1 to 32, adapters on one base 1 to 64, layers of a random model 1 to all; or greedy decoding of 1 to 64\n"
        + "  sequences. Writes sweep-WHAT.csv and .png; the last line is JSON: a list for each figure, and the exponents e of\n"
        + "  seconds and memory that grow as value^e, fitted over all points.",
        BenchSweep::sweep)
        .requires(Option.WHAT, Option.FIGURES)
        .takes(Option.LR, Option.MOST)
        .takes(Option.METHOD, "lora")
        .takes(Option.RANK, "16")
        .takes(Option.BATCH, "4")
        .takes(Option.LENGTH, "256")
        .takes(Option.TIMED, "3");
    mode("start", "Times the start. The last line is JSON: seconds from the start of Java to the end of the first\n"
        + "  training step; seconds_before_step, to its beginning.", BenchTrain::start)
        .takes(Option.ADAPTER, Option.RANK, Option.LAST_LAYERS, Option.LR)
        .takes(Option.METHOD, "lora")
        .takes(Option.BATCH, "4")
        .takes(Option.LENGTH, "256");
    MODES.put("memory", new Mode(new Command("Bench memory", "Compares the memory that is planned with the growth that the "
        + "system sees, in settings of training and\n  sampling, each in a process of its own. Prints a table as Markdown; with "
        + "--setting one row of it.").takes(Option.SETTING), BenchMemory::run));
    MODES.put("adapters", new Mode(new Command("Bench adapters", "Times sampling by --batch clients, each with an adapter of its own "
        + "on one model with random\n  weights: all in one batch, as many samples of one adapter, and one client after the other. The last "
        + "line is\n  JSON: new tokens a second of each, and how much memory an adapter took beyond the first.")
        .requires(Option.RANDOM)
        .takes(Option.DTYPE)
        .takes(Option.SEED, "0")
        .takes(Option.RANK, "16")
        .takes(Option.BATCH, "64")
        .takes(Option.PROMPT_TOKENS, "32")
        .takes(Option.NEW, "64")
        .takes(Option.TIMED, "3"), BenchAdapters::run));
    mode("save", "Writes the model of --random to a directory, for measurements that load one.", BenchTrain::save)
        .requires(Option.OUT);
  }

  private Bench() {}

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    String verb = args.length == 0 ? "" : args[0];
    if (verb.equals("--help")) {
      MODES.values().forEach(mode -> out.println(mode.command.usage()));
      return 0;
    }
    Mode mode = MODES.get(verb);
    if (mode == null) {
      return Command.misused(new UsageException("the first argument says what is measured, one of "
          + String.join(", ", MODES.keySet()) + (verb.isEmpty() ? "" : ": " + verb)), "Bench", err);
    }
    return mode.command.run(Arrays.copyOfRange(args, 1, args.length), out, err,
        mode.body);
  }

  private static Command mode(String verb, String summary, Measurement measurement) {
    Command command = new Command("Bench " + verb, summary)
        .takes(Option.MODEL, Option.RANDOM, Option.DTYPE, Option.QUANTISE, Option.THREADS, Option.KERNELS)
        .takes(Option.SEED, "0");
    MODES.put(verb, new Mode(command, (options, out) -> measure(options, out, measurement)));
    return command;
  }

  private static void measure(Options options, PrintStream out, Measurement measurement) {
    options.either(Option.MODEL, Option.RANDOM);
    // Fettle reads them when it is first used.
    Stream.of(Option.THREADS, Option.KERNELS).filter(options::has)
        .forEach(o -> System.setProperty("fettle." + o.flag().substring(2), String.valueOf(options.value(o))));
    try (RandomModel random = options.has(Option.RANDOM)
            ? RandomModel.write(options.text(Option.RANDOM)) : null;
        Fettle fettle = Fettle.local()) {
      BaseModel model = random == null ? options.load(fettle)
          : options.initialise(fettle, random.directory());
      out.println(model);
      out.println(new JsonMapper().writeValueAsString(measurement.of(model, options)));
    }
  }
}

//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.Fettle;
import java.io.PrintStream;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** Prints the logprob of each token after the first: what other implementations are compared with. */
public final class Score {
  private static final Command COMMAND = new Command("Score",
      "Prints {\"logprobs\":[...]}: of each token after the first, given those before it, in nats.")
      .requires(Option.MODEL)
      .takes(Option.TOKENS, Option.TOKENS_FILE, Option.ADAPTER, Option.DTYPE, Option.QUANTISE, Option.REMOTE);

  private Score() {}

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, Score::score);
  }

  private static void score(Options options, PrintStream out) {
    int[] tokens = options.either(Option.TOKENS, Option.TOKENS_FILE).tokens();
    try (Fettle fettle = options.fettle()) {
      float[] logprobs = options.sampler(options.load(fettle)).logprobs(tokens);
      out.println(new JsonMapper().writeValueAsString(Map.of("logprobs", logprobs)));
    }
  }
}

//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.Conversation;
import dev.fettle.Fettle;
import dev.fettle.Message;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Token;
import java.io.PrintStream;

/** Prints what a model says next, as it comes. */
public final class Generate {
  private static final Command COMMAND = new Command("Generate",
      "Prints the new text that follows --prompt, or the answer to --chat.")
      .requires(Option.MODEL)
      .takes(Option.PROMPT, Option.CHAT, Option.ADAPTER, Option.DTYPE, Option.QUANTISE, Option.REMOTE)
      .takes(Option.MAX_TOKENS, "256")
      .takes(Option.TEMPERATURE, "0")
      .takes(Option.SEED, "0");

  private Generate() {}

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, Generate::generate);
  }

  private static void generate(Options options, PrintStream out) {
    options.either(Option.PROMPT, Option.CHAT);
    SamplingParams params = SamplingParams.standard()
        .maxTokens(options.count(Option.MAX_TOKENS))
        .temperature(options.number(Option.TEMPERATURE))
        .seed(options.seed());
    try (Fettle fettle = options.fettle()) {
      Sampler sampler = options.sampler(options.load(fettle));
      Iterable<Token> tokens = options.has(Option.PROMPT)
          ? sampler.stream(options.text(Option.PROMPT), params)
          : sampler.stream(Conversation.of(Message.user(options.text(Option.CHAT))), params);
      for (Token token : tokens) {
        out.print(token.text());
        out.flush();
      }
      out.println();
    }
  }
}

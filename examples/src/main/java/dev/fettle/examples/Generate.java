//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.Conversation;
import dev.fettle.Fettle;
import dev.fettle.Message;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Token;
import java.io.BufferedReader;
import java.io.Console;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Prints what a model says next, as it comes. */
public final class Generate {
  private static final Command COMMAND = new Command("Generate",
      "Prints the new text that follows --prompt, or the answer to --chat; without a text, chats by lines.")
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
    return run(args, System.in, out, err);
  }

  static int run(String[] args, InputStream in, PrintStream out, PrintStream err) {
    return COMMAND.run(chatting(args), out, err, (options, stream) -> generate(options, in, stream, err));
  }

  /** {@code --chat} without a text as with an empty one. */
  private static String[] chatting(String... args) {
    String[] all = args.clone();
    for (int i = 0; i < all.length; i++) {
      if (all[i].equals(Option.CHAT.flag()) && (i + 1 == all.length || all[i + 1].startsWith("--"))) {
        all[i] += "=";
      }
    }
    return all;
  }

  private static void generate(Options options, InputStream in, PrintStream out, PrintStream err) {
    options.either(Option.PROMPT, Option.CHAT);
    SamplingParams params = SamplingParams.standard()
        .maxTokens(options.count(Option.MAX_TOKENS))
        .temperature(options.number(Option.TEMPERATURE))
        .seed(options.seed());
    try (Fettle fettle = options.fettle()) {
      if (options.has(Option.CHAT) && options.text(Option.CHAT).isEmpty()) {
        ChatTerminal chat = new ChatTerminal(options.load(fettle), options.path(Option.ADAPTER), params, out, err);
        Console console = System.console();
        chat.run(new BufferedReader(new InputStreamReader(in, console == null ? StandardCharsets.UTF_8 : console.charset())),
            console == null ? "" : "> ");
        return;
      }
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

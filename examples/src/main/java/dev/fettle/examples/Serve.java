//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.Fettle;
import dev.fettle.FettleServer;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Serves a model of this machine, with any number of adapters, to clients of OpenAI and of the Tinker protocol. */
public final class Serve {
  /** The environment variable that holds the token which clients have to send. */
  private static final String TOKEN = "FETTLE_TOKEN";

  private static final Command COMMAND = new Command("Serve",
      "Serves the model to clients of OpenAI (chats, completions, embeddings, rankings, below /v1) and of the Tinker protocol "
          + "until it is interrupted. Clients need the token of the environment variable " + TOKEN + ", if it is set.")
      .requires(Option.MODEL)
      .takes(Option.PORT, "8000")
      .takes(Option.HOST, "127.0.0.1")
      .takes(Option.NAME, Option.ADAPTERS, Option.DTYPE, Option.QUANTISE)
      .takes(Option.STATE, "fettle-state");

  private Serve() {}

  public static void main(String[] args) {
    Command.exit(run(args, Command.utf8(System.out), Command.utf8(System.err)));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, Serve::serve);
  }

  private static void serve(Options options, PrintStream out) {
    try (Fettle fettle = Fettle.local()) {
      FettleServer.Setup setup = FettleServer.serve(fettle, options.load(fettle))
          .host(options.text(Option.HOST))
          .port(options.count(Option.PORT))
          .state(options.path(Option.STATE))
          .token(() -> System.getenv(TOKEN));
      if (options.has(Option.NAME)) {
        setup = setup.name(options.text(Option.NAME));
      }
      for (Object given : options.has(Option.ADAPTERS) ? (List<?>) options.value(Option.ADAPTERS) : List.of()) {
        for (Map.Entry<?, ?> adapter : ((Map<?, ?>) given).entrySet()) {
          setup = setup.adapter((String) adapter.getKey(), (Path) adapter.getValue());
        }
      }
      try (FettleServer server = setup.start()) {
        out.println("serving " + options.text(options.has(Option.NAME) ? Option.NAME : Option.MODEL) + " at "
            + server.uri());
        out.flush();
        server.await();
      }
    }
  }
}

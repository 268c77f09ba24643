package dev.fettle.internal.serve;

import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.FettleServer;
import java.nio.file.Path;

/** A server in a process of its own, which a test can kill. */
final class ServedMain {
  private ServedMain() {}

  public static void main(String[] args) {
    try (Fettle fettle = Fettle.local();
        FettleServer server = FettleServer.serve(fettle, fettle.load("fettle-tiny", DType.valueOf(args[1])))
            .state(Path.of(args[0])).start()) {
      System.out.println("at " + server.uri());
      server.await();
    }
  }
}

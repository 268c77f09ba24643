package dev.fettle.internal.remote;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.DType;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.FettleException;
import dev.fettle.FettleServer;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Remote;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** A client and a server that log all that any library of theirs can be made to log. */
final class LoggedMain {
  static final String KEY = "tml-very-secret-0123456789";

  /** Asked for by name, as the library quietens it else; held, as its level goes with it otherwise. */
  private static final Logger DJL = Logger.getLogger("ai.djl");

  private LoggedMain() {}

  public static void main(String[] args) throws Exception {
    Logger root = Logger.getLogger("");
    for (Handler handler : root.getHandlers()) {
      root.removeHandler(handler);
    }
    root.setLevel(Level.ALL);
    DJL.setLevel(Level.ALL);
    SimpleFormatter format = new SimpleFormatter();
    root.addHandler(new Handler() {
      @Override
      public synchronized void publish(LogRecord line) {
        System.out.println(line.getLoggerName() + "|" + format.format(line));
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    });
    Path files = Path.of(args[0]);
    try (Fettle local = Fettle.local();
        FettleServer server = FettleServer.serve(local, local.load("fettle-tiny", DType.F32)).token(() -> KEY).start()) {
      use(server.uri(), files);
      refused(server.uri());
      System.out.println(server);
    }
    System.out.println("done");
  }

  private static void use(URI uri, Path files) {
    Remote remote = Remote.at(uri).key(() -> KEY);
    System.out.println(remote);
    try (Fettle fettle = Fettle.remote(remote)) {
      BaseModel model = fettle.load("fettle-tiny");
      Training training = model.tune(Lora.rank(4).seed(1));
      training.step(Batch.of(Datum.of(5, 6, 7, 8)), Loss.crossEntropy(), AdamW.learningRate(0.01));
      training.sampler().sample(new int[] {5, 6}, SamplingParams.greedy().maxTokens(3));
      training.saveState(files.resolve("state"));
      training.saveAdapter(files.resolve("adapter"));
      System.out.println(fettle.checkpoints() + " " + training + " " + fettle);
    }
  }

  /** Requests that end in errors on either side, with the key in places where it does not belong. */
  private static void refused(URI uri) throws Exception {
    try (Fettle fettle = Fettle.remote(Remote.at(uri).key(() -> KEY + "-wrong"))) {
      fettle.load("fettle-tiny");
    } catch (FettleException expected) {
      expected.printStackTrace(System.out);
    }
    HttpClient http = HttpClient.newHttpClient();
    for (String path : new String[] {"/api/v1/optim_step", "/api/v1/nothing", "/api/v1/healthz"}) {
      HttpRequest ask = HttpRequest.newBuilder(uri.resolve(path)).header("X-API-Key", KEY).header("X-Idempotency-Key", "1")
          .POST(HttpRequest.BodyPublishers.ofString("{\"adam_params\":7}")).build();
      System.out.println(http.send(ask, HttpResponse.BodyHandlers.ofString()).body());
    }
  }
}

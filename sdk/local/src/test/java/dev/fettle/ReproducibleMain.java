package dev.fettle;

import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.Ranked;
import dev.fettle.support.Golden;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** Trainings of every kind in a process of their own; prints the digest of what each has saved, and its losses. */
final class ReproducibleMain {
  private static final AdamW SETTINGS = AdamW.learningRate(1e-3).clipNorm(1);

  private ReproducibleMain() {}

  /** What is trained. */
  enum Work {
    LORA("fettle-tiny", DType.F32, Lora.rank(8).dropout(0.1).seed(3)), LORA_BF16("fettle-tiny", DType.BF16, Lora.rank(8).seed(3)),
    FULL("fettle-tiny", DType.F32, Full.all()), FULL_BF16("fettle-tiny", DType.BF16, Full.all()),
    ENCODER(encoder(), DType.F32, Full.all()), ENCODER_BF16(encoder(), DType.BF16, Lora.rank(4).seed(5));

    final String model;
    private final DType type;
    private final Tuning tuning;

    Work(String model, DType type, Tuning tuning) {
      this.model = model;
      this.type = type;
      this.tuning = tuning;
    }

    private static String encoder() {
      return Golden.path("encoders/mean").toString();
    }

    Training begin(Fettle fettle) {
      return fettle.load(model, type).tune(tuning);
    }

    double step(Training training, int number) {
      return name().startsWith("ENCODER") ? training.step(ranked(number), RankLoss.contrastive(0.1), SETTINGS).loss()
          : training.step(batch(number), Loss.crossEntropy(), SETTINGS).loss().loss();
    }
  }

  /** From step to step, beginning anew or with what a process saved that went so far. */
  public static void main(String[] args) throws Exception {
    if (args[0].equals("serve")) {
      serve(DType.valueOf(args[1]), Path.of(args[2]));
      return;
    }
    Path directory = Path.of(args[0]);
    int from = Integer.parseInt(args[1]);
    int to = Integer.parseInt(args[2]);
    try (Fettle fettle = Fettle.local()) {
      for (Work work : Work.values()) {
        Training training = from == 0 ? work.begin(fettle) : fettle.resume(directory.resolve(work + "-" + from));
        List<Double> losses = new ArrayList<>();
        for (int step = from; step < to; step++) {
          losses.add(work.step(training, step));
        }
        Path state = directory.resolve(work + "-" + to);
        training.saveState(state);
        System.out.println(work + " " + digest(state) + " " + losses.get(losses.size() - 1));
        training.close();
      }
    }
  }

  private static void serve(DType type, Path directory) throws InterruptedException {
    try (Fettle fettle = Fettle.local();
        FettleServer server = FettleServer.serve(fettle, fettle.load("fettle-tiny", type)).state(directory).start()) {
      System.out.println(server.uri());
      server.await();
    }
  }

  /** Sequences of unequal length, enough for several lanes. */
  static Batch batch(int number) {
    Random random = new Random(number);
    List<Datum> data = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      data.add(Datum.of(random.ints(20 + random.nextInt(60), 0, 1000).toArray()));
    }
    return Batch.of(data);
  }

  private static List<Ranked> ranked(int number) {
    String[] words = {"wing", "flow", "drag", "jet", "plate", "heat", "cone", "mach"};
    Random random = new Random(number);
    List<Ranked> batch = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      String query = words[i] + " " + words[random.nextInt(8)] + " ".repeat(i) + i;
      batch.add(Ranked.pair(query, query + " " + (words[random.nextInt(8)] + " ").repeat(1 + random.nextInt(20))));
    }
    return batch;
  }

  static String digest(Path directory) throws Exception {
    MessageDigest sha = MessageDigest.getInstance("SHA-256");
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".safetensors")).sorted().toList()) {
        sha.update(Files.readAllBytes(file));
      }
    }
    return HexFormat.of().formatHex(sha.digest(), 0, 8);
  }
}

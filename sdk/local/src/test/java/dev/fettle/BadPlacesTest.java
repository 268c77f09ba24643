package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.ranking.Document;
import dev.fettle.ranking.Qrels;
import dev.fettle.ranking.RankedRun;
import dev.fettle.ranking.RetrievalData;
import dev.fettle.ranking.Triple;
import dev.fettle.ranking.Triples;
import dev.fettle.ranking.VectorIndex;
import dev.fettle.recipes.Charts;
import dev.fettle.recipes.Comparison;
import dev.fettle.recipes.Sft;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every verb that takes a path, at places where it cannot work: the error is for people, and nothing is left behind. */
class BadPlacesTest {
  private static final Map<String, Consumer<Path>> READ_DIRECTORY = new LinkedHashMap<>();
  private static final Map<String, Consumer<Path>> READ_FILE = new LinkedHashMap<>();
  private static final Map<String, Consumer<Path>> WRITE_DIRECTORY = new LinkedHashMap<>();
  private static final Map<String, Consumer<Path>> WRITE_FILE = new LinkedHashMap<>();

  /** What stands in a message that Java wrote, not Fettle. */
  private static final Pattern BARE = Pattern.compile("Exception|java\\.|\\bnull\\b");

  @TempDir
  static Path files;
  private static Fettle fettle;
  private static Training training;

  @BeforeAll
  static void start() throws IOException {
    fettle = Fettle.local();
    BaseModel model = fettle.load("fettle-tiny", DType.F32);
    training = model.tune(Lora.rank(2));
    READ_DIRECTORY.put("load", place -> fettle.load(place));
    READ_DIRECTORY.put("load by name", place -> fettle.load(place.toString()));
    READ_DIRECTORY.put("initialise", place -> fettle.initialise(place, 1));
    READ_DIRECTORY.put("Lora.from", place -> model.tune(Lora.from(place)));
    READ_DIRECTORY.put("resume", place -> fettle.resume(place));
    READ_DIRECTORY.put("loadState", place -> training.loadState(place));
    READ_DIRECTORY.put("Tokenizer.open", place -> Tokenizers.open(place));
    READ_DIRECTORY.put("RetrievalData.beir", place -> RetrievalData.beir(place));
    READ_DIRECTORY.put("weightChange", place -> Charts.light().weightChange(place));
    READ_DIRECTORY.put("weightChange of models", place -> Charts.light().weightChange(place, place));
    READ_FILE.put("Dataset.jsonl", place -> Dataset.jsonl(place).count());
    READ_FILE.put("Dataset.csv", place -> Dataset.csv(place).count());
    READ_FILE.put("Triples.jsonl", place -> Triples.jsonl(place));
    READ_FILE.put("Triples.streamed", place -> Triples.streamed(2, place).iterator().next());
    READ_FILE.put("Qrels.trec", place -> Qrels.trec(place));
    READ_FILE.put("Qrels.beir", place -> Qrels.beir(place));
    READ_FILE.put("RankedRun.trec", place -> RankedRun.trec(place));
    READ_FILE.put("VectorIndex.read", place -> VectorIndex.read(npy(place)));
    WRITE_DIRECTORY.put("saveAdapter", place -> training.saveAdapter(place));
    WRITE_DIRECTORY.put("saveMerged", place -> training.saveMerged(place));
    WRITE_DIRECTORY.put("saveState", place -> training.saveState(place));
    WRITE_DIRECTORY.put("Sft", place -> Sft.on(training).data(Dataset.of(new Text("a"))).directory(place).run());
    WRITE_DIRECTORY.put("Comparison", BadPlacesTest::compare);
    WRITE_DIRECTORY.put("FettleServer", place -> FettleServer.serve(fettle, model).state(place).start().close());
    WRITE_DIRECTORY.put("RetrievalData.writeBeir", place -> retrieval().writeBeir(place, "test"));
    WRITE_FILE.put("Qrels.writeTrec", place -> qrels().writeTrec(place));
    WRITE_FILE.put("Qrels.writeBeir", place -> qrels().writeBeir(place));
    WRITE_FILE.put("RankedRun.writeTrec", place -> RankedRun.of("r", Map.of("q", Map.of("d", 1))).writeTrec(place));
    WRITE_FILE.put("Triples.write", place -> Triples.of(List.of(Triple.of("a", "b"))).write(place));
    WRITE_FILE.put("VectorIndex.write", place -> VectorIndex.of(List.of("a"), new float[][] {{1}}).write(npy(place)));
    Files.writeString(files.resolve("file"), "x");
    Files.createDirectory(files.resolve("empty"));
    Files.createDirectory(files.resolve("empty.npy"));
    Files.createSymbolicLink(files.resolve("dangling"), files.resolve("gone"));
    Files.createSymbolicLink(files.resolve("loop"), files.resolve("loop"));
  }

  @AfterAll
  static void stop() {
    fettle.close();
  }

  /** Vectors are read and written in the form that the name says. */
  private static Path npy(Path place) {
    return Path.of(place + ".npy");
  }

  private static Qrels qrels() {
    return Qrels.of(Map.of("q", Map.of("d", 1)));
  }

  private static RetrievalData retrieval() {
    return RetrievalData.of(List.of(new Document("d", "", "a")), Map.of("q", "a"), qrels());
  }

  private static void compare(Path place) {
    Comparison.of(training.model()).method("a", Lora.rank(1)).learningRates("a", 1e-4).train(1, trial -> trial.done(1, 1))
        .validate(t -> 1).metric("m", true, t -> new double[] {1}).directory(place).run();
  }

  private static List<Path> unreadable(String instead) {
    return List.of(files.resolve(instead), files.resolve("missing"), files.resolve("missing/deeper/x"),
        files.resolve("file/x"), files.resolve("dangling"), files.resolve("loop"), files.resolve("n".repeat(300)),
        Path.of("no-such-place"));
  }

  private static List<Path> unwritable(String instead) {
    return List.of(files.resolve(instead), files.resolve("file/x"), files.resolve("file/deeper/x"), files.resolve("loop/x"),
        files.resolve("n".repeat(300)), Path.of("/proc/fettle/x"), Path.of("/proc/fettle.x"), Path.of("/dev/zero/x"));
  }

  /** Calls each verb at each place; all errors that are not as they should be, in words. */
  private static List<String> wrong(Map<String, Consumer<Path>> verbs, List<Path> places, Class<?> kind) {
    List<String> wrong = new ArrayList<>();
    verbs.forEach((verb, call) -> places.forEach(place -> {
      List<String> before = names();
      Throwable error = catchThrowable(() -> call.accept(place));
      String message = String.valueOf(error == null ? null : error.getMessage());
      String rest = message.replace(place.toString(), "");
      boolean said = message.contains(place.toString()) && rest.length() > 10 && !BARE.matcher(rest).find();
      if (!kind.isInstance(error) || !said || !names().equals(before)) {
        wrong.add(verb + " at " + place + ": " + error + (names().equals(before) ? "" : ", and left " + names()));
      }
    }));
    return wrong;
  }

  private static List<String> names() {
    try (Stream<Path> all = Files.walk(files)) {
      return all.map(Path::toString).sorted().toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void directoriesThatCannotBeRead() {
    List<Path> places = new ArrayList<>(unreadable("file"));
    places.add(files.resolve("empty"));

    assertThat(wrong(READ_DIRECTORY, places, InvalidInputException.class)).isEmpty();
  }

  @Test
  void filesThatCannotBeRead() {
    assertThat(wrong(READ_FILE, unreadable("empty"), InvalidInputException.class)).isEmpty();
  }

  @Test
  void directoriesThatCannotBeWritten() {
    assumeTrue(Files.isDirectory(Path.of("/proc/self")));

    assertThat(wrong(WRITE_DIRECTORY, unwritable("file"), FettleException.class)).isEmpty();
  }

  @Test
  void filesThatCannotBeWritten() {
    assumeTrue(Files.isDirectory(Path.of("/proc/self")));

    assertThat(wrong(WRITE_FILE, unwritable("empty"), FettleException.class)).isEmpty();
  }

  @Test
  void anAdapterInASubdirectoryIsNamed() throws IOException {
    Path named = Files.createDirectories(files.resolve("named"));
    training.saveAdapter(named.resolve("mine"));

    assertThat(adapterError(named)).isEqualTo(named + ": holds no adapter_config.json, so not an adapter; there is one in "
        + named.resolve("mine") + ": name that");
  }

  @Test
  void anAdapterThatPeftSavedUnderANameIsNamed() {
    Path named = Golden.shared("cases/adapters/named-adapter");

    assertThat(adapterError(named)).startsWith(named.toString()).contains(named.resolve("mine") + ": name that");
  }

  @Test
  void anotherKindOfDirectoryIsSaidToBeOne() throws IOException {
    Path model = Golden.path("models/llama");
    Path adapter = files.resolve("adapter");
    training.saveAdapter(adapter);

    assertThat(adapterError(model)).isEqualTo(model + ": holds a model in Hugging Face layout and not an adapter, which needs "
        + "adapter_config.json: load it with Fettle.load");
    assertThat(catchThrowable(() -> fettle.load(adapter))).isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(adapter + ": holds an adapter and not a model in Hugging Face layout, which needs "
            + "config.json: load its base model");
    assertThat(catchThrowable(() -> fettle.resume(adapter))).hasMessageContaining("holds an adapter and not a training state");
  }

  private static String adapterError(Path directory) {
    return catchThrowable(() -> training.model().tune(Lora.from(directory))).getMessage();
  }
}

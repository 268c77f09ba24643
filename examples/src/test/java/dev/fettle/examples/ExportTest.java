package dev.fettle.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fettle.Fettle;
import dev.fettle.Lora;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@link Export} writes; what llama.cpp makes of it is looked at in {@link LlamaCppTest}. */
class ExportTest {
  private static final Path STORIES =
      Path.of(System.getProperty("fettle.shared", "../shared")).toAbsolutePath().resolve("models/stories260K/hf");

  @TempDir
  Path directory;

  @BeforeAll
  static void need() {
    assumeTrue(Files.isDirectory(STORIES), "needs " + STORIES);
  }

  private Path adapter() {
    Path adapter = directory.resolve("adapter");
    try (Fettle fettle = Fettle.local()) {
      fettle.load(STORIES).tune(Lora.rank(2)).saveAdapter(adapter);
    }
    return adapter;
  }

  private static Outcome export(Object... args) {
    String[] all = new String[args.length + 2];
    all[0] = "--model";
    all[1] = STORIES.toString();
    for (int i = 0; i < args.length; i++) {
      all[i + 2] = args[i].toString();
    }
    return Outcome.of(Export::run, all);
  }

  @Test
  void writesAModelThatCanBeUsedAndAModelfile() throws Exception {
    Path file = directory.resolve("stories.gguf");
    Outcome outcome = export("--out", file, "--type", "q8_0", "--ollama", "yes");
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.out()).endsWith(file + System.lineSeparator());
    assertThat(directory.resolve("Modelfile")).content().contains("FROM ./stories.gguf\n").contains("PARAMETER stop \"</s>\"\n");
    Outcome text = Outcome.of(Generate::run, "--model", file.toString(), "--prompt", "Once upon a time", "--dtype", "f32",
        "--max-tokens", "12");
    assertThat(text.out()).startsWith(", there was a little girl");
    assertThat(export("--out", file, "--type", "f16", "--ollama", "yes").code()).isZero();
  }

  @Test
  void writesAnAdapterAlone() throws Exception {
    Path file = directory.resolve("adapter.gguf");
    assertThat(export("--out", file, "--adapter", adapter(), "--adapter-only", "yes", "--ollama", "yes").err()).isEmpty();
    assertThat(directory.resolve("Modelfile")).content().contains("FROM " + STORIES + "\nADAPTER ./adapter.gguf\n");
    assertThat(Files.readAllBytes(file)).startsWith("GGUF".getBytes());
  }

  @Test
  void refusesWhatCannotBe() throws Exception {
    Path file = directory.resolve("x.gguf");
    assertThat(export("--out", file, "--adapter-only", "yes").code()).isEqualTo(Command.MISUSED);
    assertThat(export("--out", file, "--type", "q5_k").code()).isEqualTo(Command.MISUSED);
    assertThat(export("--out", directory).err()).contains("is a directory");
    Files.writeString(directory.resolve("Modelfile"), "FROM llama3");
    assertThat(export("--out", file, "--ollama", "yes").err()).contains("Modelfile: not replaced");
    Path tiny = directory.resolve("tiny.gguf");
    Outcome unknown = Outcome.of(Export::run, "--model", "fettle-tiny", "--out", tiny.toString());
    assertThat(unknown.code()).isEqualTo(Command.FAILED);
    assertThat(unknown.err()).contains("pre_tokenizer");
    assertThat(file).doesNotExist();
    assertThat(tiny).doesNotExist();
  }
}

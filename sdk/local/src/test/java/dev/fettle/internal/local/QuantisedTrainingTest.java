package dev.fettle.internal.local;

import static dev.fettle.support.Golden.maxDifference;
import static dev.fettle.support.Golden.relativeDifference;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.AdamW;
import dev.fettle.BaseModel;
import dev.fettle.Batch;
import dev.fettle.DType;
import dev.fettle.Datum;
import dev.fettle.Fettle;
import dev.fettle.Full;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Loss;
import dev.fettle.Modules;
import dev.fettle.Quantisation;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import dev.fettle.Tuning;
import dev.fettle.internal.ProgressMeter;
import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.SafetensorsWriter;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.local.GradientsTest.Trained;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.network.Levels;
import dev.fettle.internal.network.Weight;
import dev.fettle.internal.network.WeightForm;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A quantised base beside a dense one of the same numbers: whatever is trained on both, and sampled from them, is the same. */
class QuantisedTrainingTest {
  private static final Path BASE = Golden.path("quantised/base");
  private static final Batch BATCH = batch(60);

  @TempDir Path temporary;

  static Stream<Tuning> tunings() {
    return Stream.of(Lora.rank(4).dora(), Lora.rank(3).pissa(), Lora.rank(2).bias(),
        Lora.rank(4).targetModules(Modules.embeddings(), Modules.lmHead()), Lora.rank(4).targetModules(Modules.named("up_proj")),
        Full.of(Modules.norms(), Modules.embeddings()), Lora.rank(2).plus(Full.of(Modules.norms())));
  }

  @ParameterizedTest
  @MethodSource("tunings")
  void whateverIsTrainedItsGradientIsThatOverTheSameNumbers(Tuning tuning) throws IOException {
    for (Quantisation form : List.of(Quantisation.int4(), Quantisation.nf4().doubleQuantised())) {
      compare(BASE, form, tuning, BATCH);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"families/olmoe", "families/qwen3-moe", "families/gemma3", "families/qwen3.5", "models/qwen3"})
  void soItIsInOtherFamilies(String name) throws IOException {
    for (Quantisation form : List.of(Quantisation.int8().including(Modules.embeddings()), Quantisation.nf4().including(Modules.embeddings()),
        Quantisation.int4())) {
      compare(Golden.path(name), form, Lora.rank(4), batch(60));
    }
  }

  /** Of a matrix that is not made dense all at once. */
  @Test
  void magnitudesAsLongAsTheRowsAreWithoutAnAdapterChangeNothing() {
    EngineThread.get().run(() -> {
      try (Scope scope = new Scope()) {
        var k = scope.kernels();
        int rows = 1100;
        Tensor values = k.normal(new long[] {rows, 1024}, 1, NumberType.F32, scope.device());
        Weight.Quantised w = (Weight.Quantised) new WeightForm(Levels.NF4, 64, false).zeros(scope, NumberType.F32, rows, 1024);
        w.write(0, rows, (step, from, count) -> step.kernels().rows(values, from, count));
        Tensor a = scope.zeros(NumberType.F32, 2, 1024);
        Tensor b = scope.zeros(NumberType.F32, rows, 2);
        Tensor magnitude = k.rowNorms(w.dense(scope), a, b);
        Tensor gain = scope.zeros(NumberType.F32, rows);
        Tensor inverse = scope.zeros(NumberType.F32, rows);
        k.gainRefresh(scope.list(w.tensors()), a, b, magnitude, new long[] {rows, 2}, gain, inverse);
        float[] ones = new float[rows];
        Arrays.fill(ones, 1);

        assertThat(maxDifference(gain.floats(), ones)).isLessThan(1e-6);
        float[] lengths = magnitude.floats();
        float[] inverses = inverse.floats();
        for (int i = 0; i < rows; i++) {
          assertThat(lengths[i] * inverses[i]).isBetween(1 - 1e-6f, 1 + 1e-6f);
        }
      }
    });
  }

  @Test
  void adaptersOfExpertsAreTrainedOverThem() throws IOException {
    compare(Golden.path("families/olmoe"), Quantisation.nf4(), Lora.rank(2).targetModules(Modules.experts()), batch(60));
  }

  private void compare(Path base, Quantisation form, Tuning tuning, Batch batch) throws IOException {
    try (Trained quantised = Trained.open(base, Optional.of(form), tuning)) {
      assertThat(quantised.model.blocks().isDense()).isFalse();
      Path dense = dense(base, quantised.model);
      try (Trained t = Trained.open(dense, tuning)) {
        for (int i = 0; i < 2; i++) {
          double loss = quantised.training.forwardBackward(batch, Loss.crossEntropy()).join().loss();
          double expected = t.training.forwardBackward(batch, Loss.crossEntropy()).join().loss();
          assertThat(loss / expected).isBetween(1 - 1e-5, 1 + 1e-5);
          for (var p : t.parameters().parameters()) {
            float[] theirs = t.gradient(p);
            if (maxDifference(theirs, new float[theirs.length]) > 1e-4) {
              assertThat(relativeDifference(quantised.gradient(quantised.parameters().parameters().get(t.parameters().parameters().indexOf(p))),
                  theirs)).as(p.name()).isLessThan(1e-4);
            }
          }
          quantised.training.optimStep(AdamW.learningRate(1e-3).eps(1e-6)).join();
          t.training.optimStep(AdamW.learningRate(1e-3).eps(1e-6)).join();
        }
        int[] prompt = {5, 9, 21, 4};
        SamplingParams greedy = SamplingParams.greedy().maxTokens(12).ignoringEos();
        assertThat(sampled(quantised, prompt, greedy)).isEqualTo(sampled(t, prompt, greedy));
      }
    }
  }

  private static List<Integer> sampled(Trained t, int[] prompt, SamplingParams params) {
    try (var sampler = t.training.sampler().join()) {
      return Arrays.stream(sampler.sample(List.of(prompt), params, new ProgressMeter()).join().get(0).get(0)
          .tokens()).boxed().toList();
    }
  }

  /** The numbers of a model, however it holds them, as a model. */
  private Path dense(Path base, LocalModel model) throws IOException {
    Path out = Files.createTempDirectory(temporary, "dense");
    Files.copy(base.resolve("config.json"), out.resolve("config.json"));
    SafetensorsWriter writer = new SafetensorsWriter();
    model.layout().weights().values().forEach(w -> writer.add(w.name(), StoredType.F32, w.shape()));
    EngineThread.get().run(() -> writer.write(out.resolve("model.safetensors"), (tensor, sink) -> {
      Layout.Weight w = model.layout().weights().get(tensor.name());
      long perRow = w.shape().length == 2 ? w.shape()[1] : 1;
      try (Scope scope = new Scope()) {
        WeightFiles.write(model.weights().weight(w.block()).dense(scope, w.offset() / perRow, w.shape()[0]), 0, w.size(),
            NumberType.F32, sink::put);
      }
    }));
    return out;
  }

  @Test
  void whatIsRoundedIsNotTrainedInFull() {
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load(BASE, DType.F32, Quantisation.nf4());

      assertThatThrownBy(() -> model.tune(Full.of(Modules.named("q_proj")))).isInstanceOf(InvalidInputException.class)
          .hasMessageMatching("model.layers.[01].self_attn.q_proj of .* is quantised and cannot be trained in full: give it an adapter, or "
              + "load the model with it left out, as by Quantisation.nf4\\(\\).except\\(Modules.named\\(\"model.layers.[01].self_attn.q_proj\"\\)\\)");
      assertThatThrownBy(() -> model.tune(Full.all())).isInstanceOf(InvalidInputException.class);
      assertThatThrownBy(() -> fettle.load(BASE, DType.F32, Quantisation.nf4().except(Modules.named("w1"))))
          .isInstanceOf(InvalidInputException.class).hasMessageStartingWith("except(named(w1)) names nothing");
      assertThatThrownBy(() -> fettle.load(BASE, DType.F32, Quantisation.nf4().including(Modules.norms())))
          .isInstanceOf(InvalidInputException.class).hasMessage("including(norms) names nothing that is left to be held in fewer bits: "
              + "beside linear layers that is model.embed_tokens alone, Modules.embeddings()");
      assertThatThrownBy(() -> fettle.load(BASE, DType.F32, Quantisation.nf4().including(Modules.embeddings()))
          .tune(Full.of(Modules.embeddings()))).isInstanceOf(InvalidInputException.class)
          .hasMessageStartingWith("model.embed_tokens of ");
      fettle.load(BASE, DType.F32, Quantisation.nf4().except(Modules.named("o_proj"), Modules.lmHead()))
          .tune(Full.of(Modules.named("o_proj"), Modules.lmHead())).step(BATCH, Loss.crossEntropy(), AdamW.learningRate(1e-3));
      assertThat(model).hasToString(model.toString()).asString().endsWith("F32, nf4]");
    }
  }

  @Test
  void anEmbeddingThatIsTheOutputTooIsHeldInFewerBitsUnlessEitherIsLeftOut() {
    Quantisation all = Quantisation.int8().including(Modules.embeddings());
    for (Quantisation form : List.of(Quantisation.int8(), all.except(Modules.lmHead()), all.except(Modules.embeddings()), all)) {
      try (Trained t = Trained.open(Golden.path("models/llama"), Optional.of(form), Lora.rank(2))) {
        assertThat(t.model.blocks().holds("model.embed_tokens")).as(form.toString()).isEqualTo(form == all);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"mean", "roberta", "qwen3-embedding"})
  void encodersToo(String name) {
    try (Fettle fettle = Fettle.local()) {
      List<String> texts = List.of("the lid of the jar", "rain");
      Path directory = Golden.path("encoders/" + name);
      List<float[]> exact = fettle.load(directory).embed(texts);
      List<float[]> linear = fettle.load(directory, DType.F32, Quantisation.int8()).embed(texts);
      List<float[]> all = fettle.load(directory, DType.F32, Quantisation.int8().including(Modules.embeddings())).embed(texts);
      for (int i = 0; i < texts.size(); i++) {
        assertThat(all.get(i)).isNotEqualTo(linear.get(i));
        assertThat(relativeDifference(all.get(i), exact.get(i))).isLessThan(0.05);
      }
    }
  }

  @Test
  void aTrainingIsResumedOverTheSameNumbers() {
    Path state = temporary.resolve("state");
    Quantisation form = Quantisation.nf4().doubleQuantised().except(Modules.lmHead(), Modules.layers(1, 1))
        .including(Modules.embeddings());
    float[] before;
    try (Fettle fettle = Fettle.local(); Training t = fettle.load(BASE, DType.F32, form).tune(Lora.rank(4))) {
      t.step(BATCH, Loss.crossEntropy(), AdamW.learningRate(1e-2));
      t.saveState(state);
      before = t.forward(BATCH, Loss.crossEntropy()).logprobs().get(0);
    }
    try (Fettle fettle = Fettle.local(); Training t = fettle.resume(state)) {
      assertThat(t.forward(BATCH, Loss.crossEntropy()).logprobs().get(0)).isEqualTo(before);
    }
  }

  @Test
  void anAdapterNamesItsBaseAndHowItWasQuantised() throws IOException {
    try (Fettle fettle = Fettle.local(); Training t = fettle.load(BASE, DType.F32, Quantisation.nf4()).tune(Lora.rank(4))) {
      t.saveAdapter(temporary.resolve("adapter"));
    }

    assertThat(Files.readString(temporary.resolve("adapter/adapter_config.json"))).contains(BASE.toString());
    assertThat(Files.readString(temporary.resolve("adapter/README.md"))).contains("base_model: " + BASE, "library_name: peft",
        "The following `bitsandbytes` quantization config was used during training:\n- quant_method: bitsandbytes\n- load_in_8bit: False\n"
            + "- load_in_4bit: True\n- bnb_4bit_quant_type: nf4\n- bnb_4bit_use_double_quant: False\n- bnb_4bit_compute_dtype: float32\n");
  }

  @Test
  void itIsMergedIntoWhatItWasQuantisedFromOrElseIntoItsNumbers() throws IOException {
    Path copy = Files.createDirectory(temporary.resolve("copy"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(BASE.resolve(file), copy.resolve(file));
    }
    try (Fettle fettle = Fettle.local();
        SafetensorsFile original = SafetensorsFile.open(BASE.resolve("model.safetensors"));
        Trained open = Trained.open(BASE, Lora.rank(2))) {
      List<String> names = List.of("model.layers.0.mlp.up_proj.weight", "model.embed_tokens.weight");
      Training t = fettle.load(copy, DType.F32, Quantisation.int4().including(Modules.embeddings())).tune(Lora.rank(4));
      t.saveMerged(temporary.resolve("exact"), DType.F32);
      flipLastBits(copy.resolve("model.safetensors"));
      t.saveMerged(temporary.resolve("rounded"), DType.F32);

      try (SafetensorsFile exact = SafetensorsFile.open(temporary.resolve("exact/model.safetensors"));
          SafetensorsFile rounded = SafetensorsFile.open(temporary.resolve("rounded/model.safetensors"))) {
        for (String name : names) {
          float[] before = open.read(original, name);
          assertThat(open.read(exact, name)).isEqualTo(before);
          assertThat(relativeDifference(open.read(rounded, name), before)).isBetween(0.02, 0.15);
        }
      }
    }
  }

  /** Writes into a file in place, which its size and time do not show. */
  private static void flipLastBits(Path file) throws IOException {
    FileTime time = Files.getLastModifiedTime(file);
    byte[] bytes = Files.readAllBytes(file);
    for (int i = bytes.length / 2; i < bytes.length; i++) {
      bytes[i] ^= 1;
    }
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.write(bytes);
    }
    Files.setLastModifiedTime(file, time);
  }

  @Test
  void aMergedCheckpointThatWasQuantisedIsADenseModel() {
    Path saved = temporary.resolve("merged");
    Path file = Golden.path("quantised-files/gptq");
    int[] tokens = {4, 9, 33, 12, 5};
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load(file, DType.F32);
      float[] logprobs = model.sampler().logprobs(tokens);
      model.tune(Lora.rank(2)).saveMerged(saved, DType.F32);

      assertThat(maxDifference(fettle.load(saved, DType.F32).sampler().logprobs(tokens), logprobs)).isLessThan(1e-4f);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"F32", "BF16"})
  void decodingIsThatOfTheForwardPassAndIn8BitsCloseToIt(String type) {
    for (Quantisation form : List.of(Quantisation.int8(), Quantisation.nf4(), Quantisation.int4())) {
      try (Fettle fettle = Fettle.local()) {
        Sampler sampler = fettle.load(BASE, DType.valueOf(type), form).sampler();
        assertThat(distance(sampler, SamplingParams.greedy())).as(form.toString()).isLessThan(type.equals("F32") ? 1e-4 : 0.1);
        assertThat(distance(sampler, SamplingParams.greedy().eightBit())).as(form.toString()).isLessThan(0.2);
      }
    }
  }

  /** The mean difference between the logprobs that sampling gave and those of the forward pass. */
  private static double distance(Sampler sampler, SamplingParams params) {
    int[] prompt = {5, 9, 21, 4};
    var sample = sampler.sample(prompt, params.maxTokens(20).ignoringEos()).get(0);
    int[] all = Arrays.copyOf(prompt, prompt.length + sample.tokens().length);
    System.arraycopy(sample.tokens(), 0, all, prompt.length, sample.tokens().length);
    float[] logprobs = sampler.logprobs(all);
    double sum = 0;
    for (int i = 0; i < sample.tokens().length; i++) {
      sum += Math.abs(sample.logprobs()[i] - logprobs[prompt.length - 1 + i]);
    }
    return sum / sample.tokens().length;
  }

  private static Batch batch(int vocabulary) {
    SplittableRandom random = new SplittableRandom(3);
    return Batch.of(random.ints(3).mapToObj(i -> Datum.of(random.ints(14, 3, vocabulary).toArray())).toList());
  }
}

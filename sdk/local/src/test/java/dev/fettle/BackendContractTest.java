package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.fettle.internal.checkpoint.SafetensorsFile;
import dev.fettle.internal.checkpoint.StoredTensor;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.ObjectNode;
import dev.fettle.internal.remote.Impersonator;
import dev.fettle.support.Golden;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What a training gives, here and on a service: the same programs run on this machine and, over sockets, on a server of
 * the protocol, by itself and as other services speak it, and are compared with what the engine gave at first.
 */
class BackendContractTest {
  private static final String KEY = "tml-contract";
  private static final double CLOSE = 1e-6;
  private static final int[] PROMPT = {5, 6, 7, 8, 9, 10, 11, 12};
  private static final Lora LORA = Lora.rank(4).seed(11);
  private static final Batch BATCH = Batch.of(Datum.of(5, 6, 7, 8, 9, 10), Datum.of(new int[] {20, 21, 22, 23},
      new float[] {0, 1, 0.5f, 0}), Datum.of(31, 33, 35, 37, 39, 41, 43));
  private static final Batch REINFORCED = Batch.of(Datum.reinforcement(new int[] {5, 6, 7, 8}, new int[] {6, 7, 8, 9},
      new float[] {0, -3, -4, -2}, new float[] {0, 1, -1, 0.5f}), Datum.reinforcement(new int[] {9, 8},
      new int[] {8, 7}, new float[] {-1, -5}, new float[] {2, -0.25f}));

  @TempDir
  static Path files;
  private static Fettle engine;
  private static FettleServer server;
  private static final Map<Impersonator.Service, Impersonator> others = new EnumMap<>(Impersonator.Service.class);

  /** Where a program runs. */
  enum Place {
    LOCAL {
      @Override
      BaseModel load(Fettle fettle) {
        return fettle.load("fettle-tiny", DType.F32);
      }

      @Override
      Fettle open() {
        return Fettle.local();
      }
    },
    REMOTE {
      @Override
      Fettle open() {
        return Fettle.remote(Remote.at(server.uri()).key(() -> KEY));
      }
    },
    SKYRL, HOSTED_025, HOSTED_040;

    Fettle open() {
      return Fettle.remote(Remote.at(others.get(Impersonator.Service.valueOf(name())).uri()).key(() -> KEY));
    }

    BaseModel load(Fettle fettle) {
      return fettle.load("fettle-tiny");
    }

    <T> T run(Function<BaseModel, T> program) {
      try (Fettle fettle = open()) {
        return program.apply(load(fettle));
      }
    }
  }

  @BeforeAll
  static void start() throws Exception {
    engine = Fettle.local();
    server = FettleServer.serve(engine, engine.load("fettle-tiny", DType.F32)).token(() -> KEY).start();
    for (Impersonator.Service service : Impersonator.Service.values()) {
      others.put(service, new Impersonator(service, server.uri(), KEY));
    }
  }

  @AfterAll
  static void stop() {
    others.values().forEach(Impersonator::close);
    server.close();
    engine.close();
  }

  private static void close(double[] actual, double[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      assertThat(actual[i]).as("value %d", i).isCloseTo(expected[i], within(CLOSE));
    }
  }

  /** Runs a program in a place and on a fresh local engine; all numbers that it gives must agree. */
  private static double[] agree(Place place, Function<BaseModel, List<Double>> program) {
    double[] expected = Place.LOCAL.run(program).stream().mapToDouble(d -> d).toArray();
    double[] actual = place.run(program).stream().mapToDouble(d -> d).toArray();
    close(actual, expected);
    return actual;
  }

  private static void numbers(List<Double> out, LossResult result) {
    out.add(result.loss());
    out.add(result.weight());
    out.add(result.meanLoss());
    out.add(result.metrics().get("loss:sum"));
    result.logprobs().forEach(p -> {
      for (float value : p) {
        out.add((double) value);
      }
    });
  }

  private static void numbers(List<Double> out, OptimResult result) {
    out.add((double) result.step());
    out.add(result.learningRate());
    out.add(result.gradientNorm());
  }

  @ParameterizedTest
  @EnumSource
  void stepsGiveTheSameLossesLogprobsAndGradientNorms(Place place) {
    double[] values = agree(place, model -> {
      List<Double> out = new ArrayList<>();
      Training training = model.tune(LORA);
      numbers(out, training.forward(BATCH));
      for (int i = 0; i < 5; i++) {
        numbers(out, training.forwardBackward(BATCH, Loss.crossEntropy()));
        numbers(out, training.forwardBackward(Batch.of(Datum.of(50, 51, 52)), Loss.crossEntropy()));
        numbers(out, training.optimStep(AdamW.learningRate(0.001).weightDecay(0.1).clipNorm(1)));
      }
      numbers(out, training.forward(BATCH));
      out.add((double) training.steps());
      return out;
    });
    assertThat(values[values.length - 19]).isLessThan(values[0]);
  }

  @ParameterizedTest
  @EnumSource
  void everyLossIsTheSame(Place place) {
    agree(place, model -> {
      List<Double> out = new ArrayList<>();
      Training training = model.tune(LORA);
      for (Loss loss : List.of(Loss.importanceSampling(), Loss.ppo(), Loss.ppo(0.5, 1.1), Loss.cispo(),
          Loss.cispo(0.5, 2), Loss.dro(0.05))) {
        numbers(out, training.forward(REINFORCED, loss));
        StepResult step = training.step(REINFORCED, loss, AdamW.learningRate(0.003));
        numbers(out, step.loss());
        numbers(out, step.optim());
      }
      return out;
    });
  }

  @ParameterizedTest
  @EnumSource
  void severalTargetsAtAPositionAreTheSame(Place place) {
    int[] inputs = {5, 6, 7, 8, 9, 10, 11, 12};
    int[][] targets = {{6, 0, 6}, {7}, {}, {}, {}, {}, {}, {20, 9}};
    float[][] weights = {{1, 0.5f, 0.25f}, {-2}, {}, {}, {}, {}, {}, {0, 1}};
    Batch several = Batch.of(Datum.supervised(inputs, targets, weights), BATCH.data().get(0));
    List<Datum> apart = new ArrayList<>(List.of(BATCH.data().get(0)));
    for (int k = 0; k < 3; k++) {
      int column = k;
      apart.add(Datum.supervised(inputs, IntStream.range(0, 8).map(i -> column < targets[i].length ? targets[i][column] : 0)
          .toArray(), column(weights, column)));
    }
    Function<BaseModel, List<Double>> program = model -> {
      List<Double> out = new ArrayList<>();
      Training training = model.tune(LORA);
      numbers(out, training.forward(several, Loss.crossEntropy()));
      for (int i = 0; i < 2; i++) {
        StepResult step = training.step(several, Loss.crossEntropy(), AdamW.learningRate(0.003));
        numbers(out, step.loss());
        numbers(out, step.optim());
      }
      return out;
    };
    if (place == Place.SKYRL) {
      assertThatThrownBy(() -> place.run(program)).isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("does not take several targets").hasMessageContaining("a datum of its own");
      return;
    }
    agree(place, program);
    if (place == Place.LOCAL) {
      LossResult[] both = place.run(model -> {
        Training one = model.tune(LORA);
        Training other = model.tune(LORA);
        LossResult together = one.forwardBackward(several, Loss.crossEntropy());
        LossResult separate = other.forwardBackward(Batch.of(apart), Loss.crossEntropy());
        assertThat(one.optimStep(AdamW.standard()).gradientNorm()).isCloseTo(other.optimStep(AdamW.standard()).gradientNorm(),
            withinPercentage(1e-4));
        return new LossResult[] {together, separate};
      });
      assertThat(both[0].loss()).isCloseTo(both[1].loss(), withinPercentage(1e-4));
      assertThat(both[0].weight()).isCloseTo(both[1].weight(), within(1e-9));
      assertThat(both[0].logprobs().get(0)).hasSize(24);
      for (int i = 0; i < 24; i++) {
        assertThat(both[0].logprobs().get(0)[i]).isCloseTo(both[1].logprobs().get(1 + i % 3)[i / 3], within(1e-5f));
      }
    }
  }

  private static float[] column(float[][] rows, int column) {
    float[] out = new float[rows.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = column < rows[i].length ? rows[i][column] : 0;
    }
    return out;
  }

  @ParameterizedTest
  @EnumSource
  void aCustomLossIsTheSame(Place place) {
    CustomLoss squares = (data, logprobs) -> {
      double loss = 0;
      List<float[]> gradient = new ArrayList<>();
      for (float[] p : logprobs) {
        float[] g = new float[p.length];
        for (int i = 0; i < p.length; i++) {
          loss += p[i] * p[i];
          g[i] = 2 * p[i];
        }
        gradient.add(g);
      }
      return CustomLoss.Value.of(loss, gradient);
    };
    agree(place, model -> {
      List<Double> out = new ArrayList<>();
      Training training = model.tune(LORA);
      for (int i = 0; i < 2; i++) {
        StepResult step = training.step(BATCH, Loss.custom(squares), AdamW.learningRate(0.003));
        numbers(out, step.loss());
        numbers(out, step.optim());
      }
      return out;
    });
  }

  @ParameterizedTest
  @EnumSource
  void stepsSubmittedWithoutWaitingComeInOrder(Place place) {
    agree(place, model -> {
      List<Double> out = new ArrayList<>();
      AsyncTraining training = model.tune(LORA).async();
      List<CompletableFuture<StepResult>> steps = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        steps.add(training.step(BATCH, Loss.crossEntropy(), AdamW.learningRate(0.002 * (i + 1))));
      }
      steps.forEach(s -> {
        numbers(out, s.join().loss());
        numbers(out, s.join().optim());
      });
      return out;
    });
  }

  @ParameterizedTest
  @EnumSource
  void aBatchOfManyChunksGivesWhatItGivesAsOne(Place place) {
    List<Datum> data = new ArrayList<>();
    for (int i = 0; i < 1500; i++) {
      data.add(Datum.of(5 + i % 300, 6 + i % 200, 7 + i % 100));
    }
    double[] values = agree(place, model -> {
      Training training = model.tune(LORA);
      LossResult pass = training.forwardBackward(Batch.of(data), Loss.crossEntropy());
      OptimResult step = training.optimStep(AdamW.learningRate(0.01));
      // The norm, a float of some 54,000, has steps of 0.004: the sum over chunks may end one step beside that over all.
      return List.of(pass.meanLoss(), (double) pass.logprobs().size(), (double) pass.logprobs().get(1400)[1],
          step.gradientNorm() / 1e5, training.forward(BATCH).meanLoss());
    });
    assertThat(values[1]).isEqualTo(1500);
  }

  @ParameterizedTest
  @EnumSource
  void greedySamplesAreTheSame(Place place) {
    SamplingParams greedy = SamplingParams.greedy().maxTokens(20);
    Function<BaseModel, List<String>> program = model -> {
      List<String> out = new ArrayList<>();
      Training training = model.tune(LORA);
      Sampler before = training.sampler();
      for (int i = 0; i < 5; i++) {
        training.step(BATCH, Loss.crossEntropy(), AdamW.learningRate(0.01));
      }
      for (Sampler sampler : List.of(model.sampler(), before, training.sampler())) {
        for (List<Sample> samples : sampler.sample(List.of(PROMPT, new int[] {20, 21}), greedy)) {
          Sample s = samples.get(0);
          out.add(List.of(java.util.Arrays.toString(s.tokens()), s.text(), s.stopReason()).toString());
        }
        out.add(sampler.chat("Where is my parcel?"));
        StringBuilder streamed = new StringBuilder();
        sampler.stream(PROMPT, greedy).forEach(t -> streamed.append(t.text()));
        out.add(streamed.toString());
        String text = sampler.sample(PROMPT, greedy).get(0).text();
        if (text.length() > 3) {
          Sample stopped = sampler.sample(PROMPT, greedy.stop(text.substring(2, 3))).get(0);
          out.add(stopped.text() + stopped.stopReason());
        }
      }
      return out;
    };
    List<String> samples = place.run(program);
    assertThat(samples).isEqualTo(Place.LOCAL.run(program));
    assertThat(samples.get(0)).isNotEqualTo(samples.get(samples.size() - 5));
  }

  @ParameterizedTest
  @EnumSource
  void logprobsOfSamplesAndTextsAreTheSame(Place place) {
    agree(place, model -> {
      List<Double> out = new ArrayList<>();
      Training training = model.tune(LORA);
      training.step(BATCH, Loss.crossEntropy(), AdamW.learningRate(0.01));
      Sampler sampler = training.sampler();
      for (float p : sampler.sample(PROMPT, SamplingParams.greedy().maxTokens(20)).get(0).logprobs()) {
        out.add((double) p);
      }
      for (float p : sampler.logprobs(PROMPT)) {
        out.add((double) p);
      }
      for (Sample s : sampler.sample(PROMPT, SamplingParams.standard().maxTokens(10).seed(5).samples(3))) {
        for (int token : s.tokens()) {
          out.add((double) token);
        }
      }
      return out;
    });
  }

  @ParameterizedTest
  @EnumSource
  void savedAdaptersAreTheSame(Place place) throws Exception {
    Function<Path, Function<BaseModel, Void>> program = directory -> model -> {
      Training training = model.tune(LORA.targetModules(Modules.attention()));
      for (int i = 0; i < 3; i++) {
        training.step(BATCH, Loss.crossEntropy(), AdamW.learningRate(0.01));
      }
      training.saveAdapter(directory);
      return null;
    };
    Path expected = files.resolve("expected-" + place);
    Path actual = files.resolve("actual-" + place);
    Place.LOCAL.run(program.apply(expected));
    place.run(program.apply(actual));

    assertThat(settings(actual, place)).isEqualTo(settings(expected, place));
    try (SafetensorsFile one = SafetensorsFile.open(actual.resolve("adapter_model.safetensors"));
        SafetensorsFile other = SafetensorsFile.open(expected.resolve("adapter_model.safetensors"))) {
      assertThat(one.tensors().keySet()).isEqualTo(other.tensors().keySet()).isNotEmpty();
      for (String name : one.tensors().keySet()) {
        close(values(one, name), values(other, name));
      }
    }
    double[] base = values(Place.LOCAL.run(m -> m.sampler().logprobs(PROMPT)));
    double[] tuned = values(Place.LOCAL.run(m -> m.tune(Lora.from(actual)).sampler().logprobs(PROMPT)));
    assertThat(tuned).isNotEqualTo(base);
  }

  /** The settings of an adapter; where a service leaves the modules out, their order is not known. */
  private static JsonNode settings(Path adapter, Place place) {
    ObjectNode settings = (ObjectNode) Golden.json(adapter.resolve("adapter_config.json"));
    if (place == Place.SKYRL) {
      List<String> modules = new ArrayList<>();
      settings.get("target_modules").forEach(m -> modules.add(m.asString()));
      settings.put("target_modules", new TreeSet<>(modules).toString());
    }
    return settings;
  }

  private static double[] values(SafetensorsFile file, String name) {
    StoredTensor tensor = file.tensors().get(name);
    FloatBuffer floats = file.bytes(tensor, 0, (int) tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    double[] out = new double[floats.remaining()];
    for (int i = 0; i < out.length; i++) {
      out[i] = floats.get(i);
    }
    return out;
  }

  private static double[] values(float[] floats) {
    double[] out = new double[floats.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = floats[i];
    }
    return out;
  }

  @ParameterizedTest
  @EnumSource
  void aSavedStateGoesOnAsIfItHadNeverStopped(Place place) {
    Path state = files.resolve("state-" + place);
    Function<BaseModel, List<Double>> program = model -> {
      List<Double> out = new ArrayList<>();
      Training training = model.tune(LORA);
      training.step(BATCH, Loss.crossEntropy(), AdamW.learningRate(0.01));
      training.step(BATCH, Loss.crossEntropy(), AdamW.learningRate(0.01));
      training.saveState(state);
      numbers(out, training.step(BATCH, Loss.crossEntropy(), AdamW.learningRate(0.01)).loss());
      numbers(out, training.step(BATCH, Loss.crossEntropy(), AdamW.learningRate(0.01)).optim());
      training.loadState(state);
      out.add((double) training.steps());
      numbers(out, training.step(BATCH, Loss.crossEntropy(), AdamW.learningRate(0.01)).loss());
      numbers(out, training.step(BATCH, Loss.crossEntropy(), AdamW.learningRate(0.01)).optim());
      return out;
    };
    double[] values = agree(place, program);
    try (Fettle fettle = place.open()) {
      Training resumed = fettle.resume(state);
      assertThat(resumed.steps()).isEqualTo(2);
      List<Double> out = new ArrayList<>();
      numbers(out, resumed.step(BATCH, Loss.crossEntropy(), AdamW.learningRate(0.01)).loss());
      numbers(out, resumed.step(BATCH, Loss.crossEntropy(), AdamW.learningRate(0.01)).optim());
      int n = out.size();
      close(out.stream().mapToDouble(d -> d).toArray(), java.util.Arrays.copyOf(values, n));
      close(java.util.Arrays.copyOfRange(values, n + 1, 2 * n + 1), java.util.Arrays.copyOf(values, n));
    }
  }

  @ParameterizedTest
  @EnumSource
  void fullFineTuningIsTheSame(Place place) {
    agree(place, model -> {
      List<Double> out = new ArrayList<>();
      Training training = model.tune(Full.all());
      for (int i = 0; i < 3; i++) {
        numbers(out, training.step(BATCH, Loss.crossEntropy(), AdamW.learningRate(0.001)).loss());
      }
      for (float p : training.sampler().logprobs(PROMPT)) {
        out.add((double) p);
      }
      return out;
    });
  }

  @ParameterizedTest
  @EnumSource
  void mistakesAreTheSameErrorsAndLeaveTheTrainingAsItWas(Place place) {
    agree(place, model -> {
      Training training = model.tune(LORA);
      assertThatThrownBy(() -> training.optimStep(AdamW.standard())).isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("forwardBackward first");
      assertThatThrownBy(() -> training.forward(Batch.of(Datum.of(5, 1_000_000))))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("vocabulary");
      assertThatThrownBy(() -> training.forward(Batch.of(Datum.of(new int[model.contextLength() + 2]))))
          .isInstanceOf(InvalidInputException.class).hasMessageContaining("context");
      assertThatThrownBy(() -> training.forwardBackward(BATCH, Loss.ppo())).isInstanceOf(InvalidInputException.class);
      assertThatThrownBy(() -> training.sampler().sample(new int[0], SamplingParams.greedy()))
          .isInstanceOf(InvalidInputException.class);
      List<Double> out = new ArrayList<>();
      numbers(out, training.step(BATCH, Loss.crossEntropy(), AdamW.standard()).loss());
      training.close();
      assertThatThrownBy(() -> training.forward(BATCH)).isInstanceOf(ClosedException.class);
      return out;
    });
  }
}

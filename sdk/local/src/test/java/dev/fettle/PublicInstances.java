package dev.fettle;

import dev.fettle.ranking.Difference;
import dev.fettle.ranking.Document;
import dev.fettle.ranking.HardNegatives;
import dev.fettle.ranking.Hit;
import dev.fettle.ranking.Interval;
import dev.fettle.ranking.Metric;
import dev.fettle.ranking.Qrels;
import dev.fettle.ranking.RankLoss;
import dev.fettle.ranking.RankResult;
import dev.fettle.ranking.Ranked;
import dev.fettle.ranking.RankedRun;
import dev.fettle.ranking.Ranking;
import dev.fettle.ranking.RetrievalData;
import dev.fettle.ranking.Retriever;
import dev.fettle.ranking.Scores;
import dev.fettle.ranking.Triple;
import dev.fettle.ranking.Triples;
import dev.fettle.ranking.VectorIndex;
import dev.fettle.recipes.Charts;
import dev.fettle.recipes.Comparison;
import dev.fettle.recipes.ComparisonResult;
import dev.fettle.recipes.Distill;
import dev.fettle.recipes.Dpo;
import dev.fettle.recipes.Environment;
import dev.fettle.recipes.Grpo;
import dev.fettle.recipes.Kto;
import dev.fettle.recipes.Orpo;
import dev.fettle.recipes.ReportServer;
import dev.fettle.recipes.Reward;
import dev.fettle.recipes.RewardModel;
import dev.fettle.recipes.Run;
import dev.fettle.recipes.RunListener;
import dev.fettle.recipes.RunMeters;
import dev.fettle.recipes.Sft;
import dev.fettle.recipes.SimPo;
import dev.fettle.recipes.Trial;
import dev.fettle.support.Golden;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.reflect.Array;
import java.lang.reflect.Parameter;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * Instances of every public type, on both sides of the wire where a type has two, and a valid argument for every
 * parameter of a public method.
 */
final class PublicInstances implements AutoCloseable {
  /** Parameters whose type alone does not say what is valid. */
  private static final Map<String, Object> BY_NAME = Map.of("family", "roles", "role", "user", "fingerprint",
      "0123456789abcdef", "stop", List.of("a", "b"), "measures", new String[] {"map", "ndcg"});

  private final Map<Class<?>, List<Object>> instances = new LinkedHashMap<>();
  private final Map<Class<?>, Object> others = new HashMap<>();
  private final Fettle local = Fettle.local();
  private final FettleServer server;
  private final Fettle remote;

  PublicInstances(Path directory) throws IOException {
    BaseModel model = local.load("fettle-tiny", DType.F32);
    FettleServer.Setup setup = FettleServer.serve(local, model);
    server = setup.token(() -> "tml-nulls").start();
    Remote service = Remote.at(server.uri()).key(() -> "tml-nulls");
    remote = Fettle.remote(service);
    put(Fettle.class, local, remote);
    put(FettleServer.class, server);
    put(FettleServer.Setup.class, setup);
    put(Remote.class, service);
    models(model, remote.load("fettle-tiny"));
    put(Checkpoints.class, remote.checkpoints());
    put(Checkpoint.class, new Checkpoint("tinker://a", true, Optional.empty(), OptionalLong.empty(), Optional.empty(),
        Optional.empty(), Map.of()));
    values();
    data(directory);
    ranking(directory);
    results();
    recipes();
    others(directory);
  }

  private void put(Class<?> type, Object... some) {
    instances.put(type, List.of(some));
  }

  private void models(BaseModel here, BaseModel there) {
    BaseModel encoder = local.load(Golden.path("encoders/mean"));
    put(BaseModel.class, here, there, encoder);
    put(Training.class, here.tune(Lora.rank(2)), there.tune(Lora.rank(2)), encoder.tune(Lora.rank(2)));
    put(AsyncTraining.class, get(Training.class).async(), ((Training) of(Training.class).get(1)).async());
    put(Sampler.class, here.sampler(), there.sampler());
    put(Tokenizer.class, here.tokenizer(), there.tokenizer(), encoder.tokenizer());
    put(Renderer.class, here.renderer(), there.renderer());
  }

  private void values() {
    put(Lora.class, Lora.rank(2));
    put(Full.class, Full.all());
    put(Hybrid.class, Lora.rank(2).plus(Full.of(Modules.norms())));
    put(Tuning.class, get(Lora.class));
    put(Modules.class, Modules.attention());
    put(Quantisation.class, Quantisation.nf4());
    put(Quantisation.Form.class, Quantisation.Form.NF4);
    put(ParameterGroup.class, new ParameterGroup(OptionalDouble.empty(), 1, OptionalDouble.empty()));
    put(AdamW.class, AdamW.standard());
    put(Schedule.class, Schedule.constant(1));
    put(LearningRates.class);
    put(Tokenizers.class);
    put(Renderers.class);
    put(SamplingParams.class, SamplingParams.greedy());
    CustomLoss own = Dpo.loss(0.1, List.of(0.0, 0.0));
    put(CustomLoss.class, own);
    put(CustomLoss.Value.class, new CustomLoss.Value(1, List.of(), Map.of()));
    put(Loss.class, Loss.crossEntropy());
    put(Loss.CrossEntropy.class, Loss.crossEntropy());
    put(Loss.ImportanceSampling.class, Loss.importanceSampling());
    put(Loss.Ppo.class, Loss.ppo());
    put(Loss.Cispo.class, Loss.cispo());
    put(Loss.Dro.class, Loss.dro(1));
    put(Loss.Custom.class, Loss.custom(own));
    put(RankLoss.class, RankLoss.pointwise());
    put(RankLoss.Contrastive.class, RankLoss.contrastive());
    put(RankLoss.Margin.class, RankLoss.margin());
    put(RankLoss.Pointwise.class, RankLoss.pointwise());
    put(RankLoss.RankNet.class, RankLoss.rankNet());
    put(RankLoss.ListNet.class, RankLoss.listNet());
    put(Prompt.class, Prompt.none());
    put(DType.class, DType.F32);
    put(GgufType.class, GgufType.F32);
    put(TrainOn.class, TrainOn.ALL_TOKENS);
    put(TooLong.class, TooLong.CUT);
    put(Device.class, Device.cpu());
    put(MemoryPlan.Part.class, new MemoryPlan.Part("weights", 1), new MemoryPlan.Part("gradients", 1));
    put(MemoryPlan.class, new MemoryPlan(List.of(get(MemoryPlan.Part.class))));
  }

  private void data(Path directory) {
    put(Message.class, Message.user("a"));
    put(ToolCall.class, new ToolCall("a", "b", "{}"));
    put(Conversation.class, Conversation.of(Message.user("a"), Message.assistant("b")));
    put(Completion.class, new Completion("a", "b"));
    put(Text.class, new Text("a"));
    put(Example.class, get(Text.class));
    put(Preference.class, Preference.of("a", "b", "c"));
    put(Feedback.class, Feedback.of("a", "b", true));
    put(Rendered.class, new Rendered(new int[] {1}, new float[] {1}));
    put(Datum.class, Datum.of(1, 2, 3));
    put(Batch.class, Batch.of(Datum.of(1, 2, 3)));
    put(Dataset.class, Dataset.of(new Text("a"), new Text("b")));
    put(Batches.class, get(Dataset.class).batches(1, get(Renderer.class)));
    put(DataPosition.class, get(Batches.class).position());
    put(Destination.class, Destination.within(directory.resolve("destination")));
  }

  private void ranking(Path directory) throws IOException {
    put(Ranked.class, Ranked.pair("a", "b"));
    put(Triple.class, Triple.of("a", "b"));
    put(Triples.class, Triples.of(List.of(get(Triple.class))));
    put(Qrels.class, Qrels.of(Map.of("q1", Map.of("d1", 1), "q2", Map.of("d2", 1))));
    put(RankedRun.class, RankedRun.of("run", Map.of("q1", Map.of("d1", 1), "q2", Map.of("d2", 1))));
    put(Ranking.class, Ranking.of(get(Qrels.class), get(RankedRun.class)));
    put(Metric.class, Metric.map());
    put(Scores.class, get(Ranking.class).score(Metric.map()));
    put(Difference.class, get(Scores.class).to(get(Scores.class), 1));
    put(Interval.class, get(Scores.class).interval(1));
    put(Hit.class, new Hit("d1", 1));
    put(Document.class, new Document("d1", "a", "b"));
    put(VectorIndex.class, VectorIndex.of(List.of("a", "b"), new float[][] {{1, 0}, {0, 1}}));
    put(Retriever.class, get(VectorIndex.class).retriever(text -> new float[] {1, 0}));
    put(HardNegatives.class, HardNegatives.from(get(Retriever.class), 1));
    put(RetrievalData.class, RetrievalData.of(List.of(get(Document.class)),
        Map.of("q1", "a", "q2", "b"), get(Qrels.class)));
  }

  private void results() {
    OptimResult optim = new OptimResult(1, 1, 1);
    LossResult loss = new LossResult(1, List.of(), 1, Map.of());
    put(LossResult.class, loss);
    put(DataSummary.class, new DataSummary(1, 1, OptionalInt.empty(), 0, 0, "00"));
    put(OptimResult.class, optim);
    put(StepResult.class, new StepResult(loss, optim));
    put(RankResult.class, new RankResult(1, List.of(), Map.of("accuracy", 1.0)));
    put(Sample.class, new Sample(new int[] {1}, new float[] {-1}, "a", Sample.StopReason.STOP));
    put(Sample.StopReason.class, Sample.StopReason.STOP);
    put(Token.class, new Token(1, "a", -1));
    put(Trainable.class, get(Training.class).trainable());
    put(Trainable.Row.class, get(Trainable.class).rows().get(0));
    Run.Step step = new Run.Step(Map.of("step", 1.0, "loss", 2.0));
    put(Run.Step.class, step);
    put(Run.class, new Run("sft", get(Training.class), List.of(step), "done", 0, Optional.empty()));
    put(Charts.class, Charts.light());
    put(Charts.Axis.class, Charts.Axis.of("a"));
    put(Charts.Axis.Kind.class, Charts.Axis.Kind.STRAIGHT);
    put(Charts.Series.class, Charts.Series.of("a", 1, 2));
    ComparisonResult.Row row = new ComparisonResult.Row("a", "b", 1, List.of(1.0), List.of(), 1, 1, 1, 1, 1, 0);
    put(ComparisonResult.Row.class, row);
    put(ComparisonResult.Pair.class, new ComparisonResult.Pair("a", "b", 0, 1));
    put(ComparisonResult.class, new ComparisonResult("NLL", false, List.of(row), List.of(), List.of(), "", Path.of("a")));
    put(FettleException.class, new FettleException("a"));
    put(InvalidInputException.class, new InvalidInputException("a"));
    put(UnsupportedModelException.class, new UnsupportedModelException("a"));
    put(NotEnoughMemoryException.class, new NotEnoughMemoryException("a"));
    put(NumericException.class, new NumericException("a"));
    put(ClosedException.class, new ClosedException("a"));
    put(ServiceException.class, new ServiceException("a", 400));
  }

  private void recipes() {
    Training training = get(Training.class);
    put(Sft.class, Sft.on(training));
    put(Dpo.class, Dpo.on(training));
    put(Kto.class, Kto.on(training));
    put(Orpo.class, Orpo.on(training));
    put(SimPo.class, SimPo.on(training));
    put(RewardModel.class, RewardModel.on(training));
    put(Grpo.class, Grpo.on(training));
    put(Distill.class, Distill.on(training));
    others.put(Environment.class, Environment.withTools(Conversation.of(Message.user("a")), call -> "b", chat -> 1));
    others.put(Reward.class, (Reward) (prompt, answer) -> 1);
    put(RunMeters.class, RunMeters.in(new SimpleMeterRegistry()));
    others.put(MeterRegistry.class, new SimpleMeterRegistry());
    put(ReportServer.class, ReportServer.at(0));
    others.put(RunListener.class, (RunListener) step -> { });
    put(Comparison.class, Comparison.of(get(BaseModel.class)));
    put(Trial.class, Trial.of(training, 1e-4, 1, 3));
    put(Progress.class, Progress.passing("a", 1));
  }

  private void others(Path directory) throws IOException {
    others.put(String.class, "a");
    others.put(Object.class, "a");
    others.put(Path.class, Files.writeString(directory.resolve("file"), "x\n"));
    others.put(URI.class, URI.create("http://localhost:1"));
    others.put(Duration.class, Duration.ofSeconds(60));
    others.put(OptionalInt.class, OptionalInt.empty());
    others.put(Instant.class, Instant.EPOCH);
    others.put(Boolean.class, true);
    others.put(Integer.class, 1);
    others.put(Boolean.class, true);
    others.put(Number.class, 1);
    others.put(Double.class, 0.5);
    others.put(Throwable.class, new IllegalStateException("a"));
    others.put(OptionalDouble.class, OptionalDouble.empty());
    others.put(OptionalLong.class, OptionalLong.empty());
    others.put(BufferedImage.class, new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB));
    others.put(Function.class, (Function<Object, Object>) x -> new Text("a"));
    others.put(IntFunction.class, (IntFunction<Object>) i -> new float[] {1, 0});
    others.put(Supplier.class, (Supplier<String>) () -> "a");
    others.put(Consumer.class, (Consumer<Object>) x -> { });
    others.put(ToDoubleFunction.class, (ToDoubleFunction<Object>) x -> 1);
    others.put(int.class, 2);
    others.put(long.class, 2L);
    others.put(double.class, 0.5);
    others.put(float.class, 0.5f);
    others.put(boolean.class, false);
    others.put(int[].class, new int[] {1, 2});
    others.put(float[].class, new float[] {1, 1});
    others.put(double[].class, new double[] {0.5, 0.5});
  }

  /** The instances of a type; none if it has been forgotten. */
  List<Object> of(Class<?> type) {
    return instances.getOrDefault(type, List.of());
  }

  /** Whether someone thought of the type. */
  boolean knows(Class<?> type) {
    return instances.containsKey(type);
  }

  private <T> T get(Class<T> type) {
    return type.cast(of(type).get(0));
  }

  /** A valid argument. */
  Object argument(Parameter parameter) {
    Object named = BY_NAME.get(parameter.getName());
    return named != null && parameter.getType().isInstance(named) ? named : argument(parameter.getParameterizedType());
  }

  private Object argument(Type type) {
    if (type instanceof WildcardType wildcard) {
      return argument(wildcard.getUpperBounds()[0]);
    }
    if (type instanceof TypeVariable<?> variable) {
      return argument(variable.getBounds()[0]);
    }
    if (type instanceof ParameterizedType generic) {
      return generic((Class<?>) generic.getRawType(), generic.getActualTypeArguments());
    }
    Class<?> plain = (Class<?>) type;
    if (!of(plain).isEmpty()) {
      return get(plain);
    }
    if (plain.isArray() && !others.containsKey(plain)) {
      Object array = Array.newInstance(plain.getComponentType(), 2);
      Array.set(array, 0, argument(plain.getComponentType()));
      Array.set(array, 1, argument(plain.getComponentType()));
      return array;
    }
    if (!others.containsKey(plain)) {
      throw new AssertionError("no valid argument of " + type + " in PublicInstances: add one");
    }
    return others.get(plain);
  }

  private Object generic(Class<?> raw, Type[] of) {
    if (raw == Map.class) {
      return Map.of("q1", argument(of[1]), "q2", argument(of[1]));
    }
    if (raw == Optional.class) {
      return Optional.of(argument(of[0]));
    }
    return Collection.class.isAssignableFrom(raw) ? new ArrayList<>(List.of(argument(of[0]), argument(of[0])))
        : argument(raw);
  }

  @Override
  public void close() {
    remote.close();
    server.close();
    local.close();
  }
}

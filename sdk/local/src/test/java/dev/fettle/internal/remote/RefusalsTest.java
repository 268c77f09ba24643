package dev.fettle.internal.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.DType;
import dev.fettle.Full;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Modules;
import dev.fettle.Tuning;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.TrainingBackend;
import dev.fettle.internal.wire.Models;
import dev.fettle.internal.wire.Paths;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the wire cannot say is refused by name before anything is created. */
class RefusalsTest {
  private final FakeService service = new FakeService(FakeService.Kind.HOSTED);
  private final RemoteBackend client = service.client();

  @AfterEach
  void close() {
    client.close();
    service.close();
  }

  private ModelBackend model() {
    return client.load("fettle-tiny", Optional.empty());
  }

  static List<Tuning> inexpressible() {
    return List.of(Lora.rank(8).alpha(16), Lora.rank(8).dropout(0.1), Lora.rank(8).rankStabilized(),
        Lora.rank(8).rankPattern("q_proj", 4), Lora.rank(8).alphaPattern("q_proj", 4), Lora.rank(8).targetModules(Modules.lastLayers(1)),
        Lora.rank(8).targetModules(Modules.layers(0, 1)), Lora.rank(8).targetModules(Modules.named("q_proj")),
        Lora.rank(8).targetModules(Modules.attention().within(Modules.lastLayers(1))), Lora.rank(8).targetModules(Modules.lmHead()),
        Lora.from(Path.of("some-adapter")), Lora.rank(8).dora(), Lora.rank(8).pissa(), Lora.rank(8).bias(),
        Lora.rank(8).learningRateRatio(16), Lora.rank(8).learningRateFactor(2), Lora.rank(8).weightDecay(0.1),
        Lora.rank(8).learningRate(1e-3), Full.all().learningRate(1e-3), Full.all().weightDecay(0.1),
        Lora.rank(8).plus(Full.of(Modules.norms())), Full.of(Modules.lmHead()), Full.all().learningRateFactor(0.5));
  }

  @ParameterizedTest
  @MethodSource("inexpressible")
  void variantsOfAdapters(Tuning tuning) {
    assertThatThrownBy(() -> model().tune(tuning)).isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("Tinker protocol");
    assertThat(service.sessions).hasValue(0);
    assertThat(service.models).isEmpty();
  }

  /** A setting that is new must be added to those that are refused or to those that the wire can say. */
  @Test
  void everySettingIsSaidOrRefused() {
    assertThat(settings(Lora.class)).containsExactlyInAnyOrder("seed", "targetModules", "alpha", "rankStabilized", "dropout",
        "rankPattern", "alphaPattern", "dora", "pissa", "bias", "learningRateRatio", "learningRateFactor", "learningRate",
        "weightDecay");
    assertThat(settings(Full.class)).containsExactlyInAnyOrder("learningRateFactor", "learningRate", "weightDecay");
  }

  private static Set<String> settings(Class<?> tuning) {
    return Arrays.stream(tuning.getMethods())
        .filter(m -> m.getReturnType() == tuning && !Modifier.isStatic(m.getModifiers())).map(Method::getName).collect(Collectors.toSet());
  }

  @Test
  void wholeKindsOfModulesAreAskedFor() {
    model().tune(Lora.rank(4).targetModules(Modules.attention()).seed(7));
    assertThat(service.model().config).isEqualTo(new Models.LoraConfig(4, 7L, false, false, true));
    service.models.clear();
    TrainingBackend training = model().tune(Lora.rank(4).targetModules(Modules.mlp(), Modules.attention()));
    assertThat(service.model().config).isEqualTo(new Models.LoraConfig(4, 0L, false, true, true));
    assertThat(training.trainable().trained()).isPositive();
    assertThat(training.trainable().table()).contains("self_attn.q_proj").contains("LoRA, rank 4");
  }

  @Test
  void fullFineTuningWhereTheServiceDoesNotTakeIt() {
    assertThatThrownBy(() -> model().tune(Full.all())).isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("Full.all()").hasMessageContaining("rank 0").hasMessageContaining("rank must be positive");
    assertThat(service.models).isEmpty();
  }

  @Test
  void fullFineTuningWhereTheServiceTakesIt() {
    service.full = true;
    TrainingBackend training = model().tune(Full.all());
    assertThat(service.model().config.rank()).isZero();
    assertThat(training.trainable().share()).isEqualTo(1);
    assertThatThrownBy(() -> dev.fettle.internal.Futures.join(training.saveAdapter(Path.of("x"))))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("saveMerged");
  }

  @Test
  void fullFineTuningThatBecameSomethingElse() {
    service.full = true;
    service.change(Paths.GET_INFO, 1, r -> FakeService.json(new Models.Info("get_info", "m", null, true, 32, "fettle-tiny")));
    assertThatThrownBy(() -> model().tune(Full.all())).isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("rank 32");
  }

  @Test
  void aKeyThatIsRefusedIsNotTakenForThat() {
    service.instead(Paths.CREATE_MODEL, 1, 403, "{\"detail\":\"not yours\"}");
    assertThatThrownBy(() -> model().tune(Full.all())).isInstanceOf(dev.fettle.ServiceException.class);
  }

  @Test
  void whatOnlyThisMachineCanDo() {
    assertThatThrownBy(() -> client.load("fettle-tiny", Optional.of(DType.BF16))).isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("BF16");
    assertThatThrownBy(() -> client.initialise(Path.of("shape"), Optional.empty(), Optional.empty(), 1))
        .isInstanceOf(InvalidInputException.class);
    assertThat(service.sessions).hasValue(0);
  }

  @Test
  void whatOnlyAServiceCanDo() {
    try (dev.fettle.Fettle local = dev.fettle.Fettle.local()) {
      assertThatThrownBy(local::checkpoints).isInstanceOf(InvalidInputException.class).hasMessageContaining("checkpoints");
    }
  }
}

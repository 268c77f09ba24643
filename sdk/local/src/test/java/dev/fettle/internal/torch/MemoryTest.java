package dev.fettle.internal.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.BaseModel;
import dev.fettle.DType;
import dev.fettle.Fettle;
import dev.fettle.Lora;
import dev.fettle.MemoryPlan;
import dev.fettle.NotEnoughMemoryException;
import dev.fettle.ranking.VectorIndex;
import java.lang.ref.Reference;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Who was promised native memory, and what is refused. */
class MemoryTest {
  private static final long GIB = 1L << 30;

  private final AtomicLong free = new AtomicLong(10 * GIB);
  private final AtomicLong kept = new AtomicLong();
  private final AtomicLong given = new AtomicLong();

  @Test
  void theLimitIsOfAllHoldersTogether() {
    Memory memory = memory(4 * GIB);
    Memory.Held weights = memory.hold(plan("weights", 2 * GIB), "loading");
    assertThat(memory.fits(2 * GIB)).isTrue();
    assertThat(memory.fits(2 * GIB + 1)).isFalse();
    assertThatThrownBy(() -> memory.hold(plan("caches", 3 * GIB), "sampling from m"))
        .isInstanceOf(NotEnoughMemoryException.class).hasMessageContaining("sampling from m needs about 3.00 GiB")
        .hasMessageContaining("(caches 3.00)").hasMessageContaining("only 2.00 GiB are left of the 4.00 GiB of fettle.memory")
        .hasMessageContaining("beside 2.00 GiB in use or promised (weights 2.00)");
    weights.close();
    memory.hold(plan("caches", 3 * GIB), "sampling");
    assertThat(memory.fits(2 * GIB)).isFalse();
  }

  @Test
  void whatWasPromisedAndIsNotAllocatedYetIsTakenFromWhatTheSystemHasLeft() {
    Memory memory = memory(Long.MAX_VALUE);
    AtomicLong present = new AtomicLong(GIB);
    memory.promise(() -> plan("moments", 5 * GIB), present::get);

    assertThat(memory.fits(6 * GIB)).isTrue();
    assertThat(memory.fits(6 * GIB + 1)).isFalse();
    present.set(5 * GIB);
    free.set(6 * GIB);
    assertThat(memory.fits(6 * GIB)).isTrue();
    assertThat(memory.fits(6 * GIB + 1)).isFalse();
  }

  @Test
  void smallWorkDoesNotAskTheSystemEachTimeAndNothingElseGoesByWhatItSaid() {
    AtomicLong asked = new AtomicLong();
    Memory memory = new Memory(Long.MAX_VALUE, () -> {
      asked.incrementAndGet();
      return OptionalLong.of(free.get());
    }, () -> { });

    for (int i = 0; i < 1000; i++) {
      memory.require(plan("activations", 1), 0, "a text");
    }
    assertThat(asked.get()).isPositive().isLessThan(200);

    free.set(GIB);
    assertThat(memory.fits(2 * GIB)).as("large work asks anew").isFalse();
    free.set(0);
    assertThat(memory.fits(GIB / 16)).as("and leaves nothing behind that small work goes by").isFalse();

    free.set(10 * GIB);
    memory.hold(plan("weights", 1), "loading");
    free.set(0);
    assertThat(memory.fits(1)).as("nor does a promise").isFalse();
  }

  @Test
  void whatIsCountedAlreadyIsNotAskedForTwice() {
    Memory memory = memory(4 * GIB);
    memory.promise(() -> plan("gradients", 3 * GIB), () -> 0);

    memory.require(plan("gradients", 4 * GIB), 3 * GIB, "a pass");
    assertThatThrownBy(() -> memory.require(plan("gradients", 4 * GIB + 1), 3 * GIB, "a pass"))
        .isInstanceOf(NotEnoughMemoryException.class).hasMessageContaining("a pass needs about 4.00 GiB");
  }

  @Test
  void freedBlocksAreGivenBackBeforeAnythingIsRefused() {
    Memory memory = memory(Long.MAX_VALUE);
    free.set(GIB);
    kept.set(2 * GIB);

    assertThat(memory.fits(GIB)).isTrue();
    assertThat(given).hasValue(0);
    assertThat(memory.fits(3 * GIB)).isTrue();
    assertThat(given).hasValue(1);
    assertThat(memory.fits(3 * GIB + 1)).isFalse();
  }

  @Test
  void whatWorkHasLeftBehindIsGivenBackWhenWhatItWasDoneForIsClosed() {
    Memory memory = memory(Long.MAX_VALUE);
    memory.hold(plan("weights", 200 << 20), "loading").close();
    memory.tidy();
    assertThat(given).as("too little to be worth the time").hasValue(0);

    memory.require(plan("activations", 100 << 20), 0, "a pass");
    memory.tidy();
    memory.tidy();

    assertThat(given).hasValue(1);
  }

  /** What is made and dropped in turn in one process: trainings, models, indexes. */
  @Test
  void whateverIsClosedGivesBackWhatItsWorkLeft() {
    try (Fettle fettle = Fettle.local()) {
      BaseModel model = fettle.load("fettle-tiny", DType.F32);
      for (AutoCloseable dropped : List.of(model.tune(Lora.rank(2)), VectorIndex.of(List.of("a"), (int i) -> new float[] {1}), model)) {
        Memory.get().require(plan("activations", 300 << 20), 0, "a pass");
        assertThat(Memory.get().isUntidy()).isTrue();

        assertThatCode(dropped::close).doesNotThrowAnyException();

        assertThat(Memory.get().isUntidy()).as("after %s", dropped).isFalse();
      }
    }
  }

  @Test
  void whatIsKeptForLaterIsGivenBackBeforeWorkIsRefused() {
    Memory memory = memory(4 * GIB);
    Memory.Held prompts = memory.hold(plan("kept prompts", GIB), "keeping a prompt");
    Runnable spare = prompts::close;
    memory.spare(spare);

    memory.hold(plan("weights", 2 * GIB), "loading").close();
    assertThat(memory.room(0)).isEqualTo(3 * GIB);
    memory.require(plan("gradients", 4 * GIB), 0, "a pass");
    assertThat(memory.room(0)).isEqualTo(4 * GIB);
    Reference.reachabilityFence(spare);
  }

  @Test
  void nothingIsRefusedWhereTheSystemDoesNotSay() {
    Memory unknown = new Memory(Long.MAX_VALUE, OptionalLong::empty, () -> {});
    unknown.require(plan("weights", Long.MAX_VALUE / 2), 0, "loading");
    assertThat(unknown.fits(Long.MAX_VALUE - 1)).isTrue();

    Memory limited = new Memory(GIB, OptionalLong::empty, () -> {});
    assertThat(limited.fits(GIB + 1)).isFalse();
  }

  @Test
  void freedMemoryCanBeGivenBackForReal() {
    assertThat(Memory.get().fits(Long.MAX_VALUE / 2)).isEqualTo(!System.getProperty("os.name").equals("Linux"));
  }

  private Memory memory(long limit) {
    return new Memory(limit, () -> OptionalLong.of(free.get()), () -> {
      given.incrementAndGet();
      free.addAndGet(kept.getAndSet(0));
    });
  }

  private static MemoryPlan plan(String name, long bytes) {
    return new MemoryPlan(List.of(new MemoryPlan.Part(name, bytes)));
  }
}

package dev.fettle.internal.torch;

import com.sun.jna.Library;
import com.sun.jna.Native;
import java.util.function.Consumer;

/**
 * Settings of the C library that must be made before libtorch is loaded; what the user has set in the environment
 * stays. Only on Linux with glibc; elsewhere nothing is changed.
 *
 * <p>OpenMP's threads spin while they wait for one another, by default for so long that a second process on the machine
 * slows a step down tenfold: each barrier then waits for a thread that has no processor. Here they spin for some
 * ten microseconds, then sleep: with a quiet machine that costs 5 % of a step, with one of two cores taken it keeps 45 %.
 *
 * <p>glibc gives large freed blocks back to the system and faults them in again, page by page, at the next step. Here
 * it keeps them until {@link Memory#tidy}, and for all threads in one place, where the JVM's own threads have not made more places
 * than that before.
 *
 * <p>libtorch asks for pages of 2 MiB for tensors of that size and more, where the system gives them when asked: a processor
 * that streams through weights looks up fewer addresses.
 */
final class NativeEnvironment {
  private static final int M_TRIM_THRESHOLD = -1;
  private static final int M_MMAP_THRESHOLD = -3;
  private static final int M_ARENA_MAX = -8;
  private static final int KEPT = 1 << 30;

  /** C library functions, as JNA binds them. */
  interface LibC extends Library {
    int setenv(String name, String value, int overwrite);

    int mallopt(int parameter, int value);

    int malloc_trim(long pad);
  }

  private NativeEnvironment() {}

  /** Gives what was freed and kept back to the system. */
  static void giveBack() {
    with(libc -> libc.malloc_trim(0));
  }

  static void prepare() {
    with(libc -> {
      libc.setenv("GOMP_SPINCOUNT", System.getProperty("fettle.spin", "5000"), 0);
      libc.setenv("THP_MEM_ALLOC_ENABLE", System.getProperty("fettle.hugepages", "1"), 0);
      if (Boolean.parseBoolean(System.getProperty("fettle.malloc", "true"))) {
        libc.mallopt(M_MMAP_THRESHOLD, KEPT);
        libc.mallopt(M_TRIM_THRESHOLD, KEPT);
        libc.mallopt(M_ARENA_MAX, 1);
      }
    });
  }

  private static void with(Consumer<LibC> calls) {
    if (!System.getProperty("os.name", "").equals("Linux")) {
      return;
    }
    try {
      calls.accept(Native.load("c", LibC.class));
    } catch (LinkageError | RuntimeException e) {
      return;
    }
  }
}

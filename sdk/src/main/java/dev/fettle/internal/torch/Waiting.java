package dev.fettle.internal.torch;

import com.sun.jna.Library;
import com.sun.jna.Native;

/**
 * How OpenMP's threads wait for one another. They spin, by default for so long that a second process on the machine
 * slows a step down tenfold: each barrier then waits for a thread that has no processor. The setting must be in the
 * environment before libgomp is loaded, which only a C call can do in a running JVM; what the user has set stays.
 */
final class Waiting {
  private static final String SPIN = "GOMP_SPINCOUNT";

  /** The C library's environment, as JNA binds it. */
  interface LibC extends Library {
    int setenv(String name, String value, int overwrite);
  }

  private Waiting() {}

  /** Lets threads sleep at once, unless the user says otherwise. */
  static void passive() {
    if (!System.getProperty("os.name", "").equals("Linux")) {
      return;
    }
    try {
      Native.load("c", LibC.class).setenv(SPIN, System.getProperty("fettle.spin", "0"), 0);
    } catch (LinkageError | RuntimeException e) {
      return;
    }
  }
}

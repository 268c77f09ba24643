package dev.fettle.internal.checkpoint;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;

/**
 * Unmaps buffers at once. Java leaves that to the garbage collector, and until it comes the pages of a whole model
 * count as memory of the process, beside the copy that was made of them.
 */
public final class Mapped {
  private static final Object UNSAFE;
  private static final Method CLEAN;

  static {
    Object unsafe = null;
    Method clean = null;
    try {
      Class<?> type = Class.forName("sun.misc.Unsafe");
      Field field = type.getDeclaredField("theUnsafe");
      field.setAccessible(true);
      unsafe = field.get(null);
      clean = type.getMethod("invokeCleaner", ByteBuffer.class);
    } catch (ReflectiveOperationException | RuntimeException e) {
      clean = null;
    }
    UNSAFE = unsafe;
    CLEAN = clean;
  }

  private Mapped() {}

  /** Unmaps a buffer that {@link SafetensorsFile#bytes} gave; it must not be touched any more. */
  public static void release(ByteBuffer buffer) {
    if (CLEAN == null || !buffer.isDirect()) {
      return;
    }
    try {
      CLEAN.invoke(UNSAFE, buffer);
    } catch (ReflectiveOperationException | RuntimeException e) {
      return; // The garbage collector will do it.
    }
  }
}

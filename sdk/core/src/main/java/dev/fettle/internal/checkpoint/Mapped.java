package dev.fettle.internal.checkpoint;

import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;

/**
 * Gives the memory of buffers back at once. Java unmaps a file when the garbage collector finds the buffer, and until then the
 * pages of a whole model count as memory of the process, beside the copy that was made of them. From Java 24 on, what could
 * unmap, {@code Unsafe}, warns of its end: there Linux is told that the pages are not needed, and the mapping itself waits.
 */
public final class Mapped {
  private static final int WARNS = 24;
  private static final int MADV_DONTNEED = 4;
  private static final Object UNSAFE;
  private static final Method CLEAN;

  static {
    Object unsafe = null;
    Method clean = null;
    if (Runtime.version().feature() < WARNS) {
      try {
        Class<?> type = Class.forName("sun.misc.Unsafe");
        Field field = type.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        unsafe = field.get(null);
        clean = type.getMethod("invokeCleaner", ByteBuffer.class);
      } catch (ReflectiveOperationException | RuntimeException e) {
        clean = null;
      }
    }
    UNSAFE = unsafe;
    CLEAN = clean;
  }

  private Mapped() {}

  /** Lets go of a direct buffer, such as one that {@link SafetensorsFile#bytes} gave; it must not be touched any more. */
  public static void release(ByteBuffer buffer) {
    if (buffer.isDirect() && CLEAN != null) {
      try {
        CLEAN.invoke(UNSAFE, buffer);
      } catch (ReflectiveOperationException | RuntimeException e) {
        return; // The garbage collector will do it.
      }
    } else if (buffer.isDirect() && buffer.isReadOnly() && LibC.LINUX != null) {
      // A file's pages come again if they are asked for; those of a buffer that can be written to would be lost.
      long begin = Pointer.nativeValue(Native.getDirectBufferPointer(buffer));
      long aligned = begin / LibC.LINUX.getpagesize() * LibC.LINUX.getpagesize();
      LibC.LINUX.madvise(new Pointer(aligned), new NativeLong(begin - aligned + buffer.capacity()), MADV_DONTNEED);
    }
  }
}

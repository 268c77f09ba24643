package dev.fettle.internal.checkpoint;

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;

/** Functions of Linux's C library that Java lacks, as JNA, which DJL brings, binds them. */
interface LibC extends Library {
  /** The library; null where the system is another. */
  LibC LINUX = load();

  int renameat2(int oldDirectory, String oldPath, int newDirectory, String newPath, int flags) throws LastErrorException;

  int madvise(Pointer address, NativeLong length, int advice);

  int getpagesize();

  private static LibC load() {
    if (!System.getProperty("os.name", "").equals("Linux")) {
      return null;
    }
    try {
      return Native.load("c", LibC.class);
    } catch (LinkageError | RuntimeException e) {
      return null;
    }
  }
}

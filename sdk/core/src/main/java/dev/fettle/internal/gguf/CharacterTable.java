package dev.fettle.internal.gguf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.BitSet;

/**
 * The table by which sentencepiece replaces characters: a trie in a double array (Yata 2007, as Darts-clone packs it), and the
 * texts that stand in their place. Whoever reads it trusts it, so that one that comes from elsewhere is looked through first.
 */
final class CharacterTable {
  private static final int BYTES = 256;
  private static final int IS_VALUE = 1 << 31;

  private CharacterTable() {}

  /** Whether no way through the trie leads out of it or of the texts. */
  static boolean isWhole(byte[] table) {
    ByteBuffer bytes = ByteBuffer.wrap(table).order(ByteOrder.LITTLE_ENDIAN);
    int size = table.length < Integer.BYTES ? -1 : bytes.getInt();
    if (size < BYTES * Integer.BYTES || size % Integer.BYTES != 0 || size >= table.length - Integer.BYTES || table[table.length - 1] != 0) {
      return false;
    }
    int[] units = new int[size / Integer.BYTES];
    bytes.asIntBuffer().get(units);
    int texts = table.length - Integer.BYTES - size;
    BitSet seen = new BitSet();
    ArrayDeque<Integer> open = new ArrayDeque<>();
    open.add(0);
    while (!open.isEmpty()) {
      int at = open.remove();
      int children = at ^ offset(units[at]);
      if (children < 0 || (children | BYTES - 1) >= units.length) {
        return false;
      }
      boolean ends = (units[at] >> 8 & 1) == 1;
      if (ends && (units[children] & ~IS_VALUE) >= texts) {
        return false;
      }
      for (int label = 1; label < BYTES; label++) {
        int child = children ^ label;
        if ((units[child] & (IS_VALUE | BYTES - 1)) == label && !seen.get(child)) {
          seen.set(child);
          open.add(child);
        }
      }
    }
    return true;
  }

  private static int offset(int unit) {
    return unit >>> 10 << ((unit & 1 << 9) >>> 6);
  }
}

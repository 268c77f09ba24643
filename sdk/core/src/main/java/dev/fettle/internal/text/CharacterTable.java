package dev.fettle.internal.text;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.BitSet;

/**
 * The table by which sentencepiece replaces characters: a trie in a double array (Yata 2007, as Darts-clone packs it), and the
 * texts that stand in their place. The native library trusts it and would end the process, so that it is looked through first.
 */
final class CharacterTable {
  private static final int BYTES = 256;
  private static final int IS_VALUE = 1 << 31;

  private CharacterTable() {}

  /** Whether no way through a table in Base64 leads out of it, or into the middle of a character. */
  static boolean isWhole(String base64) {
    try {
      return isWhole(Base64.getDecoder().decode(base64));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static boolean isWhole(byte[] table) {
    ByteBuffer bytes = ByteBuffer.wrap(table).order(ByteOrder.LITTLE_ENDIAN);
    int size = table.length < Integer.BYTES ? -1 : bytes.getInt();
    int begin = Integer.BYTES + size;
    if (size < BYTES * Integer.BYTES || size % Integer.BYTES != 0 || size > table.length - Integer.BYTES - 1
        || table[table.length - 1] != 0 || !isText(ByteBuffer.wrap(table, begin, table.length - begin))) {
      return false;
    }
    int[] units = new int[size / Integer.BYTES];
    bytes.asIntBuffer().get(units);
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
      if (ends && !begins(table, (long) begin + (units[children] & ~IS_VALUE))) {
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

  private static boolean isText(ByteBuffer bytes) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(bytes);
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  /** Whether a character begins at a place. */
  private static boolean begins(byte[] table, long at) {
    return at < table.length && (table[(int) at] & 0xC0) != 0x80;
  }

  private static int offset(int unit) {
    return unit >>> 10 << ((unit & 1 << 9) >>> 6);
  }
}

package dev.fettle.internal.template;

import java.util.ArrayList;
import java.util.List;

/** {@code value[start:stop:step]}. */
final class Slices {
  private Slices() {}

  static Object of(Object value, Object[] parts) {
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    } else if (!(value instanceof Text) && !(value instanceof Seq seq && !seq.kind().isView())) {
      throw TemplateException.type("'" + Values.type(value) + "' object is not subscriptable by a slice");
    }
    for (Object part : parts) {
      if (part instanceof Undefined undefined) {
        throw TemplateException.type("a slice index is not known: " + undefined.problem());
      }
    }
    int length = Values.length(value);
    int step = parts[2] == null ? 1 : Numbers.index(parts[2], "a slice index");
    if (step == 0) {
      throw TemplateException.type("slice step cannot be zero");
    }
    int start = parts[0] == null ? (step > 0 ? 0 : length - 1) : within(parts[0], length, step);
    int stop = parts[1] == null ? (step > 0 ? length : -1) : within(parts[1], length, step);
    if (value instanceof Text text && step == 1) {
      String chars = text.chars();
      int from = chars.offsetByCodePoints(0, Math.min(start, length));
      return start >= stop ? Text.EMPTY : text.cut(from, chars.offsetByCodePoints(from, stop - start));
    }
    List<Object> all = Values.items(value);
    List<Object> taken = new ArrayList<>();
    for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
      taken.add(all.get((int) i));
    }
    if (value instanceof Text) {
      TextBuilder out = new TextBuilder();
      taken.forEach(letter -> out.append((Text) letter));
      return out.text();
    }
    return new Seq(taken, ((Seq) value).kind());
  }

  private static int within(Object part, int length, int step) {
    int index = Numbers.index(part, "a slice index");
    int at = index < 0 ? Math.max(index + length, step > 0 ? 0 : -1) : index;
    return Math.min(at, step > 0 ? length : length - 1);
  }
}

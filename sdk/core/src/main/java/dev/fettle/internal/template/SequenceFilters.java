package dev.fettle.internal.template;

import dev.fettle.internal.template.Filters.Filter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** Filters of lists and dictionaries. */
final class SequenceFilters {
  private SequenceFilters() {}

  static void register(Map<String, Filter> all) {
    all.put("first", (value, arguments, run) -> {
      arguments.bind("first");
      List<Object> items = Values.items(value);
      return items.isEmpty() ? new Undefined("no first item, the sequence is empty") : items.get(0);
    });
    all.put("last", (value, arguments, run) -> {
      arguments.bind("last");
      List<Object> items = reversible(value);
      return items.isEmpty() ? new Undefined("no last item, the sequence is empty") : items.get(items.size() - 1);
    });
    all.put("list", (value, arguments, run) -> Seq.list(new ArrayList<>(Values.items(value))));
    all.put("items", (value, arguments, run) -> {
      if (!(value instanceof Dict) && !(value instanceof Undefined)) {
        throw TemplateException.type("can only get item pairs from a mapping");
      }
      return new Once(value instanceof Dict dict ? dict.pairs() : List.of());
    });
    all.put("join", (value, arguments, run) -> {
      Object[] given = arguments.bind("join", "d?", "attribute?");
      Text between = Values.str(Arguments.or(given[0], Text.EMPTY));
      TextBuilder out = new TextBuilder();
      int[] count = new int[1];
      Values.items(value).forEach(item -> out.append(count[0]++ > 0 ? between : Text.EMPTY)
          .append(Values.str(Filters.follow(item, Arguments.or(given[1], null), null))));
      return out.text();
    });
    all.put("reverse", (value, arguments, run) -> {
      if (value instanceof Text text) {
        return Slices.of(text, new Object[] {null, null, Numbers.of(-1)});
      }
      boolean once = value instanceof Once;
      List<Object> items = new ArrayList<>(once ? Values.items(value) : reversible(value));
      Collections.reverse(items);
      return once ? Seq.list(items) : new Once(items);
    });
    all.put("sort", (value, arguments, run) -> {
      Object[] given = arguments.bind("sort", "reverse?", "case_sensitive?", "attribute?");
      return sorted(Values.items(value), item -> keys(item, Arguments.or(given[2], null), flag(given[1])), flag(given[0]));
    });
    all.put("dictsort", SequenceFilters::dictSort);
    all.put("unique", (value, arguments, run) -> {
      Object[] given = arguments.bind("unique", "case_sensitive?", "attribute?");
      Dict seen = new Dict();
      List<Object> kept = new ArrayList<>();
      for (Object item : Values.items(value)) {
        Object key = key(item, Arguments.or(given[1], null), flag(given[0]));
        if (!seen.has(key)) {
          seen.put(key, null);
          kept.add(item);
        }
      }
      return new Once(kept);
    });
    all.put("min", (value, arguments, run) -> extreme(value, arguments, "min"));
    all.put("max", (value, arguments, run) -> extreme(value, arguments, "max"));
    all.put("sum", (value, arguments, run) -> {
      Object[] given = arguments.bind("sum", "attribute?", "start?");
      Object sum = Arguments.or(given[1], Numbers.of(0));
      if (sum instanceof Text) {
        throw TemplateException.type("sum() can't sum strings [use join instead]");
      }
      for (Object item : Values.items(value)) {
        sum = Operators.binary("+", sum, Filters.follow(item, Arguments.or(given[0], null), null));
      }
      return sum;
    });
    all.put("groupby", SequenceFilters::groups);
    all.put("batch", SequenceFilters::batches);
    all.put("slice", SequenceFilters::slices);
    all.put("map", SequenceFilters::map);
    all.put("select", (value, arguments, run) -> select(value, arguments, false, true));
    all.put("reject", (value, arguments, run) -> select(value, arguments, false, false));
    all.put("selectattr", (value, arguments, run) -> select(value, arguments, true, true));
    all.put("rejectattr", (value, arguments, run) -> select(value, arguments, true, false));
  }

  private static boolean flag(Object given) {
    return Values.truth(Arguments.or(given, false));
  }

  private static List<Object> reversible(Object value) {
    if (value instanceof Once) {
      throw TemplateException.type("'generator' object is not reversible");
    }
    return Values.items(value);
  }

  private static Object key(Object item, Object attribute, boolean caseSensitive) {
    Object value = Filters.follow(item, attribute, null);
    return value instanceof Text text && !caseSensitive ? Letters.change(text, "lower") : value;
  }

  /** Several attributes, with commas between them, are compared one after the other. */
  private static Object keys(Object item, Object attribute, boolean caseSensitive) {
    if (attribute instanceof Text text) {
      List<Object> keys = new ArrayList<>();
      Splits.split(text, Text.of(","), -1, false).items().forEach(part -> keys.add(key(item, part, caseSensitive)));
      return Seq.list(keys);
    }
    return Seq.list(Collections.singletonList(key(item, attribute, caseSensitive)));
  }

  private static Seq sorted(List<Object> items, java.util.function.Function<Object, Object> key, boolean reverse) {
    List<Object[]> pairs = new ArrayList<>();
    items.forEach(item -> pairs.add(new Object[] {key.apply(item), item}));
    Comparator<Object[]> order = (a, b) -> Values.compare(a[0], b[0], "<");
    pairs.sort(reverse ? order.reversed() : order);
    List<Object> result = new ArrayList<>();
    pairs.forEach(pair -> result.add(pair[1]));
    return Seq.list(result);
  }

  private static Object dictSort(Object value, Arguments arguments, Run run) {
    Object[] given = arguments.bind("dictsort", "case_sensitive?", "by?", "reverse?");
    String by = Values.str(Arguments.or(given[1], Text.of("key"))).chars();
    if (!by.equals("key") && !by.equals("value")) {
      throw TemplateException.type("you can only sort by either \"key\" or \"value\"");
    } else if (!(value instanceof Dict dict)) {
      throw value instanceof Undefined undefined ? undefined.error()
          : TemplateException.type("'" + Values.type(value) + "' object has no attribute 'items'");
    } else {
      return sorted(dict.pairs(), pair -> key(pair, Numbers.of(by.equals("key") ? 0 : 1), flag(given[0])), flag(given[2]));
    }
  }

  private static Object extreme(Object value, Arguments arguments, String name) {
    Object[] given = arguments.bind(name, "case_sensitive?", "attribute?");
    List<Object> items = Values.items(value);
    if (items.isEmpty()) {
      return new Undefined("no aggregated item, the sequence is empty");
    }
    Object best = items.get(0);
    Object key = key(best, Arguments.or(given[1], null), flag(given[0]));
    for (Object item : items.subList(1, items.size())) {
      Object other = key(item, Arguments.or(given[1], null), flag(given[0]));
      if (Operators.compare(name.equals("min") ? "<" : ">", other, key)) {
        best = item;
        key = other;
      }
    }
    return best;
  }

  private static Object groups(Object value, Arguments arguments, Run run) {
    Object[] given = arguments.bind("groupby", "attribute", "default?", "case_sensitive?");
    Object fallback = Arguments.or(given[1], null);
    java.util.function.Function<Object, Object> key = item -> {
      Object found = Filters.follow(item, given[0], fallback);
      return found instanceof Text text && !flag(given[2]) ? Letters.change(text, "lower") : found;
    };
    List<Object> groups = new ArrayList<>();
    List<Object> group = new ArrayList<>();
    for (Object item : sorted(Values.items(value), key, false).items()) {
      if (group.isEmpty() || !Values.equal(key.apply(group.get(0)), key.apply(item))) {
        group = new ArrayList<>();
        groups.add(Seq.tuple(Filters.follow(item, given[0], fallback), Seq.list(group)));
      }
      group.add(item);
    }
    return Seq.list(groups);
  }

  private static Object batches(Object value, Arguments arguments, Run run) {
    Object[] given = arguments.bind("batch", "linecount", "fill_with?");
    int size = Numbers.index(given[0], "linecount");
    List<Object> items = Values.items(value);
    List<Object> batches = new ArrayList<>();
    for (int from = 0; from < items.size(); from += Math.max(1, size)) {
      List<Object> batch = new ArrayList<>(items.subList(from, Math.min(items.size(), from + Math.max(1, size))));
      fill(batch, Math.min(size, 1 << 20), Arguments.or(given[1], null));
      batches.add(Seq.list(batch));
    }
    return new Once(batches);
  }

  private static void fill(List<Object> batch, int size, Object filling) {
    while (filling != null && batch.size() < size) {
      batch.add(filling);
    }
  }

  private static Object slices(Object value, Arguments arguments, Run run) {
    Object[] given = arguments.bind("slice", "slices", "fill_with?");
    int count = Numbers.index(given[0], "slices");
    if (count <= 0) {
      throw TemplateException.type("slice: the number of slices must be positive");
    }
    List<Object> items = Values.items(value);
    List<Object> slices = new ArrayList<>();
    run.spend(count);
    int least = items.size() / count;
    for (int i = 0, from = 0; i < count; i++) {
      int size = least + (i < items.size() % count ? 1 : 0);
      List<Object> slice = new ArrayList<>(items.subList(from, from + size));
      if (i >= items.size() % count) {
        fill(slice, least + 1, Arguments.or(given[1], null));
      }
      slices.add(Seq.list(slice));
      from += size;
    }
    return new Once(slices);
  }

  private static Object map(Object value, Arguments arguments, Run run) {
    List<Object> result = new ArrayList<>();
    if (!Values.truth(value)) {
      return new Once(result);
    }
    if (arguments.positional().isEmpty() && arguments.named().containsKey("attribute")) {
      Object[] given = arguments.bind("map", "attribute", "default?");
      Values.items(value).forEach(item -> result.add(Filters.follow(item, given[0], Arguments.or(given[1], null))));
    } else if (arguments.positional().isEmpty()) {
      throw TemplateException.type("map requires a filter argument");
    } else {
      String name = Values.str(arguments.positional().get(0)).chars();
      Values.items(value).forEach(item -> result.add(Filters.call(name, item, arguments.after(1), run)));
    }
    return new Once(result);
  }

  private static Object select(Object value, Arguments arguments, boolean byAttribute, boolean wanted) {
    List<Object> kept = new ArrayList<>();
    if (!Values.truth(value)) {
      return new Once(kept);
    }
    int at = byAttribute ? 1 : 0;
    List<Object> given = arguments.positional();
    if (byAttribute && given.isEmpty()) {
      throw TemplateException.type("missing parameter for attribute name");
    }
    for (Object item : Values.items(value)) {
      Object looked = byAttribute ? Filters.follow(item, given.get(0), null) : item;
      boolean holds = given.size() <= at ? Values.truth(looked)
          : Tests.call(Values.str(given.get(at)).chars(), looked, arguments.after(at + 1));
      if (holds == wanted) {
        kept.add(item);
      }
    }
    return new Once(kept);
  }
}

package dev.fettle.internal.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The functions that every template sees. */
final class Globals {
  private static final int LONGEST_RANGE = 100_000;
  private static final Map<String, Function> ALL = Map.of(
      "range", Globals::range,
      "namespace", Globals::namespace,
      "dict", (arguments, run) -> dict(arguments),
      "raise_exception", (arguments, run) -> {
        throw TemplateException.refusal(Values.str(arguments.bind("raise_exception", "message")[0]).chars());
      },
      "strftime_now", (arguments, run) ->
          Text.computed(Strftime.format(TextMethods.text(arguments.bind("strftime_now", "format")[0], "strftime_now").chars(),
              java.time.ZonedDateTime.now(run.clock()))),
      "cycler", (arguments, run) -> new Cycler(arguments.positional()),
      "joiner", (arguments, run) -> joiner(arguments));

  private Globals() {}

  /** The function of this name, or null. */
  static Object find(String name) {
    return ALL.get(name);
  }

  private static Object range(Arguments arguments, Run run) {
    List<Object> given = arguments.positional();
    if (given.isEmpty() || given.size() > 3 || !arguments.named().isEmpty()) {
      throw TemplateException.type("range takes 1 to 3 arguments, not " + given.size());
    }
    long start = given.size() == 1 ? 0 : Numbers.index(given.get(0), "start");
    long stop = Numbers.index(given.get(given.size() == 1 ? 0 : 1), "stop");
    long step = given.size() < 3 ? 1 : Numbers.index(given.get(2), "step");
    if (step == 0) {
      throw TemplateException.type("range() arg 3 must not be zero");
    }
    long count = step > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step;
    if (count > LONGEST_RANGE) {
      throw new TemplateException("a range of more than " + LONGEST_RANGE + " numbers");
    }
    List<Object> numbers = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      numbers.add(BigInteger.valueOf(start + i * step));
    }
    run.spend(numbers.size());
    return new Seq(numbers, Seq.Kind.RANGE);
  }

  private static Object namespace(Arguments arguments, Run run) {
    Namespace namespace = new Namespace();
    Dict all = dict(arguments);
    all.keys().forEach(key -> namespace.set(Values.str(key).chars(), all.get(key)));
    return namespace;
  }

  private static Dict dict(Arguments arguments) {
    Dict dict = new Dict();
    if (arguments.positional().size() > 1) {
      throw TemplateException.type("dict expected at most 1 argument, got " + arguments.positional().size());
    }
    for (Object given : arguments.positional()) {
      if (given instanceof Dict old) {
        old.keys().forEach(key -> dict.put(key, old.get(key)));
      } else {
        for (Object pair : Values.items(given)) {
          List<Object> two = Values.items(pair);
          if (two.size() != 2) {
            throw TemplateException.type("a dictionary is made of pairs, not of " + two.size() + " values");
          }
          dict.put(two.get(0), two.get(1));
        }
      }
    }
    arguments.named().forEach(dict::put);
    return dict;
  }

  private static Function joiner(Arguments arguments) {
    Object separator = Arguments.or(arguments.bind("joiner", "sep?")[0], Text.computed(", "));
    boolean[] used = new boolean[1];
    return (none, run) -> {
      Object text = used[0] ? separator : Text.EMPTY;
      used[0] = true;
      return text;
    };
  }

  /** Values in turn. */
  static final class Cycler {
    private final List<Object> items;
    private int at;

    Cycler(List<Object> items) {
      if (items.isEmpty()) {
        throw TemplateException.type("at least one item has to be provided");
      }
      this.items = items;
    }

    Object attribute(String name) {
      return switch (name) {
        case "current" -> items.get(at);
        case "next" -> (Function) (arguments, run) -> {
          Object item = items.get(at);
          at = (at + 1) % items.size();
          return item;
        };
        case "reset" -> (Function) (arguments, run) -> {
          at = 0;
          return null;
        };
        default -> Attributes.NONE;
      };
    }
  }
}

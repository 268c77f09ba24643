package dev.fettle.examples.tiny;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Sentences with choices and slots. In a template {@code [a|b|c]} is a choice, <code>{name}</code> a slot that keeps
 * its value for one {@link Scene}, <code>{~name}</code> one that is drawn anew, <code>{^name}</code> begins with a
 * capital letter and <code>{-name}</code> has hyphens for spaces. A digit behind a name ({@code item2}) asks for
 * another value of the same list. Immutable and thread-safe.
 */
final class Phrases {
  /** Which values of a starred list, and which numbers, may be drawn. */
  enum Part {
    ALL,
    TRAIN,
    HELD_OUT
  }

  private static final Set<String> NUMBERS = Set.of("number", "price", "hour", "small", "house", "digit");

  private final Map<String, List<String>> lists;
  private final Part part;

  private Phrases(Map<String, List<String>> lists, Part part) {
    this.lists = lists;
    this.part = part;
  }

  /** The words of the made-up world. */
  static Phrases of(Part part) {
    Map<String, List<String>> lists = new LinkedHashMap<>();
    for (String line : lines("words.txt")) {
      int colon = line.indexOf(": ");
      String name = line.substring(0, colon);
      boolean starred = name.endsWith("*");
      List<String> entries = List.of(line.substring(colon + 2).split("\\|", -1));
      if (starred && part != Part.ALL) {
        List<String> kept = new ArrayList<>();
        for (int i = 0; i < entries.size(); i++) {
          if ((i % 4 == 3) == (part == Part.HELD_OUT)) {
            kept.add(entries.get(i));
          }
        }
        entries = kept;
      }
      lists.put(starred ? name.substring(0, name.length() - 1) : name, entries);
    }
    return new Phrases(lists, part);
  }

  /** The lines of a resource of this package, without comments and empty lines. */
  static List<String> lines(String resource) {
    try (InputStream in = Phrases.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("resource " + resource + " is missing from the class path");
      }
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return text.lines().filter(line -> !line.isBlank() && !line.startsWith("#")).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The values of a list. */
  List<String> list(String name) {
    List<String> values = lists.get(name);
    if (values == null) {
      throw new IllegalArgumentException("no word list \"" + name + "\" in words.txt");
    }
    return values;
  }

  /** A new scene, in which nothing is drawn yet. */
  Scene scene(Random random) {
    return new Scene(random);
  }

  /** The slots of one conversation. Not thread-safe. */
  final class Scene {
    private final Random random;
    private final Map<String, String> bound = new LinkedHashMap<>();

    private Scene(Random random) {
      this.random = random;
    }

    /** The sentence that a template gives in this scene, with {@code an} before vowels. */
    String say(String template) {
      return expand(template, "").replaceAll("\\b([Aa]) (?=[aeiouAEIOU])", "$1n ");
    }

    private String expand(String template, String suffix) {
      StringBuilder out = new StringBuilder();
      for (int i = 0; i < template.length(); i++) {
        char c = template.charAt(i);
        if (c == '[') {
          int end = closing(template, i);
          List<String> options = options(template.substring(i + 1, end));
          out.append(expand(options.get(random.nextInt(options.size())), suffix));
          i = end;
        } else if (c == '{') {
          int end = template.indexOf('}', i);
          out.append(slot(template.substring(i + 1, end), suffix));
          i = end;
        } else {
          out.append(c);
        }
      }
      return out.toString();
    }

    private String slot(String spec, String suffix) {
      char first = spec.charAt(0);
      String name = Character.isLetter(first) ? spec : spec.substring(1);
      if (first == '~') {
        return draw(name, "");
      }
      String key = Character.isDigit(name.charAt(name.length() - 1)) ? name : name + suffix;
      String value = bound.get(key);
      if (value == null) {
        String base = key.replaceAll("\\d+$", "");
        for (int tries = 0; tries < 20 && (value == null || taken(base, value)); tries++) {
          value = draw(base, key.substring(base.length()));
        }
        bound.put(key, value);
      }
      return switch (first) {
        case '^' -> value.substring(0, 1).toUpperCase(Locale.ROOT) + value.substring(1);
        case '-' -> value.replace(' ', '-');
        default -> value;
      };
    }

    private boolean taken(String base, String value) {
      return bound.entrySet().stream()
          .anyMatch(e -> e.getKey().replaceAll("\\d+$", "").equals(base) && e.getValue().equals(value));
    }

    private String draw(String base, String suffix) {
      if (NUMBERS.contains(base)) {
        return number(base);
      }
      List<String> values = list(base);
      return expand(values.get(random.nextInt(values.size())), suffix);
    }

    private String number(String kind) {
      return switch (kind) {
        case "price" -> Integer.toString(2 + random.nextInt(98));
        case "hour" -> Integer.toString(1 + random.nextInt(12));
        case "small" -> Integer.toString(2 + random.nextInt(18));
        case "digit" -> Integer.toString(random.nextInt(10));
        case "house" -> Integer.toString(1 + random.nextInt(199));
        default -> parcel();
      };
    }

    /** The shop's numbers have 4 or 5 digits, all different: a small model copies those without losing its place. */
    private String parcel() {
      while (true) {
        int digits = 4 + random.nextInt(2);
        StringBuilder text = new StringBuilder().append(1 + random.nextInt(9));
        while (text.length() < digits) {
          String digit = Integer.toString(random.nextInt(10));
          if (text.indexOf(digit) < 0) {
            text.append(digit);
          }
        }
        boolean held = (Integer.parseInt(text.toString()) * 0x9E3779B1 >>> 29) == 0;
        if (part == Part.ALL || held == (part == Part.HELD_OUT)) {
          return text.toString();
        }
      }
    }
  }

  private static int closing(String template, int open) {
    int depth = 0;
    for (int i = open; i < template.length(); i++) {
      depth += template.charAt(i) == '[' ? 1 : template.charAt(i) == ']' ? -1 : 0;
      if (depth == 0) {
        return i;
      }
    }
    throw new IllegalArgumentException("no ] for the [ at " + open + " in: " + template);
  }

  private static List<String> options(String body) {
    List<String> options = new ArrayList<>();
    int depth = 0;
    int from = 0;
    for (int i = 0; i <= body.length(); i++) {
      if (i == body.length() || depth == 0 && body.charAt(i) == '|') {
        options.add(body.substring(from, i));
        from = i + 1;
      } else {
        depth += body.charAt(i) == '[' ? 1 : body.charAt(i) == ']' ? -1 : 0;
      }
    }
    return options;
  }
}

package dev.fettle.examples.tiny;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;

/** Questions whose answers are computed: copying, spelling, lists, counting, arithmetic. Not thread-safe. */
final class Skills {
  private static final String[] ONSETS = {"b", "br", "ch", "d", "f", "fl", "g", "h", "j", "k", "l", "m", "n", "p", "pr",
      "r", "s", "st", "t", "tr", "v", "w", "z"};
  private static final String[] VOWELS = {"a", "e", "i", "o", "u", "ai", "ee", "ou"};
  private static final String[] CODAS = {"", "", "l", "n", "r", "s", "t", "m", "k", "x", "nd"};

  private static final String SIGNS = "----====____::::////..,,;;!\"#$%&'()*+<>?@[\\]^`{|}~";

  private final Phrases phrases;
  private final Random random;
  private final List<String> vocabulary;

  Skills(Phrases phrases, Random random) {
    this.phrases = phrases;
    this.random = random;
    vocabulary = Stream.of("words.txt", "shop.txt", "talk.txt", "stories.txt").flatMap(f -> Phrases.lines(f).stream())
        .flatMap(line -> Stream.of(line.split("[^A-Za-z]+"))).filter(word -> !word.isEmpty()).distinct().toList();
  }

  /** A question and its answer, in the form {@code question => answer}. */
  String next() {
    return switch (random.nextInt(24)) {
      case 0, 1, 2 -> repeat();
      case 3, 4 -> remember();
      case 5, 6, 7, 8, 9 -> dictate();
      case 10, 11 -> spell();
      case 12, 13, 14, 15 -> write();
      case 16 -> position();
      case 17 -> reorder();
      case 18 -> member();
      case 19 -> count();
      case 20 -> compare();
      case 21 -> sequence();
      default -> calculate();
    };
  }

  /** Long copies: each word of the answer is learned from, so that copying is learned early. */
  String dictate() {
    List<String> parts = new ArrayList<>();
    int n = 2 + random.nextInt(5);
    for (int i = 0; i < n; i++) {
      parts.add(anything());
    }
    String text = String.join(pick(", ", " ", "; ", ". "), parts);
    return pick("Write down: ", "Repeat: ", "Copy this text: ", "Read aloud: ") + text + " => " + text;
  }

  private String repeat() {
    String text = anything();
    return switch (random.nextInt(7)) {
      case 0 -> "Repeat: " + text + " => " + text;
      case 1 -> "Say " + text + "." + " => " + text;
      case 2 -> "Please repeat " + text + ". => " + text;
      case 3 -> "Say " + text + " twice. => " + text + ", " + text;
      case 4 -> "Write this again: " + text + " => " + text;
      case 5 -> "Copy \"" + text + "\". => \"" + text + "\"";
      default -> "Echo " + text + " => " + text;
    };
  }

  private String remember() {
    String kind = pick("code", "word", "password", "number", "name", "secret");
    String text = anything();
    String other = anything();
    String otherKind = pick("key", "sign", "answer", "ticket");
    String told = switch (random.nextInt(3)) {
      case 0 -> "The " + kind + " is " + text + ".";
      case 1 -> "The " + kind + " is " + text + " and the " + otherKind + " is " + other + ".";
      default -> "The " + otherKind + " is " + other + ". The " + kind + " is " + text + ".";
    };
    String answer = pick("It is " + text + ".", "The " + kind + " is " + text + ".");
    if (random.nextBoolean()) {
      return told + " What is the " + kind + "? => " + answer;
    }
    String heard = pick("All right.", "I will remember it.", "Good.");
    return told + " => " + heard + " => What is the " + kind + "? => " + answer;
  }

  private String spell() {
    String word = random.nextInt(3) == 0 ? pseudo() : word(pick("thing", "colour", "animal", "food", "fruit", "name"));
    String letters = String.join(" ", word.split(""));
    return switch (random.nextInt(4)) {
      case 0 -> letters + " " + pick("What word is that?", "Which word is this?") + " => " + word;
      case 1 -> "What is the first letter of " + word + "? => " + word.charAt(0);
      default -> "Spell " + word + ". => " + letters;
    };
  }

  private String write() {
    String two = phrases.scene(random).say(pick("{item}", "{mood} {animal}", "{colour} {fruit}", "{size} {thing}"));
    String word = random.nextInt(3) == 0 ? pseudo()
        : word(pick("thing", "thing", "colour", "animal", "food", "day", "size"));
    return switch (random.nextInt(7)) {
      case 0, 1 -> pick("Join the words ", "Put a hyphen between ", "Write with a hyphen: ") + two + " => "
          + two.replace(' ', '-');
      case 2 -> pick("Take the hyphen out of ", "Write without hyphen: ") + two.replace(' ', '-') + " => " + two;
      case 3 -> "Put " + two + " in brackets. => (" + two + ")";
      case 4 -> "Put " + word + " in quotes. => \"" + word + "\"";
      case 5 -> "Write " + word + " with a capital letter. => " + capital(word);
      default -> "Write " + capital(word) + " without a capital letter. => " + word;
    };
  }

  private String position() {
    List<String> list = someWords(3 + random.nextInt(3));
    String text = String.join(", ", list);
    return switch (random.nextInt(4)) {
      case 0 -> text + ". What is the first? => " + list.get(0);
      case 1 -> text + ". What is the last? => " + list.get(list.size() - 1);
      case 2 -> text + ". What is the second? => " + list.get(1);
      default -> text + ". What comes after " + list.get(0) + "? => " + list.get(1);
    };
  }

  private String reorder() {
    List<String> list = someWords(2 + random.nextInt(3));
    String text = String.join(", ", list);
    if (random.nextBoolean()) {
      return pick("Make a list of ", "Write as a list: ") + text + ". => - " + String.join("\n- ", list);
    }
    Collections.reverse(list);
    return pick("Turn around: ", "Say backwards: ") + text + ". => " + String.join(", ", list);
  }

  private String member() {
    List<String> list = someWords(3 + random.nextInt(3));
    boolean yes = random.nextBoolean();
    String asked = yes ? list.get(random.nextInt(list.size())) : someWords(1).get(0);
    yes = list.contains(asked);
    return "In the box: " + String.join(", ", list) + ". Is there a " + asked + "? => "
        + (yes ? "Yes, there is a " + asked + "." : "No, there is no " + asked + ".");
  }

  private String count() {
    List<String> list = someWords(1 + random.nextInt(6));
    return pick("How many words? ", "Count: ", "How many are these? ") + String.join(", ", list) + " => " + list.size();
  }

  private String compare() {
    int a = random.nextInt(100);
    int b = (a + 1 + random.nextInt(98)) % 100;
    return switch (random.nextInt(4)) {
      case 0 -> "Which is bigger, " + a + " or " + b + "? => " + Math.max(a, b);
      case 1 -> "Which is smaller, " + a + " or " + b + "? => " + Math.min(a, b);
      case 2 -> "Is " + a + " more than " + b + "? => " + (a > b ? "Yes." : "No.");
      default -> "Is " + a + " less than " + b + "? => " + (a < b ? "Yes." : "No.");
    };
  }

  private String sequence() {
    int from = random.nextInt(20);
    int to = from + 2 + random.nextInt(6);
    List<String> numbers = new ArrayList<>();
    for (int i = from; i <= to; i++) {
      numbers.add(Integer.toString(i));
    }
    if (random.nextInt(3) == 0) {
      return "What number comes after " + to + "? => " + (to + 1);
    }
    return "Count from " + from + " to " + to + ". => " + String.join(", ", numbers);
  }

  private String calculate() {
    int a = random.nextInt(11);
    int b = random.nextInt(11);
    if (random.nextInt(3) == 0) {
      int big = Math.max(a, b);
      int small = Math.min(a, b);
      return pick("What is " + big + " minus " + small + "?", big + " - " + small + "?") + " => " + (big - small);
    }
    return switch (random.nextInt(3)) {
      case 0 -> "What is " + a + " plus " + b + "? => " + (a + b);
      case 1 -> a + " + " + b + "? => " + (a + b);
      default -> "I have " + a + " coins and get " + b + " more. How many do I have? => You have " + (a + b)
          + " coins.";
    };
  }

  private String anything() {
    return switch (random.nextInt(12)) {
      case 0 -> phrases.scene(random).say("{number}");
      case 1 -> code();
      case 2 -> phrases.scene(random).say("{item}");
      case 3 -> phrases.scene(random).say("{-item}");
      case 4 -> pseudo() + " " + pseudo();
      case 5 -> phrases.scene(random).say("{house} {street}");
      case 6 -> String.join(" ", someWords(2 + random.nextInt(4)));
      case 7 -> capital(pseudo());
      case 8, 9, 10 -> jumble();
      default -> phrases.scene(random).say("{name} [and {name2}|from {city}|{number}]");
    };
  }

  /**
   * Words and parts of words with signs between them. It brings every token into the answers: one that is never an
   * answer ends up where all such tokens are, and no adapter can tell them apart afterwards.
   */
  private String jumble() {
    StringBuilder text = new StringBuilder();
    int n = 1 + random.nextInt(5);
    for (int i = 0; i < n; i++) {
      String word = vocabulary.get(random.nextInt(vocabulary.size()));
      if (random.nextInt(3) == 0) {
        int from = random.nextInt(word.length());
        word = word.substring(from, from + 1 + random.nextInt(word.length() - from));
      }
      text.append(i == 0 ? "" : pick("", " ", sign())).append(random.nextInt(5) == 0 ? capital(word) : word);
    }
    return text.toString();
  }

  private String sign() {
    return SIGNS.substring(random.nextInt(SIGNS.length())).substring(0, 1);
  }

  private String code() {
    StringBuilder code = new StringBuilder();
    for (int i = 0; i < 1 + random.nextInt(3); i++) {
      code.append((char) ('A' + random.nextInt(26)));
    }
    code.append(random.nextBoolean() ? "-" : "");
    for (int i = 0; i < 2 + random.nextInt(4); i++) {
      code.append(random.nextInt(10));
    }
    return code.toString();
  }

  private String pseudo() {
    StringBuilder word = new StringBuilder();
    for (int i = 0; i < 1 + random.nextInt(3); i++) {
      word.append(pick(ONSETS)).append(pick(VOWELS)).append(pick(CODAS));
    }
    return word.toString();
  }

  private List<String> someWords(int n) {
    String list = pick("thing", "thing", "animal", "fruit", "colour", "place");
    List<String> words = new ArrayList<>();
    while (words.size() < n) {
      String word = random.nextInt(8) == 0 ? pseudo() : word(list);
      if (!words.contains(word)) {
        words.add(word);
      }
    }
    return words;
  }

  private String word(String list) {
    return phrases.scene(random).say("{" + list + "}");
  }

  private String pick(String... options) {
    return options[random.nextInt(options.length)];
  }

  private static String capital(String word) {
    return word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
  }
}

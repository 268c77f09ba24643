package dev.fettle.internal.template;

import java.util.Locale;

/** Upper and lower case, letter by letter, so that each keeps its origin. */
final class Letters {
  private Letters() {}

  static Text change(Text text, String how) {
    String chars = text.chars();
    TextBuilder out = new TextBuilder();
    boolean inWord = false;
    for (int i = 0; i < chars.length(); ) {
      int c = chars.codePointAt(i);
      String letter = Character.toString(c);
      int next = i + Character.charCount(c);
      boolean upper = switch (how) {
        case "upper" -> true;
        case "lower", "casefold" -> false;
        case "capitalize" -> i == 0;
        case "title" -> !inWord;
        default -> Character.isLowerCase(c);
      };
      boolean initial = upper && !how.equals("upper") && !how.equals("swapcase");
      String changed = initial ? title(c) : upper ? letter.toUpperCase(Locale.ROOT)
          : how.equals("casefold") ? letter.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT) : lower(chars, i, next);
      out.append(changed, text.originAt(i));
      inWord = Chars.isCased(c);
      i = next;
    }
    return out.text(text.safe());
  }

  private static String title(int c) {
    String upper = Character.toString(c).toUpperCase(Locale.ROOT);
    int first = upper.offsetByCodePoints(0, 1);
    return first == upper.length() ? Character.toString(Character.toTitleCase(c))
        : upper.substring(0, first) + upper.substring(first).toLowerCase(Locale.ROOT);
  }

  /** A sigma at the end of a word has a form of its own. */
  private static String lower(String all, int from, int to) {
    if (all.charAt(from) != '\u03a3') {
      return all.substring(from, to).toLowerCase(Locale.ROOT);
    }
    boolean before = from > 0 && Chars.isCased(all.codePointBefore(from));
    boolean after = to < all.length() && Chars.isCased(all.codePointAt(to));
    return before && !after ? "\u03c2" : "\u03c3";
  }

  static boolean isUpper(String text) {
    return text.codePoints().anyMatch(Character::isUpperCase)
        && text.codePoints().noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c));
  }

  static boolean isLower(String text) {
    return text.codePoints().anyMatch(Character::isLowerCase)
        && text.codePoints().noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c));
  }
}

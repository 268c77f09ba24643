package dev.fettle.internal.ranking;

import dev.fettle.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What follows the full stop in {@code -m P.5,10}. */
final class Parameters {
  private static final Pattern WHOLE = Pattern.compile("\\s*([+-]?\\d+).*");
  private static final Pattern NUMBER = Pattern.compile("\\s*([+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?).*");

  private Parameters() {}

  /** A gain that takes the place of a grade's own. */
  record Gain(String grade, double gain) {}

  /** Positions in a ranking, ascending. */
  static long[] cutoffs(String measure, String text, long... standard) {
    if (text == null) {
      return standard;
    }
    long[] cutoffs = Arrays.stream(text.split(",", -1)).mapToLong(part -> whole(measure, part)).sorted().toArray();
    for (int i = 0; i < cutoffs.length; i++) {
      require(cutoffs[i] > 0, measure, text, "a cutoff must be at least 1");
      require(i == 0 || cutoffs[i] != cutoffs[i - 1], measure, text, "a cutoff is there twice");
    }
    return cutoffs;
  }

  /** Shares, ascending. */
  static double[] shares(String measure, String text, double... standard) {
    double[] shares = numbers(measure, text, standard).clone();
    if (text != null) {
      Arrays.sort(shares);
      for (int i = 1; i < shares.length; i++) {
        require(shares[i] != shares[i - 1], measure, text, "a value is there twice");
      }
    }
    return shares;
  }

  /** Numbers in the order in which they are given. */
  static double[] numbers(String measure, String text, double... standard) {
    return text == null ? standard
        : Arrays.stream(text.split(",", -1)).mapToDouble(part -> number(measure, part)).toArray();
  }

  static List<Gain> gains(String measure, String text) {
    return text == null ? List.of() : Arrays.stream(text.split(",", -1)).map(pair -> {
      String[] parts = pair.split("=", -1);
      require(parts.length == 2, measure, text, "give pairs such as 1=3.5,2=9");
      return new Gain(parts[0], number(measure, parts[1]));
    }).toList();
  }

  /** The name that a measure with parameters is printed under. */
  static String named(String measure, String text) {
    return text == null ? measure : measure + "_" + text;
  }

  static List<String> named(String measure, long... cutoffs) {
    return Arrays.stream(cutoffs).mapToObj(cutoff -> measure + "_" + cutoff).toList();
  }

  static List<String> named(String measure, double... shares) {
    return Arrays.stream(shares).mapToObj(share -> String.format(Locale.ROOT, "%s_%3.2f", measure, share)).toList();
  }

  private static long whole(String measure, String text) {
    Matcher m = WHOLE.matcher(text);
    require(m.matches(), measure, text, "it is not a whole number");
    return Long.parseLong(m.group(1));
  }

  private static double number(String measure, String text) {
    Matcher m = NUMBER.matcher(text);
    require(m.matches(), measure, text, "it is not a number");
    return Double.parseDouble(m.group(1));
  }

  private static void require(boolean condition, String measure, String text, String reason) {
    if (!condition) {
      throw new InvalidInputException("measure " + measure + " cannot have the parameter \"" + text + "\": " + reason);
    }
  }
}

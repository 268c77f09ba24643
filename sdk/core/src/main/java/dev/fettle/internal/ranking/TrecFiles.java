package dev.fettle.internal.ranking;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.data.Lines;
import dev.fettle.ranking.Hit;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** TREC's files of runs and judgements: fields apart by white space. */
public final class TrecFiles {
  private static final String SPACE = " \t\u000b\f\r";

  private TrecFiles() {}

  /** A run as a file has it. */
  public record Run(String name, Map<String, List<Hit>> rankings) {}

  @FunctionalInterface
  interface Row {
    void read(List<String> fields, String origin);
  }

  @FunctionalInterface
  interface Content {
    void writeTo(Writer out) throws IOException;
  }

  /** Reads judgements by query, then document. */
  public static Map<String, Map<String, Integer>> qrels(Path file) {
    Map<String, Map<String, Integer>> grades = new LinkedHashMap<>();
    rows(file, "query, iteration, document, grade", (fields, origin) -> {
      if (fields.size() != 4) {
        throw malformed(origin, fields.size(), "four: query, iteration, document, grade");
      }
      judge(grades, fields.get(0), fields.get(2), fields.get(3), origin);
    });
    return grades;
  }

  static void judge(Map<String, Map<String, Integer>> grades, String query, String document, String grade,
      String origin) {
    if (grades.computeIfAbsent(query, q -> new HashMap<>()).put(document, grade(grade, origin)) != null) {
      throw new InvalidInputException(origin + ": document " + document + " is judged twice for query " + query
          + "; leave one line");
    }
  }

  /** Reads a run. */
  public static Run run(Path file) {
    Map<String, List<Hit>> rankings = new LinkedHashMap<>();
    Map<String, Set<String>> seen = new HashMap<>();
    String[] name = new String[1];
    rows(file, "query, Q0, document, rank, score, run", (fields, origin) -> {
      if (fields.size() < 6) {
        throw malformed(origin, fields.size(), "six: query, Q0, document, rank, score, name of the run");
      }
      String query = fields.get(0);
      String document = fields.get(2);
      if (!seen.computeIfAbsent(query, q -> new HashSet<>()).add(document)) {
        throw new InvalidInputException(origin + ": document " + document + " is there twice for query " + query
            + "; leave one line");
      }
      rankings.computeIfAbsent(query, q -> new ArrayList<>()).add(new Hit(document, score(fields.get(4), origin)));
      name[0] = fields.get(5);
    });
    return new Run(name[0], rankings);
  }

  private static void rows(Path file, String form, Row row) {
    Lines lines = new Lines(file);
    boolean found = false;
    try {
      for (String line = lines.next(); line != null; line = lines.next()) {
        List<String> fields = line.startsWith("#") ? List.of() : fields(line);
        if (!fields.isEmpty()) {
          row.read(fields, lines.origin());
          found = true;
        }
      }
    } finally {
      lines.close();
    }
    if (!found) {
      throw new InvalidInputException(file + " is empty: expected lines of " + form);
    }
  }

  private static List<String> fields(String line) {
    List<String> fields = new ArrayList<>(6);
    int start = -1;
    for (int i = 0; i <= line.length(); i++) {
      boolean space = i == line.length() || SPACE.indexOf(line.charAt(i)) >= 0;
      if (space && start >= 0) {
        fields.add(line.substring(start, i));
        start = -1;
      } else if (!space && start < 0) {
        start = i;
      }
    }
    return fields;
  }

  private static InvalidInputException malformed(String origin, int fields, String expected) {
    return new InvalidInputException(origin + ": a line of " + fields + " fields; expected " + expected);
  }

  private static double score(String text, String origin) {
    try {
      double score = switch (text.toLowerCase(Locale.ROOT)) {
        case "inf", "+inf", "infinity", "+infinity" -> Double.POSITIVE_INFINITY;
        case "-inf", "-infinity" -> Double.NEGATIVE_INFINITY;
        default -> Double.parseDouble(text);
      };
      if (!Double.isNaN(score)) {
        return score;
      }
    } catch (NumberFormatException e) {
      // Told below, together with NaN.
    }
    throw new InvalidInputException(origin + ": the score \"" + text + "\" is not a number");
  }

  private static int grade(String text, String origin) {
    try {
      double value = Double.parseDouble(text);
      if (value == (int) value) {
        return (int) value;
      }
    } catch (NumberFormatException e) {
      // Told below, together with fractions.
    }
    throw new InvalidInputException(origin + ": the grade \"" + text + "\" is not a whole number");
  }

  /** Writes judgements. */
  public static void writeQrels(Path file, Map<String, Map<String, Integer>> grades) {
    write(file, out -> {
      for (Map.Entry<String, Map<String, Integer>> query : grades.entrySet()) {
        for (Map.Entry<String, Integer> judged : query.getValue().entrySet()) {
          out.write(field(query.getKey()) + " 0 " + field(judged.getKey()) + " " + judged.getValue() + "\n");
        }
      }
    });
  }

  /** Writes rankings, each of which is in order. */
  public static void writeRun(Path file, String name, Map<String, List<Hit>> rankings) {
    write(file, out -> {
      for (Map.Entry<String, List<Hit>> query : rankings.entrySet()) {
        int rank = 1;
        for (Hit hit : query.getValue()) {
          out.write(field(query.getKey()) + " Q0 " + field(hit.document()) + " " + rank++ + " " + score(hit.score())
              + " " + field(name) + "\n");
        }
      }
    });
  }

  private static String score(double score) {
    return Double.isInfinite(score) ? score > 0 ? "inf" : "-inf" : String.valueOf(score);
  }

  static String field(String text) {
    if (text.isEmpty() || text.startsWith("#") || text.chars().anyMatch(c -> SPACE.indexOf(c) >= 0 || c == '\n')) {
      throw new InvalidInputException("the name \"" + text + "\" is empty, begins with # or has white space in it: "
          + "TREC's form cannot hold it");
    }
    return text;
  }

  static void write(Path file, Content content) {
    AtomicFiles.writeFile(file, channel -> {
      Writer out = new BufferedWriter(Channels.newWriter(channel, StandardCharsets.UTF_8));
      content.writeTo(out);
      out.flush();
    });
  }
}

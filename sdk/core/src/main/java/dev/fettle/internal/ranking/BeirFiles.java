package dev.fettle.internal.ranking;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.data.Lines;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** BEIR's files of judgements: a line of names, then fields apart by tabs. */
public final class BeirFiles {
  private static final String HEAD = "query-id\tcorpus-id\tscore";

  private BeirFiles() {}

  /** Reads judgements by query, then document. */
  public static Map<String, Map<String, Integer>> qrels(Path file) {
    Map<String, Map<String, Integer>> grades = new LinkedHashMap<>();
    Lines lines = new Lines(file);
    try {
      String head = lines.next();
      if (head == null || !head.strip().equals(HEAD)) {
        throw new InvalidInputException(file + ":1: expected the names query-id, corpus-id, score, apart by tabs; for "
            + "TREC's form use Qrels.trec");
      }
      for (String line = lines.next(); line != null; line = lines.next()) {
        String[] fields = line.stripTrailing().split("\t", -1);
        if (fields.length == 3) {
          TrecFiles.judge(grades, fields[0], fields[1], fields[2].strip(), lines.origin());
        } else if (!line.isBlank()) {
          throw new InvalidInputException(lines.origin() + ": a line of " + fields.length
              + " fields; expected three, apart by tabs: query-id, corpus-id, score");
        }
      }
    } finally {
      lines.close();
    }
    return grades;
  }

  /** Writes judgements. */
  public static void writeQrels(Path file, Map<String, Map<String, Integer>> grades) {
    TrecFiles.write(file, out -> {
      out.write(HEAD + "\n");
      for (Map.Entry<String, Map<String, Integer>> query : grades.entrySet()) {
        for (Map.Entry<String, Integer> judged : query.getValue().entrySet()) {
          out.write(field(query.getKey()) + "\t" + field(judged.getKey()) + "\t" + judged.getValue() + "\n");
        }
      }
    });
  }

  private static String field(String text) {
    if (text.isEmpty() || text.matches("(?s).*[\\t\\r\\n].*")) {
      throw new InvalidInputException("the name \"" + text + "\" is empty or has a tab or line end in it: BEIR's form "
          + "cannot hold it");
    }
    return text;
  }
}

package dev.fettle.examples;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import dev.fettle.ranking.Document;
import dev.fettle.ranking.Qrels;
import dev.fettle.ranking.RetrievalData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The collection as it has been handed on since the 1960s: records that begin with {@code .I}, with fields each of
 * which begins with a line such as {@code .T}. The judgements number queries by their place, not by their {@code .I}. A
 * document's code from 1, a complete answer, to 4, of least interest, becomes the gain 4 to 1; the code -1, which
 * nobody explains, becomes 0.
 */
final class CranfieldFiles {
  static final String DOCUMENTS = "cran.all.1400";
  static final String QUERIES = "cran.qry";
  static final String JUDGEMENTS = "cranqrel";

  private CranfieldFiles() {}

  /** Writes {@code beir/}. */
  static void convert(Path directory) {
    List<Document> documents = new ArrayList<>();
    records(directory.resolve(DOCUMENTS)).forEach(fields -> documents.add(new Document(text(fields, ".I"),
        text(fields, ".T"), text(fields, ".W"))));
    Map<String, String> queries = new LinkedHashMap<>();
    records(directory.resolve(QUERIES)).forEach(fields -> queries.put(String.valueOf(queries.size() + 1), text(fields, ".W")));
    RetrievalData.of(documents, queries, Qrels.of(grades(directory.resolve(JUDGEMENTS)))).writeBeir(directory.resolve("beir"), "test");
  }

  private static List<Map<String, StringBuilder>> records(Path file) {
    List<Map<String, StringBuilder>> all = new ArrayList<>();
    StringBuilder field = new StringBuilder();
    for (String line : lines(file)) {
      if (line.startsWith(".I ")) {
        all.add(new TreeMap<>(Map.of(".I", new StringBuilder(line.substring(3)))));
      } else if (line.strip().matches("\\.[TABW]") && !all.isEmpty()) {
        field = all.get(all.size() - 1).computeIfAbsent(line.strip(), name -> new StringBuilder());
      } else {
        field.append(' ').append(line);
      }
    }
    return all;
  }

  private static String text(Map<String, StringBuilder> fields, String name) {
    StringBuilder text = fields.get(name);
    return text == null ? "" : text.toString().strip().replaceAll("\\s+", " ");
  }

  private static Map<String, Map<String, Integer>> grades(Path file) {
    Map<String, Map<String, Integer>> grades = new TreeMap<>();
    int number = 0;
    for (String line : lines(file)) {
      number++;
      String[] words = line.strip().split("\\s+");
      if (words.length != 3 || !words[2].matches("-1|[1-4]")) {
        throw new InvalidInputException(file + " line " + number + ": give query, document and a code, 1 to 4 or -1, "
            + "not \"" + line + "\"");
      }
      int code = Integer.parseInt(words[2]);
      grades.computeIfAbsent(words[0], query -> new TreeMap<>()).put(words[1], code < 0 ? 0 : 5 - code);
    }
    return grades;
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file, StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new InvalidInputException(file + " cannot be read as ASCII: " + FileErrors.reason(file, e), e);
    }
  }
}

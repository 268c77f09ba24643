package dev.fettle.examples;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import dev.fettle.ranking.Qrels;
import dev.fettle.ranking.RetrievalData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The Cranfield collection with its split of the queries: {@code beir/} and {@code split.json} in one directory. */
final class Cranfield {
  private final RetrievalData all;
  private final JsonNode split;

  private Cranfield(RetrievalData all, JsonNode split) {
    this.all = all;
    this.split = split;
  }

  static Cranfield read(Path directory) {
    Path split = directory.resolve("split.json");
    try {
      return new Cranfield(RetrievalData.beir(directory.resolve("beir")),
          new JsonMapper().readTree(Files.readString(split)));
    } catch (IOException e) {
      throw FileErrors.unread(split, e);
    } catch (JacksonException e) {
      throw new InvalidInputException(split + " is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  RetrievalData all() {
    return all;
  }

  /** The collection with the queries of {@code train}, {@code dev} or {@code test}. */
  RetrievalData part(String name) {
    List<String> queries = new ArrayList<>();
    split.path(name).forEach(query -> queries.add(query.asString()));
    return all.only(queries);
  }

  /** The documents that are relevant to some training query: the residual figures leave them out. */
  Set<String> trainPositives() {
    Set<String> positives = new TreeSet<>();
    Qrels train = part("train").qrels();
    train.queries().forEach(query -> train.grades(query).forEach((document, grade) -> {
      if (grade >= 1) {
        positives.add(document);
      }
    }));
    return positives;
  }
}

package dev.fettle.internal.data;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which columns of rows are the fields of an example.
 *
 * @param columns by field; a column within another one is {@code answer.text}, an element of a list {@code answers.0}
 */
record Fields(Map<String, String> columns) {
  /** Columns have the names of the fields. */
  static final Fields NONE = new Fields(Map.of());

  /** Reads {@code field=column}. */
  static Fields parse(List<String> assignments) {
    Map<String, String> columns = new LinkedHashMap<>();
    for (String assignment : assignments) {
      int at = assignment.indexOf('=');
      String field = at < 0 ? "" : assignment.substring(0, at).strip();
      String column = at < 0 ? "" : assignment.substring(at + 1).strip();
      if (field.isEmpty() || column.isEmpty()) {
        throw new InvalidInputException("fields cannot have \"" + JsonForms.excerpt(assignment)
            + "\": write field=column, such as prompt=question");
      }
      if (!Form.names().contains(field)) {
        throw new InvalidInputException("fields: there is no field \"" + JsonForms.excerpt(field) + "\" of an example ("
            + JsonForms.excerpt(assignment) + "); the fields are " + String.join(", ", Form.names()) + ", and stand before the =");
      }
      if (columns.put(field, column) != null) {
        throw new InvalidInputException("fields: " + field + " is given twice");
      }
    }
    Fields fields = new Fields(columns);
    if (columns.isEmpty()) {
      throw new InvalidInputException("fields without a field: give at least one, such as \"prompt=question\"");
    }
    if (fields.forms().isEmpty()) {
      throw new InvalidInputException("fields: " + String.join(", ", columns.keySet()) + " are not of one kind of example; "
          + RowForms.FORMS);
    }
    return fields;
  }

  boolean isEmpty() {
    return columns.isEmpty();
  }

  /** The forms that have all of the fields, and of those that must be there at least one, if one of any form is given. */
  List<Form> forms() {
    List<Form> able = Stream.of(Form.values()).filter(form -> form.fields().containsAll(columns.keySet())).toList();
    List<Form> meant = able.stream().filter(form -> form.required().stream().anyMatch(columns::containsKey)).toList();
    return meant.isEmpty() ? able : meant;
  }

  /** A row with its columns under the names of their fields. */
  JsonNode named(JsonNode row, Leftovers leftovers) {
    if (isEmpty()) {
      return row;
    }
    ObjectNode named = new ObjectNode();
    Set<String> read = columns.values().stream().map(column -> root(row, column)).collect(Collectors.toSet());
    for (Map.Entry<String, JsonNode> field : row.properties()) {
      if (columns.containsKey(field.getKey()) && !read.contains(field.getKey())) {
        leftovers.count(field.getKey());
      } else if (!read.contains(field.getKey())) {
        named.set(field.getKey(), field.getValue());
      }
    }
    columns.forEach((field, column) -> {
      JsonNode value = value(row, column);
      if (value != null) {
        named.set(field, value);
      }
    });
    return named;
  }

  /**
   * Checks that each column is in some row, given the first one: reads on where it lacks some.
   *
   * @throws InvalidInputException if a column is in none, with the columns that there are
   */
  void requireColumns(JsonNode first, List<Path> files, Format format) {
    Set<String> missing = new LinkedHashSet<>(columns.values());
    missing.removeIf(column -> value(first, column) != null);
    Set<String> seen = new LinkedHashSet<>();
    for (int i = 0; i < files.size() && !missing.isEmpty(); i++) {
      Rows rows = format.open(files.get(i));
      try {
        for (JsonNode row = rows.next(); row != null && !missing.isEmpty(); row = rows.next()) {
          JsonNode here = row;
          missing.removeIf(column -> value(here, column) != null);
          note(row, "", seen);
        }
      } finally {
        rows.close();
      }
    }
    if (!missing.isEmpty()) {
      throw new InvalidInputException("no row has the column " + String.join(", ", missing) + "; the columns are "
          + String.join(", ", new ArrayList<>(seen).subList(0, Math.min(20, seen.size()))) + (seen.size() > 20 ? ", ..." : ""));
    }
  }

  private static void note(JsonNode row, String before, Set<String> seen) {
    for (Map.Entry<String, JsonNode> field : row.properties()) {
      if (seen.size() <= 20) {
        seen.add(JsonForms.excerpt(before + field.getKey()));
        if (before.isEmpty() && field.getValue().isObject()) {
          note(field.getValue(), field.getKey() + ".", seen);
        }
      }
    }
  }

  /** The outermost column that a name is in. */
  private static String root(JsonNode row, String column) {
    return row.has(column) || !column.contains(".") ? column : column.substring(0, column.indexOf('.'));
  }

  private static JsonNode value(JsonNode row, String column) {
    JsonNode value = row.get(column);
    if (value != null || !column.contains(".")) {
      return value;
    }
    value = row;
    for (String part : column.split("\\.", -1)) {
      value = value == null ? null : value.isArray() && part.matches("\\d{1,6}") ? value.get(Integer.parseInt(part)) : value.get(part);
    }
    return value;
  }

  /** As it was given, such as {@code fields prompt=question, completion=answer}. */
  @Override
  public String toString() {
    return "fields " + columns.entrySet().stream().map(field -> field.getKey() + "=" + field.getValue())
        .collect(Collectors.joining(", "));
  }
}

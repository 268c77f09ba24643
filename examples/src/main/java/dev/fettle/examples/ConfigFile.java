package dev.fettle.examples;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * Options of a program in a file: YAML, or JSON, which is a part of it. A key is an option's name without the dashes before it;
 * a list is what commas part on the command line.
 */
final class ConfigFile {
  private ConfigFile() {}

  /** The options that a file sets; {@link UsageException} with file and line for what cannot be. */
  static Map<Option, Object> read(Path file, Command command) {
    Node root = root(file);
    if (!(root instanceof MappingNode map)) {
      throw new UsageException(file + ": give a line for each option, such as \"epochs: 3\"");
    }
    Set<Option> options = command.options();
    options.remove(Option.CONFIG);
    Map<Option, Object> values = new EnumMap<>(Option.class);
    for (NodeTuple entry : map.getValue()) {
      String where = file + ":" + line(entry.getKeyNode()) + ": ";
      Option option = option(text(entry.getKeyNode(), where), options, where);
      String text = text(entry.getValueNode(), where);
      try {
        if (values.put(option, option.read(text)) != null) {
          throw new UsageException(key(option) + " is given twice");
        }
      } catch (UsageException e) {
        throw new UsageException(where + e.getMessage());
      }
    }
    return values;
  }

  private static Node root(Path file) {
    LoadSettings settings = LoadSettings.builder().setLabel(file.toString()).setAllowDuplicateKeys(true).build();
    try {
      return new Compose(settings).composeReader(new StringReader(Files.readString(file)))
          .orElseThrow(() -> new UsageException(file + ": is empty; give a line for each option, such as \"epochs: 3\""));
    } catch (MarkedYamlEngineException e) {
      String where = e.getProblemMark().map(mark -> ":" + (mark.getLine() + 1)).orElse("");
      throw new InvalidInputException(file + where + ": is neither YAML nor JSON: " + e.getProblem(), e);
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    }
  }

  private static Option option(String key, Set<Option> options, String where) {
    String name = key.replace('_', '-');
    Set<String> known = new TreeSet<>();
    for (Option option : options) {
      if (key(option).equals(name)) {
        return option;
      }
      known.add(key(option));
    }
    throw new UsageException(where + "unknown key \"" + key + "\"; " + Nearest.of(name, known).map(n -> "do you mean " + n + "?")
        .orElse("there are " + String.join(", ", known)));
  }

  private static String key(Option option) {
    return option.flag().substring(2);
  }

  private static int line(Node node) {
    return node.getStartMark().map(mark -> mark.getLine() + 1).orElse(0);
  }

  /** A value as the command line has it. */
  private static String text(Node node, String where) {
    if (node instanceof ScalarNode scalar) {
      boolean truth = scalar.getTag().equals(Tag.BOOL);
      return truth ? scalar.getValue().equalsIgnoreCase("true") ? "yes" : "no" : scalar.getValue();
    } else if (node instanceof SequenceNode list) {
      return list.getValue().stream().map(part -> text(part, where)).collect(Collectors.joining(","));
    }
    throw new UsageException(where + "give a text, a number or a list of them");
  }

  /** Options as such a file, in the order in which they are listed. */
  static List<String> lines(Map<Option, String> values) {
    return values.entrySet().stream().map(e -> key(e.getKey()) + ": " + quoted(e.getValue())).toList();
  }

  private static String quoted(String text) {
    // In double quotes YAML reads what JSON writes.
    return text.matches("[\\w./][\\w./+-]*") ? text : new tools.jackson.databind.json.JsonMapper().writeValueAsString(text);
  }
}

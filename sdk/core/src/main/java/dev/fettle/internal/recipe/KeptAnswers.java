package dev.fettle.internal.recipe;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.FileErrors;
import dev.fettle.internal.checkpoint.AtomicFiles;
import dev.fettle.internal.json.JsonException;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.JsonReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A teacher's answers as tokens. In a run's directory they are kept as they come, so that a run that goes on asks for those that are
 * missing, and learns from the same ones.
 */
public final class KeptAnswers {
  private final Optional<Path> file;
  private final List<int[]> all;

  /**
   * Those that are kept in a directory, if there is one.
   *
   * @param key what was asked and how, in one line; the first of the file
   * @param total how many answers there will be
   * @param together how many answers come at a time; a part of them does not count
   * @param anew whether they are asked for again
   * @throws InvalidInputException if what is kept there was asked otherwise
   */
  public KeptAnswers(Optional<Path> directory, String key, int total, int together, boolean anew) {
    this.file = directory.map(d -> d.resolve("answers.jsonl"));
    this.all = file.filter(f -> !anew && Files.isRegularFile(f)).map(f -> read(f, key)).orElseGet(ArrayList::new);
    all.subList(all.size() < total ? all.size() / together * together : total, all.size()).clear();
    String text = key + "\n" + all.stream().map(answer -> Arrays.toString(answer) + "\n").collect(Collectors.joining());
    file.ifPresent(f -> AtomicFiles.writeText(f, text));
  }

  /** The answers so far, in the order in which they were asked for. */
  public List<int[]> all() {
    return all;
  }

  /** Adds those that came together. */
  public void add(List<int[]> answers) {
    all.addAll(answers);
    if (file.isPresent()) {
      try {
        Files.write(file.get(), answers.stream().map(Arrays::toString).toList(), StandardOpenOption.APPEND);
      } catch (IOException e) {
        throw FileErrors.unsaved(file.get(), e);
      }
    }
  }

  private static List<int[]> read(Path file, String key) {
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    }
    if (lines.isEmpty() || !lines.get(0).equals(key)) {
      throw new InvalidInputException(file + ": holds answers to other prompts, of another teacher or sampled otherwise; name another "
          + "directory, or set all as it was");
    }
    List<int[]> answers = new ArrayList<>();
    for (String line : lines.subList(1, lines.size())) {
      try {
        JsonNode tokens = JsonReader.STANDARD.read(line);
        int[] answer = new int[tokens.size()];
        for (int i = 0; i < answer.length; i++) {
          answer[i] = tokens.get(i).asInt();
        }
        answers.add(answer);
      } catch (JsonException e) {
        // A line that was cut by an interruption: it is asked for again, and those after it.
        break;
      }
    }
    return answers;
  }
}

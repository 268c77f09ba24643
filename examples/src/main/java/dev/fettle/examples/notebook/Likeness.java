package dev.fettle.examples.notebook;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What two runs of a cell have in common: the kinds of outputs in their order, the words of texts and their whole numbers;
 * fractions to within a twentieth and counts below 100 to within 2, since other processors round otherwise and training
 * makes that larger. Lines of progress and the pixels of pictures are not compared.
 */
public final class Likeness {
  private static final Pattern NUMBER = Pattern.compile("-?\\d+(?:[.,]\\d+)*(?:[eE]-?\\d+)?");
  private static final Pattern FRACTION = Pattern.compile("-?\\d+\\.\\d+([eE]-?\\d+)?");
  private static final Pattern COUNT = Pattern.compile("\\d{1,2}");
  private static final Pattern PROGRESS = Pattern.compile("tokens/s| GiB");
  private static final double TOLERANCE = 0.05;
  private static final int FEW = 2;

  private Likeness() {}

  /** What differs between what a cell shows and what it should show, in words; empty if nothing does. */
  public static List<String> differences(Cell saved, List<Output> now) {
    List<Output> expected = comparable(saved.outputs());
    List<Output> actual = comparable(now);
    List<String> types = expected.stream().map(Output::type).toList();
    if (!types.equals(actual.stream().map(Output::type).toList())) {
      return List.of("it shows " + shown(actual) + ", saved are " + shown(expected));
    }
    List<String> differences = new ArrayList<>();
    for (int i = 0; i < expected.size() && !saved.varies(); i++) {
      if (!types.get(i).equals(Output.PICTURE) && !alike(expected.get(i).data(), actual.get(i).data())) {
        differences.add("it shows\n" + actual.get(i).data() + "\nsaved is\n" + expected.get(i).data());
      }
    }
    return differences;
  }

  private static String shown(List<Output> outputs) {
    return outputs.stream().map(o -> o.type().equals(Output.PICTURE) ? "a picture" : o.type() + " " + o.data()).toList().toString();
  }

  private static List<Output> comparable(List<Output> outputs) {
    List<Output> left = new ArrayList<>();
    for (Output output : outputs) {
      if (output.type().equals(Output.PICTURE)) {
        left.add(output);
        continue;
      }
      List<String> lines = Output.seen(output.data()).lines().filter(line -> !PROGRESS.matcher(line).find()).toList();
      if (lines.stream().anyMatch(line -> !line.isBlank())) {
        left.add(new Output(output.type(), String.join("\n", lines).strip()));
      }
    }
    return left;
  }

  static boolean alike(String expected, String actual) {
    if (!NUMBER.matcher(expected).replaceAll("#").equals(NUMBER.matcher(actual).replaceAll("#"))) {
      return false;
    }
    Matcher one = NUMBER.matcher(expected);
    Matcher other = NUMBER.matcher(actual);
    while (one.find() && other.find()) {
      if (!near(one.group(), other.group())) {
        return false;
      }
    }
    return true;
  }

  private static boolean near(String one, String other) {
    if (!FRACTION.matcher(one).matches() || !FRACTION.matcher(other).matches()) {
      return COUNT.matcher(one).matches() && COUNT.matcher(other).matches()
          ? Math.abs(Integer.parseInt(one) - Integer.parseInt(other)) <= FEW : one.equals(other);
    }
    double a = Double.parseDouble(one);
    double b = Double.parseDouble(other);
    return Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.max(Math.abs(a), Math.abs(b)));
  }
}

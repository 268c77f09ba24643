package dev.fettle.recipes;

import dev.fettle.Dataset;
import dev.fettle.Datum;
import dev.fettle.Example;
import dev.fettle.InvalidInputException;
import dev.fettle.Preference;
import dev.fettle.Rendered;
import dev.fettle.Renderer;
import dev.fettle.TooLong;
import dev.fettle.TrainOn;
import dev.fettle.internal.Digests;
import dev.fettle.internal.data.Lengths;
import dev.fettle.internal.data.Limit;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a recipe learns from, as tokens: sequences in lessons that stay together, such as the two answers of a pair. */
final class Lessons {
  /** What pairs are, for people who gave something else. */
  static final String PAIRS = "pairs, rows with chosen and rejected; of other names say fields(\"chosen=...\", \"rejected=...\")";

  private final String recipe;
  private final String unit;
  private final Renderer renderer;
  private final Dataset data;
  private final Limit limit;
  private final Lengths lengths;
  private final MessageDigest digest = Digests.sha256();
  private final List<Lesson> all = new ArrayList<>();
  private int read;

  /**
   * Sequences that stay together.
   *
   * @param origin where they are from, for people
   * @param answers what they were
   * @param desirable whether the answer was good, where there is one
   */
  record Lesson(String origin, List<Example> answers, boolean desirable, List<Datum> data) {}

  /**
   * Begins to read.
   *
   * @param unit what is read, such as {@code pair}
   */
  Lessons(String recipe, String unit, Renderer renderer, Dataset data, Limit limit) {
    this.recipe = recipe;
    this.unit = unit;
    this.renderer = renderer.trainOn(TrainOn.CUSTOMIZED);
    this.data = data;
    this.limit = limit.within(renderer.contextLength());
    this.lengths = new Lengths(this.limit, unit + "s");
  }

  /** Adds answers, cut or left out where they are too long. */
  void add(List<Example> answers, boolean desirable) {
    String origin = unit + " " + (++read);
    digest.update((Answers.text(answers) + (desirable ? "" : '\2')).getBytes(StandardCharsets.UTF_8));
    List<Rendered> kept = lengths.hold(origin, answers.stream().map(answer -> rendered(answer, origin)).toList());
    if (!kept.isEmpty()) {
      all.add(new Lesson(origin, answers, desirable, kept.stream().map(Rendered::datum).toList()));
    }
  }

  /** The pair that an example is. */
  Preference pair(Example example) {
    if (example instanceof Preference pair) {
      return pair;
    }
    throw unfit(example, PAIRS);
  }

  /** Refuses another kind of example than the recipe learns from. */
  InvalidInputException unfit(Example example, String wanted) {
    return new InvalidInputException(data + ", " + unit + " " + (read + 1) + " is a " + example + ": " + recipe + " learns from "
        + wanted);
  }

  /** An answer as one sequence, cut where it is too long. */
  Datum cut(Example answer, String origin) {
    Lengths uncounted = new Lengths(limit.treating(TooLong.CUT), unit + "s");
    List<Rendered> kept = uncounted.hold(origin, List.of(rendered(answer, origin)));
    if (kept.isEmpty()) {
      throw new InvalidInputException(data + ", " + origin + ": nothing in it is trained within " + limit.words());
    }
    return kept.get(0).datum();
  }

  private Rendered rendered(Example answer, String origin) {
    List<Rendered> sequences;
    try {
      sequences = renderer.render(answer);
    } catch (InvalidInputException e) {
      throw new InvalidInputException(data + ", " + origin + ": " + e.getMessage(), e);
    }
    if (sequences.size() != 1) {
      throw new InvalidInputException(data + ", " + origin + ": an answer of several messages, of which this model's chat template "
          + "makes " + sequences.size() + " sequences; end it after the assistant's first");
    }
    return sequences.get(0);
  }

  /** Ends the reading: says what became of long sequences, and refuses to go on with nothing. */
  List<Lesson> all() {
    lengths.decide(recipe.toLowerCase(Locale.ROOT));
    if (all.isEmpty()) {
      throw new InvalidInputException(recipe + " without data: " + lengths.summary());
    }
    return List.copyOf(all);
  }

  /** How many were read, those that were left out included. */
  int read() {
    return read;
  }

  String sha256() {
    return HexFormat.of().formatHex(digest.digest());
  }

  Map<String, Object> lengths() {
    return lengths.json();
  }
}

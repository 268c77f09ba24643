package dev.fettle.internal.data;

import dev.fettle.Example;
import dev.fettle.InvalidInputException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The description of a stream of examples, which can be opened any number of times. Immutable and thread-safe. */
public interface Source {
  /**
   * Starts a pass.
   *
   * @param pass 0 for the first, 1 for the second; random choices depend on it and on the seed, and on nothing else
   */
  Cursor open(long pass);

  /** Whether each pass gives the same examples, be it in another order. */
  default boolean sameEachPass() {
    return false;
  }

  /** The examples of the first pass with as little reading as possible: those that come {@link #copies()} times, once. */
  default Source once() {
    return this;
  }

  /** How often the first pass gives each example of {@link #once()}. */
  default long copies() {
    return 1;
  }

  /** A text that is equal for sources that give the same examples in the same order, as far as is cheap to know. */
  String fingerprint();

  /** What it is, in a few words for people. */
  @Override
  String toString();

  /** Rows of files in the forms that {@link RowForms} knows. */
  static Source files(List<Path> files, Format format) {
    return new FileSource(files, format, null);
  }

  /** Rows of a file in another form. */
  static Source file(Path file, Format format, Function<? super Map<String, Object>, ? extends Example> form) {
    return new FileSource(List.of(file), format, form);
  }

  /** This with columns by the fields that they are, each written {@code field=column}. */
  default Source fields(List<String> assignments) {
    return named(Fields.parse(assignments));
  }

  /** This with columns by the fields that they are. */
  private Source named(Fields mapping) {
    if (this instanceof FileSource files) {
      return files.with(mapping);
    }
    throw new InvalidInputException(this + ": fields names columns of files: call it right after the files are named, as in "
        + "Dataset.jsonl(path).fields(\"prompt=question\").shuffle(7)");
  }

  /** Examples in memory. */
  static Source of(List<? extends Example> examples) {
    return new ListSource(List.copyOf(examples));
  }

  /** This in random order, as far as a buffer of {@code size} examples allows. */
  default Source shuffle(long seed, int size) {
    return new ShuffledSource(this, seed, size);
  }

  /** This {@code times} times over, each time as another pass. */
  default Source repeat(int times) {
    return new RepeatedSource(this, times);
  }

  /** The first {@code most} examples of each pass. */
  default Source take(long most) {
    return new TakenSource(this, most);
  }

  /** The examples whose content hash, as a fraction of 1, lies in {@code [from, to)}. */
  default Source part(double from, double to) {
    return new PartSource(this, from, to);
  }

  /** Draws from several sources by weight until one that is drawn has ended. */
  static Source mix(long seed, List<Source> sources, double[] weights) {
    return new MixedSource(seed, List.copyOf(sources), weights.clone());
  }
}

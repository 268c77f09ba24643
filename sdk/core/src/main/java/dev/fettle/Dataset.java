package dev.fettle;

import dev.fettle.internal.NoNulls;
import dev.fettle.internal.OneLine;
import dev.fettle.internal.data.ExampleCursor;
import dev.fettle.internal.data.Format;
import dev.fettle.internal.data.Grouping;
import dev.fettle.internal.data.Limit;
import dev.fettle.internal.data.Source;
import dev.fettle.internal.hub.Hub;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/**
 * A description of examples to train on; reading happens when they are iterated, each time from the start, one line
 * at a time, so files may be larger than memory. Immutable and thread-safe; its iterators are not. There is nothing to
 * close: a file is closed at its end, or when the garbage collector finds that a loop was left early.
 *
 * <p>Operations apply in the order in which they are called: {@code data.shuffle(7).epochs(2)} shuffles each epoch by
 * itself, and differently; {@code data.epochs(2).shuffle(7)} shuffles across epochs. All random choices follow from the
 * seeds alone and are the same on every machine.
 */
public final class Dataset {
  /** How many examples {@link #shuffle(long)} holds in memory: 10,000. */
  public static final int SHUFFLE_BUFFER = 10_000;

  private final Source source;
  private final Limit limit;

  private Dataset(Source source, Limit limit) {
    this.source = source;
    this.limit = limit;
  }

  /**
   * Files of JSON, one after the other: UTF-8, one object a line, blank lines skipped; or one array of objects. Unpacked if the
   * name ends in {@code .gz}. Each object, or row, is one of
   *
   * <ul>
   *   <li>{@code {"messages": [{"role", "content"}]}} as OpenAI writes it: roles system, developer (read as system),
   *       user, assistant, tool; content a string, a list of text parts, or null beside {@code tool_calls};
   *       {@code reasoning_content}, {@code reasoning} or {@code thinking}; {@code tools} beside {@code messages}.
   *       {@code "weight": 0 or 1}, {@code "trained"} or {@code "trainable"} set {@link Message#trained()}, which is
   *       false by default; where some message has a weight, it is true by default for the assistant's others.
   *   <li>{@code {"prompt", "completion"}}: two strings, or two lists of messages, which make one conversation in which
   *       the completion's assistant messages are {@link Message#trained()}
   *   <li>{@code {"text"}}
   *   <li>{@code {"instruction", "input", "output"}} as Alpaca writes it, a chat of two messages
   *   <li>{@code {"conversations": [{"from", "value"}]}} as ShareGPT writes it: from system, human, gpt, tool
   *   <li>{@code {"prompt", "chosen", "rejected"}} as TRL writes it, a {@link Preference}: lists of messages are chats, strings are
   *       {@linkplain Completion completions}; without {@code prompt} it is what both begin with
   *   <li>{@code {"prompt", "completion", "label"}} with the label true or false, as TRL writes it, {@link Feedback}
   *   <li>{@code {"input": {"messages"}, "preferred_output", "non_preferred_output"}} as OpenAI writes preferences
   * </ul>
   *
   * A chat may have its {@code system} text and its {@code tools}, also as JSON text, beside it. A field that is null is not there.
   * Fields that say where a row is from are passed over; others that are not known are named once for a file, on
   * {@code System.err}. A wrong row is an {@link InvalidInputException} with file and line when it is reached.
   *
   * @throws InvalidInputException if a file is missing, empty, a directory or unreadable
   */
  public static Dataset jsonl(Path... files) {
    return files(Format.JSONL, files);
  }

  /**
   * A file of JSON in another form:
   * {@code Dataset.jsonl(path, line -> new Completion((String) line.get("question"), (String) line.get("answer")))}.
   *
   * @param form makes an example of each line's object, whose values are String, Boolean, Integer, Long, BigInteger,
   *     Double, List, Map and null; must not return null. What it throws is reported with file and line.
   * @throws InvalidInputException if the file is missing, empty, a directory or unreadable
   */
  public static Dataset jsonl(Path file, Function<? super Map<String, Object>, ? extends Example> form) {
    Objects.requireNonNull(file, "file");
    return new Dataset(Source.file(file, Format.JSONL, Objects.requireNonNull(form, "form")), Limit.NONE);
  }

  /**
   * Files of text in columns (RFC 4180), one after the other: UTF-8; the first line names the columns, which are the fields of
   * {@link #jsonl(Path...)}, or those that {@link #fields} says. Commas, semicolons or tabs between cells, whichever the first line
   * has most of; cells in quotes may hold them, line breaks, and two quotes for one. An empty cell without quotes is null; lists
   * of messages and tools are JSON text. Unpacked if the name ends in {@code .gz}.
   *
   * @throws InvalidInputException if a file is missing, empty, a directory or unreadable, or its first line names a column twice; when
   *     it is reached, for a wrong row, with file, line and column
   */
  public static Dataset csv(Path... files) {
    return files(Format.CSV, files);
  }

  /**
   * Files of Apache Parquet, one after the other, whose columns are the fields of {@link #jsonl(Path...)}, or those that
   * {@link #fields} says. They are read by Hardwood, which needs Java 21 or newer.
   *
   * @throws InvalidInputException if a file is missing, empty, a directory or unreadable
   * @throws FettleException if this Java is older, or Hardwood is not on the class path
   */
  public static Dataset parquet(Path... files) {
    return files(Format.PARQUET, files);
  }

  /** A dataset of the Hugging Face hub: of its only or standard configuration the training split, or the only one. */
  public static Dataset hub(String name) {
    return hub(name, Optional.empty(), Optional.empty());
  }

  /** The training split, or the only one, of a configuration; see {@link #hub(String, String, String)}. */
  public static Dataset hub(String name, String config) {
    return hub(name, Optional.of(Objects.requireNonNull(config, "config")), Optional.empty());
  }

  /**
   * A split of a dataset of the Hugging Face hub:
   * {@code Dataset.hub("openai/gsm8k", "main", "train").fields("prompt=question", "completion=answer")}.
   *
   * <p>Its files are those that its card names, else those whose names say so, as Python's {@code datasets} finds them: JSON, CSV or
   * Parquet, read as by {@link #jsonl(Path...)}, {@link #csv} and {@link #parquet}. They come from the cache that Python's tools share,
   * and what is missing there is downloaded, now; what is there is used without asking for anything newer. The hub's variables
   * hold, as in {@link Fettle#load(String)}.
   *
   * @param name {@code owner/name} or {@code owner/name@revision}
   * @param config what the hub calls a configuration or subset; {@code default} where it has none
   * @param split such as {@code train}, {@code validation} or {@code test}
   * @throws InvalidInputException if the hub has no such dataset, configuration or split, or does not give it; the message has those
   *     that there are
   * @throws ServiceException if the hub cannot be reached; what has arrived is kept for the next call
   * @throws FettleException if it is Parquet and this Java cannot read that, as in {@link #parquet}; nothing is downloaded then
   */
  public static Dataset hub(String name, String config, String split) {
    return hub(name, Optional.of(Objects.requireNonNull(config, "config")), Optional.of(Objects.requireNonNull(split, "split")));
  }

  private static Dataset hub(String name, Optional<String> config, Optional<String> split) {
    Objects.requireNonNull(name, "name");
    List<Path> files = Progress.watch("load " + name, meter -> new Hub(System.getenv()).dataset(name, config, split, Format::of,
        names -> Format.of(names.get(0)).orElseThrow().require(name)));
    return new Dataset(Source.files(files, Format.of(files.get(0).toString()).orElseThrow()), Limit.NONE);
  }

  private static Dataset files(Format format, Path... files) {
    return new Dataset(Source.files(List.of(NoNulls.in(files, "files")), format), Limit.NONE);
  }

  /**
   * This with columns of other names as the fields of {@link #jsonl(Path...)}:
   * {@code Dataset.jsonl(path).fields("prompt=question", "completion=answer")}. Call it before anything else.
   *
   * <p>Only examples that have one of these fields are made of the rows: {@code fields("messages=chosen")} makes chats of pairs.
   * Other columns keep their names. For a chat of two messages say {@code "instruction=question", "output=answer"}.
   *
   * @param assignments each {@code field=column}; a column within another one is written {@code answer.text}, an element of a list
   *     {@code answers.0}
   * @throws InvalidInputException if there is no such field, the fields make no example together, or this does not come right from
   *     files; when the first row is read, if no row has the column, with the columns that there are
   */
  public Dataset fields(String... assignments) {
    return new Dataset(source.fields(List.of(NoNulls.in(assignments, "assignments"))), limit);
  }

  /**
   * Examples in memory.
   *
   * @throws InvalidInputException if there is none
   */
  public static Dataset of(List<? extends Example> examples) {
    require(!NoNulls.in(examples, "examples").isEmpty(), "no example: give at least one");
    return new Dataset(Source.of(examples), Limit.NONE);
  }

  /**
   * Examples in memory.
   *
   * @throws InvalidInputException if there is none
   */
  public static Dataset of(Example... examples) {
    return of(List.of(NoNulls.in(examples, "examples")));
  }

  /**
   * Draws each example from one of several datasets, chosen at random by weight. Ends when the one that is drawn has
   * no example left, so that the proportions hold to the end and some examples of the others are not given: let a
   * small dataset last longer with {@link #epochs(int)}. Set a length limit on the mix, not on its parts.
   *
   * @param weights one for each dataset, positive; only their ratios matter
   * @throws InvalidInputException if the numbers differ, a weight is not positive, or a dataset has a length limit
   */
  public static Dataset mix(long seed, List<Dataset> datasets, double... weights) {
    Objects.requireNonNull(weights, "weights");
    require(!NoNulls.in(datasets, "datasets").isEmpty(), "no dataset: give at least one");
    require(datasets.size() == weights.length, "%d datasets but %d weights", datasets.size(), weights.length);
    List<Source> sources = new ArrayList<>();
    for (int i = 0; i < weights.length; i++) {
      require(weights[i] > 0 && Double.isFinite(weights[i]), "weights[%d] = %s: must be positive", i, weights[i]);
      require(datasets.get(i).limit.equals(Limit.NONE), "%s in a mix: set maxLength on the mix, not on its parts",
          datasets.get(i));
      sources.add(datasets.get(i).source);
    }
    return new Dataset(Source.mix(seed, sources, weights), Limit.NONE);
  }

  /** This in random order: {@link #shuffle(long, int)} with a buffer of {@link #SHUFFLE_BUFFER} examples. */
  public Dataset shuffle(long seed) {
    return shuffle(seed, SHUFFLE_BUFFER);
  }

  /**
   * This in random order, another in each epoch. At most {@code buffer} examples are in memory: each one given is a
   * random one of them. If all examples fit, every order is equally likely; if not, an example moves forward by fewer
   * than {@code buffer} places, so files that are sorted should be shuffled beforehand.
   */
  public Dataset shuffle(long seed, int buffer) {
    require(buffer >= 1, "buffer = %d: must be at least 1", buffer);
    return new Dataset(source.shuffle(seed, buffer), limit);
  }

  /** This {@code n} times over. */
  public Dataset epochs(int n) {
    require(n >= 1, "epochs = %d: must be at least 1", n);
    return new Dataset(source.repeat(n), limit);
  }

  /** The first {@code n} examples. */
  public Dataset take(long n) {
    require(n >= 1, "take = %d: must be at least 1", n);
    return new Dataset(source.take(n), limit);
  }

  /**
   * Parts that have no example in common and are the whole together. A hash of its content decides where an example
   * goes: equal examples go together, the same ones each time, whatever their order. The shares are met on average: a
   * tenth of 1,000 examples is 100 give or take 10, and a part of very few examples can be empty.
   *
   * @param shares the share of each part; their sum is 1
   * @throws InvalidInputException if a share is not positive or they do not add up to 1
   */
  public Dataset[] split(double... shares) {
    double sum = Arrays.stream(Objects.requireNonNull(shares, "shares")).sum();
    for (double share : shares) {
      require(share > 0, "shares %s: each must be positive", Arrays.toString(shares));
    }
    require(Math.abs(sum - 1) < 1e-6, "shares %s add up to %s: must be 1", Arrays.toString(shares), sum);
    Dataset[] parts = new Dataset[shares.length];
    double from = 0;
    for (int i = 0; i < parts.length; i++) {
      double to = i == parts.length - 1 ? 1 : from + shares[i];
      parts[i] = new Dataset(source.part(from, to), limit);
      from = to;
    }
    return parts;
  }

  /**
   * This with sequences of at most {@code tokens} tokens, the last one, which is only predicted, included; default and
   * upper bound are the model's context, where the renderer knows it ({@link Renderer#contextLength()}). Longer ones are
   * cut at their end unless {@link #tooLong(TooLong)} says otherwise, and counted in {@link Batch#cut()}.
   */
  public Dataset maxLength(int tokens) {
    return new Dataset(source, limit.atMost(tokens));
  }

  /**
   * This with another way to treat sequences that are too long; by default they are cut. The first of them is reported on
   * {@code System.err} when it comes, and their number at the end; recipes report the number before the first step.
   * {@link TooLong#REFUSE} reads and renders all examples before the first batch, which takes as long as
   * {@link Batches#count()}.
   */
  public Dataset tooLong(TooLong longer) {
    return new Dataset(source, limit.treating(Objects.requireNonNull(longer, "longer")));
  }

  /**
   * Batches of {@code count} sequences; the last one has what is left. Sequences without a trained token are left out
   * and counted in {@link Batch#skipped()}.
   */
  public Batches batches(int count, Renderer renderer) {
    require(count >= 1, "batch size = %d: must be at least 1", count);
    return new Batches(source, limit, new Grouping(count, false), Objects.requireNonNull(renderer, "renderer"));
  }

  /**
   * Batches of as many sequences, in order, as have at most {@code budget} positions together (as
   * {@link Batch#tokens()} counts them: no padding). A sequence that exceeds the budget makes a batch by itself; set
   * {@link #maxLength(int)} to prevent that. Otherwise as {@link #batches(int, Renderer)}.
   */
  public Batches batchesByTokens(int budget, Renderer renderer) {
    require(budget >= 1, "token budget = %d: must be at least 1", budget);
    return new Batches(source, limit, new Grouping(budget, true), Objects.requireNonNull(renderer, "renderer"));
  }

  /** The examples themselves; each iterator reads them from the start, and throws as {@link Batches#iterator()} does. */
  public Iterable<Example> examples() {
    return () -> new ExampleCursor(source.open(0));
  }

  /** How many examples there are; reads everything to know. */
  public long count() {
    long count = 0;
    Iterator<Example> counted = examples().iterator();
    while (counted.hasNext()) {
      counted.next();
      count++;
    }
    return count;
  }

  /** What becomes of sequences that are too long. */
  public TooLong tooLong() {
    return limit.tooLong();
  }

  @Override
  public String toString() {
    return OneLine.of("Dataset", source + limit.toString());
  }

  private static void require(boolean condition, String message, Object... args) {
    if (!condition) {
      throw new InvalidInputException(String.format(message, args));
    }
  }
}

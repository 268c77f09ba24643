package dev.fettle.examples;

import dev.fettle.BaseModel;
import dev.fettle.DType;
import dev.fettle.Dataset;
import dev.fettle.Fettle;
import dev.fettle.Full;
import dev.fettle.InvalidInputException;
import dev.fettle.Lora;
import dev.fettle.Modules;
import dev.fettle.Quantisation;
import dev.fettle.Sampler;
import dev.fettle.TooLong;
import dev.fettle.Tuning;
import dev.fettle.internal.FileErrors;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The values of a command line. */
public final class Options {
  private final Map<Option, Object> values;
  private final List<String> arguments;
  private final List<String> line;

  private Options(Map<Option, Object> values, List<String> arguments, List<String> line) {
    this.values = values;
    this.arguments = arguments;
    this.line = line;
  }

  /**
   * Reads {@code --name value} and {@code --name=value}, and what the file of {@code --config} says of the rest;
   * {@link UsageException} for anything else.
   */
  static Options parse(Command command, String... args) {
    Map<Option, Object> values = new EnumMap<>(Option.class);
    List<String> arguments = new ArrayList<>();
    for (int i = 0; i < args.length; i++) {
      if (arguments.size() < command.arguments() && !args[i].startsWith("--")) {
        arguments.add(args[i]);
        continue;
      }
      String[] parts = args[i].split("=", 2);
      Option option = command.option(parts[0]);
      boolean alone = option.placeholder().isEmpty();
      if (alone && parts.length == 2) {
        throw new UsageException(option.flag() + " takes no value");
      }
      if (!alone && parts.length == 1 && (i + 1 == args.length || args[i + 1].startsWith("--"))) {
        throw new UsageException(option.flag() + " needs a value: " + option.placeholder());
      }
      Object value = option.read(alone ? "" : parts.length == 2 ? parts[1] : args[++i]);
      values.merge(option, value, (before, now) -> together(option, before, now));
    }
    if (values.containsKey(Option.CONFIG)) {
      ConfigFile.read((Path) values.get(Option.CONFIG), command).forEach(values::putIfAbsent);
    }
    command.required().stream().filter(option -> !values.containsKey(option)).findFirst().ifPresent(option -> {
      throw new UsageException(option.flag() + " " + option.placeholder() + " is missing");
    });
    command.defaults().forEach((option, text) -> values.computeIfAbsent(option, o -> o.read(text)));
    return new Options(values, arguments, Stream.concat(Stream.of(command.name()), Stream.of(args)).toList());
  }

  private static Object together(Option option, Object before, Object now) {
    if (!option.repeats()) {
      throw new UsageException(option.flag() + " is given twice");
    }
    return Stream.concat(((List<?>) before).stream(), ((List<?>) now).stream()).toList();
  }

  /** The command line that goes on with a run that was interrupted, as a shell takes it. */
  String lineToResume() {
    Map<Option, String> changes = new EnumMap<>(Map.of(Option.RESUME, "yes"));
    if (isYes(Option.OVERWRITE)) {
      changes.put(Option.OVERWRITE, "no");
    }
    return lineWith(changes);
  }

  /** The command line that these are from with some options more, or with other values of them. */
  private String lineWith(Map<Option, String> changes) {
    List<String> words = new ArrayList<>(line);
    changes.forEach((option, value) -> {
      int given = words.indexOf(option.flag());
      if (given >= 0) {
        words.subList(given, given + 2).clear();
      }
      words.removeIf(word -> word.startsWith(option.flag() + "="));
      words.addAll(List.of(option.flag(), value));
    });
    return words.stream().map(word -> word.matches("[\\w@%+=:,./-]+") ? word : "'" + word.replace("'", "'\\''") + "'")
        .collect(Collectors.joining(" "));
  }

  /** The arguments that have no name. */
  public List<String> arguments() {
    return List.copyOf(arguments);
  }

  /** An argument that has no name, or what it is by default. */
  public String argument(int index, String otherwise) {
    return index < arguments.size() ? arguments.get(index) : otherwise;
  }

  /** An argument that is a number of at least 1, or what it is by default. */
  public int argument(int index, int otherwise) {
    String text = argument(index, String.valueOf(otherwise));
    if (!text.matches("[1-9]\\d{0,8}")) {
      throw new UsageException("\"" + text + "\" is no number of at least 1");
    }
    return Integer.parseInt(text);
  }

  /** The name of the program. */
  String program() {
    return line.get(0);
  }

  /** Whether an option is {@code yes}. */
  boolean isYes(Option option) {
    return "yes".equals(values.get(option));
  }

  /** All options as the command line would have them, but those that say how a run is begun. */
  Map<Option, String> texts() {
    Map<Option, String> texts = new EnumMap<>(Option.class);
    values.forEach((option, value) -> texts.put(option, value instanceof List<?> list
        ? list.stream().map(String::valueOf).collect(Collectors.joining(",")) : String.valueOf(value)));
    texts.keySet().removeAll(List.of(Option.CONFIG, Option.RESUME, Option.OVERWRITE));
    return texts;
  }

  boolean has(Option option) {
    return values.containsKey(option);
  }

  Object value(Option option) {
    return values.get(option);
  }

  String text(Option option) {
    return (String) values.get(option);
  }

  /** The values of an option that may be given several times. */
  List<String> texts(Option option) {
    return ((List<?>) values.get(option)).stream().map(String.class::cast).toList();
  }

  Path path(Option option) {
    return (Path) values.get(option);
  }

  int count(Option option) {
    return (int) values.get(option);
  }

  int count(Option option, int otherwise) {
    return has(option) ? count(option) : otherwise;
  }

  double number(Option option) {
    return (double) values.get(option);
  }

  int[] ids(Option option) {
    return (int[]) values.get(option);
  }

  /** The examples of a file in the format that its name says, with the columns of {@code --fields}. */
  Dataset examples(Option file) {
    return has(Option.FIELDS) && file != Option.OUTSIDE ? read(path(file)).fields(text(Option.FIELDS).split(","))
        : read(path(file));
  }

  private static Dataset read(Path file) {
    String name = file.toString().toLowerCase(Locale.ROOT).replaceFirst("\\.gz$", "");
    return name.endsWith(".parquet") ? Dataset.parquet(file)
        : name.endsWith(".csv") || name.endsWith(".tsv") ? Dataset.csv(file)
        : Dataset.jsonl(file);
  }

  /** The same, {@link #limited}. */
  Dataset data(Option file) {
    return limited(examples(file));
  }

  /** Examples held to {@code --length} as {@code --too-long} says. */
  Dataset limited(Dataset examples) {
    return examples.maxLength(count(Option.LENGTH))
        .tooLong(TooLong.valueOf(text(Option.TOO_LONG).toUpperCase(Locale.ROOT)));
  }

  long seed() {
    return (long) values.get(Option.SEED);
  }

  /** Requires one of two options and not both. */
  Options either(Option first, Option second) {
    if (has(first) && has(second)) {
      throw new UsageException(first.flag() + " and " + second.flag() + " exclude each other");
    }
    if (!has(first) && !has(second)) {
      throw new UsageException("one of " + first.flag() + " and " + second.flag() + " is missing");
    }
    return this;
  }

  /** An option that another one asks for. */
  void needs(Option option) {
    if (!has(option)) {
      throw new UsageException(option.flag() + " " + option.placeholder() + " is missing");
    }
  }

  /** Whether what is saved is an adapter alone. */
  boolean adapters() {
    return text(Option.METHOD).equals("lora");
  }

  double learningRate() {
    return has(Option.LR) ? number(Option.LR) : text(Option.METHOD).equals("full") ? 5e-5 : 5e-4;
  }

  /** What {@code --method}, {@code --last-layers}, {@code --rank} and {@code --adapter} ask for. */
  Tuning tuning() {
    return tuning(Modules.lmHead());
  }

  /** The same for a model that has no output embedding. */
  Tuning encoderTuning() {
    return tuning(new Modules[0]);
  }

  private Tuning tuning(Modules... besideLayers) {
    String method = text(Option.METHOD);
    if (has(Option.ADAPTER) && !adapters()) {
      throw new UsageException("--adapter is for --method lora: leave out --adapter");
    }
    for (Option option : List.of(Option.RANK, Option.DROPOUT, Option.TARGET_MODULES)) {
      if (has(option) && method.equals("full")) {
        throw new UsageException(option.flag() + " is for --method lora and hybrid");
      } else if (has(option) && has(Option.ADAPTER)) {
        throw new UsageException("--adapter brings its own: leave out " + option.flag());
      }
    }
    if (adapters() && has(Option.LAST_LAYERS)) {
      throw new UsageException("--last-layers is for --method full and hybrid");
    }
    Lora lora = has(Option.ADAPTER) ? Lora.from(path(Option.ADAPTER)) : lora();
    return switch (method) {
      case "full" -> has(Option.LAST_LAYERS) ? last(count(Option.LAST_LAYERS), besideLayers) : Full.all();
      case "hybrid" -> lora.plus(last(count(Option.LAST_LAYERS, 2), besideLayers).learningRateFactor(0.1));
      default -> lora;
    };
  }

  private Lora lora() {
    Lora lora = Lora.rank(count(Option.RANK, 16)).seed(seed());
    lora = has(Option.DROPOUT) ? lora.dropout(number(Option.DROPOUT)) : lora;
    if (has(Option.TARGET_MODULES)) {
      List<?> names = (List<?>) value(Option.TARGET_MODULES);
      lora = lora.targetModules(names.stream().map(name -> modules((String) name)).toArray(Modules[]::new));
    }
    return lora;
  }

  private static Modules modules(String name) {
    return switch (name) {
      case "linear" -> Modules.linear();
      case "attention" -> Modules.attention();
      case "mlp" -> Modules.mlp();
      case "experts" -> Modules.experts();
      case "lm_head" -> Modules.lmHead();
      case "embeddings" -> Modules.embeddings();
      default -> Modules.named(name);
    };
  }

  private static Full last(int layers, Modules... besideLayers) {
    return Full.of(Stream.concat(Stream.of(Modules.lastLayers(layers)), Stream.of(besideLayers)).toArray(Modules[]::new));
  }

  /** The service of {@code --remote} or of TINKER_BASE_URL; without either this machine. */
  Fettle fettle() {
    return has(Option.REMOTE) ? Fettle.remote((URI) value(Option.REMOTE)) : Fettle.fromEnv();
  }

  /** Whether {@link #fettle} is a service, which chooses itself what type it computes in. */
  boolean isRemote() {
    String service = System.getenv("TINKER_BASE_URL");
    return has(Option.REMOTE) || service != null && !service.isBlank();
  }

  /** Loads the model of {@code --model} in the type of {@code --dtype}. */
  BaseModel load(Fettle fettle) {
    if (has(Option.QUANTISE)) {
      return has(Option.DTYPE) ? fettle.load(text(Option.MODEL), dtype(), quantisation())
          : fettle.load(text(Option.MODEL), quantisation());
    }
    return has(Option.DTYPE) ? fettle.load(text(Option.MODEL), dtype()) : fettle.load(text(Option.MODEL));
  }

  /** Loads the model of {@code --reranker}, in the type of {@code --dtype}. */
  BaseModel reranker(Fettle fettle) {
    return has(Option.DTYPE) ? fettle.load(text(Option.RERANKER), dtype()) : fettle.load(text(Option.RERANKER));
  }

  /** A model with random weights, in the type of {@code --dtype}. */
  BaseModel initialise(Fettle fettle, Path directory) {
    if (has(Option.QUANTISE)) {
      return has(Option.DTYPE) ? fettle.initialise(directory, dtype(), quantisation(), seed())
          : fettle.initialise(directory, quantisation(), seed());
    }
    return has(Option.DTYPE) ? fettle.initialise(directory, dtype(), seed()) : fettle.initialise(directory, seed());
  }

  private Quantisation quantisation() {
    String[] parts = text(Option.QUANTISE).split("\\+");
    Quantisation form = switch (parts[0]) {
      case "int8" -> Quantisation.int8();
      case "nf4" -> Quantisation.nf4();
      case "int4" -> Quantisation.int4();
      default -> Quantisation.dequantised();
    };
    return parts.length == 1 ? form : form.including(Modules.embeddings());
  }

  /** The type of {@code --dtype}. */
  DType dtype() {
    return DType.valueOf(text(Option.DTYPE).toUpperCase(Locale.ROOT));
  }

  /** A sampler of the model, with the adapter of {@code --adapter} if there is one. */
  Sampler sampler(BaseModel model) {
    return has(Option.ADAPTER) ? model.tune(Lora.from(path(Option.ADAPTER))).sampler() : model.sampler();
  }

  /** The ids of {@code --tokens} or of the file of {@code --tokens-file}. */
  int[] tokens() {
    if (has(Option.TOKENS)) {
      return ids(Option.TOKENS);
    }
    Path file = path(Option.TOKENS_FILE);
    try {
      return Option.ids(Files.readString(file));
    } catch (IOException e) {
      throw FileErrors.unread(file, e);
    } catch (IllegalArgumentException e) {
      throw new InvalidInputException(file + ": " + e.getMessage(), e);
    }
  }
}

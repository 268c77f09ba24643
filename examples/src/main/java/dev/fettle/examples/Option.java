package dev.fettle.examples;

import dev.fettle.FettleException;
import dev.fettle.Remote;
import dev.fettle.TrainOn;
import java.net.URI;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The options of the programs: each means the same in all of them. */
enum Option {
  MODEL("DIR", "model in Hugging Face layout, a GGUF, owner/name on the hub, or fettle-tiny, the one within the library",
      Option::directory),
  REMOTE("URL", "in place of this machine, a service that speaks the Tinker protocol; key in TINKER_API_KEY",
      Option::service),
  RANDOM("SHAPE", "instead of --model, random weights in a shape: " + String.join(", ", RandomModel.shapes()),
      oneOf(RandomModel.shapes())),
  ADAPTER("DIR", "LoRA adapter in PEFT's layout to put on the model", Option::path),
  ADAPTERS("adapter", "[NAME=]DIR", "LoRA adapter that clients of OpenAI choose as their model by its name, by default that of the "
      + "directory; may be given many times", Option::named),
  DATA("FILE", "examples as JSON Lines, or .csv, .tsv or .parquet: messages, prompt and completion, or text; .gz too",
      Option::path),
  COLLECTION("data", "DIR", "collection in BEIR's layout, in it or in its beir/; may be given several times, settings are chosen on the "
      + "first", text -> List.of(path(text).toString())),
  BASE("DIR[:Q|D]", "embedding model, after a colon what stands before its queries and its documents, as in e5:query: |passage: ; "
      + "may be given several times, the one to tune first", Option::base),
  FIELDS("F=C,F=C", "columns of other names: prompt=question,completion=answer; within others: completion=answer.text",
      text -> text),
  TRAIN_ON("MODE", "which parts are learnt: " + String.join(", ", trainOn()), oneOf(trainOn())),
  TOOLS("FILE", "tools of conversations that name none, a JSON array", Option::path),
  TRUST("yes|no", "whether special tokens that texts spell are those tokens; by default not in messages",
      oneOf(List.of("yes", "no"))),
  TEMPLATE_ARGS("JSON", "variables of the chat template, a JSON object: '{\"enable_thinking\": false}'", Option::object),
  TRAIN("FILE", "examples to learn from, as JSON Lines like those of Tune", Option::path),
  TEST("FILE", "examples to judge by", Option::path),
  VALIDATION("FILE", "examples that learning rates are judged by; by default a tenth of --train, not trained on",
      Option::path),
  OUTSIDE("FILE", "examples outside the task, without --fields: how much worse they become is what was forgotten", Option::path),
  METHODS("NAMES", "of base, lora, lora-attention, lora-mlp, full, hybrid, with commas between", text -> text),
  RANKS("N,N", "ranks of lora, each a method; the other adapters have the highest", Option::counts),
  METRIC("nll|exact|ndcg", "loss a token, or answers that are exactly right; rankings: see Rank",
      oneOf(List.of("nll", "exact", "ndcg"))),
  SEEDS("N", "runs of each method; of Compare at least 3", Option::count),
  SECONDS("X", "in place of --steps, as many steps of each method as take so many processor seconds", Option::positive),
  FOLDS("N", "parts of the queries or items, each of which is tested once", Option::count),
  LEVERS("NAMES", "what may be tried beside the start setting, with commas between, or none: " + RankSetting.names(),
      RankSetting::named),
  TRAIN_LENGTH("N", "tokens that a document has at most when it is trained on", Option::count),
  BUDGET("N", "minutes that all may take; what is least important is left out then, and named; 0 for as many as it needs",
      Option::countOrNone),
  RATES("M=X:X,M=X", "learning rates that the sweep of method M begins with; by default around 5e-4, of full 5e-5",
      text -> text),
  ALLOW_OVERLAP("", "lets test data be in the training data", text -> text),
  FILE("FILE", "texts, one a line", Option::path),
  OUT("DIR", "where the adapter is saved, or with --method full or hybrid the whole model", Option::path),
  HELD_OUT("validation", "FILE|SHARE", "examples that the loss is measured on meanwhile, or the share of --data that is held "
      + "out for it, such as 0.05; the best weights are kept", Option::fileOrShare),
  EVALUATE_EVERY("N", "steps from one validation to the next; by default a tenth of all", Option::count),
  PATIENCE("N", "validations in a row without a better loss that end the run", Option::count),
  SAVE_EVERY("N", "steps from one state to go on from to the next; by default a tenth of all", Option::count),
  RESUME("yes|no", "whether to go on with the run that was interrupted in OUT-run, the directory beside --out",
      oneOf(List.of("yes", "no"))),
  OVERWRITE("yes|no", "whether to begin anew in the place of an earlier result or run", oneOf(List.of("yes", "no"))),
  CONFIG("FILE", "options in a file, as YAML or JSON, a line each: \"epochs: 3\"; those given here win", Option::path),
  REPORT("yes|no", "whether OUT-run/report.html, the page of the run, also has what the model answers before and after",
      oneOf(List.of("yes", "no"))),
  SERVE_REPORT("PORT", "port at which a browser on this machine sees the page live; 0 takes a free one, which is printed",
      Option::port),
  TENSORBOARD("DIR", "directory in which an event file for TensorBoard is written", Option::path),
  CSV("FILE", "file that has a line of figures for each step", Option::path),
  METHOD("lora|full|hybrid", "train adapters, weights themselves, or adapters and the last layers themselves",
      oneOf(List.of("lora", "full", "hybrid"))),
  LAST_LAYERS("N", "layers that are trained themselves, from the last on, with the output embedding; hybrid: 2",
      Option::count),
  RANK("N", "rank of the adapters; by default 16", Option::count),
  TARGET_MODULES("NAMES", "what adapters are for, with commas between: linear, attention, mlp, experts, lm_head, "
      + "embeddings, or names such as q_proj; by default linear", Option::names),
  DROPOUT("X", "share of the adapters' input that is dropped, 0 or more and less than 1", Option::share),
  EPOCHS("N", "how often the data is read", Option::count),
  BATCH("N", "sequences at a time", Option::count),
  GRADIENT_ACCUMULATION("N", "batches a step learns from, one after the other", Option::count),
  LR("X", "learning rate; where no default is named, 5e-4 for lora, 5e-5 for full, 5e-4 and a tenth of it for hybrid", Option::positive),
  LOSS("dpo|kto|orpo|simpo", "how preferences are learnt; kto takes good and bad answers one by one, orpo and simpo need no reference",
      oneOf(List.of("dpo", "kto", "orpo", "simpo"))),
  BETA("X", "how strongly a preference must show, or orpo's weight of it; by default 0.1, of simpo 2", Option::positive),
  GAMMA("X", "by how much simpo wants the chosen answer's reward above the other; by default 1", Option::atLeastZero),
  REWARD("exact|contains|number", "what an answer gets 1 for, else 0: that it is the right one, has it in it, or that the last numbers "
      + "of both are equal", oneOf(List.of("exact", "contains", "number"))),
  KL("X", "what a nat of divergence from the base model costs a token", Option::atLeastZero),
  SCHEDULE("constant|linear|cosine", "how the learning rate falls", oneOf(List.of("constant", "linear", "cosine"))),
  WARMUP("N|SHARE", "steps in which the learning rate rises at first, or their share of all, such as 0.05",
      Option::countOrShare),
  SEED("N", "of all random choices", Option::whole),
  LENGTH("N", "tokens that a sequence has at most; longer ones are cut and counted", Option::count),
  TOO_LONG("cut|skip|refuse", "sequences of more than --length tokens or the model's context: cut them at their end, leave "
      + "them out, or end before the first step", oneOf(List.of("cut", "skip", "refuse"))),
  DTYPE("f32|bf16", "type to compute in; by default the faster one on this machine", oneOf(List.of("f32", "bf16"))),
  QUANTISE("int8|nf4|int4[+embeddings]|off", "hold the linear layers in 8 or 4 bits, and the embedding of tokens too; off: as numbers, "
      + "even if the files have fewer bits", oneOf(List.of("int8", "nf4", "int4", "int8+embeddings", "nf4+embeddings", "int4+embeddings",
          "off"))),
  STEPS("N", "optimizer steps at most; by default until the data ends", Option::count),
  TIMED("steps", "N", "steps, or in decode runs, that are timed, after one that is not", Option::count),
  BATCH_TOKENS("N", "instead of --batch, tokens at a time, in as many sequences as they make", Option::count),
  TOKENIZER("DIR", "directory of the tokenizer and chat format; by default the model's", Option::path),
  DUMP("FILE", "where the token ids and weights, or the texts, of all batches are written, as JSON", Option::path),
  NEGATIVES("N", "hard negatives of each pair", Option::countOrNone),
  SAMPLES("N", "continuations of each prompt, sampled at temperature 1 if there is more than one", Option::count),
  WHAT("length|rank|batch|adapters|layers|sequences", "what grows",
      oneOf(List.of("length", "rank", "batch", "adapters", "layers", "sequences"))),
  SETTING("NAME", "one of " + String.join(", ", BenchMemory.names()), oneOf(BenchMemory.names())),
  MOST("N", "how far it grows at most", Option::count),
  FIGURES("out", "DIR", "where the CSV and the PNG are written", Option::path),
  GGUF("out", "FILE", "the GGUF that is written", Option::path),
  TYPE("f32|f16|bf16|q8_0|q4_0", "how matrices are stored", oneOf(List.of("f32", "f16", "bf16", "q8_0", "q4_0"))),
  ADAPTER_ONLY("yes|no", "whether the adapter alone is written, in f32, for use beside the base model's GGUF",
      oneOf(List.of("yes", "no"))),
  OLLAMA("yes|no", "whether a Modelfile is written beside the file", oneOf(List.of("yes", "no"))),
  RESULTS("out", "DIR", "where results.jsonl, report.md and the plots are; what is there is not run again", Option::path),
  THREADS("N", "threads of one operation; by default as many as there are cores", Option::count),
  KERNELS("auto|plain", "the kernels that suit this processor, or the plain ones",
      oneOf(List.of("auto", "plain"))),
  PORT("N", "port to listen at; 0 takes a free one, which is printed", Option::port),
  HOST("ADDRESS", "address to listen at; others than 127.0.0.1 need a token", text -> text),
  NAME("TEXT", "what clients call the model; by default as --model says", text -> text),
  STATE("DIR", "where checkpoints are kept", Option::path),
  PROMPT("TEXT", "text to continue", text -> text),
  CHAT("TEXT", "message to answer, in the model's chat format; none to chat", text -> text),
  PROMPT_TOKENS("prompt", "N", "random tokens that the model is given first", Option::count),
  WEIGHTS("exact|int8", "while decoding: as the model has them, or rounded to 8 bits", oneOf(List.of("exact", "int8"))),
  NEW("N", "tokens to sample after them", Option::count),
  MAX_TOKENS("N", "tokens to sample at most", Option::count),
  TEMPERATURE("X", "divides the logits; 0 takes the likeliest token each time", Option::atLeastZero),
  VECTORS("FILE", "instead of random ones, vectors of a .npy or .fvecs file", Option::path),
  COUNT("N", "random vectors", Option::count),
  DIMENSIONS("N", "numbers of a vector", Option::count),
  QUERIES("N", "queries", Option::count),
  QUERY("TEXT", "what is sought", text -> text),
  RERANKER("DIR", "model that reads query and text together, to put the base model's best documents into a better order",
      Option::directory),
  TOP("N", "documents that are wanted for each query", Option::count),
  HNSW("yes|no", "whether Lucene's graph is built and searched too", oneOf(List.of("yes", "no"))),
  DOWNLOAD("yes|no", "whether the Cranfield collection is fetched into the directory of --data first",
      oneOf(List.of("yes", "no"))),
  PART("NAME", "which judgements: those in qrels/NAME.tsv", text -> text),
  K1("X", "BM25's k1: how soon a word that comes again counts less", Option::atLeastZero),
  B("X", "BM25's b: how much long documents are held back, 0 to 1", Option::atLeastZero),
  RUN("FILE", "where the rankings are written, in TREC's form", Option::path),
  TOKENS("IDS", "token ids as a JSON array: '[1,2,3]'", Option::ids),
  TOKENS_FILE("FILE", "instead of --tokens, a file that holds the array", Option::path);

  private static final JsonMapper JSON = new JsonMapper();

  private final String flag;
  private final String placeholder;
  private final String help;
  private final Function<String, Object> reader;

  Option(String placeholder, String help, Function<String, Object> reader) {
    this(null, placeholder, help, reader);
  }

  Option(String flag, String placeholder, String help, Function<String, Object> reader) {
    this.flag = "--" + (flag == null ? name().toLowerCase(Locale.ROOT).replace('_', '-') : flag);
    this.placeholder = placeholder;
    this.help = help;
    this.reader = reader;
  }

  String flag() {
    return flag;
  }

  String placeholder() {
    return placeholder;
  }

  String help() {
    return help;
  }

  /** Whether it may be given several times; its value is a list then. */
  boolean repeats() {
    return this == ADAPTERS || this == COLLECTION || this == BASE;
  }

  /** The value of a text; {@link UsageException} with the reason if it has none. */
  Object read(String text) {
    try {
      return reader.apply(text);
    } catch (IllegalArgumentException e) {
      String reason = e instanceof NumberFormatException ? "it is not such a number" : e.getMessage();
      throw new UsageException(flag + " " + placeholder + " cannot be \"" + text + "\": " + reason);
    }
  }

  /** Token ids from a JSON array; IllegalArgumentException with the reason if it is not one. */
  static int[] ids(String json) {
    try {
      JsonNode array = JSON.readTree(json);
      require(array.isArray(), "give a JSON array such as [1,2,3]");
      return IntStream.range(0, array.size()).map(i -> id(array.get(i), i)).toArray();
    } catch (JacksonException e) {
      throw new IllegalArgumentException("give a JSON array such as [1,2,3]", e);
    }
  }

  private static int id(JsonNode node, int index) {
    require(node.isIntegralNumber() && node.canConvertToInt() && node.asInt() >= 0,
        "entry " + index + " is not a token id but " + node);
    return node.asInt();
  }

  private static Object object(String json) {
    try {
      return JSON.readValue(json, new TypeReference<Map<String, Object>>() {});
    } catch (JacksonException e) {
      throw new IllegalArgumentException("give a JSON object such as {\"enable_thinking\": false}", e);
    }
  }

  private static List<String> trainOn() {
    return Arrays.stream(TrainOn.values()).map(parts -> parts.name().toLowerCase(Locale.ROOT)).toList();
  }

  private static Object directory(String text) {
    path(text);
    return text;
  }

  private static Object path(String text) {
    require(!text.isBlank(), "it is empty");
    return Path.of(text);
  }

  private static Object named(String text) {
    int at = text.indexOf('=');
    Path path = (Path) path(text.substring(at + 1));
    Path last = path.toAbsolutePath().normalize().getFileName();
    require(at != 0 && last != null, "give DIR or NAME=DIR");
    return List.of(Map.of(at < 0 ? last.toString() : text.substring(0, at), path));
  }

  private static Object base(String text) {
    path(text);
    if (text.indexOf(':') >= 0) {
      RankBase.prefixes(text.substring(text.indexOf(':') + 1));
    }
    return List.of(text);
  }

  private static Object service(String text) {
    try {
      return Remote.at(URI.create(text)).uri();
    } catch (FettleException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  private static Object count(String text) {
    int value = Integer.parseInt(text);
    require(value >= 1, "give at least 1");
    return value;
  }

  private static Object countOrNone(String text) {
    int value = Integer.parseInt(text);
    require(value >= 0, "give at least 0");
    return value;
  }

  private static Object counts(String text) {
    return Arrays.stream(text.split(",", -1)).map(part -> (Integer) count(part.strip())).toList();
  }

  private static Object port(String text) {
    int value = Integer.parseInt(text);
    require(value >= 0 && value <= 65535, "give 0 to 65535");
    return value;
  }

  private static Object whole(String text) {
    return Long.parseLong(text);
  }

  private static Object names(String text) {
    require(!text.isBlank(), "name at least one");
    return Arrays.stream(text.split(",")).map(String::strip).toList();
  }

  private static Object share(String text) {
    double value = Double.parseDouble(text);
    require(value >= 0 && value < 1, "give at least 0 and less than 1");
    return value;
  }

  /** A share if it is a number, else a file. */
  private static Object fileOrShare(String text) {
    if (!text.matches("[0-9.]+")) {
      return path(text);
    }
    Object share = share(text);
    require((double) share > 0, "a share of nothing");
    return share;
  }

  private static Object countOrShare(String text) {
    return text.contains(".") ? share(text) : countOrNone(text);
  }

  private static Object positive(String text) {
    double value = Double.parseDouble(text);
    require(value > 0 && value < Double.POSITIVE_INFINITY, "give more than 0");
    return value;
  }

  private static Object atLeastZero(String text) {
    double value = Double.parseDouble(text);
    require(value >= 0 && value < Double.POSITIVE_INFINITY, "give at least 0");
    return value;
  }

  private static Function<String, Object> oneOf(List<String> choices) {
    return text -> {
      require(choices.contains(text), "give one of " + String.join(", ", choices));
      return text;
    };
  }

  private static void require(boolean condition, String reason) {
    if (!condition) {
      throw new IllegalArgumentException(reason);
    }
  }
}

package dev.fettle.examples.tiny;

import dev.fettle.Conversation;
import dev.fettle.InvalidInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Learns a byte-level BPE vocabulary and writes it as Hugging Face's {@code tokenizer.json}: 256 bytes, then merges,
 * then three special tokens. A word keeps the space before it, each digit is a token of its own, so that numbers can
 * be copied digit by digit. The same text gives the same file: of equally frequent pairs the first by name wins.
 *
 * <p>Source of the algorithm: Sennrich et al., Neural Machine Translation of Rare Words with Subword Units (2016), on
 * bytes as in GPT-2.
 */
public final class TokenizerTrainer {
  /** Ends a document. */
  public static final String END_OF_TEXT = "<|endoftext|>";
  /** Begins a message. */
  public static final String START = "<|im_start|>";
  /** Ends a message, and an answer. */
  public static final String END = "<|im_end|>";

  private static final List<String> SPECIAL = List.of(END_OF_TEXT, START, END);
  private static final String WORDS = " ?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+|\\s";
  private static final String CHAT_TEMPLATE = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n'"
      + " + message['content'] + '<|im_end|>\\n' }}{% endfor %}"
      + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  private final List<String> vocabulary = new ArrayList<>();
  private final List<String> merges = new ArrayList<>();

  private TokenizerTrainer() {}

  /**
   * Learns from all messages of some conversations.
   *
   * @param size the number of ids, with the three special tokens
   * @throws InvalidInputException if {@code size} has no room for the bytes and the special tokens
   */
  public static TokenizerTrainer train(Stream<Conversation> conversations, int size) {
    if (size < 256 + SPECIAL.size()) {
      throw new InvalidInputException("size = " + size + ": a vocabulary needs at least " + (256 + SPECIAL.size()));
    }
    Map<String, Integer> counts = new TreeMap<>();
    Pattern words = Pattern.compile(WORDS);
    conversations.flatMap(c -> c.messages().stream()).forEach(message -> {
      Matcher matcher = words.matcher(message.role() + "\n" + message.content());
      while (matcher.find()) {
        counts.merge(matcher.group(), 1, Integer::sum);
      }
    });
    TokenizerTrainer trainer = new TokenizerTrainer();
    trainer.learn(counts, size - SPECIAL.size());
    return trainer;
  }

  /** The number of ids, with the special tokens. */
  public int size() {
    return vocabulary.size() + SPECIAL.size();
  }

  /**
   * Writes {@code tokenizer.json}, {@code tokenizer_config.json} and {@code generation_config.json} into a directory.
   *
   * @throws IOException if the directory cannot be written
   */
  public void write(Path directory) throws IOException {
    Files.createDirectories(directory);
    write(directory.resolve("tokenizer.json"), tokenizer());
    write(directory.resolve("tokenizer_config.json"), config());
    ObjectNode generation = JsonMapper.shared().createObjectNode();
    generation.put("eos_token_id", id(END)).put("pad_token_id", id(END_OF_TEXT)).put("do_sample", false);
    write(directory.resolve("generation_config.json"), generation);
  }

  /** The id of a special token. */
  public int id(String special) {
    int at = SPECIAL.indexOf(special);
    if (at < 0) {
      throw new InvalidInputException("\"" + special + "\" is not one of " + SPECIAL);
    }
    return vocabulary.size() + at;
  }

  private record Pair(String left, String right) {
    String joined() {
      return left + right;
    }
  }

  private void learn(Map<String, Integer> counts, int size) {
    String[] names = byteNames();
    List<List<String>> words = new ArrayList<>();
    List<Integer> frequency = new ArrayList<>();
    counts.forEach((word, count) -> {
      List<String> symbols = new ArrayList<>();
      for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
        symbols.add(names[b & 255]);
      }
      words.add(symbols);
      frequency.add(count);
    });
    vocabulary.addAll(List.of(names));
    while (vocabulary.size() < size) {
      Pair best = mostFrequent(words, frequency);
      if (best == null) {
        throw new InvalidInputException("the text has only " + vocabulary.size() + " different tokens, " + size
            + " were asked for; give more text or a smaller size");
      }
      merges.add(best.left() + " " + best.right());
      if (!vocabulary.contains(best.joined())) {
        vocabulary.add(best.joined());
      }
      words.forEach(word -> merge(word, best));
    }
  }

  private static Pair mostFrequent(List<List<String>> words, List<Integer> frequency) {
    Map<Pair, Integer> pairs = new HashMap<>();
    for (int w = 0; w < words.size(); w++) {
      List<String> word = words.get(w);
      for (int i = 0; i + 1 < word.size(); i++) {
        pairs.merge(new Pair(word.get(i), word.get(i + 1)), frequency.get(w), Integer::sum);
      }
    }
    Pair best = null;
    int most = 0;
    for (Map.Entry<Pair, Integer> entry : pairs.entrySet()) {
      int order = Integer.compare(entry.getValue(), most);
      if (order > 0 || order == 0 && before(entry.getKey(), best)) {
        best = entry.getKey();
        most = entry.getValue();
      }
    }
    return best;
  }

  private static boolean before(Pair a, Pair b) {
    int order = a.left().compareTo(b.left());
    return order < 0 || order == 0 && a.right().compareTo(b.right()) < 0;
  }

  private static void merge(List<String> word, Pair pair) {
    for (int i = 0; i + 1 < word.size(); i++) {
      if (word.get(i).equals(pair.left()) && word.get(i + 1).equals(pair.right())) {
        word.set(i, pair.joined());
        word.remove(i + 1);
      }
    }
  }

  /** A printable character for each byte: itself where it is visible Latin-1, else one from U+0100 on, as in GPT-2. */
  private static String[] byteNames() {
    String[] names = new String[256];
    int next = 256;
    for (int b = 0; b < 256; b++) {
      boolean visible = b >= '!' && b <= '~' || b >= 0xA1 && b != 0xAD;
      names[b] = String.valueOf((char) (visible ? b : next++));
    }
    return names;
  }

  private ObjectNode tokenizer() {
    JsonMapper json = JsonMapper.shared();
    ObjectNode root = json.createObjectNode().put("version", "1.0").putNull("truncation").putNull("padding");
    ArrayNode added = root.putArray("added_tokens");
    for (String special : SPECIAL) {
      added.addObject().put("id", id(special)).put("content", special).put("single_word", false).put("lstrip", false)
          .put("rstrip", false).put("normalized", false).put("special", true);
    }
    root.putNull("normalizer");
    ArrayNode steps = root.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
    ObjectNode split = steps.addObject().put("type", "Split");
    split.putObject("pattern").put("Regex", WORDS);
    split.put("behavior", "Isolated").put("invert", false);
    byteLevel(steps.addObject());
    root.putNull("post_processor");
    byteLevel(root.putObject("decoder"));
    ObjectNode model = root.putObject("model").put("type", "BPE").putNull("dropout").putNull("unk_token")
        .putNull("continuing_subword_prefix").putNull("end_of_word_suffix").put("fuse_unk", false)
        .put("byte_fallback", false);
    ObjectNode vocab = model.putObject("vocab");
    for (int i = 0; i < vocabulary.size(); i++) {
      vocab.put(vocabulary.get(i), i);
    }
    merges.forEach(model.putArray("merges")::add);
    return root;
  }

  private static void byteLevel(ObjectNode node) {
    node.put("type", "ByteLevel").put("add_prefix_space", false).put("trim_offsets", false).put("use_regex", false);
  }

  private ObjectNode config() {
    ObjectNode root = JsonMapper.shared().createObjectNode();
    Map<Integer, String> ids = new LinkedHashMap<>();
    SPECIAL.forEach(special -> ids.put(id(special), special));
    ObjectNode added = root.putObject("added_tokens_decoder");
    ids.forEach((id, content) -> added.putObject(Integer.toString(id)).put("content", content).put("lstrip", false)
        .put("normalized", false).put("rstrip", false).put("single_word", false).put("special", true));
    return root.put("tokenizer_class", "PreTrainedTokenizerFast").put("model_max_length", TinyRecipe.CONTEXT)
        .put("clean_up_tokenization_spaces", false).put("add_bos_token", false).putNull("bos_token")
        .put("eos_token", END).put("pad_token", END_OF_TEXT).put("chat_template", CHAT_TEMPLATE);
  }

  private static void write(Path file, ObjectNode node) throws IOException {
    String text = JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(node);
    Files.writeString(file, text.replace("\r\n", "\n") + "\n");
  }
}

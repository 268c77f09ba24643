package dev.fettle.internal.checkpoint;

import dev.fettle.UnsupportedModelException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The settings of a LoRA adapter as PEFT writes them to adapter_config.json; immutable. What is not a component here
 * and would change the adapter has been refused by name.
 *
 * @param rank default rank, at least 1
 * @param alpha default alpha; the update is multiplied by alpha / rank, or alpha / sqrt(rank) with rsLora
 * @param dropout probability of dropping an input of the adapter in training, from 0 to below 1
 * @param rsLora whether the scale is alpha / sqrt(rank)
 * @param targets which modules have an adapter
 * @param rankPattern ranks that differ, by module name pattern, first match counts
 * @param alphaPattern alphas that differ, by module name pattern, first match counts
 * @param baseModel name or path of the base model, empty if unknown
 * @param extras what there is beside A and B
 */
public record AdapterConfig(
    int rank,
    double alpha,
    double dropout,
    boolean rsLora,
    AdapterTargets targets,
    Map<String, Integer> rankPattern,
    Map<String, Double> alphaPattern,
    String baseModel,
    Extras extras) {
  /**
   * What there is beside A and B.
   *
   * @param dora whether rows have magnitudes
   * @param bias whether the B's have biases
   * @param modulesToSave modules that are trained in full, by suffix or whole path
   * @param tokens tokens whose input embeddings are replaced
   * @param headTokens tokens whose rows of the output layer are replaced
   * @param baseBiases which biases of the base model were trained along
   * @param residual what was taken off the base model's weights before A and B were trained
   * @param tied whether copies and adapters of tied modules are tied
   * @param parameters weights with an adapter whose module is no linear layer in transformers, by suffix or whole name
   */
  public record Extras(boolean dora, boolean bias, List<String> modulesToSave, List<Integer> tokens, List<Integer> headTokens,
      BaseBiases baseBiases, Residual residual, boolean tied, List<String> parameters) {
    /** Nothing. */
    public static final Extras NONE = new Extras(false, false, List.of());

    public Extras {
      modulesToSave = List.copyOf(modulesToSave);
      tokens = List.copyOf(tokens);
      headTokens = List.copyOf(headTokens);
      parameters = List.copyOf(parameters);
    }

    /** Those of an adapter that is begun here. */
    public Extras(boolean dora, boolean bias, List<String> parameters) {
      this(dora, bias, List.of(), List.of(), List.of(), BaseBiases.NONE, Residual.NONE, false, parameters);
    }

    /** The same with other modules that are trained in full, and tied or not. */
    public Extras saving(List<String> modules, boolean areTied) {
      return new Extras(dora, bias, modules, tokens, headTokens, baseBiases, residual, areTied, parameters);
    }

    /** The same with other weights that have an adapter by themselves. */
    public Extras adapting(List<String> weights) {
      return new Extras(dora, bias, modulesToSave, tokens, headTokens, baseBiases, residual, tied, weights);
    }

    /** Whether an embedding is among the modules that are trained in full, as PEFT looks for what is to be tied. */
    public boolean savesEmbedding() {
      return modulesToSave.stream().anyMatch(AdapterTargets::isEmbedding);
    }
  }

  /** Which biases of the base model the file of an adapter may hold. */
  public enum BaseBiases {
    /** None. */
    NONE,
    /** All of them. */
    ALL,
    /** Those of the modules that have an adapter. */
    LORA_ONLY
  }

  /** What PEFT takes off the weight of each adapted linear layer when it loads the adapter. */
  public enum Residual {
    /** Nothing. */
    NONE,
    /** What its largest singular values make (PiSSA). */
    PISSA,
    /** What the first columns of its QR decomposition make, times the scale (OLoRA). */
    OLORA
  }

  private static final String WEIGHT = ".weight";

  /** The name of the file. */
  public static final String FILE_NAME = "adapter_config.json";
  /** The name of the file of the weights beside it. */
  public static final String WEIGHTS = "adapter_model.safetensors";

  public AdapterConfig {
    Objects.requireNonNull(targets, "targets");
    Objects.requireNonNull(baseModel, "baseModel");
    Objects.requireNonNull(extras, "extras");
    rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
    alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
  }

  /** An adapter with one rank and alpha for all modules of the given suffixes or paths, without dropout. */
  public static AdapterConfig of(int rank, double alpha, List<String> targetModules) {
    return new AdapterConfig(
        rank, alpha, 0, false, AdapterTargets.modules(targetModules), Map.of(), Map.of(), "", Extras.NONE);
  }

  /**
   * Reads that of an adapter that is open.
   *
   * @throws dev.fettle.InvalidInputException if it is none; the message says what there is
   * @throws UnsupportedModelException as {@link #parse(Path)}, or if its weights are not safetensors
   */
  public static AdapterConfig in(OpenDirectory files) {
    Contents.require(files, Contents.Kind.ADAPTER);
    AdapterConfig config = parse(files.file(FILE_NAME));
    if (!files.lists(WEIGHTS) && files.lists("adapter_model.bin")) {
      throw new UnsupportedModelException(files.path() + ": has its weights as adapter_model.bin only, a pickle, which can "
          + "run code when it is read; only " + WEIGHTS + " is read. Convert it once in Python, if you trust it: "
          + "from safetensors.torch import save_file; save_file({k: v.contiguous().clone() for k, v in "
          + "torch.load('adapter_model.bin', weights_only=True).items()}, '" + WEIGHTS + "')");
    }
    return config;
  }

  /**
   * Reads an adapter_config.json.
   *
   * @throws dev.fettle.InvalidInputException if a value is missing or wrong
   * @throws UnsupportedModelException if it asks for a kind of adapter that is not supported
   */
  public static AdapterConfig parse(Path file) {
    return AdapterConfigReader.read(JsonFields.of(file));
  }

  /** The same of an open file. */
  public static AdapterConfig parse(OpenFile file) {
    return AdapterConfigReader.read(JsonFields.of(file));
  }

  /** Reads the text of an adapter_config.json; source names it in errors. */
  public static AdapterConfig parse(String json, String source) {
    return AdapterConfigReader.read(new JsonFields(StrictJson.parse(json, source), source));
  }

  /** The text of an adapter_config.json that PEFT and the usual servers load. */
  public String toJson() {
    return AdapterConfigReader.write(this, "CAUSAL_LM");
  }

  /** The same for an adapter of an encoder. */
  public String toEncoderJson() {
    return AdapterConfigReader.write(this, "FEATURE_EXTRACTION");
  }

  /** The same for another base model and with other extras. */
  public AdapterConfig with(String base, Extras other) {
    return new AdapterConfig(rank, alpha, dropout, rsLora, targets, rankPattern, alphaPattern, base, other);
  }

  /** The same with all ranks doubled and the scales as they are. */
  public AdapterConfig doubled() {
    double factor = rsLora ? Math.sqrt(2) : 2;
    Map<String, Integer> ranks = new LinkedHashMap<>();
    rankPattern.forEach((key, value) -> ranks.put(key, 2 * value));
    Map<String, Double> alphas = new LinkedHashMap<>();
    alphaPattern.forEach((key, value) -> alphas.put(key, factor * value));
    return new AdapterConfig(2 * rank, factor * alpha, dropout, rsLora, targets, ranks, alphas, baseModel, extras);
  }

  /** The same with other targets. */
  public AdapterConfig targeting(List<String> modules) {
    AdapterTargets chosen = new AdapterTargets(modules, null, targets.excluded(), targets.excludedPattern(), targets.layers(),
        targets.layersPattern());
    return new AdapterConfig(rank, alpha, dropout, rsLora, chosen, rankPattern, alphaPattern, baseModel, extras);
  }

  /**
   * The same with adapters of both embeddings where one of the two is asked for and they are to be tied: PEFT's file then has
   * both, of equal values.
   */
  public AdapterConfig withTied(String embedding, String head) {
    if (!extras.tied || extras.savesEmbedding() || !targets.nameEmbedding()) {
      return this;
    }
    return new AdapterConfig(rank, alpha, dropout, rsLora, targets.and(List.of(embedding, head)), rankPattern,
        alphaPattern, baseModel, extras.saving(extras.modulesToSave, false));
  }

  /** The other way round; only of what {@link #doubled} gave. */
  public AdapterConfig halved() {
    double factor = rsLora ? Math.sqrt(2) : 2;
    Map<String, Integer> ranks = new LinkedHashMap<>();
    rankPattern.forEach((key, value) -> ranks.put(key, value / 2));
    Map<String, Double> alphas = new LinkedHashMap<>();
    alphaPattern.forEach((key, value) -> alphas.put(key, value / factor));
    return new AdapterConfig(rank / 2, alpha / factor, dropout, rsLora, targets, ranks, alphas, baseModel, extras);
  }

  /** Whether the module, such as {@code model.layers.0.self_attn.q_proj}, has an adapter; PEFT's rules. */
  public boolean targets(String modulePath) {
    return !isSaved(modulePath) && (targets.match(modulePath) || takesParameter(modulePath + WEIGHT));
  }

  /** What is trained in full has no adapter, even if it is named as a target too. */
  private boolean isSaved(String modulePath) {
    return extras.modulesToSave.stream().anyMatch(m -> ModulePatterns.within(m).matcher(modulePath).lookingAt());
  }

  /** Whether a key of a rank or alpha pattern fits a module. */
  public static boolean fits(String pattern, String modulePath) {
    return ModulePatterns.keyPattern(pattern).matcher(modulePath).lookingAt();
  }

  /** Whether {@code target_parameters} takes in a weight; PEFT's rules. */
  public boolean takesParameter(String name) {
    return extras.parameters.contains(name) || extras.parameters.stream().anyMatch(suffix -> name.endsWith("." + suffix));
  }

  /** What patterns are compared with: PEFT knows a weight that is adapted by itself by its own name. */
  private String key(String modulePath) {
    return takesParameter(modulePath + WEIGHT) ? modulePath + WEIGHT : modulePath;
  }

  /** The rank of the module's adapter. */
  public int rank(String modulePath) {
    return ModulePatterns.lookUp(rankPattern, key(modulePath), rank);
  }

  /** The alpha of the module's adapter. */
  public double alpha(String modulePath) {
    return ModulePatterns.lookUp(alphaPattern, key(modulePath), alpha);
  }

  /** What the module's update is multiplied by: alpha / rank, or alpha / sqrt(rank). */
  public double scale(String modulePath) {
    int rank = rank(modulePath);
    return alpha(modulePath) / (rsLora ? Math.sqrt(rank) : rank);
  }

  @Override
  public String toString() {
    return "AdapterConfig[rank " + rank + ", alpha " + alpha + "]";
  }
}

package dev.fettle.internal.checkpoint;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.json.ArrayNode;
import dev.fettle.internal.json.JsonNode;
import dev.fettle.internal.json.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads and writes adapter_config.json. */
final class AdapterConfigReader {
  private static final int MAX_RANK = 1 << 16;
  private static final int MAX_LAYER = 1 << 20;

  /** Keys that are read, and those that change nothing about an adapter that is already trained. */
  private static final Set<String> KNOWN =
      Set.of(
          "peft_type", "r", "lora_alpha", "lora_dropout", "use_rslora", "target_modules", "exclude_modules",
          "layers_to_transform", "layers_pattern", "rank_pattern", "alpha_pattern", "base_model_name_or_path", "bias",
          "task_type", "init_lora_weights", "modules_to_save",
          "inference_mode", "peft_version", "revision", "auto_mapping", "megatron_core", "qalora_group_size",
          "runtime_config", "ensure_weight_tying", "unsloth_fixed", "use_dora", "lora_bias", "trainable_token_indices",
          "target_parameters",
          // PEFT sets it to false for the linear layers that all models here have.
          "fan_in_fan_out",
          // How a start was found, which is over; PEFT reads them where init_lora_weights names their method.
          "eva_config", "corda_config", "lora_ga_config", "loftq_config");

  private static final Map<String, String> REASONS =
      Map.of(
          "layer_replication", "replicated layers",
          "alora_invocation_tokens", "adapters that a token switches on",
          "use_qalora", "inputs averaged in groups",
          "use_bdlora", "matrices of blocks on a diagonal",
          "arrow_config", "a choice among several adapters",
          "kasa_config", "it changes the base weights and has a diagonal between A and B",
          "velora_config", "inputs compressed for the backward pass",
          "monteclora_config", "random samples of adapters");

  /** Modules that are neither linear layers nor embeddings; a target that matches one is refused. */
  private static final List<String> NOT_TARGETS =
      List.of(
          "model.norm", "model.layers.0.input_layernorm",
          "model.layers.0.post_attention_layernorm", "model.layers.0.self_attn", "model.layers.0.mlp",
          "model.layers.0", "model.layers", "model");

  private static final String TOKENS = "trainable_token_indices";
  private static final Pattern PINNED = Pattern.compile("([\\w.-]+/[\\w.-]+)@([\\w./-]+)");

  private final JsonFields fields;

  private AdapterConfigReader(JsonFields fields) {
    this.fields = fields;
  }

  static AdapterConfig read(JsonFields fields) {
    return new AdapterConfigReader(fields).read();
  }

  private AdapterConfig read() {
    String type = fields.string("peft_type").orElseThrow(() -> fields.invalid("peft_type", "must name the method"));
    if (!type.equals("LORA")) {
      throw fields.unsupported("peft_type", "only LORA is");
    }
    refuse();
    double dropout = fields.number("lora_dropout", 0);
    if (!(dropout >= 0 && dropout < 1)) {
      throw fields.invalid("lora_dropout", "must be from 0 to below 1");
    }
    AdapterConfig config =
        new AdapterConfig(
            fields.integer("r", 1, MAX_RANK, 8),
            fields.positive("lora_alpha", 8),
            dropout,
            fields.bool("use_rslora", false),
            targets(),
            ranks(),
            alphas(),
            fields.string("base_model_name_or_path").orElse(""),
            extras());
    boolean all = config.targets().modules() == null && config.targets().pattern() == null;
    for (String path : NOT_TARGETS) {
      if (!all && matches(config, path)) {
        throw fields.unsupported("target_modules", "it takes in " + path + "; only linear layers and embeddings are");
      }
    }
    return config;
  }

  private AdapterConfig.Extras extras() {
    boolean dora = fields.bool("use_dora", false);
    boolean bias = fields.bool("lora_bias", false);
    if (dora && bias) {
      throw fields.unsupported("lora_bias", "adapters with magnitudes and biases");
    }
    List<String> saved = fields.strings("modules_to_save");
    saved.forEach(name -> checked("modules_to_save", () -> ModulePatterns.within(name)));
    List<String> parameters = fields.strings("target_parameters");
    if (!parameters.isEmpty() && (dora || bias || fields.number("lora_dropout", 0) > 0)) {
      throw fields.unsupported("target_parameters", "beside use_dora, lora_bias or lora_dropout, which PEFT refuses too");
    }
    return new AdapterConfig.Extras(dora, bias, saved, tokens(false), tokens(true), baseBiases(), AdapterStart.read(fields),
        fields.bool("ensure_weight_tying", false), parameters);
  }

  private AdapterConfig.BaseBiases baseBiases() {
    String bias = fields.string("bias").orElse("none");
    return Stream.of(AdapterConfig.BaseBiases.values()).filter(b -> b.name().toLowerCase(Locale.ROOT).equals(bias)).findFirst()
        .orElseThrow(() -> fields.unsupported("bias", "there are none, all and lora_only"));
  }

  /** A list of tokens, which is of the input embedding, or such lists by name; those of the output layer where head is true. */
  private List<Integer> tokens(boolean head) {
    if (!fields.has(TOKENS) || fields.node(TOKENS).isArray()) {
      return head ? List.of() : fields.integers(TOKENS, 0, Integer.MAX_VALUE);
    }
    JsonFields byModule = fields.object(TOKENS).orElseThrow(() -> fields.invalid(TOKENS, "must be a list of token ids"));
    List<Integer> found = List.of();
    for (String name : byModule.keys()) {
      boolean output = name.equals("lm_head");
      if (!output && !name.matches("(.*\\.)?(embed_tokens|word_embeddings)")) {
        throw fields.unsupported(TOKENS, "tokens of other modules than the embeddings");
      }
      found = output == head ? byModule.integers(name, 0, Integer.MAX_VALUE) : found;
    }
    return found;
  }

  private boolean matches(AdapterConfig config, String path) {
    try {
      return config.targets(path);
    } catch (StackOverflowError e) {
      throw fields.unsupported("target_modules", "the pattern is too deep");
    }
  }

  private void refuse() {
    for (String key : fields.keys()) {
      if (!KNOWN.contains(key) || REASONS.containsKey(key)) {
        fields.refuseUnlessNeutral(key, 0, REASONS.getOrDefault(key, "a variant of LoRA that is not known here"));
      }
    }
    if (fields.string("task_type").filter(task -> !List.of("CAUSAL_LM", "FEATURE_EXTRACTION").contains(task)).isPresent()) {
      throw fields.unsupported("task_type", "CAUSAL_LM and, for encoders, FEATURE_EXTRACTION are");
    }
  }

  private AdapterTargets targets() {
    List<Integer> layers = fields.integers("layers_to_transform", 0, MAX_LAYER);
    List<String> layersPattern =
        fields.has("layers_pattern") && fields.node("layers_pattern").isString()
            ? fields.string("layers_pattern").filter(name -> !name.isEmpty()).map(List::of).orElse(List.of())
            : fields.strings("layers_pattern");
    if (!layersPattern.isEmpty() && !fields.has("layers_to_transform")) {
      throw fields.invalid("layers_pattern", "must come with layers_to_transform");
    }
    layersPattern.forEach(name -> checked("layers_pattern", () -> AdapterTargets.layerPattern(name)));
    boolean excludedByPattern = fields.has("exclude_modules") && fields.node("exclude_modules").isString();
    String excludedPattern = excludedByPattern ? fields.string("exclude_modules").orElseThrow() : null;
    List<String> excluded = excludedByPattern ? null : fields.strings("exclude_modules");
    if (excludedByPattern) {
      checked("exclude_modules", () -> ModulePatterns.compile(excludedPattern));
    }
    if (!fields.has("target_modules")) {
      return new AdapterTargets(List.of(), null, excluded, excludedPattern, layers, layersPattern);
    }
    if (!fields.node("target_modules").isString()) {
      List<String> modules = fields.strings("target_modules");
      if (modules.isEmpty() && fields.strings("target_parameters").isEmpty()) {
        throw fields.invalid("target_modules", "must name at least one module");
      }
      return new AdapterTargets(modules, null, excluded, excludedPattern, layers, layersPattern);
    }
    if (fields.has("layers_to_transform") || !layersPattern.isEmpty()) {
      throw fields.invalid("layers_to_transform", "must be absent when target_modules is one string");
    }
    String text = fields.string("target_modules").orElseThrow();
    boolean all = text.equalsIgnoreCase(AdapterTargets.ALL_LINEAR);
    if (!all) {
      checked("target_modules", () -> ModulePatterns.compile(text));
    }
    return new AdapterTargets(null, all ? null : text, excluded, excludedPattern, layers, layersPattern);
  }

  private Map<String, Integer> ranks() {
    Map<String, Integer> ranks = new LinkedHashMap<>();
    fields
        .object("rank_pattern")
        .ifPresent(patterns -> patterns.keys().forEach(key -> ranks.put(key, patterns.integer(key, 1, MAX_RANK))));
    ranks.keySet().forEach(key -> checked("rank_pattern", () -> ModulePatterns.keyPattern(key)));
    return ranks;
  }

  private Map<String, Double> alphas() {
    Map<String, Double> alphas = new LinkedHashMap<>();
    fields
        .object("alpha_pattern")
        .ifPresent(patterns -> patterns.keys().forEach(key -> alphas.put(key, patterns.positive(key))));
    alphas.keySet().forEach(key -> checked("alpha_pattern", () -> ModulePatterns.keyPattern(key)));
    return alphas;
  }

  private void checked(String key, Runnable compilation) {
    try {
      compilation.run();
    } catch (UnsupportedModelException e) {
      throw new UnsupportedModelException(fields.source() + ": " + key + ": " + e.getMessage(), e);
    } catch (InvalidInputException e) {
      throw new InvalidInputException(fields.source() + ": " + key + ": " + e.getMessage(), e);
    } catch (StackOverflowError e) {
      throw new InvalidInputException(fields.source() + ": " + key + ": the pattern is too deep", e);
    }
  }

  /** A model of the hub at a revision, owner/name@revision, is written as PEFT reads it. */
  private static void base(ObjectNode root, String model) {
    Matcher pinned = PINNED.matcher(model);
    boolean split = pinned.matches() && !Files.isDirectory(Path.of(model));
    root.put("base_model_name_or_path", split ? pinned.group(1) : model);
    if (split) {
      root.put("revision", pinned.group(2));
    }
  }

  static String write(AdapterConfig config, String task) {
    ObjectNode root = new ObjectNode();
    AdapterTargets targets = config.targets();
    root.put("peft_type", "LORA");
    root.putNull("auto_mapping");
    base(root, config.baseModel());
    root.put("bias", config.extras().baseBiases().name().toLowerCase(Locale.ROOT));
    root.put("fan_in_fan_out", false);
    root.put("inference_mode", true);
    AdapterStart.write(root, config.extras().residual());
    number(root, "lora_alpha", config.alpha());
    root.put("lora_dropout", config.dropout());
    if (config.extras().modulesToSave().isEmpty()) {
      root.putNull("modules_to_save");
    } else {
      root.set("modules_to_save", strings(config.extras().modulesToSave()));
    }
    root.put("r", config.rank());
    ObjectNode ranks = root.putObject("rank_pattern");
    config.rankPattern().forEach((key, value) -> ranks.put(key, value.intValue()));
    ObjectNode alphas = root.putObject("alpha_pattern");
    config.alphaPattern().forEach((key, value) -> number(alphas, key, value));
    if (targets.isUnsaid()) {
      root.putNull("target_modules");
    } else if (targets.modules() != null) {
      root.set("target_modules", strings(targets.modules()));
    } else {
      root.put("target_modules", targets.pattern() != null ? targets.pattern() : AdapterTargets.ALL_LINEAR);
    }
    if (targets.excludedPattern() != null) {
      root.put("exclude_modules", targets.excludedPattern());
    } else if (!targets.excluded().isEmpty()) {
      root.set("exclude_modules", strings(targets.excluded()));
    }
    if (!config.extras().parameters().isEmpty()) {
      root.set("target_parameters", strings(config.extras().parameters()));
    }
    root.put("task_type", task);
    root.put("use_rslora", config.rsLora());
    root.put("use_dora", config.extras().dora());
    if (config.extras().bias()) {
      root.put("lora_bias", true);
    }
    if (config.extras().tied()) {
      root.put("ensure_weight_tying", true);
    }
    if (!config.extras().headTokens().isEmpty()) {
      ObjectNode tokens = root.putObject(TOKENS);
      numbers(tokens.putArray("embed_tokens"), config.extras().tokens());
      numbers(tokens.putArray("lm_head"), config.extras().headTokens());
    } else if (!config.extras().tokens().isEmpty()) {
      numbers(root.putArray(TOKENS), config.extras().tokens());
    }
    if (targets.layers().isEmpty()) {
      root.putNull("layers_to_transform");
    } else {
      numbers(root.putArray("layers_to_transform"), targets.layers());
    }
    if (!targets.layersPattern().isEmpty()) {
      root.set("layers_pattern", strings(targets.layersPattern()));
    }
    return StrictJson.write(root);
  }

  /** PEFT's own alphas are whole numbers; some readers insist. */
  private static void number(ObjectNode node, String key, double value) {
    if (value == Math.rint(value) && Math.abs(value) < Integer.MAX_VALUE) {
      node.put(key, (int) value);
    } else {
      node.put(key, value);
    }
  }

  private static void numbers(ArrayNode into, List<Integer> values) {
    values.forEach(into::add);
  }

  private static JsonNode strings(List<String> values) {
    var array = new ArrayNode();
    values.forEach(array::add);
    return array;
  }
}

package dev.fettle.internal.checkpoint;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which modules of a model an adapter changes, with PEFT's matching rules; immutable.
 *
 * @param modules suffixes or whole paths of modules; empty if the file does not say; null if there is a pattern or all
 *     linear layers are meant
 * @param pattern regular expression that a whole path must match; null unless that is how the targets are given
 * @param excluded suffixes or whole paths that are left out; null if excludedPattern is given
 * @param excludedPattern regular expression for what is left out, or null
 * @param layers layer numbers that are meant; empty for all. Does not narrow modules given by their whole path
 * @param layersPattern names of the list of layers, as regular expressions; empty for any
 */
public record AdapterTargets(
    List<String> modules,
    String pattern,
    List<String> excluded,
    String excludedPattern,
    List<Integer> layers,
    List<String> layersPattern) {
  /** What PEFT calls all linear layers except the output layer. */
  public static final String ALL_LINEAR = "all-linear";

  /** Names of embeddings that PEFT ties. */
  private static final Set<String> TIED = Set.of("embed_tokens", "lm_head");

  private static final Pattern FIRST_NUMBER = Pattern.compile(".*?\\.[^.]*\\.(\\d{1,9})\\.");

  public AdapterTargets {
    modules = modules == null ? null : List.copyOf(modules);
    excluded = excluded == null ? List.of() : List.copyOf(excluded);
    layers = List.copyOf(layers);
    layersPattern = List.copyOf(layersPattern);
  }

  /** Modules by suffix, such as {@code q_proj}, or by whole path. */
  public static AdapterTargets modules(List<String> modules) {
    return new AdapterTargets(Objects.requireNonNull(modules, "modules"), null, null, null, List.of(), List.of());
  }

  /** All linear layers of the decoder, without the output layer. */
  public static AdapterTargets allLinear() {
    return new AdapterTargets(null, null, null, null, List.of(), List.of());
  }

  static boolean isEmbedding(String module) {
    return TIED.contains(module.substring(module.lastIndexOf('.') + 1));
  }

  /** Whether an embedding is meant, as PEFT looks for what is to be tied: a pattern must match its bare name. */
  boolean nameEmbedding() {
    return pattern != null ? TIED.stream().anyMatch(name -> ModulePatterns.compile(pattern).matcher(name).matches())
        : modules != null && modules.stream().anyMatch(AdapterTargets::isEmbedding);
  }

  /** The same with some more, by whole path. */
  AdapterTargets and(List<String> paths) {
    if (pattern != null) {
      String more = paths.stream().map(path -> path.replace(".", "\\.")).collect(Collectors.joining("|"));
      return new AdapterTargets(null, "(?:" + pattern + ")|" + more, excluded, excludedPattern, layers, layersPattern);
    }
    List<String> all = new ArrayList<>(modules);
    paths.stream().filter(path -> !modules.contains(path)).forEach(all::add);
    return new AdapterTargets(all, null, excluded, excludedPattern, layers, layersPattern);
  }

  /** What PEFT chooses for the model's family: the file does not say. */
  public boolean isUnsaid() {
    return modules != null && modules.isEmpty();
  }

  boolean match(String path) {
    if (isExcluded(path)) {
      return false;
    }
    if (pattern != null) {
      return ModulePatterns.compile(pattern).matcher(path).matches();
    }
    if (modules == null) {
      // Embedding and output layer stand outside the layers.
      return FIRST_NUMBER.matcher(path).lookingAt();
    }
    if (modules.contains(path)) {
      return true;
    }
    return hasSuffix(modules, path) && (layers.isEmpty() || isMeantLayer(path));
  }

  private boolean isExcluded(String path) {
    if (excludedPattern != null && !excludedPattern.isEmpty()) {
      return ModulePatterns.compile(excludedPattern).matcher(path).matches();
    }
    return excluded.contains(path) || hasSuffix(excluded, path);
  }

  private static boolean hasSuffix(List<String> suffixes, String path) {
    return suffixes.stream().anyMatch(suffix -> path.endsWith("." + suffix));
  }

  private boolean isMeantLayer(String path) {
    if (layersPattern.isEmpty()) {
      return isMeant(FIRST_NUMBER.matcher(path), 1);
    }
    for (String name : layersPattern) {
      Matcher matcher = layerPattern(name).matcher(path);
      if (matcher.lookingAt()) {
        return layers.contains(Integer.valueOf(matcher.group(PythonPattern.group("idx"))));
      }
    }
    return false;
  }

  static Pattern layerPattern(String name) {
    return ModulePatterns.compile("(?:^|.*?\\.)" + name + "\\.(?P<idx>\\d{1,9})\\.");
  }

  private boolean isMeant(Matcher matcher, int group) {
    return matcher.lookingAt() && layers.contains(Integer.valueOf(matcher.group(group)));
  }

  @Override
  public String toString() {
    String what = pattern != null ? "pattern" : modules == null ? ALL_LINEAR : modules.size() + " modules";
    return "AdapterTargets[" + what + (layers.isEmpty() ? "" : " in " + layers.size() + " layers") + "]";
  }
}

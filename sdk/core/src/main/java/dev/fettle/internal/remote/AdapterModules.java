package dev.fettle.internal.remote;

import dev.fettle.ServiceException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The modules of an adapter by the names of its tensors, for settings that do not name them. */
final class AdapterModules {
  private static final Pattern TENSOR =
      Pattern.compile("(?:base_model\\.model\\.)?(.+)\\.lora_(?:embedding_)?[AB](?:\\.default)?(?:\\.weight)?");
  private static final Pattern LAYERED = Pattern.compile("(.*\\.)(\\d+)(\\..*)");

  private AdapterModules() {}

  /**
   * Last parts of paths, such as {@code q_proj}, where all layers from the first on have the same modules; else whole paths,
   * since a last part would take in modules that have no tensors.
   */
  static List<String> of(Collection<String> tensors) {
    Set<String> paths = new TreeSet<>();
    for (String name : tensors) {
      Matcher m = TENSOR.matcher(name);
      if (m.matches()) {
        paths.add(m.group(1));
      }
    }
    if (paths.isEmpty()) {
      throw new ServiceException("the downloaded adapter names no target_modules, and no tensor of it is a LoRA matrix", 200);
    }
    Map<String, Set<Integer>> layers = new TreeMap<>();
    for (String path : paths) {
      Matcher m = LAYERED.matcher(path);
      if (!m.matches()) {
        return List.copyOf(paths);
      }
      layers.computeIfAbsent(m.group(1) + "*" + m.group(3), p -> new TreeSet<>()).add(Integer.valueOf(m.group(2)));
    }
    Set<Integer> all = layers.values().iterator().next();
    Set<Integer> fromTheFirst = IntStream.range(0, all.size()).boxed().collect(Collectors.toSet());
    Set<String> suffixes = paths.stream().map(p -> p.substring(p.lastIndexOf('.') + 1)).collect(Collectors.toCollection(TreeSet::new));
    boolean even = all.equals(fromTheFirst) && layers.values().stream().allMatch(all::equals)
        && layers.size() == suffixes.size();
    return List.copyOf(even ? suffixes : paths);
  }
}

package dev.fettle.internal.model;

import dev.fettle.internal.model.LayerConfig.Linear;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.function.ToIntFunction;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Which modules of a model carry an adapter, by which rank and scale, and what else adapters have. Immutable. */
public final class AdapterShape {
  /**
   * What adapters have beside A and B.
   *
   * @param magnitudes a length for each row of the adapted layer (DoRA)
   * @param biases a bias of B
   * @param startFrozen what A and B were at the start, taken off again (PiSSA)
   */
  public record Kind(boolean magnitudes, boolean biases, boolean startFrozen) {
    /** Nothing. */
    public static final Kind PLAIN = new Kind(false, false, false);
  }

  /**
   * A linear layer, or the equal ones of all experts of a layer, adapted or not.
   *
   * @param name its full name; of experts that of the weight that transformers holds them in
   * @param stored what its adapter is called by in files
   * @param outputs of one expert, where there are several
   * @param copies how many experts there are; else 1
   * @param rank of its adapter, or of each expert's; 0 where it has none
   * @param scale the factor of B A: alpha / rank, or alpha / sqrt(rank)
   */
  public record Member(String name, String stored, int outputs, int copies, int rank, double scale) {
    /** Whether it has an adapter. */
    public boolean isAdapted() {
      return rank > 0;
    }

    /** The rows of A, and the columns of B as files have it. */
    public int ranks() {
      return rank * copies;
    }
  }

  private final ModelConfig config;
  private final Kind kind;
  private final List<Map<Product, List<Member>>> layers = new ArrayList<>();
  private final Member embedding;
  private final Member head;

  private AdapterShape(ModelConfig config, Kind kind, Member embedding, Member head) {
    this.config = config;
    this.kind = kind;
    this.embedding = embedding;
    this.head = head;
  }

  /** A shape from the rank (0 for no adapter) and scale of each module, by its full name. */
  public static AdapterShape of(ModelConfig config, Kind kind, ToIntFunction<String> rank, ToDoubleFunction<String> scale) {
    AdapterShape shape = new AdapterShape(config, kind,
        member(Layout.of(config).embeddingModule(), config.hiddenSize(), rank, scale),
        member(OuterWeight.HEAD_MODULE, config.vocabSize(), rank, scale));
    for (LayerConfig layer : config.layers()) {
      Map<Product, List<Member>> members = new HashMap<>();
      for (Product product : Product.values()) {
        members.put(product, product.isOfExperts() ? ofExperts(config, layer, product, rank, scale) : layer.linears(product).stream()
            .map((Linear l) -> member(layer.module(l), l.outputs(), rank, scale)).toList());
      }
      shape.layers.add(members);
    }
    return shape;
  }

  private static Member member(String name, int outputs, ToIntFunction<String> rank, ToDoubleFunction<String> scale) {
    int r = rank.applyAsInt(name);
    return new Member(name, name, outputs, 1, r, r == 0 ? 0 : scale.applyAsDouble(name));
  }

  /** The experts of a layer are adapted together. PEFT wraps the module that they are once for each weight, the last one outermost. */
  private static List<Member> ofExperts(ModelConfig config, LayerConfig layer, Product product, ToIntFunction<String> rank,
      ToDoubleFunction<String> scale) {
    if (!layer.hasExperts()) {
      return List.of();
    }
    String name = experts(config, layer, product);
    int r = rank.applyAsInt(name);
    boolean within = product == Product.EXPERTS_GATE_UP && rank.applyAsInt(experts(config, layer, Product.EXPERTS_DOWN)) > 0;
    int copies = layer.numbers().experts().count();
    return List.of(new Member(name, name.substring(0, name.lastIndexOf('.')) + (within ? ".base_layer" : ""),
        layer.outputs(product) / copies, copies, r, r == 0 ? 0 : scale.applyAsDouble(name)));
  }

  private static String experts(ModelConfig config, LayerConfig layer, Product product) {
    return config.architecture().stacked(layer.module(layer.linears(product).get(0)) + ".weight").orElseThrow().tensor();
  }

  /** No adapter anywhere. */
  public static AdapterShape none(ModelConfig config) {
    return of(config, Kind.PLAIN, name -> 0, name -> 0);
  }

  /** The names of all linear layers of a network that can be adapted, in order: not experts, and not embeddings. */
  public static List<String> modules(ModelConfig config) {
    return config.layers().stream().flatMap(layer -> layer.linears().stream().filter(l -> !l.product().isOfExperts())
        .map(layer::module)).toList();
  }

  /** The names of all weights of experts that can be adapted, in order; each holds those of all experts of a layer. */
  public static List<String> experts(ModelConfig config) {
    return config.layers().stream().filter(LayerConfig::hasExperts)
        .flatMap(layer -> layer.products().stream().filter(Product::isOfExperts).map(p -> experts(config, layer, p))).toList();
  }

  /** The same without adapters outside the layers, for kernels that have them folded in, and without magnitudes. */
  public AdapterShape folded() {
    AdapterShape out = new AdapterShape(config, new Kind(false, false, kind.startFrozen),
        without(embedding), without(head));
    out.layers.addAll(layers);
    return out;
  }

  private static Member without(Member member) {
    return new Member(member.name, member.stored, member.outputs, member.copies, 0, 0);
  }

  /** What the adapters have beside A and B. */
  public Kind kind() {
    return kind;
  }

  /** The model's configuration. */
  public ModelConfig config() {
    return config;
  }

  /** The input embedding. */
  public Member embedding() {
    return embedding;
  }

  /** The output embedding. */
  public Member head() {
    return head;
  }

  /** Whether nothing carries an adapter. */
  public boolean isEmpty() {
    return !embedding.isAdapted() && !head.isAdapted() && lowestLayer() == layers();
  }

  /** The number of layers. */
  public int layers() {
    return layers.size();
  }

  /** Whether a linear layer, by its full name, carries an adapter. */
  public boolean isAdapted(String module) {
    return Stream.concat(Stream.of(embedding, head), layers.stream().flatMap(layer -> layer.values().stream()).flatMap(List::stream))
        .anyMatch(m -> m.isAdapted() && m.name.equals(module));
  }

  /** The linear layers of a product, those of experts as one; none where the layer has no such product. */
  public List<Member> members(int layer, Product product) {
    return layers.get(layer).get(product);
  }

  /** The products of a layer in which something carries an adapter. */
  public List<Product> adapted(int layer) {
    return config.layers().get(layer).products().stream().filter(p -> rank(layer, p) > 0).toList();
  }

  /** The sum of the ranks within a product, of all experts. */
  public long rank(int layer, Product product) {
    return members(layer, product).stream().mapToLong(Member::ranks).sum();
  }

  /** The columns of the s B that the kernels read: those of experts stand below each other, of other modules on a diagonal. */
  public long columns(int layer, Product product) {
    return product.isOfExperts() ? members(layer, product).stream().mapToLong(Member::rank).sum() : rows(layer, product);
  }

  /** The rows of A that the kernels read: with a frozen start, twice the rank. */
  public long rows(int layer, Product product) {
    return (kind.startFrozen ? 2 : 1) * rank(layer, product);
  }

  /** The outputs of the adapted modules of a product. */
  public long adaptedOutputs(int layer, Product product) {
    return members(layer, product).stream().filter(Member::isAdapted).mapToLong(Member::outputs).sum();
  }

  /** The numbers in all B's of a product. */
  public long sizeOfB(int layer, Product product) {
    return members(layer, product).stream().mapToLong(m -> (long) m.outputs * m.ranks()).sum();
  }

  /** The inputs of a product. */
  public int inputs(int layer, Product product) {
    return config.layers().get(layer).inputs(product);
  }

  /** The outputs of a product. */
  public int outputs(int layer, Product product) {
    return config.layers().get(layer).outputs(product);
  }

  /** Rows and rank of each module of a product in turn, as the kernels take them; of each expert's, without their ranks. */
  public long[] blocks(int layer, Product product) {
    if (product.isOfExperts()) {
      return config.layers().get(layer).linears(product).stream().flatMapToLong(l -> LongStream.of(l.outputs(), 0)).toArray();
    }
    return members(layer, product).stream().flatMapToLong(m -> LongStream.of(m.outputs, m.rank)).toArray();
  }

  /** The scales of the modules of a product. */
  public double[] scales(int layer, Product product) {
    return members(layer, product).stream().mapToDouble(Member::scale).toArray();
  }

  /** The name of a module by what files call its adapter by. */
  public String module(String stored) {
    return experts(stored).map(Member::name).orElse(stored);
  }

  /** How many adapters stand side by side in what files call by a name. */
  public int copies(String stored) {
    return experts(stored).map(Member::copies).orElse(1);
  }

  private Optional<Member> experts(String stored) {
    return layers.stream().flatMap(layer -> Stream.of(Product.EXPERTS_GATE_UP, Product.EXPERTS_DOWN).map(layer::get))
        .flatMap(List::stream).filter(m -> m.isAdapted() && m.stored.equals(stored)).findFirst();
  }

  /** The first adapted weight of experts. */
  public Optional<String> adaptedExperts() {
    return layers.stream().flatMap(layer -> Stream.of(Product.EXPERTS_GATE_UP, Product.EXPERTS_DOWN).map(layer::get))
        .flatMap(List::stream).filter(Member::isAdapted).map(Member::name).findFirst();
  }

  /** The lowest layer that carries an adapter; {@link #layers()} if none does. */
  public int lowestLayer() {
    for (int i = 0; i < layers(); i++) {
      if (!adapted(i).isEmpty()) {
        return i;
      }
    }
    return layers();
  }
}

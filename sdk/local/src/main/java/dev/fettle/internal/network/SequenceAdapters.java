package dev.fettle.internal.network;

import dev.fettle.internal.model.Product;
import dev.fettle.internal.torch.NativeList;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The adapters of sequences that are decoded together. One that all of them have is opened; several are copied into
 * stacks, so that each product of a layer is one operation for all. Not thread-safe.
 */
final class SequenceAdapters implements AutoCloseable {
  private List<PackedAdapter> of;
  private List<PackedAdapter> stacked = List.of();
  private List<List<List<Tensor>>> stacks = List.of();
  private Adapter opened;
  private Scope stackScope = new Scope();
  private Scope listScope = new Scope();
  private NativeList<NativeList<NativeList<Tensor>>> all;

  /** @param of the adapter of each sequence */
  SequenceAdapters(List<PackedAdapter> of) {
    this.of = of;
  }

  /** Whether an adapter can be decoded beside others: those of experts are read in another order. */
  static boolean canMix(PackedAdapter adapter) {
    return IntStream.range(0, adapter.shape().layers())
        .noneMatch(layer -> adapter.shape().adapted(layer).stream().anyMatch(Product::isOfExperts));
  }

  /** Drops all sequences but some. */
  void keep(int[] sequences) {
    of = Arrays.stream(sequences).mapToObj(of::get).toList();
    all = null;
  }

  /** Takes others over after them. */
  void join(SequenceAdapters others) {
    of = Stream.concat(of.stream(), others.of.stream()).toList();
    all = null;
  }

  /** The adapters of all layers, as a step reads them. */
  NativeList<NativeList<NativeList<Tensor>>> all() {
    if (all == null) {
      listScope.close();
      listScope = new Scope();
      List<PackedAdapter> distinct = distinct();
      all = distinct.size() == 1 ? alone(distinct.get(0)) : mixed(distinct);
    }
    return all;
  }

  private List<PackedAdapter> distinct() {
    Set<PackedAdapter> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    return of.stream().filter(seen::add).toList();
  }

  private NativeList<NativeList<NativeList<Tensor>>> alone(PackedAdapter adapter) {
    if (!stacked.equals(List.of(adapter)) || opened == null) {
      renew(List.of(adapter));
      opened = adapter.open(stackScope);
    }
    return opened.all(listScope);
  }

  /** Frees what was made of the adapters so far. */
  private void renew(List<PackedAdapter> now) {
    stackScope.close();
    stackScope = new Scope();
    stacked = now;
    stacks = new ArrayList<>();
    opened = null;
  }

  private NativeList<NativeList<NativeList<Tensor>>> mixed(List<PackedAdapter> distinct) {
    // A stack serves as long as it holds all that are there and not far more.
    if (opened != null || !stacked.containsAll(distinct) || stacked.size() > 2 * distinct.size()) {
      stack(distinct);
    }
    int[] adapterOf = of.stream().mapToInt(stacked::indexOf).toArray();
    int[] counts = new int[stacked.size()];
    int[] placeOf = new int[adapterOf.length];
    for (int i = 0; i < adapterOf.length; i++) {
      placeOf[i] = counts[adapterOf[i]]++;
    }
    int places = Arrays.stream(counts).max().orElse(0);
    long[] rows = new long[stacked.size() * places];
    long[] back = new long[adapterOf.length];
    for (int i = 0; i < adapterOf.length; i++) {
      back[i] = (long) adapterOf[i] * places + placeOf[i];
      rows[(int) back[i]] = i;
    }
    Tensor rowOfPlace = listScope.longs(rows);
    Tensor placeOfRow = listScope.longs(back);
    List<List<Tensor>> lists = new ArrayList<>();
    for (List<List<Tensor>> layer : stacks) {
      for (List<Tensor> product : layer) {
        lists.add(product.isEmpty() ? List.of() : List.of(product.get(0), product.get(1), rowOfPlace, placeOfRow));
      }
    }
    return listScope.kernels().nestLists(listScope.lists(lists), Product.values().length);
  }

  private void stack(List<PackedAdapter> distinct) {
    renew(distinct);
    for (int layer = 0; layer < distinct.get(0).shape().layers(); layer++) {
      List<List<Tensor>> products = new ArrayList<>();
      for (Product p : Product.values()) {
        products.add(PackedAdapter.stack(stacked, layer, p, stackScope));
      }
      stacks.add(products);
    }
  }

  @Override
  public void close() {
    listScope.close();
    stackScope.close();
  }
}

package dev.fettle.internal.local;

import dev.fettle.internal.checkpoint.Mapped;
import dev.fettle.internal.checkpoint.StoredTensor;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.internal.model.Layout;
import dev.fettle.internal.model.WeightNames;
import dev.fettle.internal.network.Weight;
import dev.fettle.internal.network.Weights;
import dev.fettle.internal.torch.NumberType;
import dev.fettle.internal.torch.Scope;
import dev.fettle.internal.torch.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.BiConsumer;

/** Moves numbers between mapped files and native memory, in pieces, so that neither side is ever held twice. */
final class WeightFiles {
  private static final int PIECE = 64 << 20;

  private WeightFiles() {}

  /** Gives a piece of a stored tensor. */
  @FunctionalInterface
  interface Reader {
    ByteBuffer bytes(StoredTensor tensor, long from, int length);
  }

  /** Takes a piece of a tensor that is being stored. */
  @FunctionalInterface
  interface Sink {
    void put(ByteBuffer bytes) throws IOException;
  }

  /** Reads a weight of a checkpoint into its place. */
  static void read(Reader reader, WeightNames.Place stored, Weights into, Layout.Weight weight) {
    if (into.weight(weight.block()) instanceof Weight.Quantised q) {
      long columns = weight.shape()[1];
      long row = stored.bytes() / weight.shape()[0];
      q.write(weight.offset() / columns, weight.shape()[0], (scope, from, count) -> {
        Tensor rows = scope.zeros(NumberType.F32, count, columns);
        read(reader, new WeightNames.Place(stored.tensor(), stored.from() + from * row, count * row), rows, 0);
        return rows;
      });
      return;
    }
    try (Scope scope = new Scope()) {
      read(reader, stored, into.weight(weight.block()).dense(scope), weight.offset());
    }
  }

  /** Reads a stored tensor into the elements of a tensor from {@code start} on. */
  static void read(Reader reader, StoredTensor stored, Tensor into, long start) {
    read(reader, new WeightNames.Place(stored, 0, stored.bytes()), into, start);
  }

  /** The same of a part of a stored tensor. */
  static void read(Reader reader, WeightNames.Place stored, Tensor into, long start) {
    NumberType type = number(stored.tensor().type());
    try (Scope scope = new Scope()) {
      pieces(reader, stored, (piece, at) -> scope.store(piece, type, into, start + at / type.size()));
    }
  }

  /** Shows a part of a stored tensor in pieces, each with where it begins. */
  static void pieces(Reader reader, WeightNames.Place stored, BiConsumer<ByteBuffer, Long> piece) {
    for (long at = 0; at < stored.bytes(); at += PIECE) {
      ByteBuffer bytes = reader.bytes(stored.tensor(), stored.from() + at, (int) Math.min(PIECE, stored.bytes() - at));
      piece.accept(bytes, at);
      Mapped.release(bytes);
    }
  }

  /** Writes a stored tensor as it is. */
  static void copy(Reader reader, StoredTensor stored, Sink sink) throws IOException {
    for (long at = 0; at < stored.bytes(); at += PIECE) {
      ByteBuffer piece = reader.bytes(stored, at, (int) Math.min(PIECE, stored.bytes() - at));
      sink.put(piece);
      Mapped.release(piece);
    }
  }

  /** Writes {@code count} elements of a tensor from {@code start} on, in a number type. */
  static void write(Tensor from, long start, long count, NumberType type, Sink sink) throws IOException {
    long piece = PIECE / type.size();
    for (long at = 0; at < count; at += piece) {
      try (Scope scope = new Scope()) {
        sink.put(scope.kernels().load(from, type, start + at, Math.min(piece, count - at)).bytes());
      }
    }
  }

  static NumberType number(StoredType type) {
    return switch (type) {
      case F16 -> NumberType.F16;
      case BF16 -> NumberType.BF16;
      case F32 -> NumberType.F32;
      case I8 -> NumberType.INT8;
      case U8 -> NumberType.BYTE;
      case I32 -> NumberType.INT32;
      case F8_E4M3 -> NumberType.F8_E4M3;
      case F8_E5M2 -> NumberType.F8_E5M2;
      default -> throw new IllegalArgumentException(type + " is not a type of weights");
    };
  }

  static StoredType stored(NumberType type) {
    return switch (type) {
      case F16 -> StoredType.F16;
      case BF16 -> StoredType.BF16;
      case F32 -> StoredType.F32;
      default -> throw new IllegalArgumentException(type + " is not a type of weights");
    };
  }
}

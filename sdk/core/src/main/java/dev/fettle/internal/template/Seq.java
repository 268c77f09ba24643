package dev.fettle.internal.template;

import java.util.List;

/** A list, a tuple or something that is counted like one. */
public final class Seq {
  private final List<Object> items;
  private final Kind kind;

  /** What Python would call it. */
  enum Kind {
    LIST,
    TUPLE,
    RANGE,
    ITEMS,
    KEYS,
    VALUES;

    /** Whether this is a view of a dictionary, which has a length but no places. */
    boolean isView() {
      return this == ITEMS || this == KEYS || this == VALUES;
    }
  }

  Seq(List<Object> items, Kind kind) {
    this.items = items;
    this.kind = kind;
  }

  /** A list of values. */
  public static Seq list(List<Object> items) {
    return new Seq(items, Kind.LIST);
  }

  static Seq tuple(Object... items) {
    return new Seq(java.util.Arrays.asList(items), Kind.TUPLE);
  }

  List<Object> items() {
    return items;
  }

  Kind kind() {
    return kind;
  }

  @Override
  public boolean equals(Object other) {
    if (!(other instanceof Seq seq) || seq.kind != kind || seq.items.size() != items.size()) {
      return false;
    }
    for (int i = 0; i < items.size(); i++) {
      if (!Values.equal(items.get(i), seq.items.get(i))) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int hashCode() {
    return items.size();
  }
}

package dev.fettle.internal.template;

import java.util.List;

/** What Python calls a generator: it is gone through once, has no length and is true even if nothing is in it. */
final class Once {
  private final List<Object> items;
  private boolean taken;

  Once(List<Object> items) {
    this.items = items;
  }

  List<Object> take() {
    List<Object> rest = taken ? List.of() : items;
    taken = true;
    return rest;
  }
}

package dev.fettle.internal.data;

/** The examples whose content hash lies in a range. */
record PartSource(Source source, double from, double to) implements Source {
  @Override
  public Cursor open(long pass) {
    Cursor inner = source.open(pass);
    return new Cursor() {
      @Override
      public Item next() {
        Item item = inner.next();
        while (item != null && !contains(SplitMix.fraction(ContentHash.of(item.example())))) {
          item = inner.next();
        }
        return item;
      }

      @Override
      public void close() {
        inner.close();
      }
    };
  }

  private boolean contains(double place) {
    return from <= place && place < to;
  }

  @Override
  public boolean sameEachPass() {
    return source.sameEachPass();
  }

  @Override
  public Source once() {
    return new PartSource(source.once(), from, to);
  }

  @Override
  public long copies() {
    return source.copies();
  }

  @Override
  public String fingerprint() {
    return "part(" + Double.toHexString(from) + " " + Double.toHexString(to) + " " + source.fingerprint() + ")";
  }

  @Override
  public String toString() {
    return source + ", part " + percent(from) + " to " + percent(to) + " %";
  }

  private static String percent(double fraction) {
    double rounded = Math.round(fraction * 1000) / 10.0;
    return rounded == Math.rint(rounded) ? String.valueOf((long) rounded) : String.valueOf(rounded);
  }
}

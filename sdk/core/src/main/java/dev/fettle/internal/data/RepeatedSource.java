package dev.fettle.internal.data;

/** Several passes, one after the other. */
record RepeatedSource(Source source, int times) implements Source {
  @Override
  public Cursor open(long pass) {
    return new Cursor() {
      private int opened;
      private Cursor inner;
      private boolean closed;

      @Override
      public Item next() {
        while (!closed) {
          if (inner == null) {
            if (opened == times) {
              return null;
            }
            inner = source.open(pass * times + opened);
            opened++;
          }
          Item item = inner.next();
          if (item != null) {
            return item;
          }
          inner = null;
        }
        return null;
      }

      @Override
      public void close() {
        closed = true;
        if (inner != null) {
          inner.close();
        }
      }
    };
  }

  @Override
  public boolean sameEachPass() {
    return source.sameEachPass();
  }

  @Override
  public Source once() {
    return source.sameEachPass() ? source.once() : this;
  }

  @Override
  public long copies() {
    return source.sameEachPass() ? Math.multiplyExact(times, source.copies()) : 1;
  }

  @Override
  public String fingerprint() {
    return "repeat(" + times + " " + source.fingerprint() + ")";
  }

  @Override
  public String toString() {
    return source + (times == 1 ? ", 1 epoch" : ", " + times + " epochs");
  }
}

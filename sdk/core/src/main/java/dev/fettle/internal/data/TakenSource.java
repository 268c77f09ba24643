package dev.fettle.internal.data;

/** The first examples of each pass. */
record TakenSource(Source source, long most) implements Source {
  @Override
  public Cursor open(long pass) {
    Cursor inner = source.open(pass);
    return new Cursor() {
      private long given;

      @Override
      public Item next() {
        Item item = given < most ? inner.next() : null;
        given++;
        if (item == null || given == most) {
          inner.close();
        }
        return item;
      }

      @Override
      public void close() {
        given = most;
        inner.close();
      }
    };
  }

  @Override
  public String fingerprint() {
    return "take(" + most + " " + source.fingerprint() + ")";
  }

  @Override
  public String toString() {
    return source + ", first " + most;
  }
}

package dev.fettle.internal.data;

/** What all passes over the same batches need to check and say only once. Not thread-safe. */
public final class Told {
  private boolean checked;
  private boolean first;
  private boolean total;

  /** Nothing is checked or said yet. */
  public static Told nothing() {
    return new Told();
  }

  /** Someone else checks and says it. */
  public static Told byOthers() {
    Told told = new Told();
    told.all();
    return told;
  }

  /** All is checked and said. */
  public void all() {
    checked = true;
    first = true;
    total = true;
  }

  /** Whether what is to be refused was looked for, and not found. */
  boolean isChecked() {
    return checked;
  }

  /** It was looked for, and not found. */
  void checked() {
    checked = true;
  }

  /** Says that there is a long sequence, if there is one. */
  void first(Lengths lengths) {
    if (!first && lengths.exceeded()) {
      first = true;
      lengths.sayFirst();
    }
  }

  /** Says at the end of a pass how many there were. */
  void total(String what, Lengths lengths) {
    if (!total) {
      total = true;
      lengths.say(what);
    }
  }
}

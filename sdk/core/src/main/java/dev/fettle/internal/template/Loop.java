package dev.fettle.internal.template;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** What a template knows of the loop that it is in. It looks one item ahead, and only to count further than that. */
final class Loop implements Function {
  private Iterator<Object> rest;
  private final Function again;
  private final int depth;
  private int length;
  private int index = -1;
  private Object before;
  private Object current;
  private Object after;
  private boolean peeked;
  private List<Object> changed;

  /** A loop of {@code length} items, or -1 where they are not counted yet. */
  Loop(Iterator<Object> items, int length, Function again, int depth) {
    this.rest = items;
    this.length = length;
    this.again = again;
    this.depth = depth;
  }

  boolean hasNext() {
    return peeked || rest.hasNext();
  }

  Object next() {
    Object item = peeked ? after : rest.next();
    peeked = false;
    index++;
    before = current;
    current = item;
    return item;
  }

  int length() {
    if (length < 0) {
      List<Object> items = new ArrayList<>();
      rest.forEachRemaining(items::add);
      rest = items.iterator();
      length = index + 1 + items.size() + (peeked ? 1 : 0);
    }
    return length;
  }

  private boolean peek() {
    if (!peeked && rest.hasNext()) {
      after = rest.next();
      peeked = true;
    }
    return peeked;
  }

  /** An attribute, or {@link Attributes#NONE}. */
  Object attribute(String name) {
    return switch (name) {
      case "index" -> Numbers.of(index + 1);
      case "index0" -> Numbers.of(index);
      case "revindex" -> Numbers.of(length() - index);
      case "revindex0" -> Numbers.of(length() - index - 1);
      case "first" -> index == 0;
      case "last" -> !peek();
      case "length" -> Numbers.of(length());
      case "depth" -> Numbers.of(depth + 1);
      case "depth0" -> Numbers.of(depth);
      case "previtem" -> index == 0 ? new Undefined("there is no previous item") : before;
      case "nextitem" -> peek() ? after : new Undefined("there is no next item");
      case "cycle" -> (Function) (arguments, run) -> {
        if (arguments.positional().isEmpty()) {
          throw TemplateException.type("no items for cycling given");
        }
        return arguments.positional().get(index % arguments.positional().size());
      };
      case "changed" -> (Function) (arguments, run) -> {
        boolean differs = changed == null || !Seq.list(changed).equals(Seq.list(arguments.positional()));
        changed = arguments.positional();
        return differs;
      };
      default -> Attributes.NONE;
    };
  }

  @Override
  public String toString() {
    return "<LoopContext " + (index + 1) + "/" + length() + ">";
  }

  @Override
  public Object call(Arguments arguments, Run run) {
    return again.call(arguments, run);
  }
}

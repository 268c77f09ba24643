package dev.fettle.internal.template;

import dev.fettle.internal.template.Node.Expression;
import dev.fettle.internal.template.Node.Signal;
import dev.fettle.internal.template.Node.Statement;
import dev.fettle.internal.template.Node.Target;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * A loop. Text that is written while an item is looked at belongs to it, if the item is a message.
 *
 * @param test which items are left out; null for none
 * @param otherwise what is written if there are no items; null for nothing
 */
record ForLoop(Target target, Expression items, Expression test, boolean recursive, Statement body, Statement otherwise)
    implements Statement {
  @Override
  public Signal run(Scope scope, TextBuilder out) {
    over(items.value(scope), scope, out, 0);
    return Signal.NEXT;
  }

  private void over(Object value, Scope scope, TextBuilder out, int depth) {
    List<Object> all = Values.items(value);
    scope.run().weigh(value);
    Function again = (arguments, run) -> {
      if (!recursive) {
        throw TemplateException.type("the loop must have the 'recursive' marker to be called");
      }
      TextBuilder text = new TextBuilder();
      over(arguments.bind("loop", "items")[0], scope, text, depth + 1);
      return text.text();
    };
    Run run = scope.run();
    Loop loop = test == null ? new Loop(all.iterator(), all.size(), again, depth)
        : new Loop(filtered(all.iterator(), scope), -1, again, depth);
    Origin before = run.template();
    run.enter();
    run.loop(1);
    boolean none = true;
    while (loop.hasNext()) {
      none = false;
      Object item = loop.next();
      run.spend(1);
      run.turn(before);
      run.turnOf(item);
      Scope inner = scope.inner();
      target.set(inner, item);
      inner.set("loop", loop);
      if (body.run(inner, out) == Signal.BREAK) {
        break;
      }
    }
    run.turn(before);
    run.loop(-1);
    run.leave();
    if (none && otherwise != null) {
      otherwise.run(scope.inner(), out);
    }
  }

  private Iterator<Object> filtered(Iterator<Object> all, Scope scope) {
    return new Iterator<>() {
      private Object next;
      private boolean found;

      @Override
      public boolean hasNext() {
        while (!found && all.hasNext()) {
          next = all.next();
          Scope inner = scope.inner();
          target.set(inner, next);
          found = Values.truth(test.value(inner));
        }
        return found;
      }

      @Override
      public Object next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        found = false;
        return next;
      }
    };
  }
}

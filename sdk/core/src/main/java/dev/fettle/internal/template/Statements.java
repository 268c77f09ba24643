package dev.fettle.internal.template;

import dev.fettle.internal.template.Node.Expression;
import dev.fettle.internal.template.Node.Signal;
import dev.fettle.internal.template.Node.Statement;
import dev.fettle.internal.template.Node.Target;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What statements do that is more than a line. */
final class Statements {
  private static final String HELD = " held";

  private Statements() {}

  /** Stands for the text of a block within the filters that it goes through. */
  static final class Held implements Expression {
    @Override
    public Object value(Scope scope) {
      return scope.get(HELD);
    }
  }

  /** What a value prints. */
  static Text printed(Object value) {
    if (value instanceof Once) {
      throw TemplateException.type("a generator has no text of its own: put | list or | join behind it");
    }
    return Values.str(value);
  }

  static Target unpacked(List<Target> targets) {
    return (scope, value) -> {
      List<Object> items = Values.items(value);
      if (items.size() != targets.size()) {
        throw TemplateException.type("expected " + targets.size() + " values to unpack, not " + items.size());
      }
      for (int i = 0; i < items.size(); i++) {
        targets.get(i).set(scope, items.get(i));
      }
    };
  }

  static void setAttribute(Object of, String name, Object value) {
    if (!(of instanceof Namespace namespace)) {
      throw TemplateException.type("cannot assign attribute on non-namespace object");
    }
    namespace.set(name, value);
  }

  static Statement setBlock(Target target, Expression value, Statement body) {
    return (scope, out) -> {
      Scope inner = scope.inner();
      inner.set(HELD, captured(body, scope.inner()));
      target.set(scope, value.value(inner));
      return Signal.NEXT;
    };
  }

  static Statement filterBlock(Expression value, Statement body) {
    return (scope, out) -> {
      Scope inner = scope.inner();
      inner.set(HELD, captured(body, scope.inner()));
      out.append(printed(value.value(inner)));
      return Signal.NEXT;
    };
  }

  static Text captured(Statement body, Scope scope) {
    TextBuilder text = new TextBuilder();
    body.run(scope, text);
    return text.text();
  }

  /** What an assistant is to learn, as a template marks it. */
  static Statement generation(Statement body) {
    return (scope, out) -> {
      Text text = captured(body, scope.inner());
      for (int i = 0; i < text.runs(); i++) {
        Origin marked = text.origin(i).inGeneration(scope.run().template().message());
        out.append(text.chars().substring(text.start(i), text.end(i)), marked);
      }
      return Signal.NEXT;
    };
  }

  static Statement callBlock(Expression callee, Calls arguments, Macro.Signature caller) {
    return (scope, out) -> {
      Arguments given = arguments.values(scope);
      Map<String, Object> named = new LinkedHashMap<>(given.named());
      named.put("caller", new Macro(caller, scope));
      out.append(printed(Calls.call(callee.value(scope), new Arguments(given.positional(), named), scope.run())));
      return Signal.NEXT;
    };
  }
}

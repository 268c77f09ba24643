package dev.fettle.internal.template;

import dev.fettle.internal.template.Node.Expression;
import dev.fettle.internal.template.Node.Statement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A macro.
 *
 * @param around what it sees beside its parameters: the place where it was defined
 */
record Macro(Signature signature, Scope around) implements Function {
  /**
   * How a macro is written.
   *
   * @param defaults one for each parameter, null where there is none
   * @param used the names that the body reads, which decide whether it takes more arguments than it names
   */
  record Signature(String name, List<String> parameters, List<Expression> defaults, Set<String> used, Statement body) {}

  @Override
  public String toString() {
    return "<Macro '" + signature.name() + "'>";
  }

  @Override
  public Object call(Arguments arguments, Run run) {
    Scope scope = around.inner();
    Map<String, Object> named = new LinkedHashMap<>(arguments.named());
    List<String> parameters = signature.parameters();
    int given = arguments.positional().size();
    for (int i = 0; i < parameters.size(); i++) {
      String name = parameters.get(i);
      if (i < given) {
        scope.set(name, arguments.positional().get(i));
      } else if (named.containsKey(name)) {
        scope.set(name, named.remove(name));
      } else if (signature.defaults().get(i) != null) {
        scope.set(name, signature.defaults().get(i).value(scope));
      } else {
        scope.set(name, new Undefined("parameter '" + name + "' was not provided"));
      }
    }
    others(scope, named, arguments);
    run.enter();
    Text text = Statements.captured(signature.body(), scope);
    run.leave();
    return text;
  }

  private void others(Scope scope, Map<String, Object> named, Arguments arguments) {
    int count = signature.parameters().size();
    if (signature.used().contains("caller") && !signature.parameters().contains("caller")) {
      Object caller = named.remove("caller");
      scope.set("caller", caller == null ? new Undefined("no caller defined") : caller);
    }
    if (signature.used().contains("kwargs")) {
      Dict rest = new Dict();
      named.forEach(rest::put);
      scope.set("kwargs", rest);
    } else if (!named.isEmpty()) {
      throw TemplateException.type("macro '" + signature.name() + "' takes no keyword argument '"
          + named.keySet().iterator().next() + "'");
    }
    if (signature.used().contains("varargs")) {
      List<Object> all = arguments.positional();
      scope.set("varargs", Seq.tuple(all.subList(Math.min(count, all.size()), all.size()).toArray()));
    } else if (arguments.positional().size() > count) {
      throw TemplateException.type("macro '" + signature.name() + "' takes not more than " + count + " argument(s)");
    }
  }
}

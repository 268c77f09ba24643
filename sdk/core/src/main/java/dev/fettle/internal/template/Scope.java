package dev.fettle.internal.template;

import java.util.HashMap;
import java.util.Map;

/** The names that a part of a template sees: its own and those around it. */
final class Scope {
  private final Scope around;
  private final Run run;
  private final Map<String, Object> names = new HashMap<>();

  private Scope(Scope around, Run run) {
    this.around = around;
    this.run = run;
  }

  static Scope root(Run run) {
    return new Scope(null, run);
  }

  Scope inner() {
    return new Scope(this, run);
  }

  Run run() {
    return run;
  }

  void set(String name, Object value) {
    names.put(name, value);
  }

  Object get(String name) {
    for (Scope scope = this; scope != null; scope = scope.around) {
      if (scope.names.containsKey(name)) {
        return scope.names.get(name);
      }
    }
    if (run.variables().containsKey(name)) {
      Object value = run.variables().get(name);
      return value instanceof Text text && text.runs() == 1 && text.origin(0).equals(Origin.TEMPLATE)
          ? Text.of(text.chars(), run.template()) : value;
    }
    Object global = Globals.find(name);
    return global != null ? global : name.equals("self") ? new Namespace() : Undefined.name(name);
  }
}

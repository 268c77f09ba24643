package dev.fettle.internal.template;

/** The value of a name that nothing defines: empty where it is printed, an error where it is used. */
record Undefined(String problem) {
  static Undefined name(String name) {
    return new Undefined("'" + name + "' is undefined");
  }

  static Undefined of(Object value, Object name) {
    return new Undefined(value == null ? "None has no attribute " + Values.repr(name)
        : name instanceof Text ? "'" + Values.type(value) + " object' has no attribute " + Values.repr(name)
        : Values.type(value) + " object has no element " + Values.repr(name));
  }

  TemplateException error() {
    return new TemplateException(problem);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Undefined;
  }

  @Override
  public int hashCode() {
    return 1;
  }
}

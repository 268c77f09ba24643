package dev.fettle.internal.template;

/** Something that a template calls. */
interface Function {
  Object call(Arguments arguments, Run run);

  /** The same, which refuses arguments with names, as most methods do. */
  default Function withoutNames(String what) {
    return (arguments, run) -> {
      if (!arguments.named().isEmpty()) {
        throw TemplateException.type(what + "() takes no keyword arguments");
      }
      return call(arguments, run);
    };
  }
}

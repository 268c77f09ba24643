package dev.fettle.internal.template;

/** Something that a template calls. */
interface Function {
  Object call(Arguments arguments, Run run);
}

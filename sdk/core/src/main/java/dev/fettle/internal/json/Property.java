package dev.fettle.internal.json;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** How a component of a record is written, where that is not as {@link Records} has it. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Property {

  /** Another name than its own in snake case. */
  String name() default "";

  /** Whether null is written. */
  boolean always() default false;

  /** Whether it is a Long that some write with a sign and some without. */
  boolean unsigned() default false;
}

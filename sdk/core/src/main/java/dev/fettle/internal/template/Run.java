package dev.fettle.internal.template;

import java.time.Clock;
import java.util.Map;

/** One rendering: what is given to it, whose turn it is, and how much work it may still do. */
final class Run {
  private static final int DEEPEST = 100;
  private static final int CHARS_A_STEP = 8;
  private static final int ITEMS_A_STEP = 2;
  private static final int STEPS_A_CALL = 8;

  private final Map<String, Object> variables;
  private final Clock clock;
  private final long allowed;
  private long work;
  private int depth;
  private int loops;
  private Origin template = Origin.TEMPLATE;

  Run(Map<String, Object> variables, Clock clock, long allowed) {
    this.variables = variables;
    this.clock = clock;
    this.allowed = allowed;
  }

  Map<String, Object> variables() {
    return variables;
  }

  Clock clock() {
    return clock;
  }

  /** The origin of the template's own text where the rendering stands now. */
  Origin template() {
    return template;
  }

  /** Says whose turn it is. */
  void turn(Origin origin) {
    template = origin;
  }

  /** A message that is looked at within a loop has its turn, unless another has it. */
  void looksAt(Object value) {
    if (loops > 0 && template.message() == Origin.NOBODY) {
      turnOf(value);
    }
  }

  void turnOf(Object value) {
    if (value instanceof Dict dict && dict.message() != Origin.NOBODY) {
      template = new Origin(dict.message(), Origin.Field.TEMPLATE);
    }
  }

  void loop(int change) {
    loops += change;
  }

  /** Accounts for work; a template that does not end is ended here. */
  void spend(long steps) {
    work += steps;
    if (work > allowed) {
      throw new TemplateException("the template does more than " + allowed + " steps, far more than this conversation needs");
    }
  }

  /** Accounts for a value that is gone through. */
  void weigh(Object value) {
    if (value instanceof Text text) {
      work += text.chars().length() / CHARS_A_STEP;
    } else if (value instanceof Seq seq) {
      work += seq.items().size() / ITEMS_A_STEP;
    } else if (value instanceof Dict dict) {
      work += dict.size() / ITEMS_A_STEP;
    }
  }

  /** Accounts for a value that was made. */
  Object made(Object value) {
    spend(1 + (value instanceof Text text ? text.chars().length() / CHARS_A_STEP
        : value instanceof Seq seq ? seq.items().size() / ITEMS_A_STEP : 0));
    return value;
  }

  void enter() {
    spend(STEPS_A_CALL);
    if (++depth > DEEPEST) {
      throw new TemplateException("macros or loops that call themselves more than " + DEEPEST + " times");
    }
  }

  void leave() {
    depth--;
  }
}

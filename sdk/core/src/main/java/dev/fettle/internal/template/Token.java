package dev.fettle.internal.template;

/**
 * A token of a template.
 *
 * @param text its characters, for a string those that it stands for
 * @param line where it begins, from 1
 * @param column the same
 */
record Token(Kind kind, String text, int line, int column) {
  enum Kind {
    DATA,
    VARIABLE_BEGIN,
    VARIABLE_END,
    BLOCK_BEGIN,
    BLOCK_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(String operator) {
    return kind == Kind.OPERATOR && text.equals(operator);
  }

  boolean named(String name) {
    return kind == Kind.NAME && text.equals(name);
  }

  TemplateException error(String problem) {
    return new TemplateException(problem).at(line, column);
  }

  /** For messages. */
  String described() {
    return switch (kind) {
      case END -> "the end of the template";
      case BLOCK_END -> "%}";
      case VARIABLE_END -> "}}";
      case BLOCK_BEGIN -> "{%";
      case VARIABLE_BEGIN -> "{{";
      case DATA -> "text";
      default -> "'" + text + "'";
    };
  }
}

package dev.fettle.internal.template;

import java.util.List;

/** What a template is made of. */
final class Node {
  private Node() {}

  /** Something with a value. */
  interface Expression {
    Object value(Scope scope);
  }

  /** Something that writes. */
  interface Statement {
    Signal run(Scope scope, TextBuilder out);
  }

  /** How a statement ended. */
  enum Signal {
    NEXT,
    BREAK,
    CONTINUE
  }

  /** Where a value goes. */
  interface Target {
    void set(Scope scope, Object value);
  }

  /** An expression whose errors say where it stands, and whose work is accounted for. */
  static Expression at(Token token, Expression expression) {
    return scope -> {
      try {
        return scope.run().made(expression.value(scope));
      } catch (TemplateException e) {
        throw e.at(token.line(), token.column());
      }
    };
  }

  static Statement at(Token token, Statement statement) {
    return (scope, out) -> {
      try {
        scope.run().spend(1);
        return statement.run(scope, out);
      } catch (TemplateException e) {
        throw e.at(token.line(), token.column());
      }
    };
  }

  static Statement block(List<Statement> statements) {
    Statement[] all = statements.toArray(Statement[]::new);
    return (scope, out) -> {
      for (Statement statement : all) {
        Signal signal = statement.run(scope, out);
        if (signal != Signal.NEXT) {
          return signal;
        }
      }
      return Signal.NEXT;
    };
  }
}

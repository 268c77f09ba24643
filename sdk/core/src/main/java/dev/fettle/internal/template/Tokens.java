package dev.fettle.internal.template;

import dev.fettle.internal.template.Token.Kind;
import java.util.List;

/** The tokens of a template, one after the other. */
final class Tokens {
  private static final int DEEPEST = 100;

  private final List<Token> all;
  private int at;
  private int depth;

  Tokens(List<Token> all) {
    this.all = all;
  }

  Token current() {
    return all.get(at);
  }

  Token look() {
    return all.get(Math.min(at + 1, all.size() - 1));
  }

  Token next() {
    return all.get(at == all.size() - 1 ? at : at++);
  }

  boolean skip(String operator) {
    return current().is(operator) && next() != null;
  }

  boolean skipName(String name) {
    return current().named(name) && next() != null;
  }

  Token expect(Kind kind, String what) {
    if (current().kind() != kind) {
      throw current().error("expected " + what + ", not " + current().described());
    }
    return next();
  }

  Token expect(String operator) {
    if (!current().is(operator)) {
      throw current().error("expected '" + operator + "', not " + current().described());
    }
    return next();
  }

  Token name() {
    return expect(Kind.NAME, "a name");
  }

  void enter() {
    if (++depth > DEEPEST) {
      throw current().error("more than " + DEEPEST + " levels");
    }
  }

  void leave() {
    depth--;
  }
}

package dev.fettle.internal.template;

import dev.fettle.internal.template.Node.Expression;
import dev.fettle.internal.template.Node.Signal;
import dev.fettle.internal.template.Node.Statement;
import dev.fettle.internal.template.Node.Target;
import dev.fettle.internal.template.Token.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Reads statements. */
final class Parser {
  private static final Set<String> ELSEWHERE = Set.of("include", "import", "from", "extends", "block");

  private final Tokens tokens;
  private final ExpressionParser expressions;
  private int loops;

  private Parser(List<Token> all) {
    tokens = new Tokens(all);
    expressions = new ExpressionParser(tokens);
  }

  static Statement parse(List<Token> tokens) {
    return new Parser(tokens).body();
  }

  /** Statements up to one of the tags that end them, whose name is not yet taken. */
  private Statement body(String... ends) {
    tokens.enter();
    List<Statement> statements = new ArrayList<>();
    while (true) {
      Token token = tokens.next();
      switch (token.kind()) {
        case DATA -> {
          String text = token.text();
          statements.add((scope, out) -> {
            scope.run().spend(1);
            out.append(text, scope.run().template());
            return Signal.NEXT;
          });
        }
        case VARIABLE_BEGIN -> {
          Token place = tokens.current();
          Expression value = expressions.tuple(true, false, null);
          tokens.expect(Kind.VARIABLE_END, "}}");
          statements.add(Node.at(place, (scope, out) -> {
            out.append((Text) scope.run().made(Statements.printed(value.value(scope))));
            return Signal.NEXT;
          }));
        }
        case BLOCK_BEGIN -> {
          for (String end : ends) {
            if (tokens.current().named(end)) {
              tokens.leave();
              return Node.block(statements);
            }
          }
          statements.add(statement());
          tokens.expect(Kind.BLOCK_END, "%}");
        }
        default -> {
          if (ends.length > 0) {
            throw token.error("the template ends where " + String.join(" or ", ends) + " is missing");
          }
          tokens.leave();
          return Node.block(statements);
        }
      }
    }
  }

  /** What follows a tag up to the tag that ends it, which is taken. */
  private Statement inner(String end) {
    begin();
    Statement body = body(end);
    tokens.next();
    return body;
  }

  /** The same for what is called later, and so is in no loop. */
  private Statement apart(String end) {
    int around = loops;
    loops = 0;
    Statement body = inner(end);
    loops = around;
    return body;
  }

  private void begin() {
    tokens.skip(":");
    tokens.expect(Kind.BLOCK_END, "%}");
  }

  private Statement statement() {
    Token token = tokens.expect(Kind.NAME, "the name of a tag");
    return Node.at(token, switch (token.text()) {
      case "set" -> set();
      case "for" -> loop();
      case "if" -> condition();
      case "macro" -> macro();
      case "call" -> call();
      case "filter" -> filter();
      case "with" -> with();
      case "generation" -> Statements.generation(apart("endgeneration"));
      case "break", "continue" -> {
        if (loops == 0) {
          throw token.error("'" + token.text() + "' outside of a loop");
        }
        yield (scope, out) -> token.named("break") ? Signal.BREAK : Signal.CONTINUE;
      }
      case "print" -> {
        Expression value = expressions.tuple(true, false, null);
        yield (scope, out) -> {
          out.append(Statements.printed(value.value(scope)));
          return Signal.NEXT;
        };
      }
      default -> throw token.error(ELSEWHERE.contains(token.text())
          ? "the tag " + token.text() + " needs other templates, which a chat template does not have"
          : "unknown tag '" + token.text() + "'");
    });
  }

  private Statement set() {
    Target target = target(true, null);
    if (tokens.skip("=")) {
      Expression value = expressions.tuple(true, false, null);
      return (scope, out) -> {
        Object result = value.value(scope);
        scope.run().looksAt(result);
        target.set(scope, result);
        return Signal.NEXT;
      };
    }
    Expression value = new Statements.Held();
    while (tokens.current().is("|")) {
      value = expressions.filter(value);
    }
    return Statements.setBlock(target, value, inner("endset"));
  }

  private Target target(boolean attributes, String end) {
    List<Target> targets = new ArrayList<>();
    boolean several = false;
    do {
      if (tokens.current().is("=") || tokens.current().kind() == Kind.BLOCK_END || end != null && tokens.current().named(end)) {
        break;
      }
      targets.add(one(attributes));
      several |= tokens.current().is(",");
    } while (tokens.skip(","));
    if (targets.isEmpty()) {
      throw tokens.current().error("expected a name, not " + tokens.current().described());
    }
    return several ? Statements.unpacked(targets) : targets.get(0);
  }

  private Target one(boolean attributes) {
    if (tokens.skip("(")) {
      tokens.enter();
      Target inner = target(attributes, null);
      tokens.expect(")");
      tokens.leave();
      return inner;
    }
    Token name = tokens.name();
    if (Set.of("true", "false", "none", "True", "False", "None").contains(name.text())) {
      throw name.error("nothing can be assigned to " + name.text());
    }
    if (attributes && tokens.skip(".")) {
      String attribute = tokens.name().text();
      return (scope, value) -> Statements.setAttribute(scope.get(name.text()), attribute, value);
    }
    return (scope, value) -> scope.set(name.text(), value);
  }

  private Statement loop() {
    if (tokens.current().named("loop")) {
      throw tokens.current().error("'loop' cannot be the variable of a loop");
    }
    Target target = target(false, "in");
    if (!tokens.skipName("in")) {
      throw tokens.current().error("expected 'in', not " + tokens.current().described());
    }
    Expression items = expressions.tuple(false, false, "recursive");
    Expression test = tokens.skipName("if") ? expressions.expression() : null;
    boolean recursive = tokens.skipName("recursive");
    begin();
    loops++;
    Statement body = body("endfor", "else");
    loops--;
    Statement otherwise = tokens.next().named("else") ? inner("endfor") : null;
    return new ForLoop(target, items, test, recursive, body, otherwise);
  }

  private Statement condition() {
    List<Expression> tests = new ArrayList<>();
    List<Statement> bodies = new ArrayList<>();
    Statement otherwise = (scope, out) -> Signal.NEXT;
    while (true) {
      tests.add(expressions.tuple(false, false, null));
      begin();
      bodies.add(body("elif", "else", "endif"));
      Token end = tokens.next();
      if (end.named("else")) {
        otherwise = inner("endif");
      }
      if (!end.named("elif")) {
        break;
      }
    }
    Statement last = otherwise;
    return (scope, out) -> {
      for (int i = 0; i < tests.size(); i++) {
        if (Values.truth(tests.get(i).value(scope))) {
          return bodies.get(i).run(scope, out);
        }
      }
      return last.run(scope, out);
    };
  }

  private Statement macro() {
    String name = tokens.name().text();
    Macro.Signature signature = signature(name);
    return (scope, out) -> {
      scope.set(name, new Macro(signature, scope));
      return Signal.NEXT;
    };
  }

  private Macro.Signature signature(String name) {
    List<String> parameters = new ArrayList<>();
    List<Expression> defaults = new ArrayList<>();
    if (tokens.skip("(")) {
      while (!tokens.current().is(")")) {
        if (!parameters.isEmpty()) {
          tokens.expect(",");
        }
        Token parameter = tokens.name();
        parameters.add(parameter.text());
        defaults.add(tokens.skip("=") ? expressions.expression() : null);
        if (parameters.size() > 1 && defaults.get(defaults.size() - 1) == null && defaults.get(defaults.size() - 2) != null) {
          throw parameter.error("a parameter without a default value after one that has one");
        }
      }
      tokens.expect(")");
    } else if (!name.equals("caller")) {
      throw tokens.current().error("expected '(', not " + tokens.current().described());
    }
    if (name.equals("caller")) {
      return new Macro.Signature(name, parameters, defaults, Set.of(), null);
    }
    Set<String> around = expressions.exchange(new HashSet<>());
    Statement body = apart("endmacro");
    Set<String> used = expressions.exchange(around);
    around.addAll(used);
    return new Macro.Signature(name, parameters, defaults, used, body);
  }

  private Statement call() {
    Macro.Signature head = signature("caller");
    Token place = tokens.current();
    Expression callee = expressions.callee();
    if (!tokens.current().is("(")) {
      throw place.error("expected a call");
    }
    Calls arguments = expressions.arguments();
    Set<String> around = expressions.exchange(new HashSet<>());
    Statement body = apart("endcall");
    Set<String> used = expressions.exchange(around);
    around.addAll(used);
    Macro.Signature caller = new Macro.Signature("caller", head.parameters(), head.defaults(), used, body);
    return Statements.callBlock(callee, arguments, caller);
  }

  private Statement filter() {
    Expression value = expressions.filterNamed(new Statements.Held());
    while (tokens.current().is("|")) {
      value = expressions.filter(value);
    }
    return Statements.filterBlock(value, inner("endfilter"));
  }

  private Statement with() {
    List<Target> targets = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (tokens.current().kind() != Kind.BLOCK_END) {
      if (!targets.isEmpty()) {
        tokens.expect(",");
      }
      targets.add(one(false));
      tokens.expect("=");
      values.add(expressions.expression());
    }
    Statement body = inner("endwith");
    return (scope, out) -> {
      Scope inner = scope.inner();
      for (int i = 0; i < targets.size(); i++) {
        targets.get(i).set(inner, values.get(i).value(scope));
      }
      return body.run(inner, out);
    };
  }
}

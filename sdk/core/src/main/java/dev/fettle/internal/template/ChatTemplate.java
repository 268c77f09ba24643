package dev.fettle.internal.template;

import dev.fettle.InvalidInputException;
import dev.fettle.internal.template.Node.Statement;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** A chat template that was read: the Jinja that transformers runs. Immutable and thread-safe. */
public final class ChatTemplate {
  private static final long STEPS = 1_000_000;
  private static final int STEPS_A_CHARACTER = 200;
  private static final int LONGEST = 1 << 20;

  private final String source;
  private final String where;
  private final Statement body;
  private final Set<String> words;

  private ChatTemplate(String source, String where, List<Token> tokens) {
    this.source = source;
    this.where = where;
    this.body = Parser.parse(tokens);
    this.words = tokens.stream().filter(token -> token.kind() == Token.Kind.NAME || token.kind() == Token.Kind.STRING)
        .map(Token::text).collect(Collectors.toUnmodifiableSet());
  }

  /**
   * Reads a template.
   *
   * @param where names it in errors, such as the file that holds it
   * @throws InvalidInputException with line and column, if it is no template
   */
  public static ChatTemplate parse(String source, String where) {
    if (source.length() > LONGEST) {
      throw new InvalidInputException(where + ": a template of " + source.length() + " characters; " + LONGEST + " are the most");
    }
    try {
      return new ChatTemplate(source, where, Lexer.tokens(source));
    } catch (TemplateException e) {
      throw new InvalidInputException(where + ", " + e.getMessage(), e);
    }
  }

  /** Whether a word stands anywhere in it. */
  public boolean mentions(String word) {
    return source.contains(word);
  }

  /** Whether a variable or a field of this name may be read in it. */
  public boolean reads(String name) {
    return words.contains(name);
  }

  /**
   * The text that it writes.
   *
   * @param variables the values of its names
   * @param characters about how many characters they hold, from which follows how much work is allowed
   * @throws InvalidInputException with line and column, if it fails, refuses what it is given, or does too much
   */
  public Text render(Map<String, Object> variables, int characters, Clock clock) {
    Run run = new Run(variables, clock, STEPS + (long) STEPS_A_CHARACTER * characters);
    TextBuilder out = new TextBuilder();
    try {
      body.run(Scope.root(run), out);
      return out.text();
    } catch (TemplateException e) {
      throw new InvalidInputException(where + ", " + e.getMessage(), e);
    } catch (StackOverflowError e) {
      throw new InvalidInputException(where + ": it goes too deep", e);
    } catch (IndexOutOfBoundsException | ClassCastException | ArithmeticException | NullPointerException e) {
      throw new InvalidInputException(where + ": it does something that is not understood: " + e, e);
    }
  }
}

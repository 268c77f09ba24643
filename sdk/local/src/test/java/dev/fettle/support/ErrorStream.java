package dev.fettle.support;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** What a test has the library say on {@code System.err}; registered as an extension. */
public final class ErrorStream implements BeforeEachCallback, AfterEachCallback {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private PrintStream before;

  @Override
  public void beforeEach(ExtensionContext test) {
    before = System.err;
    bytes.reset();
    System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
  }

  @Override
  public void afterEach(ExtensionContext test) {
    System.setErr(before);
  }

  /** The lines that speak of lengths; progress may be among the others. */
  public List<String> ofLengths() {
    return said().lines().filter(l -> l.contains("skipped") || l.contains(" cut")).toList();
  }

  /** All of it. */
  public String said() {
    return bytes.toString(StandardCharsets.UTF_8);
  }
}

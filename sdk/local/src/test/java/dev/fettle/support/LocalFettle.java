package dev.fettle.support;

import dev.fettle.BaseModel;
import dev.fettle.DType;
import dev.fettle.Fettle;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The local engine for a test; registered as an extension, it closes after the test. */
public final class LocalFettle implements AfterEachCallback {
  private final Fettle fettle = Fettle.local();

  public Fettle fettle() {
    return fettle;
  }

  /** A golden model, in f32. */
  public BaseModel golden(String name) {
    return fettle.load(Golden.path("models/" + name), DType.F32);
  }

  @Override
  public void afterEach(ExtensionContext test) {
    fettle.close();
  }
}

package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.internal.LocalEngine;
import dev.fettle.support.Layers;
import dev.fettle.support.SourceFiles;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The library where the artifact with the engine and the libraries that it alone needs are not on the class path. */
class WithoutEngineTest {
  private static final Path CLASSES = SourceFiles.CORE_CLASSES;

  /** Fettle's classes and what they need, but nothing of the engine. */
  private static final class Core extends URLClassLoader {
    Core() throws Exception {
      super(new URL[] {CLASSES.toUri().toURL()}, WithoutEngineTest.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      boolean own = name.startsWith("dev.fettle.");
      boolean engine = own ? Layers.isEngine(name.substring("dev.fettle.".length()))
          : name.startsWith("ai.djl.") && !name.startsWith("ai.djl.huggingface.");
      if (engine) {
        throw new ClassNotFoundException(name);
      }
      if (!own) {
        return super.loadClass(name, resolve);
      }
      synchronized (getClassLoadingLock(name)) {
        Class<?> loaded = findLoadedClass(name);
        return loaded == null ? findClass(name) : loaded;
      }
    }

    @Override
    public Enumeration<URL> getResources(String name) throws IOException {
      boolean engine = name.startsWith("META-INF/services/dev.fettle.");
      return engine ? Collections.emptyEnumeration() : super.getResources(name);
    }
  }

  private static Object call(Core core, String type, String method, Class<?>[] parameters, Object... arguments)
      throws Throwable {
    Method found = Class.forName("dev.fettle." + type, true, core).getMethod(method, parameters);
    try {
      return found.invoke(null, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  @Test
  void whatNeedsTheEngineSaysWhichArtifactIsMissing() throws Exception {
    try (Core core = new Core()) {
      assertThatThrownBy(() -> call(core, "Fettle", "local", new Class<?>[0]))
          .hasToString("dev.fettle.FettleException: Fettle.local() needs the engine for this machine, which is not on "
              + "the class path: add dev.fettle:fettle-local to the dependencies, in the version of dev.fettle:fettle-core");
      Class<?>[] idsAndVectors = {List.class, float[][].class};
      assertThatThrownBy(() -> call(core, "ranking.VectorIndex", "of", idsAndVectors, List.of("a"), new float[][] {{1}}))
          .hasMessageStartingWith("VectorIndex needs the engine")
          .hasMessageContaining("dev.fettle:fettle-local");
    }
  }

  @Test
  void aServiceIsReachedWithoutIt() throws Throwable {
    try (Core core = new Core();
        AutoCloseable remote = (AutoCloseable) call(core, "Fettle", "remote", new Class<?>[] {URI.class},
            URI.create("http://127.0.0.1:1"))) {
      assertThat(remote.getClass().getClassLoader()).isSameAs(core);
      assertThat(remote).hasToString("Fettle[http://127.0.0.1:1]");
    }
  }

  @Test
  void everyTypeOfTheCoreLoadsWithoutIt() throws Exception {
    TreeSet<String> broken = new TreeSet<>();
    int loaded = 0;
    try (Core core = new Core()) {
      for (String type : Layers.read().types()) {
        if (!Layers.isEngine(type)) {
          try {
            Class<?> found = Class.forName("dev.fettle." + type, true, core);
            found.getDeclaredMethods();
            found.getDeclaredFields();
            loaded++;
          } catch (LinkageError e) {
            broken.add(type + ": " + e);
          }
        }
      }
    }
    assertThat(broken).isEmpty();
    assertThat(loaded).isGreaterThan(200);
  }

  @Test
  void theEngineOnTheClassPathIsFound() {
    assertThat(LocalEngine.find("this test").getClass().getSimpleName()).isEqualTo("LibtorchEngine");
  }
}

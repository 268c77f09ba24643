package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import dev.fettle.support.SourceFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/** Every public member of {@code dev.fettle} says what it is; where it overrides another, that one does. */
class PublicJavadocTest {
  private static List<String> undocumented(List<Path> files) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    List<String> found = new ArrayList<>();
    try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
      JavacTask task = (JavacTask) compiler.getTask(null, manager, null, null, null, manager.getJavaFileObjectsFromPaths(files));
      for (CompilationUnitTree unit : task.parse()) {
        new Scanner(DocTrees.instance(task), found).scan(unit, null);
      }
    }
    return found;
  }

  private static final class Scanner extends TreePathScanner<Void, Void> {
    private final DocTrees docs;
    private final List<String> found;

    Scanner(DocTrees docs, List<String> found) {
      this.docs = docs;
      this.found = found;
    }

    @Override
    public Void visitClass(ClassTree tree, Void none) {
      if (!isPublic(tree.getModifiers())) {
        return null;
      }
      check(tree.getSimpleName().toString());
      for (Tree member : tree.getMembers()) {
        if (!(member instanceof VariableTree field && tree.getKind() == Tree.Kind.RECORD && !isStatic(field))) {
          scan(member, none);
        }
      }
      return null;
    }

    @Override
    public Void visitMethod(MethodTree tree, Void none) {
      ClassTree owner = (ClassTree) getCurrentPath().getParentPath().getLeaf();
      boolean overrides = tree.getModifiers().getAnnotations().stream().anyMatch(a -> a.toString().contains("Override"));
      boolean canonical = owner.getKind() == Tree.Kind.RECORD && tree.getReturnType() == null;
      if (isPublic(tree.getModifiers()) && !overrides && !canonical) {
        check(owner.getSimpleName() + "." + tree.getName());
      }
      return null;
    }

    @Override
    public Void visitVariable(VariableTree tree, Void none) {
      if (isPublic(tree.getModifiers())) {
        check(tree.getName().toString());
      }
      return null;
    }

    private void check(String name) {
      if (docs.getDocCommentTree(getCurrentPath()) == null) {
        found.add(name);
      }
    }

    private static boolean isStatic(VariableTree field) {
      return field.getModifiers().getFlags().contains(Modifier.STATIC);
    }

    private boolean isPublic(ModifiersTree modifiers) {
      TreePath owner = getCurrentPath().getParentPath();
      boolean inInterface = owner != null && owner.getLeaf().getKind() == Tree.Kind.INTERFACE;
      return modifiers.getFlags().contains(Modifier.PUBLIC) || inInterface && !modifiers.getFlags().contains(Modifier.PRIVATE);
    }
  }

  @Test
  void everyPublicMemberHasAComment() throws IOException {
    List<Path> sources = new ArrayList<>(SourceFiles.api());
    try (Stream<Path> files = Files.list(Path.of("../langchain4j/src/main/java/dev/fettle/langchain4j"))) {
      files.forEach(sources::add);
    }

    assertThat(sources).hasSizeGreaterThan(50);
    assertThat(undocumented(sources)).isEmpty();
  }

  @Test
  void aMemberWithoutOneIsFound() throws IOException {
    Path file = Files.createTempDirectory("fettle-").resolve("Some.java");
    Files.writeString(file, "/** A class. */ public class Some { /** A. */ public int a; public int b; public void c() {} void d() {} "
        + "public interface E { void f(); } /** G.*/ public record G(int h) { public G {} } }");

    assertThat(undocumented(List.of(file))).containsExactly("b", "Some.c", "E", "E.f");
  }
}

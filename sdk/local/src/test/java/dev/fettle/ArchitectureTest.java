package dev.fettle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fettle.support.Layers;
import dev.fettle.support.SourceFiles;
import java.io.IOException;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The house rules that a compiler does not hold. */
class ArchitectureTest {
  private static final Map<String, List<String>> ONLY_IN = Map.of(
      "ai.djl.huggingface", List.of("internal/text"),
      "ai.djl.(?!huggingface)", List.of("internal/torch"),
      "com.sun.jna", List.of("internal/torch", "internal/checkpoint", "internal/hub"),
      "okhttp3", List.of("internal/remote", "internal/hub"),
      "org.snakeyaml", List.of("internal/hub"),
      "com.google.protobuf", List.of("internal/wire", "internal/remote"),
      "tools.jackson", List.of("internal/json", "internal/text/Tokenizer", "internal/data/JsonArrayRows"));

  @Test
  void librariesAreImportedOnlyWhereTheyBelong() throws IOException {
    List<String> wrong = new ArrayList<>();
    for (var source : SourceFiles.all().entrySet()) {
      String text = Files.readString(source.getValue());
      String room = source.getKey();
      ONLY_IN.forEach((library, rooms) -> {
        if (Pattern.compile("import (static )?" + library).matcher(text).find() && rooms.stream().noneMatch(room::startsWith)) {
          wrong.add(room + " imports " + library);
        }
      });
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void eachPartKnowsOnlyThoseBeforeItAndTheApiNothingOfTheEngine() throws IOException {
    assertThat(Layers.read().outOfOrder()).isEmpty();
  }

  @Test
  void noCircleOfTypesLeavesItsPart() throws IOException {
    assertThat(Layers.read().circles()).isEmpty();
  }

  @Test
  void whatLinuxSaysIsReadInOnePlace() throws IOException {
    List<String> readers = new ArrayList<>();
    for (var source : SourceFiles.all().entrySet()) {
      String text = Files.readString(source.getValue());
      if (Stream.of("\"/proc", "\"proc/", "\"/sys/", "\"sys/").anyMatch(text::contains)) {
        readers.add(source.getKey());
      }
    }
    assertThat(readers).containsExactlyInAnyOrder("internal/Linux.java", "internal/ControlGroups.java");
  }

  /** One that is made elsewhere makes every later one slow. */
  @Test
  void serversOfHttpAreMadeInOnePlace() throws IOException {
    List<String> makers = new ArrayList<>();
    for (var source : SourceFiles.all().entrySet()) {
      if (Files.readString(source.getValue()).contains("HttpServer.create(")) {
        makers.add(source.getKey());
      }
    }
    assertThat(makers).containsExactly("internal/HttpServers.java");
  }

  @Test
  void noPublicSignatureMentionsALibraryOrAnInternalType() throws Exception {
    List<String> wrong = new ArrayList<>();
    int seen = 0;
    for (Class<?> type : publicTypes()) {
      List<Executable> members = new ArrayList<>(List.of(type.getConstructors()));
      members.addAll(List.of(type.getMethods()));
      for (Executable member : members) {
        if (member.getDeclaringClass().getName().startsWith("dev.fettle")) {
          seen++;
          String signature = member.toGenericString();
          if (Stream.of("ai.djl", "tools.jackson", "okhttp3", "com.google", "dev.fettle.internal").anyMatch(signature::contains)) {
            wrong.add(signature);
          }
        }
      }
    }
    assertThat(seen).isGreaterThan(100);
    assertThat(wrong).isEmpty();
  }

  @Test
  void publicTypesHaveNoAccessorsThatBeginWithGet() throws Exception {
    for (Class<?> type : publicTypes()) {
      for (Method method : type.getDeclaredMethods()) {
        if (Modifier.isPublic(method.getModifiers())) {
          assertThat(method.getName()).as(type.getName()).doesNotMatch("get[A-Z].*");
        }
      }
    }
  }

  @Test
  void filesStaySmallAndMoreTypesAreHiddenThanPublic() throws IOException {
    List<Integer> lengths = new ArrayList<>();
    int visible = 0;
    int hidden = 0;
    for (Path file : SourceFiles.all().values()) {
      String text = Files.readString(file);
      int lines = (int) text.lines().count();
      boolean api = SourceFiles.isApi(file);
      assertThat(lines).as(file.toString()).isLessThanOrEqualTo(api ? 400 : 600);
      lengths.add(lines);
      visible += api ? 1 : 0;
      hidden += api ? 0 : 1;
    }
    lengths.sort(null);
    assertThat(lengths.get(lengths.size() / 2)).isLessThanOrEqualTo(120);
    assertThat(hidden).isGreaterThan(visible);
  }

  private static List<Class<?>> publicTypes() throws Exception {
    List<Class<?>> types = new ArrayList<>();
    for (Path file : SourceFiles.api()) {
      String name = SourceFiles.API.relativize(file).toString().replace(".java", "").replace('/', '.');
      Class<?> type = Class.forName("dev.fettle." + name);
      types.add(type);
      types.addAll(List.of(type.getClasses()));
    }
    return types;
  }
}

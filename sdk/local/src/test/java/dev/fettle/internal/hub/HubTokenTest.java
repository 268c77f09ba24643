package dev.fettle.internal.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.fettle.InvalidInputException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Where the token goes, and the way through proxies. */
class HubTokenTest {
  @TempDir
  private Path home;
  @RegisterExtension
  final FakeHub server = FakeHub.withModel();

  private Hub hub(Map<String, String> env) {
    return new Hub(env, Duration.ofMillis(1));
  }

  @Test
  void itGoesToTheHubAndToNoOtherHost() {
    hub(server.env(home)).model("org/model", c -> {});
    assertThat(server.hub).isNotEmpty()
        .allMatch(r -> ("Bearer " + FakeHub.TOKEN).equals(r.headers().get("Authorization")));
    assertThat(server.storage).isNotEmpty().noneMatch(r -> r.toString().contains(FakeHub.TOKEN));
  }

  @Test
  void theFileOfALogInHasIt() throws Exception {
    Map<String, String> env = server.env(home);
    env.remove("HF_TOKEN");
    hub(env).tokenizer("org/model");
    assertThat(server.hub).noneMatch(r -> r.headers().containsKey("Authorization"));
    Files.writeString(home.resolve("token"), "hf_ofTheFile\n");
    int before = server.hub.size();
    hub(env).model("org/model", c -> {});
    assertThat(server.hub.subList(before, server.hub.size())).isNotEmpty()
        .allMatch(r -> "Bearer hf_ofTheFile".equals(r.headers().get("Authorization")));
  }

  @Test
  void aGatedModelSaysWhatToDo() {
    server.gated = true;
    Throwable refused = catchThrowable(() -> hub(server.env(home)).model("org/model", c -> {}));
    assertThat(refused).isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll("gated", server.url() + "/org/model", "licence", "HF_TOKEN", "has no access");
    Map<String, String> env = server.env(home);
    env.remove("HF_TOKEN");
    assertThatThrownBy(() -> hub(env).model("org/model", c -> {})).hasMessageContaining("set HF_TOKEN");
    assertThatThrownBy(() -> hub(env).model("org/absent", c -> {})).isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll("401", "the name is wrong", "HF_TOKEN");
  }

  @Test
  void noErrorHoldsIt() {
    server.gated = true;
    assertSecret(catchThrowable(() -> hub(server.env(home)).model("org/model", c -> {})));
    Map<String, String> env = server.env(home);
    env.put("HF_TOKEN", FakeHub.TOKEN + "\nX: y");
    assertSecret(catchThrowable(() -> hub(env).model("org/model", c -> {})));
    assertThat(new Hub(server.env(home)) + "" + Settings.of(server.env(home)) + Settings.of(server.env(home)).token())
        .doesNotContain(FakeHub.TOKEN);
  }

  private static void assertSecret(Throwable error) {
    StringWriter text = new StringWriter();
    error.printStackTrace(new PrintWriter(text));
    assertThat(text.toString()).contains("Exception").doesNotContain(FakeHub.TOKEN);
  }

  @Test
  void itIsNotSentInClear() {
    assertThat(Refusals.isPrivate(okhttp3.HttpUrl.get("https://mirror.example/"))).isTrue();
    assertThat(Refusals.isPrivate(okhttp3.HttpUrl.get("http://mirror.example/"))).isFalse();
    assertThat(Refusals.isPrivate(okhttp3.HttpUrl.get("http://127.0.0.1.example/"))).isFalse();
    assertThatThrownBy(() -> Settings.of(Map.of("HF_ENDPOINT", "https://me:word@mirror.example"))).satisfies(e ->
        assertThat(e.getMessage()).doesNotContain("word"));
  }

  @Test
  void theEnvironmentNamesAProxyUnlessTheJvmDoes() {
    Map<String, String> env = Map.of("HTTPS_PROXY", "http://me:pw@proxy.example:3128", "NO_PROXY", "inner.example, .other.example");
    assertThat(proxy(env, "https://huggingface.co/")).hasToString("HTTP @ proxy.example/<unresolved>:3128");
    assertThat(proxy(env, "https://x.inner.example/")).isEqualTo(Proxy.NO_PROXY);
    assertThat(proxy(env, "https://other.example/")).isEqualTo(Proxy.NO_PROXY);
    assertThat(proxy(env, "https://another.example/")).isNotEqualTo(Proxy.NO_PROXY);
    assertThat(proxy(env, "http://plain.example/")).isEqualTo(Proxy.NO_PROXY);
    assertThat(proxy(env, "https://localhost:8000/")).isEqualTo(Proxy.NO_PROXY);
    assertThat(proxy(Map.of("all_proxy", "socks5://s.example"), "https://huggingface.co/").type()).isEqualTo(Proxy.Type.SOCKS);
    System.setProperty("https.proxyHost", "jvm.example");
    System.setProperty("https.proxyPort", "99");
    try {
      assertThat(((InetSocketAddress) proxy(env, "https://huggingface.co/").address()).getHostString()).isEqualTo("jvm.example");
    } finally {
      System.clearProperty("https.proxyHost");
      System.clearProperty("https.proxyPort");
    }
  }

  private static Proxy proxy(Map<String, String> env, String uri) {
    return Proxies.use(new OkHttpClient.Builder(), env).build().proxySelector().select(URI.create(uri)).get(0);
  }

  @Test
  void requestsGoThroughTheProxyWithItsPassword() throws Exception {
    try (MockWebServer proxy = new MockWebServer()) {
      proxy.start();
      proxy.enqueue(new MockResponse.Builder().code(407).setHeader("Proxy-Authenticate", "Basic realm=\"r\"").build());
      proxy.enqueue(new MockResponse.Builder().code(404).setHeader("X-Error-Code", "RepoNotFound").build());
      Map<String, String> env = server.env(home);
      env.put("HF_ENDPOINT", "http://hub.example");
      env.put("HTTP_PROXY", "http://me:pw@127.0.0.1:" + proxy.getPort());
      assertThatThrownBy(() -> hub(env).model("org/model", c -> {})).hasMessageContaining("no such model");
      assertThat(proxy.takeRequest().getRequestLine()).startsWith("HEAD http://hub.example/org/model/resolve/main/config.json");
      assertThat(proxy.takeRequest().getHeaders().get("Proxy-Authorization")).isEqualTo("Basic bWU6cHc=");
    }
  }
}

package dev.fettle.internal.hub;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import okhttp3.Authenticator;
import okhttp3.Credentials;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;

/**
 * The way to a host: as the JVM's settings say ({@code https.proxyHost} and the like), and where they name no proxy, as
 * HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say. This machine is never asked for through a proxy.
 */
public final class Proxies extends ProxySelector {
  private static final int SOCKS_PORT = 1080;
  private final Map<String, String> env;

  private Proxies(Map<String, String> env) {
    this.env = env;
  }

  /** Lets a client use the proxies that settings and environment name, with the name and password of their URLs. */
  public static OkHttpClient.Builder use(OkHttpClient.Builder client, Map<String, String> env) {
    Proxies proxies = new Proxies(env);
    return client.proxySelector(proxies).proxyAuthenticator((route, response) -> {
      HttpUrl proxy = proxies.url(response.request().url().scheme());
      if (proxy == null || proxy.username().isEmpty()) {
        return Authenticator.JAVA_NET_AUTHENTICATOR.authenticate(route, response);
      }
      return response.request().header("Proxy-Authorization") != null ? null : response.request().newBuilder()
          .header("Proxy-Authorization", Credentials.basic(proxy.username(), proxy.password())).build();
    });
  }

  @Override
  public List<Proxy> select(URI uri) {
    String host = String.valueOf(uri.getHost()).toLowerCase(Locale.ROOT);
    if (host.equals("localhost") || host.startsWith("127.") || host.equals("[::1]") || host.equals("::1")) {
      return List.of(Proxy.NO_PROXY);
    }
    ProxySelector system = ProxySelector.getDefault();
    List<Proxy> chosen = system == null ? List.of() : system.select(uri);
    if (chosen.stream().anyMatch(p -> p.type() != Proxy.Type.DIRECT)) {
      return chosen;
    }
    HttpUrl proxy = excepted(host) ? null : url(uri.getScheme());
    if (proxy == null) {
      return List.of(Proxy.NO_PROXY);
    }
    boolean socks = value(uri.getScheme()).startsWith("socks");
    return List.of(new Proxy(socks ? Proxy.Type.SOCKS : Proxy.Type.HTTP,
        InetSocketAddress.createUnresolved(proxy.host(), proxy.port())));
  }

  private boolean excepted(String host) {
    for (String entry : variable("no_proxy").split("[,\\s]+")) {
      String name = entry.toLowerCase(Locale.ROOT).replaceFirst("^\\*?\\.", "").replaceFirst(":\\d+$", "");
      if (entry.equals("*") || !name.isEmpty() && (host.equals(name) || host.endsWith("." + name))) {
        return true;
      }
    }
    return false;
  }

  private HttpUrl url(String scheme) {
    String value = value(scheme);
    if (value.isEmpty()) {
      return null;
    }
    String rest = value.replaceFirst("^[a-z0-9]+://", "");
    boolean port = rest.matches(".*:\\d+/?");
    return HttpUrl.parse("http://" + (port || !value.startsWith("socks") ? rest : rest + ":" + SOCKS_PORT));
  }

  private String value(String scheme) {
    String own = variable(String.valueOf(scheme).toLowerCase(Locale.ROOT) + "_proxy");
    return own.isEmpty() ? variable("all_proxy") : own;
  }

  private String variable(String name) {
    String value = env.getOrDefault(name, "").strip();
    return value.isEmpty() ? env.getOrDefault(name.toUpperCase(Locale.ROOT), "").strip() : value;
  }

  @Override
  public void connectFailed(URI uri, SocketAddress address, IOException failure) {
    // The failed call says so itself.
  }
}

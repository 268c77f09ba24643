package dev.fettle.internal;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;

/**
 * The JDK's HTTP server. It reads its settings once, when the first one in the process is made, so all of them are made here:
 * one that was made without them would slow every later one down. It writes head and body of an answer apart, and by Nagle's
 * algorithm the body waits 40 ms for the client's word that the head has come.
 */
public final class HttpServers {
  private HttpServers() {}

  /** Listens, and answers once it is started. */
  public static HttpServer listen(InetSocketAddress address) throws IOException {
    setDefault("sun.net.httpserver.nodelay", "true");
    setDefault("sun.net.httpserver.maxReqTime", "300");
    return HttpServer.create(address, 0);
  }

  private static void setDefault(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }
}

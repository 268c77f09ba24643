package dev.fettle.internal.serve;

import dev.fettle.DType;
import dev.fettle.internal.ModelBackend;
import dev.fettle.internal.local.LocalBackend;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/** A server of the built-in model with a clock that a test moves. */
final class Small implements AutoCloseable {
  private final LocalBackend backend = new LocalBackend();
  final ModelBackend model = backend.load("fettle-tiny", Optional.of(DType.F32));
  final AtomicLong time = new AtomicLong(1_800_000_000_000L);
  final Engine engine;
  final Server server;
  final Wire wire;

  Small(Limits limits, Path state) {
    engine = new Engine(backend, model, "fettle-tiny", limits, new Store(state, time::get), time::get);
    server = new Server(engine, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), () -> null);
    wire = new Wire(uri());
  }

  URI uri() {
    return URI.create("http://127.0.0.1:" + server.address().getPort());
  }

  /** Lets time pass, and what has run out end. */
  void pass(long seconds) {
    time.addAndGet(1000 * seconds);
    server.sweep();
  }

  @Override
  public void close() {
    server.close();
    backend.close();
  }
}

/**
 * A server of the Tinker protocol on top of a backend: {@link dev.fettle.internal.serve.Server} listens, {@code Routes}
 * know the calls, a {@code Session} owns what a client made, and {@code Scheduler} carries work out one piece at a
 * time.
 */
package dev.fettle.internal.serve;

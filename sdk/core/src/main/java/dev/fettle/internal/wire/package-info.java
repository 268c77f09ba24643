/**
 * The messages of the Tinker protocol, shared by the client and the server: JSON from records, protobuf by hand. Nothing
 * here knows of sockets. A component that may be absent on the wire is boxed and {@code null} when absent.
 */
package dev.fettle.internal.wire;

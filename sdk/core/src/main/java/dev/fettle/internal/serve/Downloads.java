package dev.fettle.internal.serve;

import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Addresses that can be fetched without a token for a while. Thread-safe. */
final class Downloads {
  private static final Duration LIFE = Duration.ofMinutes(15);

  /** An address and how long it works. */
  record Ticket(String secret, CheckpointId id, Instant expires) {}

  private final SecureRandom random = new SecureRandom();
  private final Map<String, Ticket> tickets = new ConcurrentHashMap<>();

  Ticket issue(CheckpointId id, Instant now) {
    byte[] secret = new byte[24];
    random.nextBytes(secret);
    tickets.values().removeIf(t -> t.expires.isBefore(now));
    Ticket ticket = new Ticket(Base64.getUrlEncoder().withoutPadding().encodeToString(secret), id, now.plus(LIFE));
    tickets.put(ticket.secret, ticket);
    return ticket;
  }

  CheckpointId get(String secret, Instant now) {
    Ticket ticket = tickets.get(secret);
    if (ticket == null || ticket.expires.isBefore(now)) {
      throw Problem.unknown("this address has expired: ask for the archive again");
    }
    return ticket.id;
  }
}

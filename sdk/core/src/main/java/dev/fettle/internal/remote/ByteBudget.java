package dev.fettle.internal.remote;

/**
 * An allowance, such as of bytes on their way: whoever takes some waits only while the rest is below zero, so that
 * something larger than the whole gets through alone.
 */
final class ByteBudget {
  private long rest;

  ByteBudget(long whole) {
    this.rest = whole;
  }

  synchronized void take(long amount) {
    boolean interrupted = false;
    while (rest < 0) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    rest -= amount;
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  synchronized void give(long amount) {
    rest += amount;
    notifyAll();
  }
}

package dev.fettle;

import java.nio.file.Path;

/** A process that has a directory until it is killed. */
final class ClaimMain {
  private ClaimMain() {}

  public static void main(String[] args) throws InterruptedException {
    Destination place = args[0].equals("within") ? Destination.within(Path.of(args[1])) : Destination.replacing(Path.of(args[1]));
    System.out.println("has " + place.path());
    Thread.sleep(Long.MAX_VALUE);
  }
}

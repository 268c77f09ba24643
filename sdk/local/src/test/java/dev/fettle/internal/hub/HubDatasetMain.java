package dev.fettle.internal.hub;

import dev.fettle.Dataset;

/** A process of its own that wants a dataset, by its environment: prints how many examples it has. */
final class HubDatasetMain {
  private HubDatasetMain() {}

  public static void main(String[] args) {
    System.out.println(Dataset.hub(args[0], args[1], args[2]).shuffle(1).epochs(2).count());
  }
}

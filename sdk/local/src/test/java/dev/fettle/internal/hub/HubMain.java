package dev.fettle.internal.hub;

/** A process of its own that wants a model, by its environment. */
final class HubMain {
  private HubMain() {}

  public static void main(String[] args) {
    System.out.println(new Hub(System.getenv()).model(args[0], c -> {}));
  }
}

package dev.fettle;

import java.util.List;

/** Turns examples into tokens and loss mask together. Skeleton: see package internal.text. */
public interface Renderer {
  /** The training sequences of an example: one, or one a trained message where a family strips its own history. */
  List<Rendered> render(Example example);

  /** The tokens that ask the model for the next assistant message. */
  int[] prompt(Conversation conversation);
}

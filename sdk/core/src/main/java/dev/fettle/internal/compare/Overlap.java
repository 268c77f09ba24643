package dev.fettle.internal.compare;

import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.Dataset;
import dev.fettle.Example;
import dev.fettle.Feedback;
import dev.fettle.InvalidInputException;
import dev.fettle.Preference;
import dev.fettle.Text;
import dev.fettle.internal.Digests;
import java.util.HashSet;
import java.util.Set;

/** Examples that are in two sets of data. */
public final class Overlap {
  private Overlap() {}

  /** Refuses data of which something is trained on; white space does not count. Null is nothing. */
  public static void refuse(String name, Dataset data, Dataset training) {
    if (data == null) {
      return;
    }
    Set<String> seen = new HashSet<>();
    training.examples().forEach(example -> seen.add(key(example)));
    long count = 0;
    long shared = 0;
    for (Example example : data.examples()) {
      count++;
      shared += seen.contains(key(example)) ? 1 : 0;
    }
    if (shared > 0) {
      throw new InvalidInputException(shared + " of " + count + " examples of the " + name + " data are in the training "
          + "data too, so that what is learnt by heart would count as quality: take them out of one, or allow the "
          + "overlap (allowOverlap(), --allow-overlap)");
    }
  }

  private static String key(Example example) {
    StringBuilder text = new StringBuilder();
    if (example instanceof Text plain) {
      text.append(plain.text());
    } else if (example instanceof Completion completion) {
      text.append(completion.prompt()).append('\0').append(completion.completion());
    } else if (example instanceof Conversation chat) {
      chat.messages().forEach(m -> text.append(m.role()).append('\0').append(m.content()).append(m.toolCalls())
          .append('\0'));
    } else if (example instanceof Preference pair) {
      text.append(key(pair.chosen())).append(key(pair.rejected()));
    } else if (example instanceof Feedback feedback) {
      text.append(key(feedback.answer())).append(feedback.desirable());
    }
    return Digests.sha256(text.toString().strip().replaceAll("\\s+", " "));
  }
}

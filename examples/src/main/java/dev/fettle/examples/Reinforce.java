//JAVA 17+
//DEPS dev.fettle:fettle-examples:0.1.0-SNAPSHOT

package dev.fettle.examples;

import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.Example;
import dev.fettle.Fettle;
import dev.fettle.InvalidInputException;
import dev.fettle.Message;
import dev.fettle.SamplingParams;
import dev.fettle.Training;
import dev.fettle.Tuning;
import dev.fettle.recipes.Grpo;
import dev.fettle.recipes.Reward;
import dev.fettle.recipes.Run;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.json.JsonMapper;

/** Tunes a model to answers that can be checked, by its own attempts, and saves what it learnt: the recipe {@link Grpo}. */
public final class Reinforce {
  private static final Pattern NUMBER = Pattern.compile("-?\\d[\\d,]*(\\.\\d+)?");
  private static final Command COMMAND = Tuned.takes(new Command("Reinforce",
      "Samples answers to the prompts of the data and makes those likelier that agree with the completion, or with the assistant's "
          + "last message, which is never shown; saves the adapter, or with --method full or hybrid the model, in OUT, and the run's "
          + "files in OUT-run beside it. The last line is JSON: the mean reward in the first step and over the last ones, steps, "
          + "tokens, and where the adapter is (or the model). Ctrl-C ends it after the step, with what was learnt saved, and says how "
          + "to go on. For a reward of your own, or several turns, copy GrpoExample.")
      .requires(Option.MODEL, Option.DATA))
      .takes(Option.REWARD, "exact")
      .takes(Option.METHOD, "lora")
      .takes(Option.STEPS, "50")
      .takes(Option.BATCH, "8")
      .takes(Option.SAMPLES, "8")
      .takes(Option.MAX_TOKENS, "64")
      .takes(Option.TEMPERATURE, "1")
      .takes(Option.KL, "0")
      .takes(Option.LR, "1e-4")
      .takes(Option.SEED, "0")
      .takes(Option.RANK, Option.TARGET_MODULES, Option.DROPOUT, Option.LAST_LAYERS, Option.ADAPTER, Option.DTYPE, Option.QUANTISE,
          Option.REMOTE, Option.FIELDS);

  private Reinforce() {}

  public static void main(String[] args) {
    COMMAND.main(args, Reinforce::tune);
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    return COMMAND.run(args, out, err, Reinforce::tune);
  }

  private static void tune(Options options, PrintStream out) {
    Tuning tuning = options.tuning();
    Map<Conversation, List<String>> wanted = wanted(options);
    try (Tuned place = Tuned.of(options); Fettle fettle = options.fettle()) {
      Training training = options.load(fettle).tune(tuning);
      out.println(training.model());
      out.print(training.trainable().table());
      Run run = place.listening(Grpo.on(training), out)
          .prompts(List.copyOf(wanted.keySet()))
          .reward(reward(options.text(Option.REWARD), wanted))
          .steps(options.count(Option.STEPS))
          .promptsPerStep(options.count(Option.BATCH))
          .samples(options.count(Option.SAMPLES))
          .kl(options.number(Option.KL))
          .sampling(SamplingParams.standard().maxTokens(options.count(Option.MAX_TOKENS)).temperature(options.number(Option.TEMPERATURE)))
          .run();
      place.save(training, run);
      out.println(run.ending());
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("reward_first", run.values("reward")[0]);
      json.put("reward_last", run.last("reward", run.lastSteps()));
      Tuned.finish(json, run, options);
      out.println(new JsonMapper().writeValueAsString(json));
    }
  }

  /** What is asked, and the answers that are right. */
  private static Map<Conversation, List<String>> wanted(Options options) {
    Map<Conversation, List<String>> wanted = new LinkedHashMap<>();
    int row = 0;
    for (Example example : options.examples(Option.DATA).examples()) {
      row++;
      if (example instanceof Completion completion) {
        wanted.computeIfAbsent(Conversation.of(Message.user(completion.prompt())), c -> new ArrayList<>()).add(completion.completion());
      } else if (example instanceof Conversation chat && chat.messages().size() > 1
          && chat.messages().get(chat.messages().size() - 1).role().equals("assistant")) {
        int last = chat.messages().size() - 1;
        wanted.computeIfAbsent(new Conversation(chat.messages().subList(0, last), chat.tools()), c -> new ArrayList<>())
            .add(chat.messages().get(last).content());
      } else {
        throw new InvalidInputException(options.path(Option.DATA) + ", example " + row + " is a " + example + ": give prompts with "
            + "their right answers, as prompt and completion or as chats that end with the assistant's message");
      }
    }
    return wanted;
  }

  private static Reward reward(String kind, Map<Conversation, List<String>> wanted) {
    return (prompt, answer) -> wanted.get(prompt).stream().anyMatch(right -> agrees(kind, answer.content(), right)) ? 1 : 0;
  }

  static boolean agrees(String kind, String answer, String right) {
    return switch (kind) {
      case "contains" -> answer.contains(right.strip());
      case "number" -> !number(right).isEmpty() && number(answer).equals(number(right));
      default -> answer.strip().equals(right.strip());
    };
  }

  /** The last number in a text, without commas and without zeros at its end. */
  private static String number(String text) {
    String last = "";
    Matcher numbers = NUMBER.matcher(text);
    while (numbers.find()) {
      last = numbers.group().replace(",", "");
    }
    return last.contains(".") ? last.replaceFirst("\\.?0+$", "") : last;
  }
}

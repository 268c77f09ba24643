package dev.fettle.internal.recipe;

import dev.fettle.Completion;
import dev.fettle.Conversation;
import dev.fettle.Dataset;
import dev.fettle.Example;
import dev.fettle.Message;
import dev.fettle.Sample;
import dev.fettle.Sampler;
import dev.fettle.SamplingParams;
import dev.fettle.Text;
import dev.fettle.Training;
import java.util.ArrayList;
import java.util.List;

/** What the model says to a few prompts before and after a run, for its report. */
public final class SampleTable {
  private static final SamplingParams PARAMS = SamplingParams.greedy().maxTokens(64);
  private static final int TEXT_START = 60;

  private final List<ReportSample> rows = new ArrayList<>();
  private final List<Example> prompts = new ArrayList<>();

  private SampleTable() {}

  /** Asks the first so many prompts of a dataset, those that the model's context has room for. */
  public static SampleTable of(Training training, Dataset data, int count) {
    SampleTable table = new SampleTable();
    if (count > 0) {
      Sampler sampler = training.sampler();
      for (Example example : data.take(count).examples()) {
        Example prompt = prompt(example);
        if (fits(training, prompt)) {
          table.prompts.add(prompt);
          table.rows.add(new ReportSample(shown(prompt), expected(example), ask(sampler, prompt), ""));
        }
      }
      sampler.close();
    }
    return table;
  }

  /** The prompts asked again. */
  public List<ReportSample> answered(Training training) {
    if (rows.isEmpty()) {
      return rows;
    }
    List<ReportSample> answered = new ArrayList<>();
    Sampler sampler = training.sampler();
    for (int i = 0; i < rows.size(); i++) {
      ReportSample row = rows.get(i);
      answered.add(new ReportSample(row.prompt(), row.expected(), row.before(), ask(sampler, prompts.get(i))));
    }
    sampler.close();
    return answered;
  }

  private static boolean fits(Training training, Example prompt) {
    int tokens = prompt instanceof Conversation chat ? training.renderer().prompt(chat).length
        : 1 + training.tokenizer().encode(((Text) prompt).text()).length;
    return tokens < training.model().contextLength();
  }

  private static String ask(Sampler sampler, Example prompt) {
    List<Sample> answer = prompt instanceof Conversation chat ? sampler.sample(chat, PARAMS)
        : sampler.sample(((Text) prompt).text(), PARAMS);
    return answer.get(0).text();
  }

  /** What is asked of an example: a chat up to its last answer, or a text to go on with. */
  private static Example prompt(Example example) {
    if (example instanceof Conversation chat) {
      int last = chat.messages().size() - 1;
      while (last > 0 && !chat.messages().get(last).role().equals("assistant")) {
        last--;
      }
      return last > 0 ? new Conversation(chat.messages().subList(0, last), chat.tools()) : chat;
    }
    String text = example instanceof Completion c ? c.prompt() : ((Text) example).text();
    String start = example instanceof Completion ? text : text.substring(0, Math.min(TEXT_START, text.length()));
    return new Text(start.isEmpty() ? " " : start);
  }

  private static String shown(Example prompt) {
    if (prompt instanceof Conversation chat) {
      List<String> lines = new ArrayList<>();
      for (Message message : chat.messages()) {
        lines.add(message.role() + ": " + message.content());
      }
      return String.join("\n", lines);
    }
    return ((Text) prompt).text();
  }

  private static String expected(Example example) {
    if (example instanceof Conversation chat) {
      Message last = chat.messages().get(chat.messages().size() - 1);
      return last.role().equals("assistant") ? last.content() : "";
    }
    return example instanceof Completion c ? c.completion() : "";
  }
}

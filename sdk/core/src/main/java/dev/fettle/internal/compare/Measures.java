package dev.fettle.internal.compare;

import dev.fettle.BaseModel;
import dev.fettle.Dataset;
import dev.fettle.Renderer;
import dev.fettle.TrainOn;
import dev.fettle.Training;
import java.util.Map;
import java.util.function.Function;

/** What trainings are judged by on data. Makes note, under the data's name, of what they hold. */
public record Measures(BaseModel model, int batchSize, Map<String, Object> noted) {

  /** How conversations are read. */
  public Renderer renderer() {
    return model.renderer().trainOn(TrainOn.ALL_ASSISTANT_MESSAGES);
  }

  /** The loss on data. */
  public Nll loss(String name, Dataset examples) {
    Nll loss = Nll.of(name, examples.batches(batchSize, renderer()));
    noted.put(name, loss.sha256());
    return loss;
  }

  /** One value for each of the test data: its loss, or whether greedy decoding gives it exactly. */
  public Function<Training, double[]> items(Dataset examples, boolean exact) {
    if (!exact) {
      return loss("test", examples)::items;
    }
    ExactMatch answers = ExactMatch.of(examples, model);
    noted.put("test", answers.sha256());
    return answers::items;
  }
}

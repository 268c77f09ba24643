package dev.fettle.internal.checkpoint;

import dev.fettle.UnsupportedModelException;
import java.util.Arrays;
import java.util.Optional;

/** What a vector passes through after it was pooled, one of sentence-transformers' modules. */
public sealed interface VectorModule {
  /** Scales to length 1. */
  record Normalize() implements VectorModule {}

  /**
   * A linear layer and an activation.
   *
   * @param residual whether what goes in is added to what comes out, through a matrix of its own where the widths differ
   * @param config its settings, which a saved model keeps
   * @param weights its weights, which a saved model keeps
   */
  record Dense(int inputs, int outputs, boolean bias, Activation activation, boolean residual, OpenFile config,
      OpenFile weights) implements VectorModule {
    /** What follows a linear layer ({@code DenseActivation.TANH} in the kernels' source). */
    public enum Activation {
      IDENTITY("linear.Identity"), TANH("activation.Tanh"), RELU("activation.ReLU"), GELU("activation.GELU"),
      SILU("activation.SiLU"), SIGMOID("activation.Sigmoid");

      private static final String PACKAGE = "torch.nn.modules.";
      private final String name;

      Activation(String name) {
        this.name = name;
      }

      private static Activation of(JsonFields fields) {
        Optional<String> asked = fields.string("activation_function");
        if (asked.isEmpty() && !fields.mentions("activation_function")) {
          return TANH;
        }
        String last = asked.orElse("").substring(asked.orElse("").lastIndexOf('.') + 1);
        return Arrays.stream(values()).filter(a -> asked.orElse("").startsWith("torch.nn.") && a.name.endsWith("." + last))
            .findFirst().orElseThrow(() -> fields.unsupported("activation_function", "the activations are "
                + String.join(", ", Arrays.stream(values()).map(a -> PACKAGE + a.name).toList())));
      }
    }

    /** The module in a folder; the weights are looked at when they are read. */
    static Dense read(OpenDirectory files, String folder) {
      OpenFile config = files.file(folder + "/" + EncoderSettings.CONFIG);
      JsonFields fields = JsonFields.of(config);
      for (String key : new String[] {"module_input_name", "module_output_name"}) {
        if (fields.string(key).filter(name -> !name.equals("sentence_embedding")).isPresent()) {
          throw fields.unsupported(key, "a Dense module reads and gives the vector of a text, sentence_embedding");
        }
      }
      String name = folder + "/" + ModelDirectory.SINGLE;
      OpenFile weights = files.find(name).orElseThrow(() -> new UnsupportedModelException(files.path().resolve(name)
          + " is missing: the weights of a Dense module are read from safetensors alone; convert pytorch_model.bin first"));
      return new Dense(fields.integer("in_features", 1, 1 << 20), fields.integer("out_features", 1, 1 << 20),
          fields.bool("bias", true), Activation.of(fields), fields.bool("use_residual", false), config, weights);
    }
  }
}

package dev.fettle.internal.model;

import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.StoredType;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * A decoder within a model that also reads images: {@code text_config} describes it, and its weights lie below
 * {@code model.language_model.}, or in older files below {@code language_model.}. What is not text is neither read nor changed;
 * a saved merged model has it as it was.
 *
 * @param type what {@code model_type} says
 * @param className the class in {@code architectures}
 * @param textType the family of the decoder where {@code text_config} does not name it
 * @param tied whether the output embedding is the input embedding if the file does not say
 */
record Multimodal(String type, String className, String textType, boolean tied) implements Architecture {
  private static final String TEXT = "text_config";
  static final String WITHIN = "model.language_model.";
  private static final String BELOW = "language_model.";
  private static final String HEAD = OuterWeight.HEAD_MODULE + ".weight";

  @Override
  public ModelConfig read(JsonFields config) {
    JsonFields text = config.object(TEXT).orElseThrow(() -> config.invalid(TEXT, "must describe the language model"));
    List<String> classes = config.strings("architectures");
    if (!classes.isEmpty() && !classes.contains(className)) {
      throw config.unsupported("architectures", "of " + type + " models it is " + className);
    }
    Architecture family = Architectures.named(text.string("model_type").orElse(textType), text);
    ModelConfig decoder = family.read(text);
    String tie = "tie_word_embeddings";
    boolean isTied = config.bool(tie, tied && text.bool(tie, true));
    List<OuterWeight> outputs = new ArrayList<>(decoder.outputs().stream()
        .filter(w -> w.place() != OuterWeight.Place.HEAD).map(Multimodal::within).toList());
    if (!isTied) {
      outputs.add(OuterWeight.head(decoder.vocabSize(), decoder.hiddenSize()));
    }
    boolean typed = config.has("dtype") || config.has("torch_dtype");
    StoredType stored = typed ? DecoderFields.storedType(config) : decoder.storedType();
    OptionalInt bos = config.mentions("bos_token_id")
        ? config.optionalInteger("bos_token_id", 0, DecoderFields.MAX_VOCAB) : decoder.bosId();
    List<Integer> eos = config.mentions("eos_token_id")
        ? config.integers("eos_token_id", 0, DecoderFields.MAX_VOCAB) : decoder.eosIds();
    return new ModelConfig(new Multimodal(type, className, family.type(), tied), decoder.vocabSize(), decoder.hiddenSize(),
        decoder.contextLength(), decoder.numbers().plainLogits(),
        decoder.embeddings().stream().map(Multimodal::within).toList(),
        decoder.layers().stream().map(Multimodal::within).toList(), outputs, stored, bos, eos);
  }

  @Override
  public String decoder() {
    return textType;
  }

  private static String within(String name) {
    return name.replaceFirst("^model\\.", WITHIN);
  }

  private static OuterWeight within(OuterWeight w) {
    return new OuterWeight(w.place(), within(w.name()), w.rows(), w.columns());
  }

  private static LayerConfig within(LayerConfig layer) {
    return new LayerConfig(within(layer.path()), layer.parts(), layer.numbers(), layer.headDim(), layer.rope());
  }

  @Override
  public List<String> namesInFiles(String weight) {
    return List.of(weight, weight.equals(HEAD) ? BELOW + weight : weight.replace(WITHIN, BELOW + "model."));
  }

  @Override
  public boolean ignores(String tensor) {
    return tensor.endsWith(".rotary_emb.inv_freq") || isOther(tensor);
  }

  @Override
  public boolean isOther(String tensor) {
    return !tensor.startsWith(WITHIN) && !tensor.startsWith(BELOW) && !tensor.equals(HEAD);
  }
}

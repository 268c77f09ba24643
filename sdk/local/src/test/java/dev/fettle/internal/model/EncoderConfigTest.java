package dev.fettle.internal.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.FettleException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.JsonFields;
import dev.fettle.internal.checkpoint.Pooling;
import dev.fettle.internal.checkpoint.StrictJson;
import dev.fettle.internal.checkpoint.VectorModule.Dense.Activation;
import dev.fettle.internal.model.OuterWeight.Place;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Configurations of encoders and classifiers: real ones, the defaults of their families, and what is refused. */
class EncoderConfigTest {
  private static final String MODERN = "{'model_type':'modernbert','architectures':['ModernBertForMaskedLM'],'hidden_size':64,"
      + "'num_attention_heads':4,'num_hidden_layers':5,'intermediate_size':96,'vocab_size':100";

  private static ModelConfig parse(String json) {
    return ModelConfig.parse(json.replace('\'', '"'), "config.json");
  }

  private static long rows(ModelConfig config, Place place) {
    return config.embeddings().stream().filter(w -> w.place() == place).mapToLong(OuterWeight::rows).findFirst().orElse(0);
  }

  @Test
  void defaultsAreThoseOfTheFamiliesConfigurations() {
    ModelConfig roberta = parse("{'model_type':'roberta'}");
    assertThat(roberta.vocabSize()).isEqualTo(50265);
    assertThat(roberta.contextLength()).isEqualTo(510);
    assertThat(roberta.firstPosition()).isEqualTo(2);
    assertThat(rows(roberta, Place.SEGMENTS)).isEqualTo(2);
    assertThat(roberta.eps()).isEqualTo(1e-12);
    assertThat(parse("{'model_type':'xlm-roberta'}").vocabSize()).isEqualTo(30522);
    ModelConfig distil = parse("{'model_type':'distilbert'}");
    assertThat(distil.layers()).hasSize(6);
    assertThat(distil.hiddenSize()).isEqualTo(768);
    assertThat(distil.contextLength()).isEqualTo(512);
    assertThat(distil.has(Place.SEGMENTS)).isFalse();
    ModelConfig mpnet = parse("{'model_type':'mpnet'}");
    assertThat(mpnet.vocabSize()).isEqualTo(30527);
    assertThat(mpnet.contextLength()).isEqualTo(510);
    assertThat(rows(mpnet, Place.ATTENTION_BIAS)).isEqualTo(32);
    ModelConfig modern = parse("{'model_type':'modernbert'}");
    assertThat(modern.vocabSize()).isEqualTo(50368);
    assertThat(modern.layers()).hasSize(22);
    assertThat(modern.contextLength()).isEqualTo(8192);
    assertThat(modern.layers().get(0).numbers().window()).isZero();
    assertThat(modern.layers().get(1).numbers().window()).isEqualTo(65);
    assertThat(modern.layers().get(3).rope().orElseThrow().theta()).isEqualTo(160_000);
    assertThat(modern.layers().get(4).rope().orElseThrow().theta()).isEqualTo(10_000);
  }

  @Test
  void realOnesAreRead() {
    ModelConfig base = parse("{'_name_or_path':'microsoft/mpnet-base','architectures':['MPNetForMaskedLM'],"
        + "'attention_probs_dropout_prob':0.1,'bos_token_id':0,'eos_token_id':2,'hidden_act':'gelu','hidden_dropout_prob':0.1,"
        + "'hidden_size':768,'initializer_range':0.02,'intermediate_size':3072,'layer_norm_eps':1e-05,"
        + "'max_position_embeddings':514,'model_type':'mpnet','num_attention_heads':12,'num_hidden_layers':12,'pad_token_id':1,"
        + "'relative_attention_num_buckets':32,'transformers_version':'4.8.2','vocab_size':30527}");
    assertThat(base.contextLength()).isEqualTo(512);
    assertThat(base.eps()).isEqualTo(1e-5);
    ModelConfig distil = parse("{'activation':'gelu','architectures':['DistilBertModel'],'attention_dropout':0.1,'dim':768,"
        + "'dropout':0.1,'hidden_dim':3072,'initializer_range':0.02,'max_position_embeddings':512,'model_type':'distilbert',"
        + "'n_heads':12,'n_layers':6,'pad_token_id':0,'qa_dropout':0.1,'seq_classif_dropout':0.2,'sinusoidal_pos_embds':false,"
        + "'tie_weights_':true,'vocab_size':30522}");
    assertThat(distil.layers().get(5).path()).isEqualTo("transformer.layer.5.");
    assertThat(parse("{'model_type':'distilbert','hidden_size':64,'num_attention_heads':2,'num_hidden_layers':1}").hiddenSize())
        .isEqualTo(64);
  }

  @Test
  void modernBertIsReadInTheWordingOfBothVersions() {
    ModelConfig four = parse(MODERN + ",'global_rope_theta':160000.0,'local_rope_theta':5000.0,'global_attn_every_n_layers':2,"
        + "'local_attention':128,'position_embedding_type':'absolute','norm_eps':1e-05,'norm_bias':false,'reference_compile':null,"
        + "'sparse_prediction':false,'decoder_bias':true,'classifier_pooling':'mean'}");
    ModelConfig five = parse(MODERN + ",'layer_types':['full_attention','sliding_attention','full_attention','sliding_attention',"
        + "'full_attention'],'rope_parameters':{'full_attention':{'rope_type':'default','rope_theta':160000.0},"
        + "'sliding_attention':{'rope_type':'default','rope_theta':5000.0}}}");
    assertThat(four.layers()).isEqualTo(five.layers());
    assertThat(parse(MODERN + ",'local_rope_theta':null,'global_rope_theta':7.0}").layers().get(1).rope().orElseThrow().theta())
        .isEqualTo(7);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
      "'model_type':'roberta','pad_token_id':null|pad_token_id",
      "'model_type':'roberta','max_position_embeddings':2|max_position_embeddings",
      "'model_type':'xlm-roberta','position_embedding_type':'relative_key'|position_embedding_type",
      "'model_type':'roberta','hidden_act':'relu'|hidden_act",
      "'model_type':'distilbert','activation':'relu'|activation",
      "'model_type':'distilbert','n_heads':5|n_heads",
      "'model_type':'mpnet','relative_attention_num_buckets':16|relative_attention_num_buckets",
      "'model_type':'mpnet','is_decoder':true|is_decoder",
      "'model_type':'modernbert','layer_types':['full_attention']|layer_types",
      "'model_type':'modernbert','hidden_activation':'relu'|hidden_activation",
      "'model_type':'modernbert','rope_parameters':{'rope_theta':5.0}|rope_parameters.rope_theta",
      "'model_type':'modernbert','rope_parameters':{'full_attention':{'rope_type':'new'}}|rope_type",
      "'model_type':'modernbert','quantization_config':{'bits':4}|quantization_config",
      "'model_type':'bert','architectures':['BertForSequenceClassification'],'num_labels':3|num_labels",
      "'model_type':'modernbert','architectures':['ModernBertForSequenceClassification'],'classifier_pooling':'max'|classifier_pooling"
  })
  void whatIsNotSupportedIsRefusedByName(String json, String key) {
    assertThatThrownBy(() -> parse("{" + json + "}")).isInstanceOf(FettleException.class).hasMessageStartingWith("config.json: ")
        .hasMessageContaining(key);
  }

  @Test
  void aClassifierHasTheHeadOfItsFamily() {
    ModelConfig bert = parse("{'model_type':'bert','architectures':['BertForSequenceClassification'],'id2label':{'0':'LABEL_0'}}");
    assertThat(bert.purpose()).isEqualTo(ModelConfig.Purpose.SCORING);
    assertThat(bert.architecture().className()).isEqualTo("BertForSequenceClassification");
    ScoreHead head = bert.architecture().scoreHead().orElseThrow();
    assertThat(head.labels()).isEqualTo(1);
    assertThat(head.weights()).extracting(OuterWeight::name).containsExactly("bert.pooler.dense.weight", "bert.pooler.dense.bias",
        "classifier.weight", "classifier.bias");
    assertThat(bert.layers().get(0).path()).isEqualTo("bert.encoder.layer.0.");
    ModelConfig qwen = parse("{'model_type':'qwen3','architectures':['Qwen3ForSequenceClassification'],'hidden_size':16,"
        + "'num_hidden_layers':1,'num_attention_heads':2,'num_key_value_heads':1,'intermediate_size':16,'vocab_size':10}");
    assertThat(qwen.architecture().scoreHead().orElseThrow().pooled()).isEqualTo(Pooling.Mode.LAST);
    assertThat(qwen.architecture().scoreHead().orElseThrow().labels()).isEqualTo(2);
    assertThat(qwen.architecture().scoreHead().orElseThrow().activation()).isEqualTo(Optional.<Activation>empty());
    assertThat(qwen.layers().get(0).path()).isEqualTo("model.layers.0.");
    assertThat(WeightNames.expected(qwen)).containsKeys("score.weight", "model.norm.weight").doesNotContainKey("lm_head.weight");
  }

  @Test
  void aBareDecoderIsAnEncoderUnderItsBareNames() {
    ModelConfig bare = parse("{'model_type':'qwen3','architectures':['Qwen3Model'],'hidden_size':16,'num_hidden_layers':1,"
        + "'num_attention_heads':2,'num_key_value_heads':1,'intermediate_size':16,'vocab_size':10}");
    assertThat(bare.purpose()).isEqualTo(ModelConfig.Purpose.EMBEDDING);
    assertThat(WeightNames.expected(bare).keySet()).contains("embed_tokens.weight", "layers.0.self_attn.q_proj.weight", "norm.weight");
    assertThat(bare.architecture().namesInFiles("norm.weight")).isEqualTo(List.of("norm.weight", "model.norm.weight"));
    assertThat(bare.architecture().className()).isEqualTo("Qwen3Model");
  }

  @Test
  void aModelThatReadsImagesEmbedsNoTexts() {
    assertThatThrownBy(() -> ModelConfig.of(new JsonFields(StrictJson.parse("{\"model_type\":\"gemma3\"}", "config.json"),
        "config.json"), true)).isInstanceOf(UnsupportedModelException.class).hasMessageContaining("model_type");
  }
}

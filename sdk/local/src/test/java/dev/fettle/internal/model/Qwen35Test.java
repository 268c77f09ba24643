package dev.fettle.internal.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.model.LayerNumbers.Delta;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Qwen35Test {
  /** With keys that files have and transformers does not read; single quotes stand for double ones. */
  private static final String TEXT = "{'model_type':'qwen3_5_text','attention_bias':false,'attention_dropout':0.0,"
      + "'attn_output_gate':true,'dtype':'bfloat16','eos_token_id':9,'full_attention_interval':4,'head_dim':16,"
      + "'hidden_act':'silu','hidden_size':32,'intermediate_size':48,'linear_conv_kernel_dim':4,'linear_key_head_dim':8,"
      + "'linear_num_key_heads':2,'linear_num_value_heads':4,'linear_value_head_dim':6,'mamba_ssm_dtype':'float32',"
      + "'max_position_embeddings':262144,'mlp_only_layers':[],'mtp_num_hidden_layers':1,'mtp_use_dedicated_embeddings':false,"
      + "'num_attention_heads':2,'num_hidden_layers':8,'num_key_value_heads':1,'rms_norm_eps':1e-06,'vocab_size':64,"
      + "'rope_parameters':{'mrope_interleaved':true,'mrope_section':[11,11,10],'partial_rotary_factor':0.25,"
      + "'rope_theta':10000000,'rope_type':'default'},'partial_rotary_factor':0.25}";
  private static final String WHOLE = "{'architectures':['Qwen3_5ForConditionalGeneration'],'image_token_id':60,'model_type':'qwen3_5',"
      + "'text_config':" + TEXT + ",'vision_config':{'depth':2,'model_type':'qwen3_5'}}";

  @Test
  void everyFourthLayerHasAttentionTheOthersAState() {
    ModelConfig config = parse(TEXT);

    assertThat(config.layers().stream().map(LayerConfig::hasState)).containsExactly(true, true, true, false, true, true, true, false);
    LayerConfig state = config.layers().get(0);
    assertThat(state.numbers().delta()).isEqualTo(new Delta(2, 4, 8, 6, 4));
    assertThat(state.numbers().outputGate()).isFalse();
    assertThat(state.rope()).isEmpty();
    assertThat(state.linears().stream().map(LayerConfig.Linear::outputs)).containsExactly(56, 24, 4, 4, 32, 48, 48, 32);
    assertThat(WeightNames.expected(config).get("model.layers.0.linear_attn.conv1d.weight")).containsExactly(56, 1, 4);
    assertThat(WeightNames.expected(config).get("model.layers.0.linear_attn.A_log")).containsExactly(4);
    LayerConfig attention = config.layers().get(3);
    assertThat(attention.numbers().outputGate()).isTrue();
    assertThat(attention.rope()).contains(new DefaultRope(4, 1e7));
    assertThat(WeightNames.expected(config).get("model.layers.3.self_attn.q_proj.weight")).containsExactly(64, 32);
    assertThat(config.numbers().unitOffset()).isTrue();
    assertThat(config.tiedEmbeddings()).isFalse();
  }

  @Test
  void whatIsMissingIsAsInTransformers() {
    ModelConfig config = parse("{'model_type':'qwen3_5_text'}");

    assertThat(config.layers()).hasSize(32);
    assertThat(config.layers().get(0).numbers().delta()).isEqualTo(new Delta(16, 32, 128, 128, 4));
    assertThat(config.layers().get(3).rope()).contains(new DefaultRope(64, 10_000));
    assertThat(config.layers().get(3).headDim()).isEqualTo(256);
    assertThat(config.layers().get(3).numbers().kvHeads()).isEqualTo(4);
    assertThat(config.vocabSize()).isEqualTo(248_320);
    assertThat(parse(TEXT.replace("'partial_rotary_factor':0.25,'rope_theta'", "'rope_theta'")
        .replace("'partial_rotary_factor':0.25}", "'partial_rotary_factor':0.5}")).layers().get(3).rope())
        .contains(new DefaultRope(8, 1e7));
  }

  @Test
  void withinAModelThatReadsImages() {
    ModelConfig config = parse(WHOLE);

    assertThat(WeightNames.expected(config)).containsKeys("model.language_model.layers.0.linear_attn.A_log", "lm_head.weight",
        "model.language_model.layers.7.self_attn.o_proj.weight");
    assertThat(config.eosIds()).isEqualTo(List.of(9));
    assertThat(List.of("mtp.fc.weight", "model.visual.blocks.0.norm1.weight")).allMatch(config.architecture()::isOther);
    assertThat(parse(WHOLE.replace("'vision_config'", "'tie_word_embeddings':true,'vision_config'")).tiedEmbeddings()).isTrue();
    // transformers asks the outer file alone.
    assertThat(parse(WHOLE.replace("'mlp_only_layers'", "'tie_word_embeddings':true,'mlp_only_layers'")).tiedEmbeddings()).isFalse();
  }

  @Test
  void aClassifierOfTextIsKnownByTheClassThatTransformersNames() {
    ModelConfig config = parse(TEXT.replace("{'model_type'", "{'architectures':['Qwen3_5TextForSequenceClassification'],'model_type'"));

    assertThat(config.purpose()).isEqualTo(ModelConfig.Purpose.SCORING);
    assertThat(config.architecture().className()).isEqualTo("Qwen3_5TextForSequenceClassification");
    assertThat(WeightNames.expected(config)).containsKeys("score.weight", "model.layers.0.linear_attn.dt_bias");
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "'linear_num_value_heads':4|'linear_num_value_heads':3|linear_num_value_heads",
      "'linear_conv_kernel_dim':4|'linear_conv_kernel_dim':0|linear_conv_kernel_dim",
      "'linear_key_head_dim':8|'linear_key_head_dim':'8'|linear_key_head_dim",
      "'mlp_only_layers':[]|'layer_types':['linear_attention']|layer_types",
  }, quoteCharacter = '"')
  void aWrongValueIsNamed(String was, String is, String key) {
    assertThatThrownBy(() -> parse(TEXT.replace(was, is))).isInstanceOf(InvalidInputException.class).hasMessageContaining(key);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "'mlp_only_layers':[]|'layer_types':['sliding_attention']|layer_types",
      "'attention_dropout':0.0|'attention_dropout':0.1|attention_dropout",
      "'hidden_act':'silu'|'hidden_act':'relu'|hidden_act",
      "'qwen3_5_text'|'qwen3_5_moe_text'|model_type",
      "'qwen3_5_text'|'qwen3_next'|model_type",
  }, quoteCharacter = '"')
  void whatIsNotSupportedIsNamed(String was, String is, String key) {
    assertThatThrownBy(() -> parse(TEXT.replace(was, is))).isInstanceOf(UnsupportedModelException.class).hasMessageContaining(key);
  }

  private static ModelConfig parse(String json) {
    return ModelConfig.parse(json.replace('\'', '"'), "config.json");
  }
}

package dev.fettle.internal.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.checkpoint.Fixtures;
import dev.fettle.internal.checkpoint.StoredType;
import dev.fettle.support.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelConfigTest {
  /** The shortest valid llama config; single quotes stand for double ones. */
  static final String LLAMA =
      "{'model_type':'llama','vocab_size':32,'hidden_size':16,'intermediate_size':24,'num_hidden_layers':3,"
          + "'num_attention_heads':2}";

  @Test
  void llama_as_transformers_5_writes_it() {
    ModelConfig config = ModelConfig.parse(Fixtures.file("config-llama.json"));
    assertThat(config.architecture().type()).isEqualTo("llama");
    assertThat(config.vocabSize()).isEqualTo(32);
    assertThat(config.hiddenSize()).isEqualTo(16);
    assertThat(config.layers()).hasSize(3);
    LayerConfig layer = config.layers().get(2);
    assertThat(layer.inputs(Product.DOWN)).isEqualTo(24);
    assertThat(layer.numbers().heads()).isEqualTo(2);
    assertThat(layer.numbers().kvHeads()).isEqualTo(1);
    assertThat(layer.headDim()).isEqualTo(6);
    assertThat(layer.queryWidth()).isEqualTo(12);
    assertThat(layer.numbers().eps()).isEqualTo(1e-6);
    assertThat(rope(config)).isEqualTo(new Llama3Rope(6, 5e5, 8, 1, 4, 64));
    assertThat(windows(config)).containsExactly(0, 0, 0);
    assertThat(biases(config)).containsExactly("q_proj", "k_proj", "v_proj", "o_proj");
    assertThat(hasQueryNorm(config)).isFalse();
    assertThat(config.tiedEmbeddings()).isFalse();
    assertThat(config.contextLength()).isEqualTo(2048);
    assertThat(config.storedType()).isEqualTo(StoredType.BF16);
    assertThat(config.bosId()).isEqualTo(OptionalInt.of(1));
    assertThat(config.eosIds()).containsExactly(2);
  }

  @Test
  void mistral_has_one_window_for_all_layers_or_none() {
    assertThat(windows(ModelConfig.parse(Fixtures.file("config-mistral.json")))).containsExactly(8, 8, 8);
    assertThat(windows(ModelConfig.parse(Fixtures.file("config-mistral_full.json")))).containsExactly(0, 0, 0);
    ModelConfig absent = parse(LLAMA.replace("llama", "mistral").replace("}", ",'num_key_value_heads':null}"));
    assertThat(windows(absent)).as("transformers' default").containsExactly(4096, 4096, 4096);
    assertThat(absent.layers().get(0).numbers().kvHeads()).isEqualTo(2);
  }

  @Test
  void qwen2_has_biases_in_q_k_v_and_windows_in_its_upper_layers() {
    ModelConfig config = ModelConfig.parse(Fixtures.file("config-qwen2.json"));
    assertThat(windows(config)).containsExactly(0, 8, 8);
    assertThat(biases(config)).containsExactly("q_proj", "k_proj", "v_proj");
    assertThat(config.bosId()).isEmpty();
    assertThat(config.eosIds()).isEmpty();
    String old = LLAMA.replace("llama", "qwen2").replace("}", ",'num_key_value_heads':1,'use_sliding_window':");
    assertThat(windows(parse(old + "true,'sliding_window':7,'max_window_layers':2}"))).containsExactly(0, 0, 7);
    assertThat(windows(parse(old + "false,'sliding_window':7,'max_window_layers':2}")))
        .containsExactly(0, 0, 0);
  }

  @Test
  void queries_of_ministral_need_not_grow() throws IOException {
    String growing = Files.readString(Golden.path("families/ministral3/config.json"));
    String level = growing.replace("\"llama_4_scaling_beta\": 0.3", "\"llama_4_scaling_beta\": 0.0");

    assertThat(ModelConfig.parse(growing, "config.json").layers().get(0).numbers().growth()).isEqualTo(0.3);
    assertThat(ModelConfig.parse(level, "config.json").layers().get(0).numbers().growth()).isZero();
  }

  @Test
  void logits_of_a_decoder_within_another_model_have_no_cap() throws IOException {
    String capped = Files.readString(Golden.path("families/gemma3-vision/config.json"))
        .replace("\"final_logit_softcapping\": null", "\"final_logit_softcapping\": 3.0");

    assertThat(capped).contains("3.0");
    assertThat(ModelConfig.parse(capped, "config.json").numbers().logitCap()).isZero();
    assertThat(parse("{'model_type':'gemma3_text','final_logit_softcapping':3.0}").numbers().logitCap()).isEqualTo(3);
  }

  @Test
  void layer_types_of_qwen_are_full_or_sliding() {
    String qwen = LLAMA.replace("llama", "qwen2").replace("}", ",'num_key_value_heads':1,'layer_types':");
    assertThatThrownBy(() -> parse(qwen + "['full_attention','full_attention','chunked_attention']}"))
        .isInstanceOf(UnsupportedModelException.class).hasMessageContaining("layer_types");
    assertThatThrownBy(() -> parse(qwen + "['full_attention']}"))
        .isInstanceOf(InvalidInputException.class).hasMessageContaining("layer_types");
  }

  @Test
  void qwen3_normalises_queries_and_keys_and_has_heads_of_128() {
    ModelConfig config = ModelConfig.parse(Fixtures.file("config-qwen3.json"));
    assertThat(hasQueryNorm(config)).isTrue();
    assertThat(config.layers().get(0).headDim()).isEqualTo(128);
    assertThat(biases(config)).isEmpty();
    assertThat(config.tiedEmbeddings()).isTrue();
    assertThat(rope(config)).isEqualTo(new DefaultRope(128, 1e6));
  }

  @Test
  void a_real_config_of_transformers_4_is_read() {
    ModelConfig config = ModelConfig.parse(Fixtures.shared("tokenizers/qwen2/config.json"));
    assertThat(rope(config)).isEqualTo(new DefaultRope(128, 1e6));
    assertThat(config.layers().get(0).headDim()).isEqualTo(128);
    assertThat(config.layers().get(0).numbers().kvHeads()).isEqualTo(2);
    assertThat(windows(config)).hasSize(28).containsOnly(0);
    assertThat(config.bosId()).isEqualTo(OptionalInt.of(151643));
    assertThat(config.eosIds()).isEqualTo(List.of(151645));
    assertThat(config.storedType()).isEqualTo(StoredType.BF16);
  }

  @Test
  void a_bert_model_is_an_encoder() {
    ModelConfig config = ModelConfig.parse(Fixtures.shared("models/minilm-l6-v2/config.json"));

    assertThat(config.isCausalLm()).isFalse();
    assertThat(config.layers()).hasSize(6);
    assertThat(WeightNames.expected(config).get("embeddings.token_type_embeddings.weight")).containsExactly(2, 384);
    assertThat(config.eps()).isEqualTo(1e-12);
    assertThat(config.contextLength()).isEqualTo(512);
  }

  @Test
  void rope_settings_of_transformers_4_are_read() {
    assertThat(rope(parse(with("'rope_theta':5e5,'rope_scaling':null")))).isEqualTo(new DefaultRope(8, 5e5));
    assertThat(rope(parse(with("'rope_scaling':{'type':'linear','factor':2}"))))
        .isEqualTo(new LinearRope(8, 10_000, 2));
    String llama3 =
        "'rope_theta':5e5,'rope_scaling':{'rope_type':'llama3','factor':32.0,'low_freq_factor':1.0,"
            + "'high_freq_factor':4.0,'original_max_position_embeddings':8192}";
    assertThat(rope(parse(with(llama3)))).isEqualTo(new Llama3Rope(8, 5e5, 32, 1, 4, 8192));
    assertThat(parse(with("'torch_dtype':'float16'")).storedType()).isEqualTo(StoredType.F16);
    assertThat(parse(with("'eos_token_id':[5,7]")).eosIds()).containsExactly(5, 7);
  }

  @Test
  void yarn_has_transformers_defaults_and_all_of_its_keys() {
    String yarn = "'rope_parameters':{'rope_type':'yarn','factor':4,'original_max_position_embeddings':512,";
    assertThat(rope(parse(with(yarn + "'rope_theta':5e5}")))).isEqualTo(
        new YarnRope(8, 5e5, 4, 512, 32, 1, true, 0.1 * Math.log(4) + 1));
    assertThat(rope(parse(with(yarn + "'beta_fast':16,'beta_slow':2,'truncate':false,'attention_factor':1.5}"))))
        .isEqualTo(new YarnRope(8, 10_000, 4, 512, 16, 2, false, 1.5));
    assertThat(rope(parse(with(yarn + "'mscale':0.5,'mscale_all_dim':2}"))).attentionFactor())
        .isEqualTo((0.05 * Math.log(4) + 1) / (0.2 * Math.log(4) + 1));
    assertThat(rope(parse(with("'rope_scaling':{'type':'yarn','factor':4,'finetuned':true}"))))
        .isEqualTo(new YarnRope(8, 10_000, 4, 2048, 32, 1, true, 0.1 * Math.log(4) + 1));
  }

  @Test
  void dynamic_begins_where_the_model_ends() {
    DynamicRope expected = new DynamicRope(8, 5e5, 3, 64);
    String of = "'max_position_embeddings':64,'rope_theta':5e5,";
    assertThat(rope(parse(with(of + "'rope_scaling':{'type':'dynamic','factor':3}")))).isEqualTo(expected);
    assertThat(rope(parse(with(of + "'rope_parameters':{'rope_type':'dynamic','factor':3}")))).isEqualTo(expected);
  }

  @Test
  void longrope_takes_the_original_context_from_outside_before_the_one_within() {
    String factors = "'short_factor':[1,1,1,1.5],'long_factor':[2,3,4.5,6]";
    String outside = "'max_position_embeddings':4096,'original_max_position_embeddings':64,";
    LongRope expected = new LongRope(8, 10_000, List.of(1.0, 1.0, 1.0, 1.5), List.of(2.0, 3.0, 4.5, 6.0), 64, Math.sqrt(2));
    assertThat(rope(parse(with(outside + "'rope_scaling':{'type':'longrope'," + factors + "}")))).isEqualTo(expected);
    assertThat(rope(parse(with(outside + "'rope_parameters':{'rope_type':'longrope','original_max_position_embeddings':128,"
        + factors + "}")))).isEqualTo(expected);
    assertThat(rope(parse(with("'rope_parameters':{'rope_type':'longrope','original_max_position_embeddings':64,'factor':64,"
        + factors + "}")))).isEqualTo(expected);
    assertThat(rope(parse(with(outside + "'rope_scaling':{'type':'longrope','attention_factor':1.25," + factors + "}")))
        .attentionFactor()).isEqualTo(1.25);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'type':'linear','factor':4|64", "'type':'dynamic','factor':4|256", "'type':'dynamic','factor':2.5|160",
        "'type':'dynamic','factor':0.5|64", "'type':'dynamic','factor':1e12|2147483647", "'type':'yarn','factor':4|256",
        "'type':'yarn','factor':4,'original_max_position_embeddings':16|64",
        "'type':'yarn','factor':4,'original_max_position_embeddings':32|128",
        "'type':'longrope','original_max_position_embeddings':16,'short_factor':[1,1,1,1],'long_factor':[1,1,1,1]|64"
      })
  void the_context_is_as_long_as_rope_settings_reach(String scaling, int expected) {
    assertThat(parse(with("'max_position_embeddings':64,'rope_scaling':{" + scaling + "}")).contextLength()).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "mistral", "qwen2", "qwen3"})
  void every_family_takes_every_kind(String family) {
    String config = with("'head_dim':8,'num_key_value_heads':1,'rope_scaling':").replace("llama", family).replaceAll("}$", "");
    String long4 = "'original_max_position_embeddings':16,'short_factor':[1,1,1,1],'long_factor':[1,1,1,1]";
    assertThat(rope(parse(config + "{'type':'yarn','factor':4}}"))).isInstanceOf(YarnRope.class);
    assertThat(rope(parse(config + "{'type':'dynamic','factor':4}}"))).isInstanceOf(DynamicRope.class);
    assertThat(rope(parse(config + "{'type':'longrope'," + long4 + "}}"))).isInstanceOf(LongRope.class);
    assertThatThrownBy(() -> parse(config + "{'type':'linear','factor':4,'partial_rotary_factor':0.5}}"))
        .isInstanceOf(UnsupportedModelException.class).hasMessageContaining("rope_scaling.partial_rotary_factor");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'factor':2", "'original_max_position_embeddings':64", "'beta_fast':3", "'mscale':2", "'truncate':false",
        "'short_factor':[1]", "'low_freq_factor':1", "'attention_factor':2", "'finetuned':true", "'partial_rotary_factor':1.0"
      })
  void what_another_rope_type_would_read_is_passed_over_as_in_transformers(String extra) {
    ModelConfig config = parse(with("'rope_parameters':{'rope_type':'default'," + extra + "}"));
    assertThat(rope(config)).isEqualTo(new DefaultRope(8, 10_000));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'model_type':'mamba2'|model_type",
        "'architectures':['LlamaForTokenClassification']|architectures",
        "'hidden_act':'relu'|hidden_act",
        "'rope_scaling':{'rope_type':'su','factor':4}|rope_scaling.rope_type",
        "'rope_scaling':{'type':'mrope','mrope_section':[1,2]}|rope_scaling.type",
        "'rope_parameters':{'rope_type':'proportional'}|rope_parameters.rope_type",
        "'rope_parameters':{'rope_type':'default','mrope_section':[1,2]}|rope_parameters.mrope_section",
        "'rope_scaling':{'type':'yarn','factor':4,'attn_factor':2}|rope_scaling.attn_factor",
        "'rope_parameters':{'rope_type':'yarn','factor':4,'llama_4_scaling_beta':0.1}|rope_parameters.llama_4_scaling_beta",
        "'rope_scaling':{'type':'dynamic','factor':4,'alpha':2}|rope_scaling.alpha",
        "'rope_scaling':{'type':'yarn','factor':4,'partial_rotary_factor':0.5}|rope_scaling.partial_rotary_factor",
        "'rope_parameters':{'full_attention':{'rope_type':'default'}}|full_attention",
        "'rope_scaling':{'type':'linear','factor':2},'partial_rotary_factor':0.5|partial_rotary_factor",
        "'rope_parameters':{'rope_type':'linear','factor':2,'partial_rotary_factor':0.5}|partial_rotary_factor",
        "'quantization_config':{'bits':4}|quantization_config",
        "'text_config':{'hidden_size':8}|text_config",
        "'per_layer_config':{'0':{'num_attention_heads':4}}|per_layer_config",
        "'torch_dtype':'float8_e4m3fn'|torch_dtype",
        "'attention_dropout':0.1|attention_dropout",
        "'is_causal':false|is_causal"
      })
  void what_would_change_the_mathematics_is_refused_by_name(String extra, String key) {
    String json = extra.contains("model_type") ? "{" + extra + "}" : with(extra);
    assertThatThrownBy(() -> parse(json))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageStartingWith("config.json: ")
        .hasMessageContaining(key);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'quantization_config':null", "'partial_rotary_factor':1.0", "'is_encoder_decoder':false",
        "'hidden_act':'silu'", "'hidden_act':'swish'", "'attention_dropout':0.0", "'architectures':['LlamaForCausalLM']",
        "'torch_dtype':'auto'", "'dtype':'auto'", "'dtype':'torch.float32'",
        // What transformers 5.18 does not read for this family.
        "'partial_rotary_factor':0.5", "'rope_parameters':{'rope_type':'default','partial_rotary_factor':0.5}",
        "'sliding_window':8", "'layer_types':['full_attention','sliding_attention','full_attention']",
        "'num_experts':8", "'num_local_experts':8", "'pretraining_tp':2", "'attention_multiplier':0.5",
        "'logits_scaling':8", "'embedding_multiplier':12.0", "'attn_logit_softcapping':50.0",
        "'final_logit_softcapping':30.0", "'pruned_heads':{'0':[1]}", "'hidden_activation':'gelu'", "'qk_norm':true",
        "'vision_config':{'hidden_size':8}", "'compression_config':{'bits':4}", "'use_parallel_residual':true",
        "'hidden_dropout':0.1", "'clip_qkv':8", "'use_cache':false", "'output_attentions':true", "'is_decoder':true",
        "'unsloth_version':'2026.11'", "'auto_map':{'AutoModelForCausalLM':'x.Y'}"
      })
  void settings_that_mean_nothing_are_passed_over(String extra) {
    assertThat(parse(with(extra))).isEqualTo(parse(LLAMA));
  }

  @ParameterizedTest
  @CsvSource({"7, 7", "-1, 31", "null,", "32,", "-33,"})
  void the_padding_token_is_a_row_of_the_embeddings_or_none(String id, Integer row) {
    assertThat(parse(with("'pad_token_id':" + id)).numbers().padding()).isEqualTo(row == null ? OptionalInt.empty() : OptionalInt.of(row));
    assertThat(parse(LLAMA).numbers().padding()).isEmpty();
    assertThat(parse(LLAMA.replace("llama", "olmo2")).numbers().padding()).hasValue(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "mistral|'mlp_bias':true", "mistral|'attention_bias':true", "mistral|'qk_norm':true",
        "mistral|'layer_types':['full_attention','sliding_attention','full_attention']",
        "qwen2|'mlp_bias':true", "qwen2|'attention_bias':false", "qwen2|'sliding_window':0", "qwen2|'max_window_layers':-1",
        "qwen3|'mlp_bias':true", "qwen3|'qk_norm':false", "qwen3|'sliding_window':null"
      })
  void each_family_passes_over_what_transformers_does_not_read_for_it(String type, String extra) {
    String plain = LLAMA.replace("llama", type).replace("}", ",'num_key_value_heads':1}");
    assertThat(parse(plain.replace("}", "," + extra + "}"))).isEqualTo(parse(plain));
  }

  @ParameterizedTest
  @CsvSource({
    "llama, 32000, 4096, 11008, 32, 32", "mistral, 32000, 4096, 14336, 32, 8", "qwen2, 151936, 4096, 22016, 32, 32",
    "qwen3, 151936, 4096, 22016, 32, 32"
  })
  void a_size_that_is_missing_is_the_familys(String type, int vocabulary, int hidden, int intermediate, int layers, int kvHeads) {
    ModelConfig config = parse("{'model_type':'" + type + "'}");
    assertThat(config.vocabSize()).isEqualTo(vocabulary);
    assertThat(config.hiddenSize()).isEqualTo(hidden);
    assertThat(config.layers()).hasSize(layers);
    assertThat(config.layers().get(0).inputs(Product.DOWN)).isEqualTo(intermediate);
    assertThat(config.layers().get(0).numbers().heads()).isEqualTo(32);
    assertThat(config.layers().get(0).numbers().kvHeads()).isEqualTo(kvHeads);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "hidden_size|0", "hidden_size|-16", "hidden_size|'16'", "hidden_size|16.5", "hidden_size|null",
        "hidden_size|1e3", "hidden_size|15", "hidden_size|99999999999", "hidden_size|6", "vocab_size|0",
        "intermediate_size|0", "num_hidden_layers|0", "num_hidden_layers|2000000000", "num_attention_heads|0",
        "num_attention_heads|true"
      })
  void a_missing_or_wrong_value_is_refused_by_name(String key, String value) {
    String json = LLAMA.replaceAll("'" + key + "':[0-9]+", "'" + key + "':" + value);
    assertThatThrownBy(() -> parse(json))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("config.json: ")
        .hasMessageContaining(key.equals("hidden_size") && value.matches("15|6") ? "num_attention_heads" : key);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'num_key_value_heads':3|num_key_value_heads",
        "'head_dim':5|head_dim",
        "'rms_norm_eps':0|rms_norm_eps",
        "'rms_norm_eps':'1e-6'|rms_norm_eps",
        "'rope_theta':-1|rope_theta",
        "'rope_scaling':5|rope_scaling",
        "'rope_scaling':{'type':'linear'}|rope_scaling.factor",
        "'rope_scaling':{'type':'linear','factor':0}|rope_scaling.factor",
        "'rope_scaling':{'type':'llama3','factor':8,'low_freq_factor':4,'high_freq_factor':4}|high_freq_factor",
        "'rope_scaling':{'type':'yarn'}|rope_scaling.factor",
        "'rope_scaling':{'type':'yarn','factor':'4'}|rope_scaling.factor",
        "'rope_scaling':{'type':'yarn','factor':4,'original_max_position_embeddings':0}|original_max_position_embeddings",
        "'original_max_position_embeddings':1.5,'rope_scaling':{'type':'yarn','factor':4}|original_max_position_embeddings",
        "'rope_scaling':{'type':'yarn','factor':4,'beta_fast':-1}|beta_fast",
        "'rope_scaling':{'type':'yarn','factor':4,'beta_slow':'1'}|beta_slow",
        "'rope_scaling':{'type':'yarn','factor':4,'truncate':1}|truncate",
        "'rope_scaling':{'type':'yarn','factor':4,'attention_factor':0}|attention_factor",
        "'rope_scaling':{'type':'yarn','factor':4,'mscale':true}|mscale",
        "'rope_scaling':{'type':'yarn','factor':4,'mscale':1,'mscale_all_dim':-100}|mscale",
        "'rope_theta':1,'rope_scaling':{'type':'yarn','factor':4}|rope_theta",
        "'rope_scaling':{'type':'dynamic'}|rope_scaling.factor",
        "'head_dim':2,'rope_scaling':{'type':'dynamic','factor':2}|rope_scaling.type",
        "'rope_scaling':{'type':'longrope','short_factor':[1,1,1,1]}|rope_scaling.long_factor",
        "'rope_scaling':{'type':'longrope','short_factor':[1,1],'long_factor':[1,1,1,1]}|rope_scaling.short_factor",
        "'rope_scaling':{'type':'longrope','short_factor':[1,1,1,0],'long_factor':[1,1,1,1]}|rope_scaling.short_factor",
        "'rope_scaling':{'type':'longrope','short_factor':2,'long_factor':[1,1,1,1]}|rope_scaling.short_factor",
        "'rope_scaling':{'type':'linear','factor':2},'rope_parameters':{'rope_type':'default'}|rope_parameters",
        "'tie_word_embeddings':1|tie_word_embeddings",
        "'eos_token_id':-1|eos_token_id",
        "'max_position_embeddings':0|max_position_embeddings"
      })
  void a_wrong_optional_value_is_refused_by_name(String extra, String key) {
    assertThatThrownBy(() -> parse(with(extra)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("config.json: ")
        .hasMessageContaining(key);
  }

  @Test
  void qwen3_moe_has_experts_in_the_layers_that_are_to_have_them() {
    ModelConfig config = parse(experts("'decoder_sparse_step':2,'mlp_only_layers':[1],'num_hidden_layers':6"));
    assertThat(config.layers().stream().map(LayerConfig::hasExperts)).containsExactly(false, false, false, true, false, true);
    assertThat(config.layers().get(0).inputs(Product.DOWN)).isEqualTo(24);
    LayerConfig sparse = config.layers().get(3);
    assertThat(sparse.numbers().experts()).isEqualTo(new LayerNumbers.Experts(4, 2, false));
    assertThat(sparse.outputs(Product.ROUTER)).isEqualTo(4);
    assertThat(sparse.outputs(Product.EXPERTS_GATE_UP)).isEqualTo(4 * 2 * 10);
    assertThat(sparse.outputs(Product.EXPERTS_DOWN)).isEqualTo(4 * 16);
    assertThat(windows(config)).containsOnly(0);
  }

  @Test
  void defaults_of_experts_are_those_of_transformers() {
    ModelConfig qwen = parse(LLAMA.replace("llama", "qwen3_moe").replace("'num_attention_heads':2", "'num_attention_heads':8"));
    assertThat(qwen.layers().get(0).numbers().experts()).isEqualTo(new LayerNumbers.Experts(128, 8, false));
    assertThat(qwen.layers().get(0).inputs(Product.EXPERTS_DOWN)).isEqualTo(768);
    assertThat(qwen.layers().get(0).numbers().kvHeads()).isEqualTo(4);
    ModelConfig olmoe = parse(LLAMA.replace("llama", "olmoe"));
    assertThat(olmoe.layers().get(0).numbers().experts()).isEqualTo(new LayerNumbers.Experts(64, 8, false));
    assertThat(olmoe.layers().get(0).inputs(Product.EXPERTS_DOWN)).isEqualTo(24);
    assertThat(olmoe.layers().get(0).numbers().kvHeads()).isEqualTo(2);
    assertThat(olmoe.layers().get(0).numbers().eps()).isEqualTo(1e-5);
    assertThat(olmoe.eosIds()).containsExactly(50_279);
    assertThat(olmoe.contextLength()).isEqualTo(4096);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'output_router_logits':true|output_router_logits", "'num_experts_per_tok':5|num_experts_per_tok",
        "'num_experts_per_tok':0|num_experts_per_tok", "'num_local_experts':3|num_local_experts", "'num_experts':0|num_experts",
        "'decoder_sparse_step':0|decoder_sparse_step", "'mlp_only_layers':[-1]|mlp_only_layers", "'mlp_only_layers':['a']|mlp_only_layers",
        "'norm_topk_prob':1|norm_topk_prob", "'moe_intermediate_size':0|moe_intermediate_size",
        "'hidden_act':'relu'|hidden_act"
      })
  void what_experts_cannot_be_is_refused_by_name(String extra, String key) {
    assertThatThrownBy(() -> parse(experts(extra))).hasMessageStartingWith("config.json: ").hasMessageContaining(key);
  }

  @ParameterizedTest
  @ValueSource(strings = {"'clip_qkv':8.0", "'sliding_window':8", "'output_router_logits':true"})
  void what_olmoe_cannot_be_is_refused_by_name(String extra) {
    assertThatThrownBy(() -> parse(LLAMA.replace("llama", "olmoe").replace("}", "," + extra + "}")))
        .isInstanceOf(UnsupportedModelException.class).hasMessageContaining(extra.substring(1, extra.indexOf("':")));
  }

  /** A small model with experts; a key that is given again replaces the first. */
  private static String experts(String extra) {
    Map<String, String> fields = new LinkedHashMap<>();
    String all = LLAMA.substring(1, LLAMA.length() - 1).replace("llama", "qwen3_moe")
        + ",'num_key_value_heads':1,'num_experts':4,'num_experts_per_tok':2,'moe_intermediate_size':10," + extra;
    for (String field : all.split(",(?=')")) {
      fields.put(field.substring(0, field.indexOf(':')), field);
    }
    return "{" + String.join(",", fields.values()) + "}";
  }

  @Test
  void editing_changes_type_and_tying_and_nothing_else() {
    String four = with("'torch_dtype':'float32','_name_or_path':'x','tie_word_embeddings':true");
    String edited = ModelConfigJson.edit(four.replace('\'', '"'), "config.json", StoredType.BF16, false);
    assertThat(edited)
        .contains("\"torch_dtype\" : \"bfloat16\"", "\"_name_or_path\" : \"x\"", "\"tie_word_embeddings\" : false")
        .doesNotContain("\"dtype\"");
    assertThat(ModelConfigJson.edit("{\"dtype\":\"float32\"}", "config.json", StoredType.F16, true))
        .contains("\"dtype\" : \"float16\"")
        .doesNotContain("torch_dtype");
  }

  @Test
  void its_text_is_one_short_line() {
    assertThat(parse(LLAMA).toString()).hasSizeLessThan(80).doesNotContain("\n", "<", ">");
  }

  private static String with(String extra) {
    return LLAMA.substring(0, LLAMA.length() - 1) + "," + extra + "}";
  }

  private static Rope rope(ModelConfig config) {
    return config.layers().get(0).rope().orElseThrow();
  }

  private static List<Integer> windows(ModelConfig config) {
    return config.layers().stream().map(layer -> layer.numbers().window()).toList();
  }

  private static List<String> biases(ModelConfig config) {
    return config.layers().get(0).linears().stream().filter(LayerConfig.Linear::bias)
        .map(l -> l.name().substring(l.name().lastIndexOf('.') + 1)).toList();
  }

  private static boolean hasQueryNorm(ModelConfig config) {
    return config.layers().get(0).parts().stream()
        .anyMatch(p -> p instanceof LayerConfig.Norm n && n.place() == LayerVector.Q_NORM);
  }

  private static ModelConfig parse(String json) {
    return ModelConfig.parse(json.replace('\'', '"'), "config.json");
  }
}

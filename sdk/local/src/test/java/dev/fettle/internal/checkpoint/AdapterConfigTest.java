package dev.fettle.internal.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fettle.InvalidInputException;
import dev.fettle.UnsupportedModelException;
import dev.fettle.internal.json.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AdapterConfigTest {
  private static final String Q0 = "model.layers.0.self_attn.q_proj";

  @TestFactory
  List<DynamicTest> targets_ranks_and_alphas_are_those_of_peft() {
    JsonNode golden = StrictJson.read(Fixtures.file("matching.json"));
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode each : golden.get("cases").values()) {
      tests.add(DynamicTest.dynamicTest(each.get("config").toString(), () -> check(golden.get("paths"), each)));
    }
    assertThat(tests).hasSize(13);
    return tests;
  }

  private static void check(JsonNode paths, JsonNode golden) {
    AdapterConfig config = AdapterConfig.parse(golden.get("config").toString(), "adapter_config.json");
    AdapterConfig again = AdapterConfig.parse(config.toJson(), "written");
    assertThat(again).isEqualTo(config);
    Map<String, List<Double>> answers = new LinkedHashMap<>();
    for (JsonNode path : paths.values()) {
      if (config.targets(path.stringValue())) {
        double rank = config.rank(path.stringValue());
        answers.put(path.stringValue(), List.of(rank, config.alpha(path.stringValue())));
      }
    }
    Map<String, List<Double>> expected = new LinkedHashMap<>();
    for (var answer : golden.get("answers").properties()) {
      JsonNode pair = answer.getValue();
      expected.put(answer.getKey(), List.of(pair.get(0).asDouble(), pair.get(1).asDouble()));
    }
    assertThat(answers).isEqualTo(expected);
  }

  @Test
  void real_adapters_of_plain_kinds_are_read() {
    AdapterConfig all = AdapterConfig.parse(adapter("all_linear"));
    assertThat(all.rank()).isEqualTo(4);
    assertThat(all.alpha()).isEqualTo(8);
    assertThat(all.scale(Q0)).isEqualTo(2);
    assertThat(all.targets().modules()).hasSize(14);
    assertThat(all.targets(Q0)).isTrue();
    assertThat(all.targets("model.layers.2.self_attn.q_proj")).isFalse();
    AdapterConfig some = AdapterConfig.parse(adapter("layers_to_transform"));
    assertThat(some.targets(Q0)).isTrue();
    assertThat(some.targets("model.layers.1.self_attn.q_proj")).isFalse();
    assertThat(some.rank("model.layers.0.mlp.up_proj")).isEqualTo(2);
    assertThat(some.scale("model.layers.0.mlp.up_proj")).isEqualTo(8);
  }

  @ParameterizedTest
  @ValueSource(strings = {"dora", "embed", "lora_bias", "m2s_norm", "modules_to_save", "qv_lmhead_target", "tied_m2s",
    "tied_target_lmhead", "trainable_tokens"})
  void real_adapters_of_other_kinds_are_read_and_written_again(String name) {
    AdapterConfig config = AdapterConfig.parse(adapter(name));
    assertThat(AdapterConfig.parse(config.toJson(), "written")).isEqualTo(config);
  }

  @Test
  void what_adapters_have_beside_a_and_b_is_read() {
    assertThat(AdapterConfig.parse(adapter("dora")).extras().dora()).isTrue();
    assertThat(AdapterConfig.parse(adapter("lora_bias")).extras().bias()).isTrue();
    assertThat(AdapterConfig.parse(adapter("modules_to_save")).extras().modulesToSave())
        .containsExactly("lm_head", "embed_tokens");
    assertThat(AdapterConfig.parse(adapter("trainable_tokens")).extras().tokens()).containsExactly(1, 2);
    assertThat(parse("'trainable_token_indices':{'model.embed_tokens':[1],'lm_head':[2,3]}").extras().headTokens())
        .containsExactly(2, 3);
    assertThat(AdapterConfig.parse(adapter("embed")).targets("model.embed_tokens")).isTrue();
    assertThat(AdapterConfig.parse(adapter("tied_target_lmhead")).targets("lm_head")).isTrue();
  }

  @Test
  void doubled_ranks_keep_the_scales() {
    for (String extra : new String[] {"'r':4", "'r':4,'use_rslora':true,'alpha_pattern':{'q_proj':3}"}) {
      AdapterConfig config = parse(extra);
      assertThat(config.doubled().rank(Q0)).isEqualTo(8);
      assertThat(config.doubled().scale(Q0)).isCloseTo(config.scale(Q0), org.assertj.core.data.Offset.offset(1e-12));
      assertThat(config.doubled().halved()).isEqualTo(config);
    }
  }

  private static Path adapter(String name) {
    return Fixtures.shared("reference/peft-adapters/" + name + "/adapter_config.json");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'peft_type':'IA3'|peft_type",
        "'use_dora':true,'lora_bias':true|lora_bias",
        "'trainable_token_indices':{'q_proj':[1]}|trainable_token_indices",
        "'target_modules':'.*'|target_modules",
        "'target_modules':['q_proj','input_layernorm']|target_modules",
        "'layer_replication':[[0,2]]|layer_replication",
        "'megatron_config':{'a':1}|megatron_config",
        "'arrow_config':{'a':1}|arrow_config",
        "'init_lora_weights':'pissa_niter_4'|init_lora_weights",
        "'alora_invocation_tokens':[1]|alora_invocation_tokens",
        "'use_qalora':true|use_qalora",
        "'some_future_variant':true|some_future_variant",
        "'task_type':'SEQ_CLS'|task_type",
        "'bias':'some'|bias",
        "'init_lora_weights':'corda'|init_lora_weights",
        "'init_lora_weights':'loftq','loftq_config':{'loftq_bits':4}|init_lora_weights",
        "'init_lora_weights':'mica'|init_lora_weights",
        "'init_lora_weights':'of_next_year'|init_lora_weights",
        "'use_bdlora':{'nblocks':2}|use_bdlora",
        "'kasa_config':{'beta':1}|kasa_config",
        "'velora_config':{'scale':1}|velora_config",
        "'monteclora_config':{'num_samples':2}|monteclora_config",
        "'target_modules':'(q)?(?(1)_proj)'|target_modules"
      })
  void what_is_not_supported_is_refused_by_name(String extra, String key) {
    assertThatThrownBy(() -> parse(extra))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageStartingWith("adapter_config.json: ")
        .hasMessageContaining(key);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'r':0|r",
        "'r':'4'|r",
        "'r':-1|r",
        "'lora_alpha':0|lora_alpha",
        "'lora_dropout':1|lora_dropout",
        "'rank_pattern':{'q_proj':0}|rank_pattern.q_proj",
        "'alpha_pattern':{'q_proj':'x'}|alpha_pattern.q_proj",
        "'target_modules':[]|target_modules",
        "'target_modules':[1]|target_modules",
        "'target_modules':'q_proj','layers_to_transform':[1]|layers_to_transform",
        "'layers_pattern':'h'|layers_pattern",
        "'layers_to_transform':['1']|layers_to_transform",
        "'use_rslora':1|use_rslora",
        "'target_modules':'(?<a>q)_proj'|target_modules",
        "'target_modules':'q_proj('|target_modules",
        "'rank_pattern':{'(?i)Q_PROJ':2}|rank_pattern",
        "'alpha_pattern':{'\\\\q':2}|alpha_pattern",
        "'exclude_modules':'['|exclude_modules",
        "'modules_to_save':['(']|modules_to_save",
        "'layers_pattern':'(?P<idx>h)','layers_to_transform':[0]|layers_pattern"
      })
  void a_wrong_value_is_refused_by_name(String extra, String key) {
    assertThatThrownBy(() -> parse(extra))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("adapter_config.json: ")
        .hasMessageContaining(key);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'init_lora_weights':'gaussian'", "'init_lora_weights':true", "'inference_mode':true", "'loftq_config':{}",
        "'qalora_group_size':16", "'megatron_core':'megatron.core'", "'eva_config':null", "'peft_version':'0.21.0'",
        "'init_lora_weights':'eva','eva_config':{'rho':2}", "'init_lora_weights':'orthogonal'", "'bias':'none'",
        "'init_lora_weights':'lora_ga','lora_ga_config':{'scale':'stable'}", "'init_lora_weights':false",
        "'loftq_config':{'loftq_bits':4}", "'corda_config':{'a':1}", "'fan_in_fan_out':true", "'ensure_weight_tying':false"
      })
  void settings_that_mean_nothing_are_passed_over(String extra) {
    assertThat(parse(extra)).isEqualTo(parse("'use_dora':false"));
  }

  @Test
  void what_changes_the_base_model_is_read_and_written_again() {
    AdapterConfig config = parse("'init_lora_weights':'pissa','bias':'lora_only','ensure_weight_tying':true,"
        + "'modules_to_save':['embed_tokens']");
    assertThat(config.extras().residual()).isEqualTo(AdapterConfig.Residual.PISSA);
    assertThat(config.extras().baseBiases()).isEqualTo(AdapterConfig.BaseBiases.LORA_ONLY);
    assertThat(config.extras().tied()).isTrue();
    assertThat(AdapterConfig.parse(config.toJson(), "written")).isEqualTo(config);
    assertThat(parse("'init_lora_weights':'OLoRA'").extras().residual()).isEqualTo(AdapterConfig.Residual.OLORA);
  }

  @Test
  void what_is_saved_whole_has_no_adapter() {
    AdapterConfig config = parse("'target_modules':['q_proj','v_proj'],'modules_to_save':['layers.1.self_attn','v_proj']");
    assertThat(config.targets(Q0)).isTrue();
    assertThat(config.targets("model.layers.1.self_attn.q_proj")).isFalse();
    assertThat(config.targets("model.layers.0.self_attn.v_proj")).isFalse();
  }

  @Test
  void targets_that_are_not_said_are_the_familys() {
    AdapterConfig config = parse("'target_modules':null");
    assertThat(config.targets().isUnsaid()).isTrue();
    assertThat(config.targeting(List.of("q_proj")).targets(Q0)).isTrue();
  }

  @Test
  void all_linear_is_all_but_the_output() {
    AdapterConfig config = parse("'target_modules':'all-linear'");
    assertThat(config.targets(Q0)).isTrue();
    assertThat(config.targets("model.layers.0.mlp.down_proj")).isTrue();
    assertThat(config.targets("lm_head")).isFalse();
    assertThat(AdapterConfig.parse(config.toJson(), "written")).isEqualTo(config);
  }

  @Test
  void rs_lora_divides_by_the_root_of_the_rank() {
    AdapterConfig config = parse("'r':16,'use_rslora':true");
    assertThat(config.scale(Q0)).isEqualTo(2);
    assertThat(config.toJson()).contains("\"use_rslora\" : true", "\"lora_alpha\" : 8,", "\"task_type\"");
  }

  private static AdapterConfig parse(String extra) {
    StringBuilder json = new StringBuilder("{").append(extra);
    Map<String, String> rest =
        Map.of("'peft_type'", "'LORA'", "'target_modules'", "['q_proj']", "'r'", "4", "'lora_alpha'", "8");
    rest.forEach((key, value) -> json.append(extra.contains(key + ":") ? "" : "," + key + ":" + value));
    return AdapterConfig.parse(json.append('}').toString().replace('\'', '"'), "adapter_config.json");
  }
}

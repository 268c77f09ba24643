"""Families of decoders beyond the first four: for each a directory below golden/families with a tiny random model, its logits,
greedy continuations of several prompts, gradients of LoRA and of all weights, and twenty steps with PEFT.

    python families.py            all of them
    python families.py gemma2     those named
"""

import copy
import json
import shutil
import sys
import warnings

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from safetensors.torch import load_file
from transformers import (AutoConfig, AutoModelForCausalLM, Gemma2Config, Gemma3Config, Gemma3TextConfig, GemmaConfig,
                          GraniteConfig, GraniteMoeHybridConfig, LlavaConfig, Ministral3Config, Mistral3Config, Olmo2Config, Olmo3Config,
                          OlmoeConfig, Phi3Config, Qwen3_5Config, Qwen3_5TextConfig, Qwen3MoeConfig, SmolLM3Config)

from common import GOLDEN, all_logits, auto_class, generator, load, numbers, random_tokens, target_logprobs, write_json
from lora_gradients import adapter_gradients, cross_entropy, examples, save_adapter
from lora_run import batches, rates, write_run
from models import randomise

warnings.filterwarnings("ignore", message="Could not find a config file")
FAMILIES = GOLDEN / "families"
NEW_TOKENS = 60
SIZES = dict(hidden_size=24, intermediate_size=32, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
             vocab_size=64, max_position_embeddings=128, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, pad_token_id=0)


def rope(theta=100.0, kind="default", **more):
    return dict(rope_theta=theta, rope_type=kind, **more)


LAYERS = ["sliding_attention", "full_attention", "sliding_attention"]

# Name: configuration class, its options, and changes of the configuration each of which must move the logits.
FAMILY = {
    "gemma": (GemmaConfig, dict(head_dim=8, rope_parameters=rope()), [dict(tie_word_embeddings=True, hidden_act="silu")]),
    "gemma2": (Gemma2Config, dict(
        head_dim=8, query_pre_attn_scalar=5, sliding_window=6, attn_logit_softcapping=2.0, final_logit_softcapping=3.0,
        layer_types=LAYERS, rope_parameters=rope()), [
        dict(query_pre_attn_scalar=8), dict(sliding_window=7), dict(attn_logit_softcapping=None),
        dict(final_logit_softcapping=None), dict(layer_types=["full_attention"] * 3), dict(hidden_activation="silu")]),
    "gemma3": (Gemma3TextConfig, dict(
        head_dim=12, query_pre_attn_scalar=7, sliding_window=6, layer_types=LAYERS, final_logit_softcapping=4.0,
        rope_parameters={"full_attention": rope(500.0, "linear", factor=4.0), "sliding_attention": rope(60.0)}), [
        dict(query_pre_attn_scalar=8), dict(sliding_window=7), dict(final_logit_softcapping=None),
        dict(rope_parameters={"full_attention": rope(500.0), "sliding_attention": rope(60.0)}),
        dict(rope_parameters={"full_attention": rope(60.0, "linear", factor=4.0), "sliding_attention": rope(60.0)})]),
    "smollm3": (SmolLM3Config, dict(
        no_rope_layers=[1, 0, 1], tie_word_embeddings=True, use_sliding_window=True, sliding_window=6,
        layer_types=["full_attention", "sliding_attention", "full_attention"], rope_parameters=rope()), [
        dict(no_rope_layers=[1, 1, 1]), dict(no_rope_layers=[0, 0, 1]), dict(sliding_window=9)]),
    "phi3": (Phi3Config, dict(hidden_size=32, sliding_window=7, rope_parameters=rope(partial_rotary_factor=0.5)), [
        dict(sliding_window=None), dict(rope_parameters=rope(partial_rotary_factor=1.0))]),
    "phi3-longrope": (Phi3Config, dict(
        hidden_size=32, original_max_position_embeddings=200, max_position_embeddings=400,
        rope_parameters=rope(kind="longrope", short_factor=[1.0, 1.5, 2.0], long_factor=[2.0, 4.0, 6.0],
                             original_max_position_embeddings=200, partial_rotary_factor=0.75)), [
        dict(rope_parameters=rope(partial_rotary_factor=0.75)),
        dict(rope_parameters=rope(kind="longrope", short_factor=[1.0, 1.0, 1.0], long_factor=[2.0, 4.0, 6.0],
                                  original_max_position_embeddings=200, partial_rotary_factor=0.75))]),
    "granite": (GraniteConfig, dict(
        embedding_multiplier=3.0, logits_scaling=1.5, residual_multiplier=0.6, attention_multiplier=0.2,
        tie_word_embeddings=True, rope_parameters=rope()), [
        dict(embedding_multiplier=1.0), dict(logits_scaling=1.0), dict(residual_multiplier=1.0),
        dict(attention_multiplier=0.5)]),
    "granite4": (GraniteMoeHybridConfig, dict(
        embedding_multiplier=3.0, logits_scaling=1.5, residual_multiplier=0.6, attention_multiplier=0.2, num_local_experts=0,
        num_experts_per_tok=0, shared_intermediate_size=32, layer_types=["full_attention"] * 3, position_embedding_type="rope",
        tie_word_embeddings=True, mamba_n_heads=2, mamba_d_head="auto", rope_parameters=rope()), [
        dict(position_embedding_type=None), dict(embedding_multiplier=1.0)]),
    "granite4-nope": (GraniteMoeHybridConfig, dict(
        num_local_experts=0, num_experts_per_tok=0, shared_intermediate_size=40, layer_types=["full_attention"] * 3,
        position_embedding_type=None, mamba_n_heads=2, attention_multiplier=0.3), [dict(position_embedding_type="rope")]),
    "olmo2": (Olmo2Config, dict(rope_parameters=rope()), [dict(rope_parameters=rope(20.0))]),
    "olmo3": (Olmo3Config, dict(
        sliding_window=6, layer_types=LAYERS,
        rope_parameters={"full_attention": rope(500.0, "linear", factor=4.0), "sliding_attention": rope(60.0)}), [
        dict(sliding_window=7), dict(layer_types=["full_attention"] * 3),
        dict(rope_parameters={"full_attention": rope(500.0), "sliding_attention": rope(60.0)})]),
    "ministral3": (Ministral3Config, dict(head_dim=8, rope_parameters=rope(
        kind="yarn", factor=4.0, original_max_position_embeddings=10, beta_fast=0.3, beta_slow=0.05, mscale=1.0,
        mscale_all_dim=1.0, llama_4_scaling_beta=0.3, max_position_embeddings=128)), [dict(rope_parameters=rope(
            kind="yarn", factor=4.0, original_max_position_embeddings=10, beta_fast=0.3, beta_slow=0.05, mscale=1.0,
            mscale_all_dim=1.0, llama_4_scaling_beta=0.1, max_position_embeddings=128))]),
    # Models that read images too, with text alone.
    "gemma3-vision": (Gemma3Config, dict(
        text_config=dict(head_dim=8, query_pre_attn_scalar=7, sliding_window=6, layer_types=LAYERS, rope_parameters={
            "full_attention": rope(500.0, "linear", factor=4.0), "sliding_attention": rope(60.0)}),
        vision_config=dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=8,
                           patch_size=4), mm_tokens_per_image=4, eos_token_id=2), []),
    "mistral3": (Mistral3Config, dict(
        text_config=dict(model_type="mistral", head_dim=8, sliding_window=None, rope_parameters=rope()),
        vision_config=dict(model_type="pixtral", hidden_size=8, intermediate_size=8, num_hidden_layers=1,
                           num_attention_heads=1, head_dim=8, image_size=8, patch_size=4),
        tie_word_embeddings=False), []),
    "llava": (LlavaConfig, dict(
        text_config=dict(model_type="llama", rope_parameters=rope()),
        vision_config=dict(model_type="clip_vision_model", hidden_size=8, intermediate_size=8, num_hidden_layers=1,
                           num_attention_heads=1, image_size=8, patch_size=4, projection_dim=8),
        tie_word_embeddings=False, image_token_index=63), []),
    "qwen3-moe": (Qwen3MoeConfig, dict(
        head_dim=8, num_experts=6, num_experts_per_tok=3, moe_intermediate_size=16, norm_topk_prob=True, mlp_only_layers=[1],
        use_sliding_window=True, sliding_window=7, rope_parameters=rope()), [
        dict(num_experts_per_tok=2), dict(norm_topk_prob=False), dict(sliding_window=9)]),
    "olmoe": (OlmoeConfig, dict(
        intermediate_size=16, num_hidden_layers=2, num_experts=5, num_experts_per_tok=2, rope_parameters=rope()), [
        dict(num_experts_per_tok=3), dict(norm_topk_prob=True), dict(rope_parameters=rope(20.0))]),
    # The eps keeps rounding small: without it the norm of what a state gives the first tokens, often near 0, makes it grow.
    "qwen3.5": (Qwen3_5TextConfig, dict(
        rms_norm_eps=0.01, head_dim=8, layer_types=["linear_attention", "full_attention", "linear_attention"], linear_num_key_heads=2,
        linear_num_value_heads=4, linear_key_head_dim=8, linear_value_head_dim=6, attention_bias=True,
        rope_parameters=rope(partial_rotary_factor=0.5, mrope_section=[1, 1, 0], mrope_interleaved=True)), [
        dict(rope_parameters=rope(partial_rotary_factor=1.0)), dict(hidden_act="gelu")]),
    "qwen3.5-vision": (Qwen3_5Config, dict(
        text_config=dict(
            rms_norm_eps=0.1, num_hidden_layers=4, head_dim=16, linear_num_key_heads=4, linear_num_value_heads=4, linear_key_head_dim=6,
            linear_value_head_dim=8, linear_conv_kernel_dim=3, rope_parameters=rope()),
        vision_config=dict(depth=1, hidden_size=8, intermediate_size=8, num_heads=2, patch_size=4, out_hidden_size=24,
                           num_position_embeddings=4),
        image_token_id=62, video_token_id=61, vision_start_token_id=60, tie_word_embeddings=True), []),
    # Adapters on experts: on all of their weights, and on one alone. Texts have the padding token, whose input embedding does not learn.
    "qwen3-moe-experts": (Qwen3MoeConfig, dict(
        pad_token_id=5,
        hidden_size=16, head_dim=6, num_hidden_layers=2, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=12,
        rope_parameters=rope()), [dict(norm_topk_prob=True)]),
    "olmoe-experts": (OlmoeConfig, dict(
        pad_token_id=5, hidden_size=16, intermediate_size=10, num_hidden_layers=2, num_experts=3, num_experts_per_tok=2, norm_topk_prob=True,
        tie_word_embeddings=True, rope_parameters=rope()), [dict(norm_topk_prob=False)]),
}

# PEFT's all-linear would take in the experts, which are adapted only by name.
ROUTED = dict(target_modules=["q_proj", "k_proj", "v_proj", "o_proj"], target_parameters=["mlp.gate.weight"])
TARGETS = {
    "qwen3-moe": ROUTED, "olmoe": ROUTED,
    "qwen3.5-vision": dict(target_modules=r".*\.language_model\.layers\..*_proj(_\w+)?"),
    "qwen3-moe-experts": dict(target_modules=["v_proj"], target_parameters=[
        "mlp.gate.weight", "mlp.experts.gate_up_proj", "mlp.experts.down_proj"], rank_pattern={"gate_up_proj": 3}),
    "olmoe-experts": dict(target_modules=["q_proj"], target_parameters=["experts.down_proj"], use_rslora=True,
                          alpha_pattern={r"1\.mlp\.experts\.down_proj": 5})}
# Their files have layers that predict several tokens ahead, which transformers passes over.
MORE_LAYERS = ["qwen3.5", "qwen3.5-vision"]
# Saved once more with the experts of a layer as one tensor, as transformers has them in memory.
STACKED = ["olmoe"]
# Of the logits of a router, between the last expert that is chosen and the first that is not: rounding to bfloat16 may
# not change the choice, or it would be compared with another model's output.
CLEAR = 0.06

# The configuration as transformers 4 wrote it, where that differs: what to leave out, what to add.
V4 = {
    "gemma2": (["rope_parameters", "layer_types"], dict(rope_theta=100.0)),
    "gemma3": (["rope_parameters", "layer_types"], dict(
        rope_theta=500.0, rope_local_base_freq=60.0, rope_scaling=dict(rope_type="linear", factor=4.0),
        sliding_window_pattern=2)),
    "smollm3": (["rope_parameters"], dict(rope_theta=100.0)),
    "phi3": (["rope_parameters"], dict(rope_theta=100.0, partial_rotary_factor=0.5)),
    "phi3-longrope": (["rope_parameters"], dict(
        rope_theta=100.0, partial_rotary_factor=0.75,
        rope_scaling=dict(type="longrope", short_factor=[1.0, 1.5, 2.0], long_factor=[2.0, 4.0, 6.0]))),
    "granite": (["rope_parameters"], dict(rope_theta=100.0)),
    "granite4": (["rope_parameters", "layer_types", "time_step_limit"], dict(rope_theta=100.0, layers_block_type=["attention"] * 3)),
    "olmo2": (["rope_parameters"], dict(rope_theta=100.0)),
    "qwen3-moe": (["rope_parameters", "num_local_experts"], dict(rope_theta=100.0, num_experts=6)),
    "olmoe": (["rope_parameters"], dict(rope_theta=100.0)),
    "qwen3.5": (["rope_parameters", "layer_types"], dict(
        rope_parameters=rope(), partial_rotary_factor=0.5, full_attention_interval=2)),
}


def check_every_part_matters(name, model, tokens, reference, changes):
    """Resetting any norm or bias, or changing a setting that is special, must move the logits."""
    for key, p in model.named_parameters():
        saved = p.data
        if ("norm" in key or key.endswith("bias")) and not is_vision(key):
            p.data = torch.full_like(saved, 1.0 if "norm" in key else 0.0)
            moved = (all_logits(model, tokens) - reference).abs().max().item()
            p.data = saved
            assert moved > 3e-3, (name, key, moved)
    c = model.config
    for change in changes:
        other = made(type(c), {**c.to_dict(), **change})
        other.load_state_dict(model.state_dict())
        moved = (all_logits(other, tokens) - reference).abs().max().item()
        assert moved > 3e-3, (name, change, moved)


def is_vision(name):
    return any(part in name for part in ("vision", "visual", "projector"))


def made(kind, settings):
    config = kind(**settings)
    config._attn_implementation = "eager"
    return auto_class(config).from_config(config, attn_implementation="eager", experts_implementation="eager").eval()


def greedy(model, prompts):
    """Greedy continuations by generate, each prompt alone, and the smallest distance between the best and the second logit."""
    out, margin = [], float("inf")
    for prompt in prompts:
        said = model.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                              do_sample=False, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS, eos_token_id=None,
                              pad_token_id=0, output_logits=True, return_dict_in_generate=True)
        best = torch.cat(said.logits).topk(2).values
        margin = min(margin, (best[:, 0] - best[:, 1]).min().item())
        out.append(said.sequences[0, len(prompt):].tolist())
    return out, margin


def prompts_with_margin(model, vocab, gen):
    """Prompts of unequal length whose continuations rounding cannot change."""
    found, said = [], []
    for length in (9, 4, 14):
        for _ in range(200):
            prompt = random_tokens(length, vocab, gen)
            ids, margin = greedy(model, [prompt])
            if margin > 1e-3:
                found.append(prompt)
                said += ids
                break
        else:
            raise AssertionError("no prompt whose continuation is clear")
    return found, said


def clearest(model, length, vocab, gen):
    """Tokens for which each router's choice is clear; any in a model without experts."""
    routers = [m for m in model.modules() if type(m).__name__.endswith("TopKRouter")]
    for _ in range(2000):
        tokens, gaps = random_tokens(length, vocab, gen), []
        hooks = [r.register_forward_hook(lambda m, _, out: gaps.append(gap(out[0], m.top_k))) for r in routers]
        all_logits(model, tokens)
        for hook in hooks:
            hook.remove()
        if not gaps or min(gaps) > CLEAR:
            return tokens
    raise AssertionError("no tokens whose experts are clear")


def gap(logits, k):
    best = logits.topk(k + 1, -1).values
    return (best[:, k - 1] - best[:, k]).min().item()


def write_logits(directory, model, tokens, prompts, said):
    half = load(directory, torch.bfloat16)
    logits = [all_logits(model, t) for t in tokens]
    logits16 = [all_logits(half, t).float() for t in tokens]
    write_json(directory / "golden.json", {
        "tokens": tokens, "prompts": prompts, "greedy": said,
        "bf16_max_difference": numbers(max((a - b).abs().max().item() for a, b in zip(logits, logits16))),
        "logits": numbers(logits), "logits_bf16": numbers(logits16)})
    return logits


def write_v4_config(directory, model, tokens, reference, leave_out, add):
    c = json.loads((directory / "config.json").read_text())
    for key in leave_out:
        c.pop(key)
    c.update(add)
    c["torch_dtype"] = c.pop("dtype")
    c["transformers_version"] = "4.53.0"
    (directory / "config-v4.json").write_text(json.dumps(dict(sorted(c.items())), indent=2) + "\n")
    other = AutoModelForCausalLM.from_config(AutoConfig.for_model(**c), attn_implementation="eager",
                                             experts_implementation="eager", dtype=torch.float32).eval()
    other.load_state_dict(model.state_dict())
    assert torch.equal(all_logits(other, tokens), reference), directory.name


def adapted(directory, rank):
    model = load(directory)
    linear = r".*\.language_model\.layers\..*_proj" if hasattr(model.config, "text_config") else "all-linear"
    targets = copy.deepcopy(TARGETS.get(directory.name, dict(target_modules=linear)))
    return get_peft_model(model, LoraConfig(r=rank, lora_alpha=2 * rank, task_type="CAUSAL_LM", **targets))


def vocabulary(model):
    return model.config.get_text_config().vocab_size


def write_module_names(directory):
    """The tensors by the names of their modules, as transformers 4.52 and later saved them; 5 saves the names before that."""
    old = ("language_model.model.", "language_model.lm_head", "vision_tower", "multi_modal_projector")
    new = ("model.language_model.", "lm_head", "model.vision_tower", "model.multi_modal_projector")
    renamed, tensors = {}, load_file(directory / "model.safetensors")
    if any(name.startswith(new[0]) for name in tensors):
        return
    for name, tensor in tensors.items():
        a, b = next((a, b) for a, b in zip(old, new) if name.startswith(a))
        renamed[b + name[len(a):]] = tensor
    save_file(renamed, directory / "model-v4.safetensors", {"format": "pt"})
    shutil.copy(directory / "config.json", directory / "config-v4.json")
    assert_equal_weights(directory)


def assert_equal_weights(directory):
    """Of the directory and of the same with the other names of tensors, as transformers reads them."""
    other = directory / "other"
    other.mkdir()
    shutil.copy(directory / "config.json", other)
    shutil.copy(directory / "model-v4.safetensors", other / "model.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(load(other).parameters(), load(directory).parameters()))
    shutil.rmtree(other)


def lower_norms(model):
    """Norms of 1 + w with w near 0, as trained models have them: twice as much makes rounding grow from layer to layer."""
    for key, p in model.named_parameters():
        if "norm" in key and "linear_attn" not in key:
            p.sub_(1)


def add_layers(directory, gen):
    tensors = load_file(directory / "model.safetensors")
    for name, shape in (("mtp.fc.weight", (4, 8)), ("mtp.norm.weight", (4,))):
        tensors[name] = torch.randn(shape, generator=gen)
    save_file(tensors, directory / "model.safetensors", {"format": "pt"})


def write_names_within(directory):
    """The tensors by the names that they have where transformers took the decoder out of a model that reads images."""
    within = {name.replace("model.", "model.language_model.", 1) if name.startswith("model.") else name: tensor
              for name, tensor in load_file(directory / "model.safetensors").items()}
    save_file(within, directory / "model-v4.safetensors", {"format": "pt"})
    assert_equal_weights(directory)


def gradients(directory, seed):
    """Of a LoRA adapter on all linear layers, and of all weights, under the same cross-entropy."""
    torch.manual_seed(seed)
    model = adapted(directory, 2)
    for key, p in model.eval().named_parameters():
        if "lora_B" in key:
            p.data = 0.1 * torch.randn(p.shape)
    save_adapter(model, directory / "lora", directory.name)
    rows = examples_of_all(directory, vocabulary(model), seed + 1)
    write_gradients(model, rows, directory / "lora", adapter_gradients)
    model = load(directory)
    write_gradients(model, rows, directory / "full",
                    lambda m: {k: g for name, p in m.named_parameters() if p.grad is not None
                               for k, g in in_files(name, p.grad).items()})


def examples_of_all(directory, vocab, seed):
    """Examples that every weight has a gradient of: some of their tokens go through each expert. With padding, unless that is 0."""
    for s in range(seed, seed + 100):
        rows, model = examples(vocab, s), load(directory)
        if model.config.pad_token_id and not any(model.config.pad_token_id in r["inputs"] for r in rows):
            continue
        cross_entropy(rows, [target_logprobs(model, r["inputs"], r["targets"]) for r in rows]).backward()
        if all(g.abs().max() > 0 for n, p in model.named_parameters() if p.grad is not None for g in in_files(n, p.grad).values()):
            return rows
    raise AssertionError("no examples that reach every weight")


def in_files(name, tensor):
    """A weight by the name that files have for it: those of experts are one tensor in memory and stand apart in files."""
    path, _, last = name.rpartition(".")
    if not path.endswith(".experts"):
        return {name: tensor.contiguous()}
    kinds = ["gate_proj", "up_proj"] if last == "gate_up_proj" else [last]
    return {f"{path}.{e}.{kind}.weight": part.contiguous()
            for e, expert in enumerate(tensor) for kind, part in zip(kinds, expert.chunk(len(kinds)))}


def write_gradients(model, rows, directory, of):
    logprobs = [target_logprobs(model, r["inputs"], r["targets"]) for r in rows]
    loss = cross_entropy(rows, logprobs)
    loss.backward()
    directory.mkdir(exist_ok=True)
    save_file(of(model), directory / "gradients.safetensors", {"format": "pt"})
    write_json(directory / "golden.json", {"data": rows, "logprobs": numbers(logprobs), "loss": numbers(loss.item())})


def run(directory, seed):
    """Twenty steps at the highest rate at which rounding does not grow until it shows."""
    torch.manual_seed(seed)
    model = adapted(directory, 4)
    save_adapter(model.eval(), directory / "run" / "adapter-start", directory.name)
    for peak in (3e-2, 1e-2, 5e-3, 3e-3, 2e-3):
        again = PeftModel.from_pretrained(load(directory), directory / "run" / "adapter-start", is_trainable=True).eval()
        try:
            write_run(directory / "run" / "run.json", directory.name, batches(vocabulary(model), seed + 1), rates(peak), again)
            deviation = json.loads((directory / "run" / "run.json").read_text())["norm_deviation_from_float64"]
            assert deviation < 3e-5, ("norms", deviation)
            return
        except AssertionError as e:
            print(directory.name, "rate", peak, e)
    raise AssertionError(directory.name + ": no rate is stable")


def family(name, seed):
    kind, options, changes = FAMILY[name]
    directory = FAMILIES / name
    shutil.rmtree(directory, ignore_errors=True)
    gen = generator(seed)
    with torch.no_grad():
        text = options.get("text_config")
        model = made(kind, {**options, "text_config": {**SIZES, **text}} if text else {**SIZES, **options})
        randomise(model, gen)
        if name in MORE_LAYERS:
            lower_norms(model)
        model.save_pretrained(directory)
        (directory / "generation_config.json").unlink(missing_ok=True)
        if name in MORE_LAYERS:
            add_layers(directory, gen)
        model = load(directory)
        if name in STACKED:
            model.save_pretrained(directory / "stacked", save_original_format=False)
            (directory / "stacked" / "generation_config.json").unlink(missing_ok=True)
        tokens = [clearest(model, n, vocabulary(model) - 1, gen) for n in (24, 7, 1)]
        prompts, said = prompts_with_margin(model, vocabulary(model) - 1, gen)
        logits = write_logits(directory, model, tokens, prompts, said)
        check_every_part_matters(name, copy.deepcopy(model), tokens[0], logits[0], changes)
        if name in V4:
            write_v4_config(directory, model, tokens[0], logits[0], *V4[name])
        if text:
            write_module_names(directory)
        elif name in MORE_LAYERS:
            write_names_within(directory)
    gradients(directory, seed + 1)
    run(directory, seed + 2)
    size = sum(f.stat().st_size for f in directory.rglob("*") if f.is_file())
    print(name, size // 1000, "kB, scale", logits[0].std().item())


def main():
    for number, name in enumerate(FAMILY):
        if len(sys.argv) == 1 or name in sys.argv[1:]:
            family(name, 7000 + 10 * number)


if __name__ == "__main__":
    main()

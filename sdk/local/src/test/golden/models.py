"""Tiny random models of each supported architecture and variant, with golden logits and greedy ids."""

import json
import shutil
import sys

import torch
from transformers import (AutoConfig, AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config)

from common import MODELS, all_logits, generator, load, numbers, random_tokens, write_json

SIZES = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, vocab_size=80, max_position_embeddings=128, rms_norm_eps=1e-5,
             bos_token_id=1, eos_token_id=2, pad_token_id=None)


def rope(theta, kind="default", **more):
    return dict(rope_parameters=dict(rope_theta=theta, rope_type=kind, **more))


LLAMA3 = dict(factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
YARN = dict(factor=4.0, original_max_position_embeddings=10, beta_fast=0.3, beta_slow=0.05)
SMALL = dict(hidden_size=24, intermediate_size=32, num_attention_heads=2, num_key_value_heads=1, vocab_size=64)
LONG = dict(short_factor=[1.0, 1.1, 1.3, 1.6, 2.0, 2.5], long_factor=[1.5, 2.0, 3.0, 5.0, 7.0, 9.0])
VARIANTS = {
    "llama": (LlamaConfig, dict(tie_word_embeddings=True, num_hidden_layers=3, **rope(10000.0))),
    "llama-untied": (LlamaConfig, dict(rms_norm_eps=1e-3, vocab_size=96, **rope(500.0))),
    "llama-headdim": (LlamaConfig, dict(head_dim=12, tie_word_embeddings=True, **rope(10000.0))),
    "llama-bias": (LlamaConfig, dict(attention_bias=True, mlp_bias=True, **rope(10000.0))),
    "llama-rope-linear": (LlamaConfig, dict(hidden_size=48, **rope(10000.0, "linear", factor=4.0))),
    # head_dim 12, theta 100: wavelengths 6.3 | 13.5 29 | 63 136 292 against the borders 8 and 32
    "llama-rope-llama3": (LlamaConfig, dict(hidden_size=48, tie_word_embeddings=True, max_position_embeddings=256,
                                            **rope(100.0, "llama3", **LLAMA3))),
    "mistral": (MistralConfig, dict(sliding_window=6, **rope(10000.0))),
    "mistral-nowindow": (MistralConfig, dict(sliding_window=None, head_dim=10, **rope(1000.0))),
    "qwen2": (Qwen2Config, dict(tie_word_embeddings=True, rms_norm_eps=1e-6, **rope(1000000.0))),
    "qwen2-window": (Qwen2Config, dict(num_hidden_layers=3, use_sliding_window=True, sliding_window=5,
                                       max_window_layers=1, **rope(10000.0))),
    "qwen3": (Qwen3Config, dict(head_dim=12, tie_word_embeddings=True, rms_norm_eps=1e-6, **rope(1000000.0))),
    "qwen3-untied-bias": (Qwen3Config, dict(head_dim=8, attention_bias=True, **rope(10000.0))),
    # The original context is 10 in all that follow: of the sequences of 24, 7 and 1 tokens one is longer. Betas so that pairs
    # are kept, blended and divided.
    "llama-rope-yarn": (LlamaConfig, dict(**SMALL, **rope(100.0, "yarn", **YARN, truncate=False))),
    "mistral-rope-yarn": (MistralConfig, dict(sliding_window=6, **SMALL, **rope(
        100.0, "yarn", **YARN, attention_factor=1.5))),
    "qwen2-rope-yarn": (Qwen2Config, dict(tie_word_embeddings=True, **SMALL, **rope(
        100.0, "yarn", **YARN, mscale=3.0, mscale_all_dim=0.5))),
    "qwen3-rope-yarn": (Qwen3Config, dict(head_dim=12, **SMALL, **rope(
        100.0, "yarn", factor=4.0, original_max_position_embeddings=10))),
    "llama-rope-dynamic": (LlamaConfig, dict(max_position_embeddings=10, **SMALL, **rope(50.0, "dynamic", factor=4.0))),
    "qwen2-rope-dynamic": (Qwen2Config, dict(max_position_embeddings=10, **SMALL, **rope(100.0, "dynamic", factor=6.0))),
    "qwen3-rope-dynamic": (Qwen3Config, dict(max_position_embeddings=10, head_dim=8, tie_word_embeddings=True, **SMALL,
                                             **rope(50.0, "dynamic", factor=5.0))),
    "llama-rope-longrope": (LlamaConfig, dict(original_max_position_embeddings=10, **SMALL,
                                              **rope(50.0, "longrope", **LONG))),
    "qwen2-rope-longrope": (Qwen2Config, dict(tie_word_embeddings=True, **SMALL, **rope(
        50.0, "longrope", **LONG, original_max_position_embeddings=10, factor=16.0))),
    "qwen3-rope-longrope": (Qwen3Config, dict(head_dim=12, **SMALL, **rope(
        50.0, "longrope", **LONG, original_max_position_embeddings=10, attention_factor=1.2))),
}
V4 = ["llama-rope-llama3", "llama-rope-linear", "llama-bias", "qwen2", "qwen2-window", "mistral", "qwen3"]
V4 += [name for name in VARIANTS if "yarn" in name or "dynamic" in name or "longrope" in name]


def randomise(model, gen):
    """Weights so large that every bias and every norm moves the logits visibly."""
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=gen)
        if "norm" in name:
            p.data = 1 + 0.2 * noise
        elif name.endswith("bias"):
            p.data = 0.2 * noise
        elif name.endswith("A_log"):
            # States that last for many tokens.
            p.data = noise - 3
        elif "conv1d" in name:
            p.data = 0.7 * noise
        else:
            p.data = 0.25 * noise


def greedy(model, prompt, count):
    """Greedy ids without a cache, and the smallest distance between the best and the second logit."""
    ids, margin = list(prompt), float("inf")
    for _ in range(count):
        best = all_logits(model, ids)[-1].float().topk(2)
        margin = min(margin, (best.values[0] - best.values[1]).item())
        ids.append(best.indices[0].item())
    return ids[len(prompt):], margin


def depends_on_length(config):
    return config.rope_parameters["rope_type"] in ("dynamic", "longrope")


def generate(model, prompt, count):
    """Greedy ids of transformers' own loop, with a cache, and the smallest distance between the best and the second logit."""
    out = model.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                         do_sample=False, max_new_tokens=count, eos_token_id=None, pad_token_id=0, output_logits=True,
                         return_dict_in_generate=True)
    best = [logits[0].topk(2).values for logits in out.logits]
    return out.sequences[0, len(prompt):].tolist(), min((b[0] - b[1]).item() for b in best)


def write_golden(directory, tokens, prompt):
    model, half = load(directory), load(directory, torch.bfloat16)
    # Before anything longer runs: a dynamic rope turns by the longest sequence that it has seen, until a short one comes
    logits = [all_logits(model, t) for t in tokens]
    if depends_on_length(model.config):
        # Keys in the cache stay as they were rotated: without a cache other ids come out, which shows that it matters.
        ids, margin = generate(model, prompt, 20)
        assert greedy(model, prompt, 20)[0] != ids and len(prompt) < 10, directory.name
    else:
        ids, margin = greedy(model, prompt, 12)
        assert generate(model, prompt, 12)[0] == ids, directory.name
    assert margin > 1e-3, (directory.name, ids, margin)
    logits16 = [all_logits(half, t).float() for t in tokens]
    write_json(directory / "golden.json", {
        "tokens": tokens, "prompt": prompt, "greedy": ids, "greedy_margin": numbers(margin),
        "bf16_max_difference": numbers(max((a - b).abs().max().item() for a, b in zip(logits, logits16))),
        "logits": numbers(logits), "logits_bf16": numbers(logits16)})
    return load(directory), logits


def changed_rope_settings(parameters):
    """The settings with one of them changed in turn; the original context to one that is longer than every sequence."""
    general = ("rope_type", "type", "rope_theta")
    for key, value in parameters.items():
        if key not in general:
            other = (not value if isinstance(value, bool) else [2 * v for v in value] if isinstance(value, list)
                     else 32 if key == "original_max_position_embeddings" else 2 * value)
            yield {**parameters, key: other}


def check_every_part_matters(name, model, sequences, references):
    """Resetting any norm or bias, or dropping the config's special feature, must move the logits of some sequence."""
    tokens, reference = sequences[0], references[0]
    for key, p in model.named_parameters():
        saved = p.data
        if "norm" in key:
            p.data = torch.ones_like(saved)
        elif key.endswith("bias"):
            p.data = torch.zeros_like(saved)
        else:
            continue
        moved = (all_logits(model, tokens) - reference).abs().max().item()
        p.data = saved
        assert moved > 1e-2, (name, key, moved)
    changes = [dict(rope_parameters=dict(rope_theta=20.0, rope_type="default"))]
    c = model.config
    if c.rope_parameters["rope_type"] != "default":
        changes.append(dict(rope_parameters=dict(rope_theta=c.rope_parameters["rope_theta"], rope_type="default")))
    if c.rope_parameters["rope_type"] in ("yarn", "dynamic", "longrope"):
        changes += [dict(rope_parameters=p, original_max_position_embeddings=p.get("original_max_position_embeddings"))
                    for p in changed_rope_settings(c.rope_parameters)]
    if c.rope_parameters["rope_type"] == "dynamic":
        changes.append(dict(max_position_embeddings=16))
    if getattr(c, "sliding_window", None):
        changes.append(dict(sliding_window=c.sliding_window + 1))
        changes.append(dict(sliding_window=64))
    for change in changes:
        config = type(c)(**{k: v for k, v in {**c.to_dict(), **change}.items() if v is not None})
        config._attn_implementation = "eager"
        other = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
        other.load_state_dict(model.state_dict())
        moved = max((all_logits(other, t) - r).abs().max().item() for t, r in zip(sequences, references))
        assert moved > 1e-2, (name, change, moved)


def write_v4_config(directory, model, tokens, reference):
    """The same config in the words of transformers 4; transformers itself must read it to the same logits."""
    c = json.loads((directory / "config.json").read_text())
    parameters = c.pop("rope_parameters")
    c.pop("layer_types", None)
    c["rope_theta"] = parameters.pop("rope_theta")
    kind = parameters.pop("rope_type")
    if kind == "default":
        c["rope_scaling"] = None
    elif kind in ("linear", "yarn", "dynamic", "longrope"):
        c["rope_scaling"] = dict(type=kind, **parameters)  # the older key, as many checkpoints have it
        if c.get("original_max_position_embeddings"):
            del c["rope_scaling"]["original_max_position_embeddings"]  # outside alone, as Phi-3 has it
    else:
        c["rope_scaling"] = dict(**parameters, rope_type=kind)
    c["torch_dtype"] = c.pop("dtype")
    c["transformers_version"] = "4.51.3"
    path = directory / "config-v4.json"
    path.write_text(json.dumps(dict(sorted(c.items())), indent=2) + "\n")
    config = AutoConfig.for_model(**{**c})
    other = AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
    other.load_state_dict(model.state_dict())
    assert torch.equal(all_logits(other, tokens), reference), directory.name


def save(model, name, **options):
    directory = MODELS / name
    shutil.rmtree(directory, ignore_errors=True)
    model.save_pretrained(directory, **options)
    (directory / "generation_config.json").unlink(missing_ok=True)
    return directory


def main(only):
    for number, (name, (kind, options)) in enumerate(VARIANTS.items()):
        if only and name not in only:
            continue
        gen = generator(1000 + number)
        config = kind(**{**SIZES, **options})
        model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
        randomise(model, gen)
        tokens = [random_tokens(n, config.vocab_size, gen) for n in (24, 7, 1)]
        prompt = random_tokens(5, config.vocab_size, gen)
        directory = save(model, name)
        model, logits = write_golden(directory, tokens, prompt)
        check_every_part_matters(name, model, tokens, logits)
        if name in V4:
            write_v4_config(directory, model, tokens[0], logits[0])
        if name == "llama":
            write_golden(save(model, "llama-sharded", max_shard_size="30KB"), tokens, prompt)
            write_golden(save(model.to(torch.bfloat16), "llama-bf16"), tokens, prompt)
            write_golden(save(load(directory).to(torch.float16), "llama-f16"), tokens, prompt)
        print(name, [f.stat().st_size for f in directory.glob("*.safetensors")], "scale", logits[0].std().item())


if __name__ == "__main__":
    with torch.no_grad():
        main(sys.argv[1:])

"""Tiny random models of each supported architecture and variant, with golden logits and greedy ids."""

import json
import shutil

import torch
from transformers import (AutoConfig, AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config)

from common import MODELS, all_logits, generator, load, numbers, random_tokens, write_json

SIZES = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, vocab_size=80, max_position_embeddings=128, rms_norm_eps=1e-5,
             bos_token_id=1, eos_token_id=2, pad_token_id=None)


def rope(theta, kind="default", **more):
    return dict(rope_parameters=dict(rope_theta=theta, rope_type=kind, **more))


LLAMA3 = dict(factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
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
}
V4 = ["llama-rope-llama3", "llama-rope-linear", "llama-bias", "qwen2", "qwen2-window", "mistral", "qwen3"]


def randomise(model, gen):
    """Weights so large that every bias and every norm moves the logits visibly."""
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=gen)
        if "norm" in name:
            p.data = 1 + 0.2 * noise
        elif name.endswith("bias"):
            p.data = 0.2 * noise
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


def write_golden(directory, tokens, prompt):
    model, half = load(directory), load(directory, torch.bfloat16)
    ids, margin = greedy(model, prompt, 12)
    out = model.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                         do_sample=False, max_new_tokens=12, eos_token_id=None, pad_token_id=0)[0].tolist()
    assert out[len(prompt):] == ids and margin > 1e-3, (directory.name, out, ids, margin)
    logits = [all_logits(model, t) for t in tokens]
    logits16 = [all_logits(half, t).float() for t in tokens]
    write_json(directory / "golden.json", {
        "tokens": tokens, "prompt": prompt, "greedy": ids, "greedy_margin": numbers(margin),
        "bf16_max_difference": numbers(max((a - b).abs().max().item() for a, b in zip(logits, logits16))),
        "logits": numbers(logits), "logits_bf16": numbers(logits16)})
    return model, logits


def check_every_part_matters(name, model, tokens, reference):
    """Resetting any norm or bias, or dropping the config's special feature, must move the logits."""
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
    if getattr(c, "sliding_window", None):
        changes.append(dict(sliding_window=c.sliding_window + 1))
        changes.append(dict(sliding_window=64))
    for change in changes:
        config = type(c)(**{**c.to_dict(), **change})
        config._attn_implementation = "eager"
        other = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
        other.load_state_dict(model.state_dict())
        moved = (all_logits(other, tokens) - reference).abs().max().item()
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
    elif kind == "linear":
        c["rope_scaling"] = dict(type=kind, **parameters)  # the older key, as many checkpoints have it
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


def main():
    for number, (name, (kind, options)) in enumerate(VARIANTS.items()):
        gen = generator(1000 + number)
        config = kind(**{**SIZES, **options})
        model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
        randomise(model, gen)
        tokens = [random_tokens(n, config.vocab_size, gen) for n in (24, 7, 1)]
        prompt = random_tokens(5, config.vocab_size, gen)
        directory = save(model, name)
        model, logits = write_golden(directory, tokens, prompt)
        check_every_part_matters(name, model, tokens[0], logits[0])
        if name in V4:
            write_v4_config(directory, model, tokens[0], logits[0])
        if name == "llama":
            write_golden(save(model, "llama-sharded", max_shard_size="30KB"), tokens, prompt)
            write_golden(save(model.to(torch.bfloat16), "llama-bf16"), tokens, prompt)
            write_golden(save(load(directory).to(torch.float16), "llama-f16"), tokens, prompt)
        print(name, [f.stat().st_size for f in directory.glob("*.safetensors")], "scale", logits[0].std().item())


if __name__ == "__main__":
    with torch.no_grad():
        main()

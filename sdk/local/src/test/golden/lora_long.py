"""Sequences longer than a tile of the attention (256 queries), with and without a sliding window: loss, some logprobs,
norms and two projections of the gradients of an adapter. The weights are those of the short models; only the config
differs, in the ways that CONFIGS says."""

import math
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoConfig, AutoModelForCausalLM

from common import GOLDEN, MODELS, generator, numbers, random_tokens, target_logprobs, write_json
from lora_gradients import adapter_gradients, cross_entropy

warnings.filterwarnings("ignore", message="Could not find a config file")
LENGTHS = (300, 513, 300)
# name: model, its adapter, changes of the config
CONFIGS = {
    "llama": ("llama", "llama", dict(max_position_embeddings=1024)),
    "mistral-window": ("mistral", "mistral", dict(max_position_embeddings=1024, sliding_window=100)),
    "mistral-wide-window": ("mistral", "mistral", dict(max_position_embeddings=1024, sliding_window=400)),
    "qwen3": ("qwen3", "qwen3", dict(max_position_embeddings=1024)),
    # Chunks of 64 tokens, from which a state goes on to the next.
    "qwen3.5": ("../families/qwen3.5", "../families/qwen3.5/lora", dict(max_position_embeddings=1024)),
}


def projections(g):
    """Norm, and dot products with cos(i) and sin(2 i) over the flat gradient."""
    flat = g.detach().double().reshape(-1)
    i = torch.arange(flat.numel(), dtype=torch.float64)
    return [flat.norm().item(), (flat * torch.cos(i)).sum().item(), (flat * torch.sin(2 * i)).sum().item()]


def examples(vocab, seed):
    gen, rows = generator(seed), []
    for length in LENGTHS:
        tokens = random_tokens(length + 1, vocab, gen)
        weights = (torch.randint(0, 3, (length,), generator=gen) / 2.0).tolist()
        rows.append(dict(inputs=tokens[:-1], targets=tokens[1:], weights=weights))
    return rows


def long(name, base, adapter, changes, seed):
    with tempfile.TemporaryDirectory() as directory:
        for file in ("config.json", "model.safetensors"):
            shutil.copy(MODELS / base / file, Path(directory) / file)
        config = AutoConfig.from_pretrained(directory, **changes)
        model = AutoModelForCausalLM.from_pretrained(directory, config=config, dtype=torch.float32,
                                                     attn_implementation="eager").eval()
        for key, value in changes.items():
            assert getattr(model.config, key) == value
        model = PeftModel.from_pretrained(model, GOLDEN / "lora" / adapter, is_trainable=True).eval()
    rows = examples(model.config.vocab_size, seed)
    logprobs = [target_logprobs(model, r["inputs"], r["targets"]) for r in rows]
    loss = cross_entropy(rows, logprobs)
    loss.backward()
    write_json(GOLDEN / "lora-long" / f"{name}.json", {
        "model": base, "adapter": adapter, "config": changes, "data": rows, "loss": numbers(loss.item()),
        "stride": 13, "logprobs": [numbers(p[::13]) for p in logprobs],
        "gradients": {k: numbers(projections(g)) for k, g in adapter_gradients(model).items()}})
    print(name, loss.item(), math.exp(loss.item() / sum(sum(r["weights"]) for r in rows)))


if __name__ == "__main__":
    for number, (name, (base, adapter, changes)) in enumerate(CONFIGS.items()):
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        long(name, base, adapter, changes, 7000 + number)

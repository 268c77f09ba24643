"""Gradients of LoRA on some of the projections only, one fused product each way: one of three, one of two, mixed ranks."""

import warnings

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

from common import GOLDEN, MODELS, load, numbers, target_logprobs, write_json
from lora_gradients import adapter_gradients, cross_entropy, examples, save_adapter

warnings.filterwarnings("ignore", message="Could not find a config file")
BASE = "llama"
KINDS = {
    "k": dict(r=3, lora_alpha=6, target_modules=["k_proj"]),
    "up": dict(r=3, lora_alpha=6, target_modules=["up_proj"]),
    "v-down": dict(r=2, lora_alpha=5, target_modules=["v_proj", "down_proj"]),
    # nothing in layer 0; ranks and scales differ within one product
    "mixed": dict(r=4, lora_alpha=8, use_rslora=True, target_modules=["q_proj", "v_proj", "o_proj", "gate_proj"],
                  layers_to_transform=[1, 2], rank_pattern={"q_proj": 2, r"layers\.2\.mlp\.gate_proj": 5},
                  alpha_pattern={r"layers\.1\.self_attn\.v_proj": 3}),
}


def subset(kind, options, seed):
    directory = GOLDEN / "lora-subsets" / kind
    torch.manual_seed(seed)
    config = LoraConfig(**options, lora_dropout=0.0, bias="none", task_type="CAUSAL_LM")
    model = get_peft_model(load(MODELS / BASE), config).eval()
    for key, p in model.named_parameters():
        if "lora_B" in key:
            p.data = 0.1 * torch.randn(p.shape)
    save_adapter(model, directory, BASE)
    rows = examples(model.config.vocab_size, seed + 1)
    loss = cross_entropy(rows, [target_logprobs(model, r["inputs"], r["targets"]) for r in rows])
    loss.backward()
    save_file(adapter_gradients(model), directory / "gradients.safetensors", {"format": "pt"})
    write_json(directory / "golden.json", {"model": BASE, "data": rows, "loss": numbers(loss.item())})


if __name__ == "__main__":
    for number, (kind, options) in enumerate(KINDS.items()):
        subset(kind, options, 6000 + 10 * number)

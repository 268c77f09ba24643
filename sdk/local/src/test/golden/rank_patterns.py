"""PEFT adapters of less plain shape on `llama`: files, logits, and the merged model's logits."""

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file

from common import GOLDEN, LINEAR, MODELS, all_logits, generator, load, numbers, random_tokens, write_json
from lora_gradients import save_adapter

BASE = "llama"
KINDS = {
    "rslora": dict(r=6, lora_alpha=9, use_rslora=True, target_modules=LINEAR),
    # a bare suffix, a regular expression, a whole path; q_proj has its own rank but the common alpha
    "patterns": dict(r=4, lora_alpha=8, target_modules=LINEAR, layers_to_transform=[0, 2],
                     rank_pattern={"q_proj": 2, r"layers\.2\.mlp\..*_proj": 6, "model.layers.0.self_attn.v_proj": 3},
                     alpha_pattern={r"layers\.2\.mlp\..*_proj": 24, "model.layers.0.self_attn.v_proj": 5}),
    "attention": dict(r=3, lora_alpha=12, target_modules=LINEAR[:4]),
    # target_modules as one regular expression that must match the whole module path
    "regex": dict(r=2, lora_alpha=2, target_modules=r".*\.mlp\.(gate|up|down)_proj"),
}


def adapter(kind, options, seed):
    directory = GOLDEN / "adapters" / kind
    torch.manual_seed(seed)
    config = LoraConfig(**options, lora_dropout=0.0, bias="none", task_type="CAUSAL_LM")
    model = get_peft_model(load(MODELS / BASE), config).eval()
    for key, p in model.named_parameters():
        if "lora_B" in key:
            p.data = 0.3 * torch.randn(p.shape)
    save_adapter(model, directory, BASE)
    tokens = random_tokens(24, model.config.vocab_size, generator(seed))
    logits = all_logits(model, tokens)
    merged = all_logits(model.merge_and_unload(), tokens)
    base = all_logits(load(MODELS / BASE), tokens)
    assert (logits - base).abs().max() > 0.5 and (logits - merged).abs().max() < 2e-5
    ranks = {k: v.shape[0] for k, v in load_file(directory / "adapter_model.safetensors").items() if "lora_A" in k}
    write_json(directory / "golden.json", {
        "model": BASE, "tokens": tokens, "ranks": ranks, "logits": numbers(logits), "merged_logits": numbers(merged)})


if __name__ == "__main__":
    with torch.no_grad():
        for number, (kind, options) in enumerate(KINDS.items()):
            adapter(kind, options, 4000 + number)

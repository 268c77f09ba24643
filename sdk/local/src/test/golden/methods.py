"""DoRA, PiSSA, LoRA+, adapters of embeddings, trained biases, modules_to_save: scores, gradients and runs of PEFT."""

import json
import re
import sys
import warnings
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, LlamaConfig
from transformers.utils import logging

from common import GOLDEN, LINEAR, MODELS, all_logits, generator, load, numbers, random_tokens, target_logprobs, write_json
from lora_gradients import cross_entropy, examples, save_adapter
from lora_run import BETAS, CLIP, DECAY, EPS, STEPS, batches, rates
from models import SIZES, randomise, rope, save

warnings.filterwarnings("ignore")
logging.disable_progress_bar()
REAL = Path(sys.argv[1] if len(sys.argv) > 1 else "/work/shared/reference/peft-adapters")
KINDS = {
    "dora": ("llama", dict(use_dora=True, target_modules=LINEAR)),
    "dora-some": ("llama-bias", dict(use_dora=True, target_modules=["k_proj", "v_proj", "o_proj", "up_proj"])),
    "dora-qwen3": ("qwen3", dict(use_dora=True, target_modules=["q_proj", "down_proj"], use_rslora=True)),
    "bias": ("llama", dict(lora_bias=True, target_modules=["q_proj", "v_proj", "o_proj", "down_proj"])),
    "bias-on-bias": ("llama-bias", dict(lora_bias=True, target_modules=LINEAR)),
    "embedding": ("llama-untied", dict(target_modules=["embed_tokens", "q_proj"])),
    "embedding-tied": ("llama", dict(target_modules=["embed_tokens", "v_proj"])),
    "head": ("llama-untied", dict(target_modules=["lm_head", "q_proj"])),
    "head-tied": ("llama", dict(target_modules=["lm_head", "down_proj"])),
    "both": ("qwen3", dict(target_modules=["lm_head", "embed_tokens"])),
    "saved-head": ("llama", dict(target_modules=["q_proj"], modules_to_save=["lm_head"])),
    "saved-embedding": ("llama", dict(target_modules=["q_proj"], modules_to_save=["embed_tokens"])),
    "saved-both": ("llama-untied", dict(target_modules=["q_proj"], modules_to_save=["lm_head", "embed_tokens"])),
    "saved-norms": ("qwen3", dict(target_modules=["v_proj"], modules_to_save=["input_layernorm", "q_norm", "model.norm"])),
    "saved-projections": ("llama-bias", dict(target_modules=["q_proj", "up_proj"], modules_to_save=["v_proj", "gate_proj"])),
    "saved-layer": ("llama", dict(target_modules=["o_proj"], layers_to_transform=[1], modules_to_save=["layers.2.mlp"])),
}


def key_of(name):
    """The key in adapter_model.safetensors of a parameter."""
    name = name.replace(".modules_to_save.default", "").replace(".default", "")
    return name.replace("lora_magnitude_vector.weight", "lora_magnitude_vector")


def randomised(name, options, seed):
    torch.manual_seed(seed)
    config = LoraConfig(**{**dict(r=4, lora_alpha=8, lora_dropout=0.0, bias="none", task_type="CAUSAL_LM"), **options})
    model = get_peft_model(load(MODELS / name), config).eval()
    for key, p in model.named_parameters():
        if p.requires_grad:
            noise = torch.randn(p.shape)
            if "magnitude" in key:
                p.data = p.data * (1 + 0.2 * noise)
            elif "lora_embedding_B" in key:
                p.data = 0.3 * noise
            elif "lora_" in key:
                p.data = 0.2 * noise
            else:
                p.data = p.data + 0.1 * noise
    return model


def gradients(kind, name, options, seed):
    directory = GOLDEN / "methods" / kind
    model = randomised(name, options, seed)
    save_adapter(model, directory, name)
    config = json.loads((directory / "adapter_config.json").read_text())
    for key in ("modules_to_save", "target_modules"):
        if isinstance(config[key], list):
            config[key].sort()
    (directory / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    model = PeftModel.from_pretrained(load(MODELS / name), directory, is_trainable=True).eval()
    rows = examples(model.config.vocab_size, seed + 1)
    logprobs = [target_logprobs(model, r["inputs"], r["targets"]) for r in rows]
    loss = cross_entropy(rows, logprobs)
    loss.backward()
    # On a tied model, PEFT loads and trains a head of its own but keeps what is not trained tied.
    out = {key_of(k): p.grad.clone().contiguous() for k, p in model.named_parameters() if p.grad is not None}
    stored = {k for k in get_peft_model_state_dict(model) if "base_layer" not in k}
    assert stored == out.keys(), (kind, stored ^ out.keys())
    assert all(g.abs().max() > 1e-3 for g in out.values()), kind
    save_file(out, directory / "gradients.safetensors", {"format": "pt"})
    merged = None
    if not options.get("lora_bias") or name == "llama-bias":
        other = PeftModel.from_pretrained(load(MODELS / name), directory).merge_and_unload().eval()
        with torch.no_grad():
            merged = numbers([target_logprobs(other, r["inputs"], r["targets"]) for r in rows])
    write_json(directory / "golden.json", {
        "model": name, "data": rows, "logprobs": numbers(logprobs), "loss": numbers(loss.item()), "merged": merged})
    print(kind, loss.item(), len(out))


def real():
    """The adapters of others on a base of their shape: tied and untied."""
    for tied in (False, True):
        gen = generator(7000 + tied)
        config = LlamaConfig(**{**SIZES, **dict(vocab_size=64, tie_word_embeddings=tied, **rope(10000.0))})
        model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
        randomise(model, gen)
        name = "peft-tied" if tied else "peft-untied"
        save(model, name)
        tokens, scores = [1, 2] + random_tokens(18, 64, gen), {}
        with torch.no_grad():
            base = target_logprobs(load(MODELS / name), tokens[:-1], tokens[1:])
            for adapter in sorted(p.name for p in REAL.iterdir()):
                loaded = PeftModel.from_pretrained(load(MODELS / name), REAL / adapter).eval()
                score = target_logprobs(loaded, tokens[:-1], tokens[1:])
                scores[adapter] = numbers(score)
                print(name, adapter, "moves", (score - base).abs().max().item())
        write_json(GOLDEN / "methods" / f"{name}.json", {
            "model": name, "tokens": tokens, "base": numbers(base), "scores": scores})


def train(model, data, lrs, groups):
    """groups: (parameters, factor of the learning rate, own learning rate or None, weight decay)."""
    optimizer = torch.optim.AdamW([dict(params=g[0], weight_decay=g[3]) for g in groups], lr=0.0, betas=BETAS, eps=EPS,
                                  foreach=False)
    every = [p for g in groups for p in g[0]]
    losses, norms = [], []
    for rows, lr in zip(data, lrs):
        optimizer.zero_grad()
        loss = cross_entropy(rows, [target_logprobs(model, r["inputs"], r["targets"]) for r in rows])
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(every, CLIP).item())
        for group, g in zip(optimizer.param_groups, groups):
            group["lr"] = lr * g[1] if g[2] is None else g[2]
        optimizer.step()
        losses.append(loss.item())
    return losses, norms


def write_run(path, name, model, groups, peak, seed):
    data, lrs = batches(model.config.vocab_size, seed), rates(peak)
    untrained = cross_entropy(data[-1], [target_logprobs(model, r["inputs"], r["targets"]) for r in data[-1]]).item()
    losses, norms = train(model, data, lrs, groups)
    assert losses[-1] < 0.9 * untrained, (path, losses[-1], untrained)
    write_json(path, {
        "model": name, "beta1": BETAS[0], "beta2": BETAS[1], "eps": EPS, "weight_decay": DECAY, "clip_norm": CLIP,
        "learning_rates": lrs, "losses": numbers(losses), "gradient_norms": numbers(norms), "batches": data})
    print(path.name, losses[0], losses[-1], untrained, norms[0], norms[-1])


def chosen(model, pattern):
    out = [p for k, p in model.named_parameters() if re.search(pattern, k)]
    assert out, pattern
    for p in out:
        p.requires_grad_(True)
    return out


def runs():
    directory = GOLDEN / "methods" / "run"
    # The last layer, the head, which is untied thereby, and the norms, each part with a rate and a decay of its own.
    model = load(MODELS / "llama-untied")
    model.requires_grad_(False)
    groups = [(chosen(model, r"layers\.1\.|^lm_head"), 1, None, DECAY), (chosen(model, r"layers\.0\..*norm|^model\.norm"), 4, None, 0.0)]
    write_run(directory / "partial.json", "llama-untied", model, groups, 1e-3, 7100)

    model = load(MODELS / "llama")
    model.lm_head.weight = torch.nn.Parameter(model.model.embed_tokens.weight.detach().clone())
    model.requires_grad_(False)
    write_run(directory / "untied.json", "llama", model, [(chosen(model, r"^lm_head"), 1, None, DECAY)], 1e-2, 7110)

    for kind, name, options, full in [
            ("hybrid", "qwen3", dict(target_modules=LINEAR, layers_to_transform=[0]), r"layers\.1\.|^lm_head|model\.norm\."),
            ("plus", "llama", dict(target_modules=LINEAR), None),
            ("dora", "llama", dict(target_modules=LINEAR, use_dora=True), None),
            ("pissa", "llama-untied", dict(target_modules=LINEAR, init_lora_weights="pissa"), None)]:
        torch.manual_seed(7200)
        model = load(MODELS / name)
        if kind == "hybrid":
            model.lm_head.weight = torch.nn.Parameter(model.model.embed_tokens.weight.detach().clone())
        config = LoraConfig(r=8, lora_alpha=16, lora_dropout=0.0, bias="none", task_type="CAUSAL_LM", **options)
        model = get_peft_model(model, config).eval()
        a, rest = chosen(model, "lora_A"), chosen(model, "lora_[BE]|magnitude")
        start = {key_of(k): p.detach().clone().contiguous() for k, p in model.named_parameters() if "lora_" in k}
        directory.mkdir(parents=True, exist_ok=True)
        save_file(start, directory / f"{kind}-start.safetensors", {"format": "pt"})
        if kind == "plus":
            groups = [(a, 1, None, DECAY), (rest, 4, None, DECAY)]
        elif full:
            layer = [p for k, p in model.named_parameters() if re.search(full.replace("^lm", r"\.lm"), k)]
            for p in layer:
                p.requires_grad_(True)
            groups = [(a + rest, 1, None, DECAY), (layer, 1, 2e-3, 0.1)]
        else:
            groups = [(a + rest, 1, None, DECAY)]
        write_run(directory / f"{kind}.json", name, model, groups, 1e-2 if kind != "plus" else 3e-3, 7300)


def main():
    for number, (kind, (name, options)) in enumerate(KINDS.items()):
        gradients(kind, name, options, 7500 + 10 * number)
    real()
    runs()


if __name__ == "__main__":
    main()

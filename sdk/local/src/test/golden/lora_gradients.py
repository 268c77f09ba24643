"""Gradients of a PEFT LoRA adapter under every loss, and of all parameters under cross-entropy."""

import json
import shutil
import sys
import warnings

import torch
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file

from common import GOLDEN, LINEAR, MODELS, generator, load, numbers, random_tokens, target_logprobs, write_json

warnings.filterwarnings("ignore", message="Could not find a config file")
LENGTHS = (13, 24, 6)
PROMPTS = (4, 9, 2)


def examples(vocab, seed):
    """Three sequences shifted by one; weights have zeros (prompt and inside) and fractions."""
    gen, rows = generator(seed), []
    for length, prompt in zip(LENGTHS, PROMPTS):
        tokens = random_tokens(length + 1, vocab, gen)
        weights = (torch.randint(0, 5, (length,), generator=gen) / 4.0).tolist()
        weights[:prompt - 1] = [0.0] * (prompt - 1)
        weights[-1] = 0.75
        rows.append(dict(inputs=tokens[:-1], targets=tokens[1:], weights=weights))
    return rows


def cross_entropy(rows, logprobs):
    return -sum((torch.tensor(r["weights"], dtype=p.dtype) * p).sum() for r, p in zip(rows, logprobs))


def with_adapter(name, seed, r=4, alpha=8):
    """PEFT's own initial A; B is drawn, since with B = 0 the gradient of A would be zero."""
    torch.manual_seed(seed)
    config = LoraConfig(r=r, lora_alpha=alpha, target_modules=LINEAR, lora_dropout=0.0, bias="none",
                        task_type="CAUSAL_LM")
    model = get_peft_model(load(MODELS / name), config).eval()
    for key, p in model.named_parameters():
        if "lora_B" in key:
            p.data = 0.1 * torch.randn(p.shape)
    return model


def save_adapter(model, directory, base):
    shutil.rmtree(directory, ignore_errors=True)
    model.peft_config["default"].base_model_name_or_path = base
    model.save_pretrained(directory)
    (directory / "README.md").unlink(missing_ok=True)
    path = directory / "adapter_config.json"
    config = json.loads(path.read_text())
    if isinstance(config["target_modules"], list):
        config["target_modules"].sort()  # PEFT keeps a set: its order would change from run to run
    if config.get("target_parameters"):
        config["target_parameters"].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def adapter_gradients(model):
    """Gradients under the keys of adapter_model.safetensors."""
    gradients = {k: p.grad for k, p in model.named_parameters() if p.grad is not None}
    keys = get_peft_model_state_dict(model)
    out = {k.replace(".default", ""): g.clone().contiguous() for k, g in gradients.items()}
    assert out.keys() == keys.keys() and all(g.abs().max() > 1e-3 for g in out.values())
    return out


def lora(name, seed):
    directory = GOLDEN / "lora" / name
    model = with_adapter(name, seed)
    save_adapter(model, directory, name)
    rows = examples(model.config.vocab_size, seed + 1)
    logprobs = [target_logprobs(model, r["inputs"], r["targets"]) for r in rows]
    loss = cross_entropy(rows, logprobs)
    loss.backward()
    save_file(adapter_gradients(model), directory / "gradients.safetensors", {"format": "pt"})
    write_json(directory / "golden.json", {
        "model": name, "data": rows, "logprobs": numbers(logprobs), "loss": numbers(loss.item())})
    return model


def rl_loss(kind, p, q, a, mask, c):
    ratio = torch.exp(p - q)
    if kind == "importance_sampling":
        terms = ratio * a
    elif kind == "ppo":
        terms = torch.minimum(ratio * a, ratio.clamp(c["clip_low_threshold"], c["clip_high_threshold"]) * a)
    elif kind == "cispo":
        terms = ratio.clamp(c["clip_low_threshold"], c["clip_high_threshold"]).detach() * p * a
    elif kind == "dro":
        terms = p * a - 0.5 * c["beta"] * (p - q) ** 2
    return -(terms * mask).sum()


RL = {
    "importance_sampling": {},
    "ppo": dict(clip_low_threshold=0.8, clip_high_threshold=1.2),
    "cispo": dict(clip_low_threshold=0.0, clip_high_threshold=4.0),
    "dro": dict(beta=0.05),
}


def reinforcement(name, seed):
    """The same adapter under the losses of reinforcement learning; the prompt has A = q = 0 and is masked."""
    directory = GOLDEN / "lora" / name
    model, gen = with_adapter(name, seed), generator(seed + 2)
    rows = []
    for row, prompt in zip(examples(model.config.vocab_size, seed + 1), PROMPTS):
        n = len(row["inputs"])
        mask = torch.tensor([0.0] * (prompt - 1) + [1.0] * (n - prompt + 1))
        with torch.no_grad():
            p = target_logprobs(model, row["inputs"], row["targets"])
        # spread 0.8: ratios below 0.8, between, above 1.2 and above 4 all occur
        q = torch.minimum(p + 0.8 * torch.randn(n, generator=gen), torch.tensor(-0.01)) * mask + 0.0
        a = torch.randn(n, generator=gen) * mask + 0.0
        rows.append(dict(inputs=row["inputs"], targets=row["targets"], logprobs=numbers(q), advantages=numbers(a),
                         mask=mask.tolist()))
    tensor = torch.tensor
    losses = {}
    for kind, config in RL.items():
        model.zero_grad()
        logprobs = [target_logprobs(model, r["inputs"], r["targets"]) for r in rows]
        loss = sum(rl_loss(kind, p, tensor(r["logprobs"]), tensor(r["advantages"]), tensor(r["mask"]), config)
                   for r, p in zip(rows, logprobs))
        loss.backward()
        save_file(adapter_gradients(model), directory / f"gradients-{kind}.safetensors", {"format": "pt"})
        losses[kind] = dict(config=config, loss=numbers(loss.item()))
    ratios = torch.cat([torch.exp(p - tensor(r["logprobs"]))[tensor(r["mask"]) > 0] for r, p in zip(rows, logprobs)])
    assert (ratios < 0.8).any() and (ratios > 4).any() and ((ratios > 0.8) & (ratios < 1.2)).any()
    assert (ratios - 0.8).abs().min() > 1e-3 and (ratios - 1.2).abs().min() > 1e-3 and (ratios - 4).abs().min() > 1e-3
    write_json(directory / "golden-rl.json", {
        "model": name, "data": rows, "learner_logprobs": numbers(logprobs), "losses": losses})


def full(name, seed):
    """All parameters; a tied embedding has one gradient, the sum of both uses."""
    model = load(MODELS / name)
    rows = examples(model.config.vocab_size, seed)
    logprobs = [target_logprobs(model, r["inputs"], r["targets"]) for r in rows]
    loss = cross_entropy(rows, logprobs)
    loss.backward()
    directory = GOLDEN / "full" / name
    gradients = {k: p.grad.contiguous() for k, p in model.named_parameters()}
    assert all(g.abs().max() > 1e-3 for g in gradients.values())
    norm = torch.sqrt(sum((g.double() ** 2).sum() for g in gradients.values())).item()
    write_json(directory / "golden.json", {
        "model": name, "data": rows, "logprobs": numbers(logprobs), "loss": numbers(loss.item()),
        "gradient_norm": numbers(norm)})
    save_file(gradients, directory / "gradients.safetensors", {"format": "pt"})


def main(only):
    for number, name in enumerate(["llama", "llama-bias", "mistral", "qwen3", "qwen3-rope-yarn", "llama-rope-longrope",
                                  "qwen2"]):
        if not only or name in only:
            lora(name, 2000 + 10 * number)
    if only:
        return
    reinforcement("llama", 2000)
    for number, name in enumerate(["llama", "llama-untied", "llama-bias", "qwen3", "mistral", "qwen2"]):
        full(name, 2500 + 10 * number)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Twenty steps of training with PEFT and torch AdamW: losses, gradient norms, the last adapter."""

import copy

import torch
from peft import LoraConfig, PeftModel, get_peft_model

from common import GOLDEN, LINEAR, MODELS, generator, load, numbers, target_logprobs, write_json
from lora_gradients import cross_entropy, save_adapter

STEPS, WARMUP = 20, 3
BETAS, EPS, DECAY, CLIP = (0.9, 0.95), 1e-12, 0.01, 1.0


def batches(vocab, seed):
    """Twenty batches of four sequences of different lengths; the prompt has weight 0, the rest 1.

    Each token has one successor (a drawn permutation of few ids), so that there is something to learn.
    """
    gen, out = generator(seed), []
    ids = torch.randperm(vocab - 3, generator=gen)[:24] + 3
    successor = dict(zip(ids.tolist(), ids.roll(-1).tolist()))
    for _ in range(STEPS):
        rows = []
        for length in torch.randint(5, 20, (4,), generator=gen).tolist():
            tokens = [ids[torch.randint(0, len(ids), (1,), generator=gen)].item()]
            for _ in range(length):
                tokens.append(successor[tokens[-1]])
            prompt = int(torch.randint(1, length - 1, (1,), generator=gen))
            rows.append(dict(inputs=tokens[:-1], targets=tokens[1:],
                             weights=[0.0] * (prompt - 1) + [1.0] * (length - prompt + 1)))
        out.append(rows)
    return out


def rates(peak):
    """Three steps up, then a straight line to 0 at step 20."""
    return [peak * ((s + 1) / WARMUP if s < WARMUP else 1 - (s - WARMUP) / (STEPS - WARMUP)) for s in range(STEPS)]


def train(model, data, lrs):
    """Losses before each update, summed over sequences run one by one, and gradient norms before clipping."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=0.0, betas=BETAS, eps=EPS, weight_decay=DECAY, foreach=False)
    losses, norms = [], []
    for rows, lr in zip(data, lrs):
        optimizer.zero_grad()
        loss = cross_entropy(rows, [target_logprobs(model, r["inputs"], r["targets"]) for r in rows])
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, CLIP).item())
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
        losses.append(loss.item())
    return losses, norms


def deviation(values, reference):
    return numbers(max(abs(a - b) / abs(b) for a, b in zip(values, reference)))


def write_run(path, name, data, lrs, model):
    """Runs in float32, and once more in float64 to show how far rounding alone moves the losses."""
    exact = copy.deepcopy(model).double()
    losses, norms = train(model, data, lrs)
    untrained = cross_entropy(data[-1], [target_logprobs(exact, r["inputs"], r["targets"]) for r in data[-1]]).item()
    losses64, norms64 = train(exact, data, lrs)
    assert losses[-1] < 0.8 * untrained, (losses[-1], untrained)
    assert deviation(losses, losses64) < 2e-5, deviation(losses, losses64)
    write_json(path, {
        "model": name, "beta1": BETAS[0], "beta2": BETAS[1], "eps": EPS, "weight_decay": DECAY,
        "clip_norm": CLIP, "learning_rates": lrs, "losses": numbers(losses), "gradient_norms": numbers(norms),
        "loss_deviation_from_float64": deviation(losses, losses64),
        "norm_deviation_from_float64": deviation(norms, norms64), "batches": data})
    print(path.name, name, "loss per token", losses[0] / weight(data[0]), losses[-1] / weight(data[-1]),
          "deviation", deviation(losses, losses64), deviation(norms, norms64), "norms", norms[0], norms[-1])


def weight(rows):
    return sum(sum(r["weights"]) for r in rows)


def lora(name, seed):
    directory = GOLDEN / "run" / name
    torch.manual_seed(seed)
    config = LoraConfig(r=8, lora_alpha=16, target_modules=LINEAR, lora_dropout=0.0, bias="none",
                        task_type="CAUSAL_LM")
    model = get_peft_model(load(MODELS / name), config).eval()
    save_adapter(model, directory / "adapter-start", name)
    again = PeftModel.from_pretrained(load(MODELS / name), directory / "adapter-start", is_trainable=True).eval()
    write_run(directory / "run.json", name, batches(model.config.vocab_size, seed + 1), rates(1e-2), again)
    save_adapter(again, directory / "adapter-end", name)


def full(name, seed):
    model = load(MODELS / name)
    write_run(GOLDEN / "run" / "full.json", name, batches(model.config.vocab_size, seed), rates(1e-3), model)


def main():
    lora("qwen3", 3000)
    lora("llama-untied", 3010)
    full("llama", 3020)
    lora("mistral", 3030)
    lora("qwen2", 3040)


if __name__ == "__main__":
    main()

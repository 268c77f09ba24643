"""Losses over rankings and their gradients by autograd: encoders of encoders.py, and causal models judging yes or no."""

import shutil

import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, BertModel

from common import GOLDEN, MODELS, generator, numbers, random_tokens, write_json
from encoders import ENCODERS, frame
from lora_gradients import save_adapter

RANKS = GOLDEN / "ranks"
BATCH = [
    ("what is the drag of a cone", ["drag and lift of cone wings", "heat flow in a jet"], [0.9, 0.2]),
    ("supersonic flow", ["the supersonic speed of air - mach tests", "gas", "boundary layer theory, shock"], [3.0, -1.0, 1.0]),
    ("how does the tunnel test lift?", ["tunnel tests: lift, pressure"], [1.0]),
    ("heat", ["is the plate heated by the shock?", "what is a wing"], [0.5, 0.5]),
]
TEMPERATURE = 0.1


def encode(model, t, text, cls, normalised, longest):
    rows = model(input_ids=torch.tensor([frame(t, text, longest)])).last_hidden_state[0]
    v = rows[0] if cls else rows.mean(0)
    return F.normalize(v, dim=0) if normalised else v


def contrastive(s, starts, symmetric):
    own = torch.tensor(starts)
    loss = F.cross_entropy(s / TEMPERATURE, own)
    return (loss + F.cross_entropy(s[:, own].t() / TEMPERATURE, torch.arange(len(starts)))) / 2 if symmetric else loss


def lists(kind, scores, grades):
    """scores, grades: of each query's own texts."""
    if kind == "margin":
        errors = [2 * (s[0] - s[1:]) - (g[0] - g[1:]) for s, g in zip(scores, grades)]
        return torch.cat(errors).square().mean()
    if kind == "pointwise":
        return F.binary_cross_entropy_with_logits(torch.cat(scores), torch.cat(grades))
    if kind == "ranknet":
        pairs = [F.softplus((s[b] - s[a]) / 0.5) for s, g in zip(scores, grades)
                 for a in range(len(g)) for b in range(len(g)) if g[a] > g[b]]
        return torch.stack(pairs).mean()
    return torch.stack([-(F.softmax(g, 0) * F.log_softmax(s / 0.5, 0)).sum() for s, g in zip(scores, grades)]).mean()


def starts_of(batch):
    starts, at = [], 0
    for _, texts, _ in batch:
        starts.append(at)
        at += len(texts)
    return starts


def encoder_loss(kind, model, name):
    t = Tokenizer.from_file(str(ENCODERS / name / "tokenizer.json"))
    how = (name == "cls", name != "mean-raw", 12 if name in ("cls", "mean-raw") else 40)
    e = lambda text: encode(model, t, text, *how)
    q = torch.stack([e(b[0]) for b in BATCH])
    d = torch.stack([e(text) for b in BATCH for text in b[1]])
    s = q @ d.t()
    if kind in ("contrastive", "symmetric"):
        return contrastive(s, starts_of(BATCH), kind == "symmetric")
    own = [s[i, at:at + len(b[1])] for i, (at, b) in enumerate(zip(starts_of(BATCH), BATCH))]
    return lists(kind, own, [torch.tensor(b[2]) for b in BATCH])


def adapter(model, gen, targets, directory):
    peft = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules=targets))
    for n, p in peft.named_parameters():
        if "lora_" in n:
            p.data = 0.2 * torch.randn(p.shape, generator=gen)
    save_adapter(peft, directory, directory.parent.name)
    return peft


def gradients(model, peft):
    if peft:
        return {k: v.contiguous() for k, v in get_peft_model_state_dict(
            model, state_dict={n: p.grad for n, p in model.named_parameters() if p.grad is not None}).items()}
    return {n: p.grad.contiguous() for n, p in model.named_parameters() if p.grad is not None}


def main():
    shutil.rmtree(RANKS, ignore_errors=True)
    cases = []
    for name in ("mean", "cls", "mean-raw"):
        for kind in ("contrastive", "symmetric") + (("margin", "ranknet", "listnet") if name == "mean" else ()):
            for lora in (True, False):
                if lora and kind not in ("contrastive", "listnet"):
                    continue
                directory = RANKS / name
                directory.mkdir(parents=True, exist_ok=True)
                model = BertModel.from_pretrained(ENCODERS / name, add_pooling_layer=False,
                                                  attn_implementation="eager").eval()
                if lora:
                    model = adapter(model, generator(7), ["query", "key", "value", "dense"], directory / "adapter").eval()
                loss = encoder_loss(kind, model, name)
                loss.backward()
                file = f"{kind}-{'lora' if lora else 'full'}.safetensors"
                save_file(gradients(model, lora), directory / file)
                cases.append(dict(model=name, kind=kind, lora=lora, loss=numbers(loss), gradients=f"{name}/{file}"))
    judged = []
    for name in ("llama", "llama-untied", "qwen3"):
        gen = generator(11)
        vocab = 80 if name != "llama-untied" else 96
        tokens = [[random_tokens(n, vocab, gen) for n in lengths] for lengths in ((9, 4), (7, 9, 1))]
        grades = [torch.tensor([1.0, 0.0]), torch.tensor([0.3, 0.9, 0.0])]
        for kind in ("pointwise", "ranknet", "listnet"):
            model = AutoModelForCausalLM.from_pretrained(MODELS / name, attn_implementation="eager").eval()
            scores = []
            for texts in tokens:
                last = [model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1] for ids in texts]
                scores.append(torch.stack([x[5] - x[9] for x in last]))
            loss = lists(kind, scores, grades)
            loss.backward()
            file = f"{name}-{kind}.safetensors"
            save_file(gradients(model, False), RANKS / file)
            judged.append(dict(model=name, kind=kind, tokens=tokens, grades=[numbers(g) for g in grades], loss=numbers(loss),
                               scores=[numbers(s) for s in scores], gradients=file))
    write_json(RANKS / "golden.json", dict(
        batch=[dict(query=q, texts=t, grades=g) for q, t, g in BATCH], encoders=cases, judges=judged))
    print([(c["model"], c["kind"], c["loss"]) for c in cases + judged])


if __name__ == "__main__":
    main()

"""A base model in 8 and 4 bits, by the formulas alone: what its weights become, and what transformers and PEFT compute with
these: logits, gradients of LoRA, twenty steps."""

import shutil

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

from common import GOLDEN, LINEAR, all_logits, generator, load, numbers, random_tokens, target_logprobs, write_json
from lora_gradients import adapter_gradients, cross_entropy, examples, save_adapter
from methods import key_of
from lora_run import batches, rates, write_run
from models import randomise

QUANTISED = GOLDEN / "quantised"
# Dettmers et al. 2023, appendix E.
NF4 = torch.tensor([-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
                    -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
                    0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0])


def dynamic_map():
    """The 256 signed levels of bitsandbytes' dynamic data type (Dettmers 2016)."""
    data = []
    for i in range(7):
        edges = torch.linspace(0.1, 1, 2 ** i + 1)
        means = (edges[:-1] + edges[1:]) / 2.0
        data += (10.0 ** (i - 6) * means).tolist() + (-(10.0 ** (i - 6)) * means).tolist()
    return torch.tensor(sorted(data + [0, 1.0]))


def nearest(x, levels):
    return (x.unsqueeze(-1) - levels).abs().argmin(-1)


def blocks(row, length):
    """The blocks of a row; the last may be shorter."""
    return row.split(length)


def nested(scales):
    """Scales in 8 bits: less their mean, in runs of 256 with a factor each."""
    mean, levels = scales.mean(), dynamic_map()
    runs = (scales - mean).flatten().view(-1, 256)
    factors = runs.abs().amax(1, keepdim=True)
    return (levels[nearest(runs / factors, levels)] * factors + mean).view_as(scales)


def nf4(w, double=False):
    scales = torch.stack([torch.stack([b.abs().max() for b in blocks(row, 64)]) for row in w])
    held = nested(scales) if double and scales.numel() % 256 == 0 else scales
    return torch.stack([torch.cat([NF4[nearest(b / s, NF4)] * h for b, s, h in zip(blocks(row, 64), ss, hs)])
                        for row, ss, hs in zip(w, scales, held)])


def int4(w):
    """The number of the largest magnitude in a block becomes -8."""
    def block(b):
        scale = b[b.abs().argmax()] / -8
        return (b / scale).round().clamp(-8, 7) * scale
    return torch.stack([torch.cat([block(b) for b in blocks(row, 32)]) for row in w])


def int8(w):
    scale = w.abs().amax(1, keepdim=True) / 127
    return (w / scale).round() * scale


FORMS = {"int8": int8, "nf4": nf4, "nf4-double": lambda w: nf4(w, True), "int4": int4, "nf4-embeddings": nf4}


def is_quantised(name):
    return any(f".{part}." in f".{name}." for part in LINEAR + ["lm_head"])


def quantise(model, form):
    with torch.no_grad():
        for name, module in model.named_modules():
            if isinstance(module, torch.nn.Linear) and is_quantised(name):
                module.weight.data = FORMS[form](module.weight.data)
            elif form.endswith("-embeddings") and name == "model.embed_tokens":
                module.weight.data = FORMS[form](module.weight.data)
    return model


def base(directory):
    shutil.rmtree(directory, ignore_errors=True)
    config = LlamaConfig(hidden_size=128, intermediate_size=224, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=4, vocab_size=64, max_position_embeddings=128, rms_norm_eps=1e-5,
                         bos_token_id=1, eos_token_id=2, pad_token_id=0, tie_word_embeddings=False)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        randomise(model, generator(9000))
        for name, p in model.named_parameters():
            p.mul_(0.4 if "proj" in name else 1.0)
    model.to(torch.bfloat16).save_pretrained(directory)
    (directory / "generation_config.json").unlink(missing_ok=True)


def fresh(form):
    return quantise(load(QUANTISED / "base"), form)


def gradients(form, directory, dora):
    torch.manual_seed(9100)
    model = get_peft_model(fresh(form), LoraConfig(r=4, lora_alpha=8, target_modules=LINEAR, task_type="CAUSAL_LM", use_dora=dora))
    for key, p in model.named_parameters():
        if "lora_B" in key:
            p.data = 0.1 * torch.randn(p.shape)
    save_adapter(model.eval(), directory, "base")
    rows = examples(64, 9110)
    logprobs = [target_logprobs(model, r["inputs"], r["targets"]) for r in rows]
    loss = cross_entropy(rows, logprobs)
    loss.backward()
    save_file({key_of(k): p.grad.clone() for k, p in model.named_parameters() if p.grad is not None} if dora
              else adapter_gradients(model), directory / "gradients.safetensors", {"format": "pt"})
    write_json(directory / "golden.json", {"data": rows, "logprobs": numbers(logprobs), "loss": numbers(loss.item())})


def run(form, directory):
    torch.manual_seed(9200)
    config = LoraConfig(r=8, lora_alpha=16, target_modules=LINEAR, task_type="CAUSAL_LM")
    save_adapter(get_peft_model(fresh(form), config).eval(), directory / "adapter-start", "base")
    again = PeftModel.from_pretrained(fresh(form), directory / "adapter-start", is_trainable=True).eval()
    write_run(directory / "run.json", "base", batches(64, 9210), rates(5e-3), again)


def main():
    base(QUANTISED / "base")
    gen = generator(9300)
    tokens = [random_tokens(n, 63, gen) for n in (24, 7, 1)]
    for form in FORMS:
        directory = QUANTISED / form
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        model = fresh(form)
        with torch.no_grad():
            logits = [all_logits(model, t) for t in tokens]
            dense = all_logits(load(QUANTISED / "base"), tokens[0])
        moved = (dense - logits[0]).abs().max().item()
        assert moved > 1e-2, (form, moved)
        layer = model.model.layers[1]
        save_file({"model.layers.1.self_attn.k_proj.weight": layer.self_attn.k_proj.weight.data.contiguous(),
                   "model.layers.1.mlp.down_proj.weight": layer.mlp.down_proj.weight.data[:40].contiguous(),
                   "model.embed_tokens.weight": model.model.embed_tokens.weight.data[:40].contiguous()},
                  directory / "weights.safetensors", {"format": "pt"})
        write_json(directory / "golden.json", {"tokens": tokens, "logits": numbers(logits)})
        gradients(form, directory / "lora", False)
        print(form, "moves logits by", moved, "of", dense.std().item())
    gradients("nf4", QUANTISED / "nf4" / "dora", True)
    run("nf4", QUANTISED / "nf4" / "run")
    run("int8", QUANTISED / "int8" / "run")


if __name__ == "__main__":
    main()

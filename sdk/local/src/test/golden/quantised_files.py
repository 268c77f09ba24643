"""Checkpoints that are quantised already, written by the formulas of those who defined them: bitsandbytes in 4 and 8 bits, fp8,
GPTQ, AWQ; each with some of its weights as numbers and the logits that transformers gives with all of them."""

import json
import shutil

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

from common import GOLDEN, LINEAR, all_logits, generator, numbers, random_tokens, write_json
from models import randomise
from quantised import NF4, dynamic_map, nearest

FILES = GOLDEN / "quantised-files"
# bitsandbytes' 4-bit floating point, by code.
FP4 = torch.tensor([0.0, 0.005208333333, 0.66666667, 1.0, 0.33333333, 0.5, 0.16666667, 0.25])
FP4 = torch.cat([FP4, -FP4])
# Which of eight outputs AWQ puts into each four bits, from the lowest on.
AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7]


def long_blocks(w, levels, length):
    """Codes and scales of blocks that run through the whole weight, and what they stand for."""
    runs = w.flatten().split(length)
    scales = torch.stack([r.abs().max() for r in runs])
    codes = torch.cat([nearest(r / s, levels) for r, s in zip(runs, scales)])
    return codes, scales


def from_blocks(codes, levels, scales, length, shape):
    return (levels[codes] * scales.repeat_interleave(length)[:codes.numel()]).view(shape)


def bnb4(kind, levels, double):
    def tensors(name, w):
        codes, scales = long_blocks(w, levels, 64)
        state = {"quant_type": kind, "blocksize": 64, "dtype": "bfloat16", "shape": list(w.shape)}
        out = {f"{name}.weight": (codes[0::2] * 16 + codes[1::2]).to(torch.uint8)[:, None], f"{name}.weight.quant_map": levels.clone()}
        if double:
            mean, steps = scales.mean(), dynamic_map()
            runs = (scales - mean).split(256)
            factors = torch.stack([r.abs().max() for r in runs])
            held = torch.cat([nearest(r / f, steps) for r, f in zip(runs, factors)])
            out |= {f"{name}.weight.absmax": held.to(torch.uint8), f"{name}.weight.nested_absmax": factors,
                    f"{name}.weight.nested_quant_map": steps}
            state |= {"nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": mean.item()}
            scales = steps[held] * factors.repeat_interleave(256)[:held.numel()] + mean
        else:
            out[f"{name}.weight.absmax"] = scales
        text = json.dumps(state).encode()
        out[f"{name}.weight.quant_state.bitsandbytes__{kind}"] = torch.tensor(list(text), dtype=torch.uint8)
        return out, from_blocks(codes, levels, scales, 64, w.shape)
    return tensors, {"quant_method": "bitsandbytes", "load_in_4bit": True, "load_in_8bit": False, "bnb_4bit_quant_type": kind,
                     "bnb_4bit_use_double_quant": double, "bnb_4bit_compute_dtype": "bfloat16"}


def bnb8(name, w):
    largest = w.abs().amax(1)
    codes = (w * (127 / largest)[:, None]).round().to(torch.int8)
    return {f"{name}.weight": codes, f"{name}.SCB": largest, f"{name}.weight_format": torch.tensor(0, dtype=torch.uint8)}, \
        codes.float() * (largest / 127)[:, None]


def fp8_blocks(name, w, rows=32, columns=48):
    parts = [[b for b in r.split(columns, 1)] for r in w.split(rows, 0)]
    scales = torch.tensor([[(b.abs().max() / 448).item() for b in r] for r in parts])
    codes = [[(b / s).to(torch.float8_e4m3fn) for b, s in zip(r, ss)] for r, ss in zip(parts, scales)]
    dense = torch.cat([torch.cat([c.float() * s for c, s in zip(r, ss)], 1) for r, ss in zip(codes, scales)])
    whole = torch.cat([torch.cat([c.view(torch.uint8) for c in r], 1) for r in codes]).view(torch.float8_e4m3fn)
    return {f"{name}.weight": whole.contiguous(), f"{name}.weight_scale_inv": scales}, dense


def fp8_rows(name, w):
    scales = (w.abs().amax(1, keepdim=True) / 448).to(torch.bfloat16)
    codes = (w / scales.float()).clamp(-448, 448).to(torch.float8_e4m3fn)
    return {f"{name}.weight": codes, f"{name}.weight_scale": scales}, codes.float() * scales.float()


def affine(w, group, groups):
    """Codes 0 to 15, scales and zero points of the groups of inputs: [outputs, inputs], [outputs, groups] twice."""
    n = int(groups.max()) + 1
    low = torch.stack([w[:, groups == g].amin(1) for g in range(n)], 1).clamp(max=0)
    high = torch.stack([w[:, groups == g].amax(1) for g in range(n)], 1).clamp(min=0)
    scales = ((high - low) / 15).to(torch.float16).float()
    zeros = (-low / scales).round().clamp(1, 15)
    codes = (w / scales[:, groups] + zeros[:, groups]).round().clamp(0, 15)
    return codes.int(), scales, zeros.int(), (codes - zeros[:, groups]) * scales[:, groups]


def packed(x, order=range(8)):
    """Eight numbers of the last dimension into one 32-bit integer."""
    out = torch.zeros(*x.shape[:-1], x.shape[-1] // 8, dtype=torch.int64)
    for i, place in enumerate(order):
        out |= x[..., place::8].long() << (4 * i)
    return torch.where(out >= 2 ** 31, out - 2 ** 32, out).to(torch.int32).contiguous()


def gptq(ordered, plain_zeros):
    def tensors(name, w):
        groups = torch.arange(w.shape[1]) // 32
        if not ordered:
            groups = groups[torch.randperm(w.shape[1], generator=generator(5))]
        codes, scales, zeros, dense = affine(w, 32, groups)
        return {f"{name}.qweight": packed(codes).t().contiguous(),
                f"{name}.qzeros": packed((zeros if plain_zeros else zeros - 1).t()),
                f"{name}.scales": scales.t().contiguous().to(torch.float16), f"{name}.g_idx": groups.to(torch.int32)}, dense
    return tensors, {"quant_method": "gptq", "bits": 4, "group_size": 32, "desc_act": not ordered, "sym": False,
                     "checkpoint_format": "gptq_v2" if plain_zeros else "gptq"}


def awq(name, w):
    codes, scales, zeros, dense = affine(w, 32, torch.arange(w.shape[1]) // 32)
    return {f"{name}.qweight": packed(codes.t(), AWQ_ORDER), f"{name}.qzeros": packed(zeros.t(), AWQ_ORDER),
            f"{name}.scales": scales.t().contiguous().to(torch.float16)}, dense


CASES = {
    "bnb-nf4": bnb4("nf4", NF4, False), "bnb-nf4-nested": bnb4("nf4", NF4, True), "bnb-fp4": bnb4("fp4", FP4, False),
    "bnb-int8": (bnb8, {"quant_method": "bitsandbytes", "load_in_8bit": True, "load_in_4bit": False}),
    "fp8-blocks": (fp8_blocks, {"quant_method": "fp8", "weight_block_size": [32, 48], "activation_scheme": "dynamic", "fmt": "e4m3"}),
    "fp8-rows": (fp8_rows, {"quant_method": "compressed-tensors", "format": "float-quantized", "config_groups": {}}),
    "gptq": gptq(True, False), "gptq-order": gptq(False, True),
    "awq": (awq, {"quant_method": "awq", "bits": 4, "group_size": 32, "zero_point": True, "version": "gemm"}),
}


def main():
    shutil.rmtree(FILES, ignore_errors=True)
    config = LlamaConfig(hidden_size=64, intermediate_size=160, num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=2,
                         vocab_size=64, max_position_embeddings=128, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
                         pad_token_id=0, tie_word_embeddings=False)
    base = LlamaForCausalLM._from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        randomise(base, generator(9500))
        for p in base.parameters():
            p.data = p.to(torch.bfloat16).float()
        tokens = random_tokens(12, 63, generator(9510))
        reference = all_logits(base, tokens)
        start = {k: v.clone() for k, v in base.state_dict().items()}
        for name, (tensors, settings) in CASES.items():
            directory = FILES / name
            directory.mkdir(parents=True)
            stored, dense = {}, dict(start)
            for key, w in start.items():
                module = key.removesuffix(".weight")
                if module.rpartition(".")[2] in LINEAR:
                    parts, dense[key] = tensors(module, w)
                    stored |= parts
                else:
                    stored[key] = w.to(torch.bfloat16)
            base.load_state_dict(dense)
            logits = all_logits(base, tokens)
            moved = (logits - reference).abs().max().item()
            assert 1e-3 < moved, (name, moved)
            settings_of = base.config.to_dict() | {"architectures": ["LlamaForCausalLM"], "dtype": "bfloat16",
                                                   "quantization_config": settings}
            (directory / "config.json").write_text(json.dumps(settings_of, indent=2, sort_keys=True) + "\n")
            save_file(stored, directory / "model.safetensors", {"format": "pt"})
            (directory / "golden").mkdir()
            save_file({k: dense[k].contiguous() for k in dense if "k_proj" in k or "down_proj" in k},
                      directory / "golden" / "weights.safetensors", {"format": "pt"})
            write_json(directory / "golden" / "golden.json", {"tokens": [tokens], "logits": numbers([logits])})
            print(name, "moves logits by", moved, "of", reference.std().item())


if __name__ == "__main__":
    main()

"""Rotary frequencies of transformers for a grid of settings, at several lengths of a sequence."""

import itertools

import torch
from transformers import LlamaConfig, Phi3Config
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.phi3.modeling_phi3 import Phi3RotaryEmbedding

from common import GOLDEN, numbers, write_json

MAXIMUM = 4096


def case(kind, dim, outer=None, **settings):
    """The config's keys, and for each length frequencies and factor of a model that has seen nothing before."""
    keys = dict(max_position_embeddings=MAXIMUM, rope_parameters=dict(rope_type=kind, **settings), **(outer or {}))
    partial = "partial_rotary_factor" in settings or "partial_rotary_factor" in keys
    config, embedding = (Phi3Config, Phi3RotaryEmbedding) if partial else (LlamaConfig, LlamaRotaryEmbedding)
    more = {}
    if partial:  # Phi-3 has an original context of 4096 where its config names none
        more = dict(original_max_position_embeddings=keys.get("original_max_position_embeddings", MAXIMUM))
    sizes = dict(vocab_size=8, hidden_size=2 * dim, num_attention_heads=2, num_hidden_layers=1, intermediate_size=8,
                 pad_token_id=0)
    out = dict(config=keys, head_dim=dim, partial=partial, lengths=[], inv_freq=[], attention_factor=[])
    for length in lengths(kind, keys):
        # copied: transformers writes into the dictionary it is given
        made = embedding(config(**{**sizes, **keys, **more, "rope_parameters": dict(keys["rope_parameters"])}))
        made(torch.zeros(1), torch.arange(length)[None])
        out["lengths"].append(length)
        out["inv_freq"].append(numbers(made.inv_freq))
        out["attention_factor"].append(made.attention_scaling)
    return out


def lengths(kind, keys):
    if kind == "dynamic":
        return [1, MAXIMUM, MAXIMUM + 1, 3 * MAXIMUM + 7]
    if kind == "longrope":
        original = keys.get("original_max_position_embeddings", keys["rope_parameters"].get("original_max_position_embeddings"))
        return [1, original, original + 1]
    return [MAXIMUM]


def spread(dim, first, last):
    return [round(first + (last - first) * i / (dim // 2 - 1), 3) for i in range(dim // 2)]


def cases():
    for theta, dim in [(10000.0, 16), (500000.0, 64)]:
        yield case("default", dim, rope_theta=theta)
        yield case("linear", dim, rope_theta=theta, factor=2.5)
        yield case("llama3", dim, rope_theta=theta, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                   original_max_position_embeddings=64)
    for theta, factor, original in itertools.product([10000.0, 1000000.0], [1.0, 4.0, 40.0], [1024, 32768]):
        yield case("yarn", 16, rope_theta=theta, factor=factor, original_max_position_embeddings=original)
    yarn = dict(rope_theta=150000.0, factor=32.0, original_max_position_embeddings=512)
    for more in [dict(beta_fast=16, beta_slow=2.5), dict(truncate=False), dict(truncate=None), dict(beta_fast=0, beta_slow=None),
                 dict(mscale=1.0, mscale_all_dim=1.0), dict(mscale=0.707, mscale_all_dim=1.2), dict(mscale=0.5),
                 dict(mscale_all_dim=0.5), dict(mscale=0, mscale_all_dim=2),
                 dict(attention_factor=1.25, mscale=2.0, mscale_all_dim=1.0),
                 dict(factor=None), dict(factor=0.5), dict(beta_fast=3, beta_slow=3, truncate=False)]:
        yield case("yarn", 32, **{**yarn, **more})
    yield case("yarn", 64, **yarn)
    yield case("yarn", 16, rope_theta=10000.0, factor=4.0)
    yield case("yarn", 16, dict(original_max_position_embeddings=256), rope_theta=10000.0, factor=4.0,
               original_max_position_embeddings=1024)
    for theta, factor, dim in [(10000.0, 2.0, 16), (10000.0, 1.3, 4), (500000.0, 8.0, 32), (10000.0, 0.5, 16)]:
        yield case("dynamic", dim, rope_theta=theta, factor=factor)
    long = dict(rope_theta=10000.0, short_factor=spread(16, 1.0, 2.0), long_factor=spread(16, 1.05, 60.0))
    for more in [dict(original_max_position_embeddings=512), dict(original_max_position_embeddings=512, factor=32.0),
                 dict(original_max_position_embeddings=512, factor=0.5),
                 dict(original_max_position_embeddings=512, attention_factor=1.19),
                 dict(original_max_position_embeddings=8192)]:
        yield case("longrope", 16, **long, **more)
    yield case("longrope", 16, dict(original_max_position_embeddings=256), **long)
    yield case("longrope", 16, dict(original_max_position_embeddings=256), **long, original_max_position_embeddings=512)
    yield case("default", 32, rope_theta=10000.0, partial_rotary_factor=0.75)
    yield case("default", 32, dict(partial_rotary_factor=0.25), rope_theta=10000.0)
    yield case("longrope", 24, dict(original_max_position_embeddings=256), rope_theta=10000.0, partial_rotary_factor=0.75,
               short_factor=spread(18, 1.0, 1.5), long_factor=spread(18, 1.1, 30.0))


if __name__ == "__main__":
    made = list(cases())
    assert any(len({tuple(f) for f in c["inv_freq"]}) == 3 for c in made), "dynamic: every length beyond the context has its own"
    write_json(GOLDEN / "ropes.json", {str(i): c for i, c in enumerate(made)})

"""Makes the fixtures beside this file with the Python libraries: safetensors, transformers, peft, torch.

Run: OMP_NUM_THREADS=1 python make_fixtures.py   (transformers 5.18, peft 0.21, safetensors 0.8)
"""

import json
import pathlib

import torch
from peft import LoraConfig
from peft.tuners.tuners_utils import check_target_module_exists
from peft.utils.other import get_pattern_key
from safetensors.torch import save_file
from transformers import LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

HERE = pathlib.Path(__file__).parent


def tensors():
    values = torch.arange(6, dtype=torch.float32).reshape(2, 3) - 2.5
    save_file(
        {
            "f32": values,
            "f16": values.to(torch.float16),
            "bf16": values.to(torch.bfloat16),
            "i64": torch.tensor([1, -2, 3]),
            "bool": torch.tensor([True, False, True]),
            "scalar": torch.tensor(7.0),
            "empty": torch.zeros(0, 4),
        },
        HERE / "python.safetensors",
        metadata={"format": "pt", "note": "äöü"},
    )


def ropes():
    small = dict(vocab_size=32, hidden_size=128, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2)
    llama3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0)
    cases = {
        "default": dict(rope_type="default", rope_theta=10000.0),
        "default_million": dict(rope_type="default", rope_theta=1000000.0),
        "linear": dict(rope_type="linear", rope_theta=10000.0, factor=2.5),
        "llama3": dict(llama3, rope_theta=500000.0, original_max_position_embeddings=8192),
        "llama3_32": dict(llama3, factor=32.0, rope_theta=500000.0, original_max_position_embeddings=8192),
        "llama3_short": dict(llama3, rope_theta=10000.0, original_max_position_embeddings=64),
    }
    golden = {}
    for name, rope in cases.items():
        for head_dim in (16, 128):
            config = LlamaConfig(head_dim=head_dim, max_position_embeddings=131072, rope_parameters=dict(rope), **small)
            frequencies = LlamaRotaryEmbedding(config).inv_freq.double().tolist()
            golden[f"{name}/{head_dim}"] = {"rope_parameters": rope, "head_dim": head_dim, "inv_freq": frequencies}
    (HERE / "rope.json").write_text(json.dumps(golden, indent=1))


def configs():
    small = dict(
        vocab_size=32,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=1,
        dtype="bfloat16",
    )
    llama3 = dict(rope_type="llama3", rope_theta=5e5, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0)
    made = {
        "llama": LlamaConfig(
            **small, attention_bias=True, head_dim=6, rope_parameters=dict(llama3, original_max_position_embeddings=64)
        ),
        "mistral": MistralConfig(**small, sliding_window=8),
        "mistral_full": MistralConfig(**small, sliding_window=None),
        "qwen2": Qwen2Config(**small, use_sliding_window=True, sliding_window=8, max_window_layers=1),
        "qwen3": Qwen3Config(**small, tie_word_embeddings=True, rope_parameters=dict(rope_type="default", rope_theta=1e6)),
    }
    for name, config in made.items():
        (HERE / f"config-{name}.json").write_text(config.to_json_string())


def matching():
    """PEFT's own answers to which module has an adapter, of which rank and alpha."""
    kinds = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"]
    kinds += ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"]
    paths = [f"model.layers.{i}.{kind}" for i in (0, 1, 11) for kind in kinds]
    cases = [
        dict(target_modules=["q_proj", "v_proj"]),
        dict(target_modules=["proj"]),
        dict(target_modules=["self_attn.q_proj", "model.layers.1.mlp.up_proj"]),
        dict(target_modules=["q_proj", "model.layers.1.mlp.up_proj"], layers_to_transform=[0]),
        dict(target_modules=["q_proj", "up_proj"], layers_to_transform=1, layers_pattern="layers"),
        dict(target_modules=["q_proj"], layers_to_transform=[0, 11], layers_pattern=["h", "layers"]),
        dict(target_modules=["q_proj"], layers_to_transform=[0], layers_pattern=["blocks"]),
        dict(target_modules=r".*\.[01]\.self_attn\.(q|v)_proj"),
        dict(target_modules="q_proj"),
        dict(target_modules=["q_proj", "o_proj"], exclude_modules=["layers.0.self_attn.q_proj", "o_proj"]),
        dict(target_modules=["q_proj", "o_proj"], exclude_modules=r".*\.11\..*"),
        dict(
            target_modules=["q_proj", "up_proj"],
            rank_pattern={"up_proj": 2, "layers.1.self_attn.q_proj": 16, "q_proj": 3, r"model\.layers\.1\..*": 9},
            alpha_pattern={"1.*": 7, "proj": 5, "^model.layers.0.mlp.up_proj": 11},
        ),
        dict(target_modules=["q_proj"], rank_pattern={"q_pro": 2, ".*q_proj": 5}, alpha_pattern={"[01].self_attn.q_proj": 3}),
    ]
    golden = []
    for case in cases:
        config = LoraConfig(r=4, lora_alpha=8, task_type="CAUSAL_LM", **case)
        answers = {}
        for path in paths:
            if check_target_module_exists(config, path):
                rank = config.rank_pattern.get(get_pattern_key(config.rank_pattern.keys(), path), config.r)
                alpha = config.alpha_pattern.get(get_pattern_key(config.alpha_pattern.keys(), path), config.lora_alpha)
                answers[path] = [rank, alpha]
        golden.append({"config": dict(case, peft_type="LORA", r=4, lora_alpha=8), "answers": answers})
    (HERE / "matching.json").write_text(json.dumps({"paths": paths, "cases": golden}, indent=1))


if __name__ == "__main__":
    tensors()
    ropes()
    configs()
    matching()

"""Learning-rate factors of the schedules, and the recommended learning rates, straight from their formulas."""

import math

from common import GOLDEN, numbers, write_json

SHAPES = {
    "constant": lambda x: 1.0,
    "linear": lambda x: 1.0 - x,
    "cosine": lambda x: 0.5 * (1.0 + math.cos(math.pi * x)),
}
MODELS = [("meta-llama/Llama-3.2-1B", "llama", 2048), ("meta-llama/Llama-3.2-3B", "llama", 3072),
          ("meta-llama/Llama-3.1-8B", "llama", 4096), ("meta-llama/Llama-3.1-70B", "llama", 8192),
          ("Qwen/Qwen3-0.6B", "qwen", 1024), ("Qwen/Qwen3-4B", "qwen", 2560), ("Qwen/Qwen3-8B", "qwen", 4096),
          ("Qwen/Qwen3-32B", "qwen", 5120)]
POWER = {"llama": 0.781, "qwen": 0.0775}


def factor(shape, step, total, warmup):
    """A straight rise to 1 over the warm-up steps, then the shape over the steps that remain."""
    if step < warmup:
        return (step + 1) / warmup
    return SHAPES[shape]((step - warmup) / (total - warmup))


def main():
    schedules = [dict(shape=shape, total=total, warmup=warmup,
                      factors=numbers([factor(shape, s, total, warmup) for s in range(total)]))
                 for shape in SHAPES for total, warmup in ((20, 0), (20, 3), (7, 1), (5, 5), (1, 1), (1, 0))]
    rates = [dict(model=name, hidden=hidden, lora=lora,
                  learning_rate=numbers(5e-5 * (10 if lora else 1) * (2000 / hidden) ** POWER[family]))
             for name, family, hidden in MODELS for lora in (True, False)]
    write_json(GOLDEN / "schedules.json", {"schedules": schedules, "recommended": rates})


if __name__ == "__main__":
    main()

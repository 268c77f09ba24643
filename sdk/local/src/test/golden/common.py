"""What every golden script shares: paths, compact JSON, seeded tokens, log-probabilities."""

import json
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch  # noqa: E402
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText  # noqa: E402

GOLDEN = Path(__file__).resolve().parents[1] / "resources" / "golden"
MODELS = GOLDEN / "models"
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def load(directory, dtype=torch.float32):
    """The model of a directory, eager attention and experts, in evaluation mode."""
    kind = auto_class(AutoConfig.from_pretrained(directory))
    return kind.from_pretrained(directory, dtype=dtype, attn_implementation="eager", experts_implementation="eager").eval()


def auto_class(config):
    """Of models that read images too, and of others."""
    return AutoModelForImageTextToText if hasattr(config, "text_config") else AutoModelForCausalLM


def numbers(values):
    """Nested floats with nine significant digits: enough to give back the same float32."""
    if isinstance(values, torch.Tensor):
        values = values.detach().to(torch.float64).tolist()
    if isinstance(values, (list, tuple)):
        return [numbers(v) for v in values]
    return float(f"{values:.9g}")


def write_json(path, value):
    """One key a line on the top level, everything below it without spaces."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in value.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def generator(seed):
    return torch.Generator().manual_seed(seed)


def random_tokens(length, vocab, gen):
    return torch.randint(3, vocab, (length,), generator=gen).tolist()


def all_logits(model, tokens):
    """Logits [T][vocab] of one sequence: no padding, no cache."""
    return model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0]


def target_logprobs(model, inputs, targets):
    """Log-probability of each target, the softmax in float32 or better."""
    logits = all_logits(model, inputs)
    rows = torch.log_softmax(logits, dim=-1)
    return rows.gather(1, torch.tensor(targets)[:, None])[:, 0]

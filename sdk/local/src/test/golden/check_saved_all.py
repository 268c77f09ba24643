"""Loads in PEFT and transformers what SavedForPythonTest saved, and compares logprobs with ours.

  mvn -pl sdk/local -am test-compile surefire:test -Dtest=SavedForPythonTest -Dsurefire.failIfNoSpecifiedTests=false -Dfettle.saved=DIR
  check_saved_all.py DIR
"""
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch  # noqa: E402
from peft import PeftModel  # noqa: E402
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText  # noqa: E402
from transformers.utils import logging  # noqa: E402

logging.disable_progress_bar()
directory = Path(sys.argv[1])


def load(path):
    kind = AutoModelForImageTextToText if hasattr(AutoConfig.from_pretrained(path), "text_config") else AutoModelForCausalLM
    return kind.from_pretrained(path, dtype=torch.float32, attn_implementation="eager", experts_implementation="eager")


def difference(model, case):
    with torch.no_grad():
        # Without the last token, which Fettle does not read either: a dynamic rope turns by the length
        all_logprobs = model(torch.tensor([case["tokens"][:-1]])).logits[0].double().log_softmax(-1)
    theirs = [all_logprobs[i, t].item() for i, t in enumerate(case["tokens"][1:])]
    return max(abs(a - b) for a, b in zip(case["logprobs"], theirs, strict=True))


merged, adapters = [], []
for case in json.loads((directory / "cases.json").read_text()):
    assert max(abs(a - b) for a, b in zip(case["logprobs"], case["before"])) > 0.5, case["id"]
    merged.append(difference(load(directory / f"{case['id']}-merged"), case))
    if case["lora"]:
        model = PeftModel.from_pretrained(load(case["base"]), directory / f"{case['id']}-adapter")
        adapters.append(difference(model, case))
    assert max(merged[-1], adapters[-1]) < 1e-4, (case["id"], merged[-1], adapters[-1])
print(f"{len(adapters)} adapters in PEFT: largest difference {max(adapters):.1e}")
print(f"{len(merged)} merged models in transformers: largest difference {max(merged):.1e}")

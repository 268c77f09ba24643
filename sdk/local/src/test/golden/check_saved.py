"""Compares what Fettle saved with what PEFT and transformers make of it.

  check_saved.py BASE ADAPTER SCORE_JSON [MERGED]   (SCORE_JSON: the line that `Score --dtype f32 --adapter` printed)
"""
import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

base, adapter, score = sys.argv[1:4]
tokens = json.loads(sys.argv[5]) if len(sys.argv) > 5 else [1, 403, 407, 261, 378, 432, 383, 286]


def logprobs(model):
    with torch.no_grad():
        all_logprobs = model(torch.tensor([tokens])).logits[0].double().log_softmax(-1)
    return [all_logprobs[i, t].item() for i, t in enumerate(tokens[1:])]


ours = json.loads(score)["logprobs"]
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), adapter)
print("PEFT: largest difference", max(abs(a - b) for a, b in zip(ours, logprobs(model), strict=True)))
if len(sys.argv) > 4:
    merged = AutoModelForCausalLM.from_pretrained(sys.argv[4], dtype=torch.float32)
    print("merged in transformers: largest difference", max(abs(a - b) for a, b in zip(ours, logprobs(merged), strict=True)))

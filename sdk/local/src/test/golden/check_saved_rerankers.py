"""What RerankerTest saved (-Dfettle.saved=DIR), loaded by sentence-transformers and PEFT: the scores must be the same."""

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from sentence_transformers import CrossEncoder

worst, count = 0.0, 0
for file in sorted((Path(sys.argv[1]) / "rerankers").glob("*.json")):
    case = json.loads(file.read_text())
    if "reranker" in file.stem:
        continue
    for kind in ("merged", "adapter"):
        if not case[kind]:
            continue
        model = CrossEncoder(case["merged"] if kind == "merged" else case["base"], device="cpu")
        if kind == "adapter":
            model.model.eval()
            PeftModel.from_pretrained(model.model, case[kind])
        found = model.predict([(case["query"], t) for t in case["texts"]], activation_fn=torch.nn.Identity(), convert_to_tensor=True)
        found = found[:, 1] - found[:, 0] if found.dim() == 2 else found
        difference = (found - torch.tensor(case["scores"])).abs().max().item()
        worst, count = max(worst, difference), count + 1
        print(file.stem, kind, f"{difference:.1e}")
print(count, "loaded, largest difference", worst)
assert count and worst < 1e-4

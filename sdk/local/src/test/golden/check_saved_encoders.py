"""What TunedEncoderTest saved (-Dfettle.saved=DIR), loaded by sentence-transformers: the vectors must be the same."""

import json
import sys
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer

worst, count = 0.0, 0
for file in sorted(Path(sys.argv[1]).glob("*.json")):
    case = json.loads(file.read_text())
    for kind, vectors in (("merged", "vectors"), ("adapter", "adapted")):
        if not case[kind]:
            continue
        model = SentenceTransformer(case[kind], device="cpu")
        found = torch.tensor(model.encode(case["texts"]))
        difference = (found - torch.tensor(case[vectors])).abs().max().item()
        worst, count = max(worst, difference), count + 1
        print(file.stem, kind, [type(m).__name__ for m in model], model.max_seq_length, f"{difference:.1e}")
print(count, "loaded, largest difference", worst)
assert count and worst < 1e-4

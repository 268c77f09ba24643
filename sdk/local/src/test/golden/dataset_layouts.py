"""Which files Python's datasets library takes for which split, by names alone. Needs datasets (5.0)."""

import json
import random
import tempfile
from pathlib import Path

from datasets.data_files import EmptyDatasetError, get_data_patterns, resolve_pattern

OUT = Path(__file__).resolve().parents[1] / "resources/golden/dataset-layouts.json"

NAMES = ["train", "test", "validation", "valid", "dev", "val", "training", "testing", "eval", "evaluation", "data", "trainer",
         "mytrain", "x_train", "train2", "2train", "a-test-b", "x.dev", "holdout", "part 1", "Train", "contest", "all_eval_1"]
FIXED = [
    ["data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet", "README.md"],
    ["data/train_sft-00000-of-00002-aa1.parquet", "data/train_sft-00001-of-00002-aa1.parquet", "data/test_gen-00000-of-00001.parquet"],
    ["main/train-00000-of-00001.parquet", "main/test-00000-of-00001.parquet"],
    ["train.csv", "test.csv", ".hidden/train.csv", "__pycache__/train.csv", "dataset_infos.json"],
    ["a.jsonl", "b.jsonl"], ["x/y/z.json"], ["train/a.csv", "train/test.csv"], ["train_test.csv"], ["sub/data/train-00000-of-00001.csv"],
    ["README.md"], ["data/a.csv", "data/b-train.csv", "train.csv"],
]


def layout(random_):
    files = set()
    for _ in range(random_.randint(1, 6)):
        parts = [random_.choice(NAMES) for _ in range(random_.randint(0, 2))]
        parts.append(random_.choice(NAMES) + random_.choice(["", "_0", "-00000-of-00001"]) + random_.choice([".csv", ".jsonl", ".parquet"]))
        files.add("/".join(parts))
    return sorted(files)


def splits(files):
    with tempfile.TemporaryDirectory() as home:
        for name in files:
            path = Path(home, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        try:
            patterns = get_data_patterns(home)
        except EmptyDatasetError:
            return {}
        return {str(split): sorted({str(Path(p).relative_to(home)) for pattern in of for p in resolve_or_none(pattern, home)})
                for split, of in patterns.items()}


def resolve_or_none(pattern, home):
    try:
        return resolve_pattern(pattern, home)
    except FileNotFoundError:
        return []


cases = FIXED + [layout(random.Random(seed)) for seed in range(150)]
found = [{"files": files, "splits": splits(files)} for files in cases]
assert len({json.dumps(c["splits"]) for c in found}) > 100
OUT.write_text(json.dumps(found, indent=0, sort_keys=True) + "\n")

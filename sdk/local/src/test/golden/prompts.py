"""Vectors of texts with prompts before them, by sentence-transformers itself, of the tiny encoders."""

import json
import shutil
import tempfile
from pathlib import Path

from sentence_transformers import SentenceTransformer

from common import GOLDEN, numbers, write_json

TEXTS = ["heat flow", "What is the drag of a cone in supersonic flow?", "", "the wing and the body of a jet"]
WITH_DEFAULT = dict(prompts=dict(query="what is ", passage="air in ", odd=None), default_prompt_name="query")
CONFIGS = {
    "default": WITH_DEFAULT,
    "default-empty": dict(default_prompt_name="document"),
    "no-default": dict(prompts=dict(query="what is "), default_prompt_name=None),
    "long": dict(prompts=dict(query="the boundary layer of a supersonic wing and the shock of a jet "),
                 default_prompt_name="query"),
}
CHOICES = [dict(), dict(text=""), dict(name="query"), dict(name="document"), dict(text="a test of ")]


def directory(base, config, pooled):
    made = Path(tempfile.mkdtemp()) / "encoder"
    shutil.copytree(GOLDEN / "encoders" / base, made)
    (made / "config_sentence_transformers.json").write_text(json.dumps(config))
    pooling = made / "1_Pooling" / "config.json"
    if pooling.exists():
        pooling.write_text(json.dumps(dict(json.loads(pooling.read_text()), include_prompt=pooled)))
    return made


def cases(base, name, pooled):
    model = SentenceTransformer(str(directory(base, CONFIGS[name], pooled)), device="cpu")
    for choice in CHOICES:
        vectors = model.encode(TEXTS, prompt_name=choice.get("name"), prompt=choice.get("text"))
        yield dict(base=base, config=CONFIGS[name], include_prompt=pooled, **choice,
                   vectors=[numbers(v.tolist()) for v in vectors])


def main():
    all_cases = [case for base in ("cls", "mean-raw") for name in CONFIGS for pooled in (True, False)
                 for case in cases(base, name, pooled)]
    write_json(GOLDEN / "prompts.json", dict(texts=TEXTS, cases=all_cases))


if __name__ == "__main__":
    main()

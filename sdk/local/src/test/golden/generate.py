"""Greedy ids and log-probabilities of the pre-trained stories260K (read from /work/shared, not committed)."""

import sys
from pathlib import Path

import torch
from transformers import AutoTokenizer

from common import GOLDEN, all_logits, load, numbers, write_json

MODEL = Path(sys.argv[1] if len(sys.argv) > 1 else "/work/shared/models/stories260K/hf")
PROMPTS = ["Once upon a time", "The old bear was tired and hungry. He looked for honey all day, but"]
TEXT = ("Once upon a time, there was a little girl named Lily. She loved to play outside in the park with her "
        "friends and her dog.")
NEW = 200


def greedy(model, prompt):
    ids = torch.tensor([prompt])
    out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=NEW,
                         eos_token_id=None, pad_token_id=0)[0].tolist()
    best = all_logits(model, out[:-1])[len(prompt) - 1:].topk(2)
    assert best.indices[:, 0].tolist() == out[len(prompt):], "the cache changes the greedy ids"
    return dict(prompt=prompt, ids=out[len(prompt):], margin=numbers((best.values[:, 0] - best.values[:, 1]).min()))


def main():
    model, tokenizer = load(MODEL), AutoTokenizer.from_pretrained(MODEL)
    prompts = [tokenizer(p)["input_ids"] for p in PROMPTS]
    tokens = tokenizer(TEXT)["input_ids"][:40]
    assert len(tokens) == 40
    rows = torch.log_softmax(all_logits(model, tokens[:-1]), dim=-1)
    logprobs = rows.gather(1, torch.tensor(tokens[1:])[:, None])[:, 0]
    cases = [dict(text=text, **greedy(model, p)) for text, p in zip(PROMPTS, prompts)]
    write_json(GOLDEN / "stories_generate.json", {
        "greedy": cases, "text": TEXT, "tokens": tokens, "logprobs": numbers(logprobs)})
    for c in cases:
        print(len(c["prompt"]), c["margin"], repr(tokenizer.decode(c["ids"]))[:200])


if __name__ == "__main__":
    with torch.no_grad():
        main()

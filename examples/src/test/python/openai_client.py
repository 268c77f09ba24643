#!/usr/bin/env python3
"""Python's openai package against a server: Serve --model fettle-tiny, or another that chats.

  openai_client.py [BASE_URL] [MODEL]      default http://127.0.0.1:8000/v1 and the first that is listed
"""
import concurrent.futures
import sys

import openai

base = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000/v1"
client = openai.OpenAI(base_url=base, api_key="none", max_retries=0)
models = [m.id for m in client.models.list()]
model = sys.argv[2] if len(sys.argv) > 2 else models[0]
ask = dict(model=model, messages=[{"role": "user", "content": "Please cancel order 4711."}], max_tokens=24, temperature=0)
print("models:", models)

whole = client.chat.completions.create(**ask, logprobs=True, top_logprobs=2)
text = whole.choices[0].message.content
print("chat:", text, whole.usage.prompt_tokens, whole.usage.completion_tokens)
assert whole.choices[0].finish_reason in ("stop", "length")
scores = whole.choices[0].logprobs.content
assert bytes(b for t in scores for b in t.bytes).decode() == text
assert all(t.top_logprobs[0].logprob == t.logprob for t in scores)

events = list(client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True}))
assert "".join(e.choices[0].delta.content or "" for e in events if e.choices) == text
assert events[-1].usage.completion_tokens == whole.usage.completion_tokens
with client.chat.completions.stream(**ask) as stream:
    assert stream.get_final_completion().choices[0].message.content == text

again = client.chat.completions.create(**{**ask, "temperature": 1, "n": 3, "seed": 7})
assert [c.message.content for c in again.choices] == [
    c.message.content for c in client.chat.completions.create(**{**ask, "temperature": 1, "n": 3, "seed": 7}).choices]
assert client.chat.completions.create(**ask, stop=text[3:6]).choices[0].message.content == text[:3]

completion = client.completions.create(model=model, prompt=["Where is", [1, 2, 3]], max_tokens=5, n=2, logprobs=2)
assert [c.index for c in completion.choices] == [0, 1, 2, 3]
assert all(len(c.logprobs.tokens) <= 5 for c in completion.choices)

with concurrent.futures.ThreadPoolExecutor(16) as pool:
    together = list(pool.map(lambda _: client.chat.completions.create(**ask).choices[0].message.content, range(16)))
assert together == [text] * 16

for wrong, error in [({"model": "nobody"}, openai.NotFoundError), ({"n": 1000}, openai.BadRequestError),
                     ({"logit_bias": {"5": 3}}, openai.BadRequestError), ({"max_tokens": 10**6}, openai.BadRequestError),
                     ({"extra_body": {"temprature": 1}}, openai.BadRequestError)]:
    try:
        client.chat.completions.create(**{**ask, **wrong})
        raise AssertionError(f"{wrong} was taken")
    except error as e:
        print("refused:", e.body["message"])
print("all well")

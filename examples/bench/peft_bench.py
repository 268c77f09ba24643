"""What Fettle's Bench measures, done with PEFT and transformers: one JSON line last.

  peft_bench.py train|full|decode --shape smollm2-135m --dtype bf16 --batch 4 --length 256 --rank 16 --steps 5
"""
import argparse
import json
import resource
import statistics
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen3Config

SHAPES = {
    "smollm2-135m": LlamaConfig(vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
                                num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True,
                                max_position_embeddings=8192, rms_norm_eps=1e-5),
    "qwen3-0.6b": Qwen3Config(vocab_size=151936, hidden_size=1024, intermediate_size=3072, num_hidden_layers=28,
                              num_attention_heads=16, num_key_value_heads=8, head_dim=128, tie_word_embeddings=True,
                              max_position_embeddings=40960, rms_norm_eps=1e-6),
}

parser = argparse.ArgumentParser()
parser.add_argument("work", choices=["train", "full", "decode"])
parser.add_argument("--shape", choices=SHAPES, default="smollm2-135m")
parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
parser.add_argument("--batch", type=int, default=4)
parser.add_argument("--length", type=int, default=256)
parser.add_argument("--rank", type=int, default=16)
parser.add_argument("--steps", type=int, default=5)
parser.add_argument("--prompt", type=int, default=32)
parser.add_argument("--new", type=int, default=64)
parser.add_argument("--threads", type=int, default=0)
args = parser.parse_args()
if args.threads:
    torch.set_num_threads(args.threads)
torch.manual_seed(0)
dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[args.dtype]
config = SHAPES[args.shape]
torch.set_default_dtype(dtype)
model = AutoModelForCausalLM.from_config(config)
torch.set_default_dtype(torch.float32)


def train():
    net = model
    if args.work == "train":
        net = get_peft_model(model, LoraConfig(r=args.rank, lora_alpha=32, target_modules="all-linear"))
    net.train()
    optimizer = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], lr=5e-4)
    seconds = []
    for step in range(args.steps + 1):
        ids = torch.randint(config.vocab_size, (args.batch, args.length + 1))
        start = time.perf_counter()
        logits = net(input_ids=ids[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits.float().view(-1, config.vocab_size), ids[:, 1:].reshape(-1))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - start)
    return args.batch * args.length, seconds[1:], {"loss": loss.item()}


def decode():
    model.eval()
    ids = torch.randint(config.vocab_size, (args.batch, args.prompt))
    seconds = []
    for step in range(args.steps + 1):
        start = time.perf_counter()
        with torch.inference_mode():
            out = model.generate(ids, max_new_tokens=args.new, min_new_tokens=args.new, do_sample=False, pad_token_id=0,
                                 eos_token_id=None)
        seconds.append(time.perf_counter() - start)
    return args.batch * args.new, seconds[1:], {"ids": out[0, args.prompt:].tolist()}


tokens, seconds, extra = decode() if args.work == "decode" else train()
median = statistics.median(seconds)
print(json.dumps({"tokens_per_second": tokens / median, "seconds": median,
                  "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, **extra}))

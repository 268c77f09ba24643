"""What Fettle's Bench measures, done with PEFT and transformers: one JSON line last.

  peft_bench.py train|full|decode --shape smollm2-135m --dtype bf16 --batch 4 --length 256 --rank 16 --steps 5
  peft_bench.py decode --samples 8                 several samples of one prompt, at temperature 1
  peft_bench.py sft --tokens FILE                  the batches that "Bench sft --dump FILE" wrote
  peft_bench.py embed --model DIR --texts FILE     the texts that "Bench embed --dump FILE" wrote
  peft_bench.py contrastive --model DIR --texts FILE --method lora|full --rank 16
                                                   the pairs that "Bench contrastive --dump FILE" wrote
  peft_bench.py limits --shape smollm2-135m        what the machine can do: products, reading memory
"""
import argparse
import json
import resource
import statistics
import time

import torch

parser = argparse.ArgumentParser()
parser.add_argument("work", choices=["train", "full", "sft", "decode", "embed", "contrastive", "limits"])
parser.add_argument("--shape", choices=["smollm2-135m", "qwen3-0.6b", "tiny"], default="smollm2-135m")
parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
parser.add_argument("--batch", type=int, default=4)
parser.add_argument("--length", type=int, default=256)
parser.add_argument("--rank", type=int, default=16)
parser.add_argument("--steps", type=int, default=5)
parser.add_argument("--prompt", type=int, default=32)
parser.add_argument("--new", type=int, default=64)
parser.add_argument("--samples", type=int, default=1)
parser.add_argument("--tokens")
parser.add_argument("--model")
parser.add_argument("--texts")
parser.add_argument("--method", choices=["lora", "full"], default="lora")
parser.add_argument("--micro", type=int, default=0,
                    help="texts that an encoder takes at a time; 0 tries several sizes and takes the fastest")
parser.add_argument("--autocast", action="store_true",
                    help="bf16 as f32 weights under autocast, in place of weights in bf16")
parser.add_argument("--plain-adapters", action="store_true",
                    help="adapters in the weights' type, in place of f32, which is PEFT's default")
parser.add_argument("--threads", type=int, default=0)
args = parser.parse_args()
if args.threads:
    torch.set_num_threads(args.threads)
torch.manual_seed(0)
dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[args.dtype]


def shape():
    from transformers import LlamaConfig, Qwen3Config
    if args.shape == "smollm2-135m":
        return LlamaConfig(vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
                           num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True,
                           max_position_embeddings=8192, rms_norm_eps=1e-5)
    if args.shape == "qwen3-0.6b":
        return Qwen3Config(vocab_size=151936, hidden_size=1024, intermediate_size=3072, num_hidden_layers=28,
                           num_attention_heads=16, num_key_value_heads=8, head_dim=128, tie_word_embeddings=True,
                           max_position_embeddings=40960, rms_norm_eps=1e-6)
    return Qwen3Config(vocab_size=320, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
                       num_attention_heads=4, num_key_value_heads=2, head_dim=8, tie_word_embeddings=True,
                       max_position_embeddings=128, rms_norm_eps=1e-6)


def load():
    from transformers import AutoModelForCausalLM
    torch.set_default_dtype(dtype)
    model = AutoModelForCausalLM.from_config(shape())
    torch.set_default_dtype(torch.float32)
    return model


def trained(net):
    """Each (inputs, trained tokens, all tokens) of the steps: random tokens, all in the loss, or the dumped ones."""
    vocab = net.config.vocab_size
    if args.work != "sft":
        for _ in range(args.steps + 1):
            ids = torch.randint(vocab, (args.batch, args.length + 1))
            yield {"input_ids": ids}, args.batch * args.length, args.batch * args.length
        return
    with open(args.tokens) as file:
        batches = json.load(file)
    for batch in batches:
        # As TRL's collator: padded on the right to the longest, -100 wherever the token is not of a completion.
        longest = 1 + max(len(d["inputs"]) for d in batch)
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        labels = torch.full_like(ids, -100)
        for row, d in enumerate(batch):
            n = 1 + len(d["inputs"])
            ids[row, :n] = torch.tensor(d["inputs"] + d["targets"][-1:])
            mask[row, :n] = 1
            labels[row, 1:n] = torch.tensor([t if w else -100 for t, w in zip(d["targets"], d["weights"])])
        inputs = {"input_ids": ids, "attention_mask": mask, "labels": labels}
        yield inputs, int((labels != -100).sum()), sum(len(d["inputs"]) for d in batch)


def train():
    net = load()
    if args.work != "full":
        from peft import LoraConfig, get_peft_model
        net = get_peft_model(net, LoraConfig(r=args.rank, lora_alpha=32, target_modules="all-linear"))
    net.train()
    optimizer = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad],
                                  lr=5e-5 if args.work == "full" else 5e-4)
    seconds, counts, wholes = [], [], []
    for inputs, count, whole in list(trained(net)):
        start = time.perf_counter()
        if "labels" in inputs:
            loss = net(**inputs).loss
        else:
            ids = inputs["input_ids"]
            logits = net(input_ids=ids[:, :-1]).logits
            loss = torch.nn.functional.cross_entropy(logits.float().view(-1, logits.size(-1)), ids[:, 1:].reshape(-1))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - start)
        counts.append(count)
        wholes.append(whole)
        loss = loss.item()
    seconds, counts, wholes = seconds[1:], counts[1:], wholes[1:]
    median = statistics.median(seconds)
    rate = sum(wholes) / sum(seconds) if len(set(wholes)) > 1 else wholes[0] / median
    return {"tokens_per_second": rate, "seconds": median, "trained_tokens_per_second": sum(counts) / sum(seconds),
            "loss": loss}


def decode():
    model = load().eval()
    ids = torch.randint(model.config.vocab_size, (args.batch, args.prompt))
    how = {"do_sample": False} if args.samples == 1 else {"do_sample": True, "top_k": 0, "temperature": 1.0,
                                                          "num_return_sequences": args.samples}
    seconds = []
    for step in range(args.steps + 1):
        start = time.perf_counter()
        with torch.inference_mode():
            out = model.generate(ids, max_new_tokens=args.new, min_new_tokens=args.new, pad_token_id=0,
                                 eos_token_id=None, **how)
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds[1:])
    return {"tokens_per_second": args.batch * args.samples * args.new / median, "seconds": median,
            "ids": out[0, args.prompt:].tolist()}


class Encoder:
    """BertModel with mean pooling and vectors of length 1, from texts, as sentence-transformers has it."""

    def __init__(self):
        from tokenizers import Tokenizer
        from transformers import BertConfig, BertModel
        config = BertConfig.from_pretrained(args.model)
        # Fettle trains without dropout unless it is asked for.
        config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
        self.net = BertModel.from_pretrained(args.model, config=config, add_pooling_layer=False,
                                             dtype=torch.float32 if args.autocast else dtype,
                                             attn_implementation="sdpa")
        self.tokenizer = Tokenizer.from_file(args.model + "/tokenizer.json")
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def tokens(self, texts):
        """Texts are equally long: nothing is padded, and there is no mask to be computed with."""
        ids = torch.tensor([e.ids for e in self.tokenizer.encode_batch(texts)])
        assert ids.size(1) == args.length, f"--length {args.length} but the texts have {ids.size(1)} tokens"
        return ids

    def vectors(self, ids, micro):
        with torch.autocast("cpu", torch.bfloat16, enabled=args.autocast):
            hidden = [self.net(input_ids=part).last_hidden_state.mean(1) for part in ids.split(micro)]
        return torch.nn.functional.normalize(torch.cat(hidden).float(), dim=1)


def texts():
    with open(args.texts) as file:
        return json.load(file)


def fastest(work, most):
    """The size of portions that is fastest, of those up to all texts: each is tried twice."""
    if args.micro:
        return args.micro
    took = {}
    for micro in [m for m in (8, 16, 32, 64, 128, 256) if m < most] + [most]:
        took[micro] = best(lambda: work(micro), 2)
    return min(took, key=took.get)


def embed():
    encoder = Encoder()
    encoder.net.eval()
    batches = texts()
    seconds, tokenising = [], []
    with torch.inference_mode():
        ids = encoder.tokens(batches[0])
        micro = fastest(lambda m: encoder.vectors(ids, m).numpy(), len(ids))
        for batch in batches:
            start = time.perf_counter()
            ids = encoder.tokens(batch)
            tokenising.append(time.perf_counter() - start)
            out = encoder.vectors(ids, micro).numpy()
            seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds[1:])
    count = len(batches[0])
    return {"tokens_per_second": count * args.length / median, "seconds": median,
            "documents_per_second": count / median, "tokenising_seconds": statistics.median(tokenising[1:]),
            "micro": micro, "vector": out[0].tolist()}


def contrastive():
    encoder = Encoder()
    if args.method == "lora":
        from peft import LoraConfig, get_peft_model
        encoder.net = get_peft_model(encoder.net, LoraConfig(r=args.rank, lora_alpha=32, target_modules=[
            "query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]),
            autocast_adapter_dtype=not args.plain_adapters)
    encoder.net.train()
    parameters = [p for p in encoder.net.parameters() if p.requires_grad]
    batches = texts()
    pairs, columns = len(batches[0]), len(batches[0][0])

    def backward(batch, micro):
        ids = encoder.tokens([row[0] for row in batch] + [t for row in batch for t in row[1:]])
        vectors = encoder.vectors(ids, micro)
        scores = vectors[:pairs] @ vectors[pairs:].t() / 0.05
        loss = torch.nn.functional.cross_entropy(scores, torch.arange(pairs) * (columns - 1))
        loss.backward()
        return loss

    def tried(micro):
        backward(batches[0], micro)
        for p in parameters:
            p.grad = None

    micro = fastest(tried, pairs * columns)
    optimizer = torch.optim.AdamW(parameters, lr=5e-5 if args.method == "full" else 5e-4)
    seconds = []
    for batch in batches:
        start = time.perf_counter()
        loss = backward(batch, micro)
        optimizer.step()
        optimizer.zero_grad()
        loss = loss.item()
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds[1:])
    return {"tokens_per_second": pairs * columns * args.length / median, "seconds": median,
            "pairs_per_second": pairs / median, "micro": micro, "trainable": sum(p.numel() for p in parameters),
            "loss": loss}


def best(work, repeats=7):
    """The least seconds of a call: a limit is what the machine does undisturbed."""
    least = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        least = min(least, time.perf_counter() - start)
    return least


def limits():
    """GFLOP/s of a large product in each type and GB/s of reading as many bytes as the weights have in each type."""
    result = {}
    parameters = {"smollm2-135m": 134_515_008, "qwen3-0.6b": 596_049_920, "tiny": 1_000_000}[args.shape]
    n = 256 if args.shape == "tiny" else 2048
    for name, kind in (("f32", torch.float32), ("bf16", torch.bfloat16)):
        a, b = torch.randn(n, n).to(kind), torch.randn(n, n).to(kind)
        out = torch.empty(n, n, dtype=kind)
        result["gflops_" + name] = 2 * n ** 3 / best(lambda: torch.mm(a, b.t(), out=out)) / 1e9
        # Summing and reading a copy's source both stream; whichever the machine does faster is its limit.
        size = parameters * a.element_size()
        x = torch.ones(size // 4)
        y = torch.empty_like(x)
        result["gbytes_" + name] = max(size / best(lambda: x.sum()), size / best(lambda: torch.dot(x, x)),
                                       2 * size / best(lambda: y.copy_(x))) / 1e9
    return {"tokens_per_second": 0, "seconds": 0, "parameters": parameters, **result}


result = {"decode": decode, "limits": limits, "embed": embed, "contrastive": contrastive}.get(args.work, train)()
result["peak_rss_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
result["dtype"] = args.dtype
print(json.dumps(result))

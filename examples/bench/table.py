"""The table of compare.sh from the figures that it kept: table.py DIR NATIVE-TYPE THREADS SHAPE BATCH LENGTH TEXTS PAIRS."""
import collections
import datetime
import json
import os
import pathlib
import platform
import re
import statistics
import sys

directory, native, threads, shape, batch, length, texts, pairs = sys.argv[1:]
runs = collections.defaultdict(lambda: collections.defaultdict(list))
for file in sorted(pathlib.Path(directory).glob("*.*.*.json")):
    row, side, _ = file.name.split(".", 2)
    runs[row][side].append(json.loads(file.read_text()))
limits = runs.pop("limits")["machine"]
machine = {key: max(r[key] for r in limits) for key in limits[0] if key.startswith("g")}


def median(row, side, key):
    return statistics.median(r[key] for r in runs[row][side])


def line(work, fettle, reference, speed, memory, target, met):
    print(f"| {work} | {fettle} | {reference} | {speed} | {memory} | {target} | {'yes' if met else 'no'} |")


def compared(row, work, least, most=None, key="tokens_per_second"):
    """Rate and memory of both sides."""
    if row not in runs:
        return
    sides = [(median(row, s, key), median(row, s, "peak_rss_bytes") / 2 ** 30) for s in ("fettle", "reference")]
    speed, memory = sides[0][0] / sides[1][0], sides[0][1] / sides[1][1]
    target = f"at least {least}x" + (f", at most {most}x" if most else "")
    line(work, *(f"{rate:,.1f} tokens/s, {gib:.2f} GiB" for rate, gib in sides), f"{speed:.2f}x", f"{memory:.2f}x",
         target, speed >= least and (most is None or memory <= most))


def encoded(row, work, unit, least=1.5):
    """An encoder's rate and memory, beside the fastest of the reference's ways."""
    if row not in runs:
        return
    key = unit + "_per_second"
    ways = [s for s in runs[row] if s not in ("fettle", "onnx")]
    rates = {s: median(row, s, key) for s in ways}
    way = max(ways, key=rates.get)
    mib = [median(row, s, "peak_rss_bytes") / 2 ** 20 for s in ("fettle", way)]
    ours = median(row, "fettle", key)
    speed = ours / rates[way]
    names = {"reference": "as it is", "autocast": "f32 weights under autocast", "plain-adapters": "adapters in bf16"}
    others = ", ".join(f"{names[s]} {rates[s]:,.1f}" for s in ways if s != way)
    line(work, f"{ours:,.1f} {unit}/s, {mib[0]:,.0f} MiB",
         f"{rates[way]:,.1f} {unit}/s, {mib[1]:,.0f} MiB, {runs[row][way][0]['micro']} texts at a time"
         + (f" ({names[way]}; {others})" if others else ""),
         f"{speed:.2f}x", f"{mib[0] / mib[1]:.2f}x", f"at least {least}x", speed >= least)


def beside(row, side, name, work, least, key="tokens_per_second", unit="tokens", times=1, most=None):
    """Rate and memory beside a program that has a name."""
    if row not in runs or side not in runs[row]:
        return
    sides = [(times * median(row, s, key), median(row, s, "peak_rss_bytes") / 2 ** 30) for s in ("fettle", side)]
    speed, memory = sides[0][0] / sides[1][0], sides[0][1] / sides[1][1]
    cells = [f"{rate:,.1f} {unit}/s, {gib:.2f} GiB" for rate, gib in sides]
    line(work, cells[0], f"{name} {cells[1]}", f"{speed:.2f}x", f"{memory:.2f}x",
         f"at least {least}x" + (f", at most {most}x" if most else ""), speed >= least and (most is None or memory <= most))


def share(row, kind, least):
    """Of the arithmetic limit: a step's products, forward and back to the inputs, are 4 operations a weight."""
    if row not in runs:
        return
    parameters = runs[row]["fettle"][0]["parameters"]
    rate = machine["gflops_" + kind]
    reached = 4 * parameters * median(row, "fettle", "tokens_per_second") / 1e9
    line(f"share of the arithmetic limit, {kind}", f"{reached:,.0f} GFLOP/s", f"{rate:,.0f} GFLOP/s in one product",
         f"{reached / rate:.0%}", "", f"at least {least:.0%}", reached / rate >= least)


def cpu():
    text = pathlib.Path("/proc/cpuinfo")
    text = text.read_text() if text.exists() else ""
    name = re.search(r"model name\s*:\s*(.*)", text)
    family = re.search(r"^model\s*:\s*(\d+)", text, re.M)
    flags = set(re.search(r"(?:flags|Features)\s*:\s*(.*)", text).group(1).split()) if text else set()
    known = [f for f in ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "avx512_vnni", "amx_int8", "asimd", "bf16")
             if f in flags]
    held = ", held to AVX2" if os.environ.get("ATEN_CPU_CAPABILITY") == "avx2" else ""
    return ((name.group(1) if name else platform.processor() or platform.machine())
            + (f", model {family.group(1)}" if family else "") + f"{held}; {' '.join(known) or 'no known flags'}")


counts = sorted({len(r) for sides in runs.values() for r in sides.values()})
processor = cpu()
print(f"{processor}; {threads} threads; {datetime.date.today()}; medians of {'/'.join(map(str, counts))} runs, in turn; "
      f"{machine['gflops_f32']:,.0f} GFLOP/s f32, {machine['gflops_bf16']:,.0f} bf16, "
      f"{machine['gbytes_' + native]:.1f} GB/s.\n")
print("| work | Fettle | reference | speed | memory | target | met |\n|---|---|---|---|---|---|---|")
step = f"{shape}, {batch} x {length} tokens"
other = "tiny" if shape == "tiny" else "qwen3-0.6b"
# What PEFT leaves to be gained depends on the processor's units for matrices.
has_amx = "amx_bf16" in processor and "held to AVX2" not in processor
compared("train-f32", f"LoRA step, {step}, f32", 2 if has_amx else 1.5, 0.5)
compared("train-bf16", f"LoRA step, {step}, bf16 (PEFT in {native})", 3.5 if has_amx else 2, 0.5)
compared("qwen", f"LoRA step, {other}, {batch} x {length} tokens, {native}", 2, 0.5)
compared("sft", f"chat data, {shape}, {native}, trained tokens", 3, key="trained_tokens_per_second")
lengths = sorted(int(r[5:]) for r in runs if r.startswith("long-"))
for n in lengths:
    compared(f"long-{n}", f"LoRA step, {shape}, one sequence of {n} tokens, {native}", 2.5)
for a, b in zip(lengths, lengths[1:]):
    grown = median(f"long-{b}", "fettle", "peak_rss_bytes") / median(f"long-{a}", "fettle", "peak_rss_bytes")
    line(f"memory from {a} to {b} tokens", "", "", "", f"{grown:.2f}x", f"at most {b / a:g}x", grown <= b / a)
compared("decode", f"decode, {shape}, batch 1, {native}", 3)
if "decode" in runs:
    size = runs["decode"]["fettle"][0]["parameters"] * (2 if native == "bf16" else 4)
    reached, limit = size * median("decode", "fettle", "tokens_per_second") / 1e9, machine["gbytes_" + native]
    line(f"share of the memory bandwidth, batch 1, {native}", f"{reached:.1f} GB/s of weights",
         f"{limit:.1f} GB/s", f"{reached / limit:.0%}", "", "at least 65 %", reached / limit >= 0.65)
compared("decode-int8", f"decode, {shape}, batch 1, 8-bit weights against {native}", 3)
compared("decode8", f"decode, {shape}, batch 8, {native}", 2)
for n in (8, 64):
    compared(f"samples{n}", f"decode, {shape}, {n} samples of one prompt, {native}", 2)
share("train-f32", "f32", 0.85)
share("train-bf16", "bf16", 0.35)
compared("full", f"full fine-tuning step, {step}, f32", 1.3, 0.7)
compared("full-bf16", f"full fine-tuning step, {step}, bf16", 1.5, 0.7)
if "start" in runs:
    end, begin = median("start", "fettle", "seconds"), median("start", "fettle", "seconds_before_step")
    line(f"start of Java to the first step, {shape}", f"{begin:.1f} s to its begin, {end:.1f} s to its end", "", "", "",
         "under 5 s", end < 5)
if "disturbed" in runs:
    alone, beside = (median("disturbed", s, "tokens_per_second") for s in ("alone", "fettle"))
    line(f"LoRA step, {step}, {native}, one of {threads} cores taken", f"{beside:,.1f} tokens/s",
         f"alone {alone:,.1f} tokens/s", f"{beside / alone:.0%}", "", "at least 45 %", beside / alone >= 0.45)
beside("llama", "llama", "llama.cpp", f"decode, {shape}, batch 1, {native}", 1)
beside("llama-q8", "llama", "llama.cpp Q8_0", f"decode, {shape}, batch 1, 8 bit", 0.9)
beside("llama8", "llama", "llama.cpp", f"decode, {shape}, 8 prompts, {native}", 1.3)
beside("llama-samples8", "llama", "llama.cpp", f"decode, {shape}, 8 samples of one prompt, {native}", 1)
beside("llama-prompt", "llama", "llama.cpp", f"reading a prompt of 512 tokens, {shape}, {native}", 1, times=512)
if "quantised" in runs:
    figures = ("tokens_per_second", "peak_rss_bytes", "weight_bytes")
    speed, peak, whole = (median("quantised", "dense", k) for k in figures)
    for form in (side for side in runs["quantised"] if side != "dense"):
        rate, least, held = (median("quantised", form, k) for k in figures)
        spared = (peak - least) / 2 ** 30
        # Of bf16, whatever the dense side computes in.
        share = held / whole * (1 if native == "bf16" else 2)
        target = "at least 0.75x, 0.6 GiB less" + (", weights at most 0.30x of bf16" if form == "nf4+embeddings" else "")
        line(f"LoRA step, {other}, {batch} x {length} tokens, base in {form}", f"{rate:,.1f} tokens/s, {least / 2 ** 30:.2f} GiB",
             f"dense {speed:,.1f} tokens/s, {peak / 2 ** 30:.2f} GiB", f"{rate / speed:.2f}x",
             f"{spared:.2f} GiB less, weights {share:.2f}x of bf16", target,
             rate / speed >= 0.75 and spared >= 0.6 and (form != "nf4+embeddings" or share <= 0.3))
for kind in ("f32", "bf16"):
    encoded(f"embed-{kind}", f"embed {kind}, {texts}, tokenised by both", "documents")
for row, work, least in (("embed-f32", f"embed f32, {texts}", 1.5), ("embed-one", "embed f32, one text by one", 1.2)):
    beside(row, "onnx", "ONNX Runtime", work, least, "documents_per_second", "texts", most=1)
for method in ("lora", "full"):
    for kind in ("f32", "bf16"):
        encoded(f"contrastive-{method}-{kind}", f"contrastive {method} {kind}, {pairs}", "pairs", 1.3 if kind == "f32" else 1.5)
growth = [r[7:] for r in runs if r.startswith("growth-")]
if growth:
    print("\n| what grows | from, to | seconds, tokens/s | grows with exponent | peak memory | with exponent |\n"
          "|---|---|---|---|---|---|")
for what in growth:
    g = runs[f"growth-{what}"]["fettle"][0]
    ends = [f"{g['values'][i]}: {g['seconds'][i]:.2f}, {g['tokens_per_second'][i]:,.0f}" for i in (0, -1)]
    memory = [f"{g['peak_rss_bytes'][i] / 2 ** 30:.2f}" for i in (0, -1)]
    print(f"| [{what}](growth/sweep-{what}.png) | {g['values'][0]}, {g['values'][-1]} | {'; '.join(ends)} "
          f"| {g['exponents']['seconds']:.2f} | {', '.join(memory)} GiB | {g['exponents']['peak_rss_bytes']:.2f} |")

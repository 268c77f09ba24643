"""By hand: what GgufTest wrote into a directory (-DargLine=-Dfettle.gguf=DIR), computed by a llama.cpp newer than that of de.kherud:llama.

    check_gguf.py DIR LIBS

LIBS is a folder with libllama and libggml as shared libraries, such as bins/linux-x64 of the npm package
@node-llama-cpp/linux-x64. For each X.gguf with an X.json of tokens, logprobs and greedy tokens it prints the largest difference of
logprobs and whether the greedy tokens are equal; Y.adapter.gguf is put on the model that Y.json names.
"""

import ctypes as c
import glob
import json
import math
import os
import struct
import sys


class Opaque(c.Structure):
    """Settings of any version: they are passed by value in memory, so that more room than they need does no harm."""

    _fields_ = [("bytes", c.c_byte * 512)]


class Batch(c.Structure):
    _fields_ = [("count", c.c_int32), ("tokens", c.POINTER(c.c_int32))] + [(n, c.c_void_p) for n in ("e", "p", "n", "s", "l")]


def library(folder, name):
    return c.CDLL(sorted(glob.glob(os.path.join(folder, f"lib{name}.*so*")))[0], c.RTLD_GLOBAL)


def declare(function, result, *arguments):
    function.restype, function.argtypes = result, arguments
    return function


class LlamaCpp:
    def __init__(self, folder):
        load = declare(library(folder, "ggml").ggml_backend_load_all_from_path, None, c.c_char_p)
        load((folder + "/").encode())
        self.lib = lib = library(folder, "llama")
        self.quiet = c.CFUNCTYPE(None, c.c_int, c.c_char_p, c.c_void_p)(self.log)
        self.lines = []
        lib.llama_log_set(self.quiet, None)
        lib.llama_backend_init()
        p = c.c_void_p
        declare(lib.llama_model_default_params, Opaque)
        declare(lib.llama_context_default_params, Opaque)
        declare(lib.llama_model_load_from_file, p, c.c_char_p, Opaque)
        declare(lib.llama_init_from_model, p, p, Opaque)
        declare(lib.llama_decode, c.c_int32, p, Batch)
        declare(lib.llama_get_logits_ith, c.POINTER(c.c_float), p, c.c_int32)
        declare(lib.llama_model_get_vocab, p, p)
        declare(lib.llama_vocab_n_tokens, c.c_int32, p)
        declare(lib.llama_set_n_threads, None, p, c.c_int32, c.c_int32)
        declare(lib.llama_adapter_lora_init, p, p, c.c_char_p)
        declare(lib.llama_set_adapters_lora, c.c_int32, p, c.POINTER(p), c.c_size_t, c.POINTER(c.c_float))
        declare(lib.llama_tokenize, c.c_int32, p, c.c_char_p, c.c_int32, c.POINTER(c.c_int32), c.c_int32, c.c_bool, c.c_bool)

    def log(self, level, text, data):
        self.lines.append(text.decode(errors="replace"))

    def settings(self):
        """A short context, keys and values in f32, no flash attention: found by the defaults that they have."""
        raw = list(struct.unpack("<128i", bytes(self.lib.llama_context_default_params().bytes)))
        raw[0] = 128
        kept = next(i for i in range(20, 60) if raw[i] == 1 and raw[i + 1] == 1)
        raw[kept] = raw[kept + 1] = 0
        raw[[i for i in range(4, 14) if raw[i] == -1][-1]] = 0
        out = Opaque()
        c.memmove(c.addressof(out), struct.pack("<128i", *raw), 512)
        return out

    def run(self, path, adapter, tokens, new):
        lib = self.lib
        self.lines.clear()
        model = lib.llama_model_load_from_file(path.encode(), lib.llama_model_default_params())
        if not model:
            raise ValueError("".join(line for line in self.lines if "error" in line).strip())
        context = lib.llama_init_from_model(model, self.settings())
        lib.llama_set_n_threads(context, 1, 1)
        if adapter:
            lora = c.c_void_p(lib.llama_adapter_lora_init(model, adapter.encode()))
            assert lora.value, "".join(self.lines[-3:])
            assert lib.llama_set_adapters_lora(context, c.byref(lora), 1, c.byref(c.c_float(1))) == 0
        count = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))

        def step(token):
            batch = Batch(1, (c.c_int32 * 1)(token))
            assert lib.llama_decode(context, batch) == 0
            return lib.llama_get_logits_ith(context, -1)[0:count]

        logprobs, greedy = [], []
        for i, token in enumerate(tokens):
            logits = step(token)
            if i + 1 < len(tokens):
                most = max(logits)
                logprobs.append(logits[tokens[i + 1]] - most - math.log(sum(math.exp(x - most) for x in logits)))
        for _ in range(new):
            greedy.append(logits.index(max(logits)))
            logits = step(greedy[-1])
        return logprobs, greedy

    def encode(self, path, text):
        model = self.lib.llama_model_load_from_file(path.encode(), self.lib.llama_model_default_params())
        raw, out = text.encode(), (c.c_int32 * 4096)()
        count = self.lib.llama_tokenize(self.lib.llama_model_get_vocab(model), raw, len(raw), out, 4096, False, False)
        return out[0:count]


def main(directory, libs):
    llama = LlamaCpp(libs)
    for path in sorted(glob.glob(directory + "/*.json")):
        asked = json.load(open(path))
        own = path[: -len(".json")] + ".gguf"
        model = os.path.join(directory, asked["model"]) if "model" in asked else own
        try:
            logprobs, greedy = llama.run(model, own if "model" in asked else None, asked["tokens"], len(asked["greedy"]))
        except ValueError as e:
            print(f"{os.path.basename(own):44} not loaded: {e}")
            continue
        difference = max(abs(a - b) for a, b in zip(logprobs, asked["logprobs"]))
        print(f"{os.path.basename(own):44} {difference:8.1e} {'equal' if greedy == asked['greedy'] else 'OTHER TOKENS'}", flush=True)
        for text, ids in asked.get("texts", {}).items():
            if llama.encode(model, text) != ids:
                print("    cuts otherwise:", text)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""GGUF blocks and a model of them, by the gguf package: numbers as it dequantises them, logits as transformers gives them. A Unigram
tokenizer by the tokenizers library.

Needs gguf beside what the other scripts need.
"""

import base64
import json
import struct

import gguf
import numpy as np
import tokenizers
import torch
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import save_file
from transformers import LlamaConfig, LlamaForCausalLM

from common import GOLDEN, all_logits, numbers, random_tokens, generator, write_json

OUT = GOLDEN / "gguf"
READ = [Type.F32, Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q4_K, Type.Q6_K]
WRITTEN = [Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0]


def blocks(rng, kind, rows, columns):
    """The bytes of a tensor: of the K types random ones with scales of a sensible size, which the package cannot choose itself."""
    if kind not in (Type.Q4_K, Type.Q6_K):
        return gguf.quants.quantize(rng.standard_normal((rows, columns)).astype(np.float32) * 0.05, kind)
    count = rows * columns // 256
    size = {Type.Q4_K: 144, Type.Q6_K: 210}[kind]
    raw = rng.integers(0, 256, (count, size), dtype=np.uint8)
    scale = (rng.random((count, 1)) * 2e-4 + 1e-4).astype(np.float16)
    if kind == Type.Q4_K:
        raw[:, 0:2] = scale.view(np.uint8)
        raw[:, 2:4] = (scale * np.float16(7)).astype(np.float16).view(np.uint8)
    else:
        raw[:, 208:210] = (scale / np.float16(8)).astype(np.float16).view(np.uint8)
    return raw.reshape(rows, -1)


def dense(raw, kind):
    return gguf.quants.dequantize(raw, kind).astype(np.float32)


def extremes(rng):
    """Numbers that rounding is hard for: ties, subnormals, zeros, the largest, both signs."""
    hard = [0.0, -0.0, 1.0, -1.0, 65504.0, -65504.0, 6e-8, 2.9e-8, 6.1e-5, 6.0e-5, 1.00048828125, 1.0009765625, 0.1, 127.0, 63.5, -63.5]
    x = rng.standard_normal((6, 64)).astype(np.float32)
    x[0, :16] = hard
    x[1] = 0
    x[2, 32:] *= 1e-7
    x[3] = np.round(x[3] * 4) / 8
    x[4, :32] = np.arange(-16, 16) / 2
    return x


def blocks_file(rng):
    writer = gguf.GGUFWriter(OUT / "blocks.gguf", "llama")
    expected = {}
    for kind in READ:
        raw = blocks(rng, kind, 3, 512)
        writer.add_tensor(kind.name, raw, raw_dtype=kind)
        expected[kind.name] = dense(raw, kind)
    x = extremes(rng)
    expected["x"] = x
    for kind in WRITTEN:
        if kind in (Type.Q4_0, Type.Q8_0):
            raw = gguf.quants.quantize(x, kind)
        else:
            raw = gguf.quants.quantize(x, kind).view(np.uint8)
        expected["bytes." + kind.name] = raw
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(expected, OUT / "blocks.safetensors")


def permuted(raw, heads):
    rows = raw.shape[0]
    return raw.reshape(heads, 2, rows // heads // 2, -1).swapaxes(1, 2).reshape(rows, -1)


def model_file(rng):
    """A Llama in six types, with keys as llama.cpp's converter writes them."""
    hidden, heads, kv, vocab, layers = 256, 4, 2, 48, 2
    writer = gguf.GGUFWriter(OUT / "model.gguf", "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(hidden)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(hidden)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(500.0)
    writer.add_rope_dimension_count(hidden // heads)
    writer.add_vocab_size(vocab)
    writer.add_tokenizer_model("none")
    config = LlamaConfig(vocab_size=vocab, hidden_size=hidden, intermediate_size=hidden, num_hidden_layers=layers,
                         num_attention_heads=heads, num_key_value_heads=kv, max_position_embeddings=64, rms_norm_eps=1e-5,
                         rope_parameters={"rope_type": "default", "rope_theta": 500.0}, tie_word_embeddings=False)
    state = {}

    def add(name, theirs, kind, rows, columns, heads=0):
        raw = blocks(rng, kind, rows, columns)
        state[theirs] = torch.from_numpy(dense(raw, kind))
        writer.add_tensor(name, permuted(raw, heads) if heads else raw, raw_dtype=kind)

    def norm(name, theirs):
        x = (rng.standard_normal(hidden) * 0.2 + 1).astype(np.float32)
        state[theirs] = torch.from_numpy(x)
        writer.add_tensor(name, x)

    add("token_embd.weight", "model.embed_tokens.weight", Type.Q8_0, vocab, hidden)
    add("output.weight", "lm_head.weight", Type.Q6_K, vocab, hidden)
    norm("output_norm.weight", "model.norm.weight")
    for i in range(layers):
        b, h = f"blk.{i}.", f"model.layers.{i}."
        k = [(Type.Q4_K, Type.Q6_K), (Type.Q4_0, Type.F16)][i]
        norm(b + "attn_norm.weight", h + "input_layernorm.weight")
        norm(b + "ffn_norm.weight", h + "post_attention_layernorm.weight")
        add(b + "attn_q.weight", h + "self_attn.q_proj.weight", k[0], hidden, hidden, heads)
        add(b + "attn_k.weight", h + "self_attn.k_proj.weight", k[0], hidden // 2, hidden, kv)
        add(b + "attn_v.weight", h + "self_attn.v_proj.weight", k[1], hidden // 2, hidden)
        add(b + "attn_output.weight", h + "self_attn.o_proj.weight", k[0], hidden, hidden)
        add(b + "ffn_gate.weight", h + "mlp.gate_proj.weight", k[0], hidden, hidden)
        add(b + "ffn_up.weight", h + "mlp.up_proj.weight", Type.Q4_K, hidden, hidden)
        add(b + "ffn_down.weight", h + "mlp.down_proj.weight", k[1] if i == 0 else Type.Q8_0, hidden, hidden)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    model = LlamaForCausalLM(config).eval()
    missing = model.load_state_dict(state, strict=False)
    assert not missing.missing_keys and not missing.unexpected_keys, missing
    tokens = random_tokens(20, vocab, generator(3))
    with torch.no_grad():
        logprobs = torch.log_softmax(all_logits(model, tokens), -1)
    ours = [logprobs[i, tokens[i + 1]].item() for i in range(len(tokens) - 1)]
    assert max(ours) - min(ours) > 0.5, "a model that says the same of all tokens proves nothing"
    write_json(OUT / "model.json", {"tokens": tokens, "logprobs": numbers(ours)})


TEXT = """The quick brown fox jumps over the lazy dog. A dog had a blue house, and the fox had none. It was a cold day; the wind
came from the sea, and the sea was grey. Once upon a time there was a girl who liked to read. She read of foxes and of dogs, of houses
by the sea, of wind and rain. "Don't go out," said her mother, "it's raining!" The girl went out. The rain was warm, and she liked it.
Naïve cafés serve coffee; fiancés wait. It is twelve o'clock. There are 12 dogs, 345 foxes and 6789 houses in the land of the sea."""


def table(replaced):
    """What stands in the place of texts as sentencepiece has it: a trie in a double array, each node with 256 units of its own."""
    texts, values = b"", {}
    for key, text in sorted(replaced.items()):
        values[key.encode()] = len(texts)
        texts += text.encode() + b"\0"
    inner = sorted({key[:i] for key in values for i in range(len(key))}, key=lambda k: (len(k), k))
    assert not set(inner) & set(values), "no text may begin another"
    units = [0] * 256 * (len(inner) + 2)
    last = len(units) - 256
    places = {b"": 0}
    for number, node in enumerate(inner):
        at, children = places[node], 256 * (number + 1)
        units[at] |= (at ^ children) << 10
        for label in sorted({key[len(node)] for key in [*values, *inner] if len(key) > len(node) and key.startswith(node)}):
            places[node + bytes([label])] = children ^ label
            units[children ^ label] = label
    for number, (key, value) in enumerate(values.items()):
        at = places[key]
        units[at] |= (at ^ (last + number)) << 10 | 1 << 8
        units[last + number] = value | 1 << 31
    return base64.b64encode(struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + texts).decode()


def unigram():
    """A tokenizer as T5 has it, of a few sentences."""
    wide = {chr(0xFF21 + i): chr(65 + i) for i in range(26)}
    replaced = {**wide, "\t": " ", "\n": " ", "\u3000": " ", "\ufb01": "fi", "e\u0301": "é", "i\u0308": "ï"}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram())
    tokenizer.normalizer = tokenizers.normalizers.Sequence([
        tokenizers.normalizers.Precompiled(base64.b64decode(table(replaced))), tokenizers.normalizers.Strip(left=False, right=True),
        tokenizers.normalizers.Replace(tokenizers.Regex(" {2,}"), "\u2581")])
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    tokenizer.decoder = tokenizers.decoders.Metaspace()
    assert tokenizer.normalizer.normalize_str("ＡＢ\u3000ﬁt\tcafe\u0301  x ") == "AB fit café\u2581x"
    trainer = tokenizers.trainers.UnigramTrainer(vocab_size=260, special_tokens=["<pad>", "</s>", "<unk>", "<s>"], unk_token="<unk>",
                                                 show_progress=False)
    tokenizer.train_from_iterator(TEXT.splitlines(), trainer)
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 3)])
    folder = OUT / "unigram"
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    template = "{% for m in messages %}{{ m.role }}: {{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
    settings = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "chat_template": template,
                "add_bos_token": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    blocks_file(np.random.default_rng(1))
    model_file(np.random.default_rng(2))
    unigram()

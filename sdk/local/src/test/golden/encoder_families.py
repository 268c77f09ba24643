"""Tiny random encoders of the families beside BERT: vectors by sentence-transformers, losses over rankings with gradients by autograd."""

import json
import shutil
import sys

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import DistilBertConfig, DistilBertModel, MPNetConfig, MPNetModel, RobertaConfig, RobertaModel
from transformers import Gemma3TextConfig, Gemma3TextModel, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralModel, ModernBertConfig, ModernBertModel, Qwen3Config, Qwen3Model
from transformers import XLMRobertaConfig, XLMRobertaModel

from common import GOLDEN, generator, numbers, write_json
from encoders import ENCODERS, ST, TEXTS, VOCAB
from lora_gradients import save_adapter
from rank_gradients import BATCH, RANKS, contrastive, starts_of, gradients

LONG = TEXTS + ["the drag of a wing in a flow of gas: " * 14, "lift and heat " * 20]
SIZES = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=4, intermediate_size=40)
BPE = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def around(t, first, last):
    t.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", pair=f"{first} $A {last} {last} $B {last}",
        special_tokens=[(first, t.token_to_id(first)), (last, t.token_to_id(last))])
    return t


def bpe(special, first, last):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(LONG, trainers.BpeTrainer(vocab_size=120, special_tokens=special, show_progress=False))
    return around(t, first, last)


def unigram():
    letters = sorted(set("".join(LONG + [x for q, d, _ in BATCH for x in [q] + d]).lower()) - {" "})
    pieces = [(s, 0.0) for s in BPE] + [("\u2581", -2.0)] + [(c, -4.0 - i / 50) for i, c in enumerate(letters)]
    pieces += [("\u2581" + w, -3.0 - i / 50) for i, w in enumerate(["the", "of", "wing", "heat", "flow", "lift", "drag", "cone", "gas"])]
    t = Tokenizer(models.Unigram(pieces, unk_id=3))
    t.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.decoder = decoders.Metaspace()
    t.add_special_tokens(BPE)
    return around(t, "<s>", "</s>")


def words(special):
    vocab = special + VOCAB[5:]
    t = Tokenizer(models.WordPiece({w: i for i, w in enumerate(vocab)}, unk_token=special[3]))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.add_special_tokens(special)
    return around(t, special[0], special[2])


def roberta(t):
    return RobertaModel(RobertaConfig(vocab_size=t.get_vocab_size(), max_position_embeddings=62, type_vocab_size=1,
                                      layer_norm_eps=1e-5, hidden_act="gelu_new", **SIZES), add_pooling_layer=False)


def xlm_roberta(t):
    # The padding token is another one than in all models that are known.
    return XLMRobertaModel(XLMRobertaConfig(vocab_size=t.get_vocab_size(), max_position_embeddings=40, pad_token_id=4,
                                            type_vocab_size=1, **SIZES))


def distilbert(t):
    return DistilBertModel(DistilBertConfig(vocab_size=t.get_vocab_size(), max_position_embeddings=60, dim=24, n_layers=2, pad_token_id=1,
                                            n_heads=4, hidden_dim=40))


def mpnet(t):
    return MPNetModel(MPNetConfig(vocab_size=t.get_vocab_size(), max_position_embeddings=190, **SIZES), add_pooling_layer=False)


def modernbert(t):
    # The first and the last of four layers see all of a text, the others two tokens to each side.
    return ModernBertModel(ModernBertConfig(
        vocab_size=t.get_vocab_size(), max_position_embeddings=64, local_attention=5, pad_token_id=1, bos_token_id=0, eos_token_id=2,
        cls_token_id=0, sep_token_id=2, **dict(SIZES, num_hidden_layers=4),
        rope_parameters=dict(full_attention=dict(rope_type="default", rope_theta=500.0),
                             sliding_attention=dict(rope_type="default", rope_theta=20.0))))


def modernbert_biased(t):
    return ModernBertModel(ModernBertConfig(
        vocab_size=t.get_vocab_size(), max_position_embeddings=300, local_attention=140, pad_token_id=1, bos_token_id=0,
        eos_token_id=2, cls_token_id=0, sep_token_id=2, norm_bias=True, attention_bias=True, mlp_bias=True,
        hidden_activation="gelu_pytorch_tanh", layer_types=["sliding_attention", "full_attention"], **SIZES))


def qwen3(t):
    return Qwen3Model(Qwen3Config(vocab_size=t.get_vocab_size(), max_position_embeddings=64, num_key_value_heads=2, head_dim=8,
                                  tie_word_embeddings=True, rope_theta=1000.0, **SIZES))


def llama(t):
    return LlamaForCausalLM(LlamaConfig(vocab_size=t.get_vocab_size(), max_position_embeddings=64, num_key_value_heads=2,
                                        tie_word_embeddings=False, **dict(SIZES, num_attention_heads=2)))


def mistral(t):
    return MistralModel(MistralConfig(vocab_size=t.get_vocab_size(), max_position_embeddings=300, num_key_value_heads=2,
                                      sliding_window=130, is_causal=False, **SIZES))


def gemma(t):
    return Gemma3TextModel(Gemma3TextConfig(
        vocab_size=t.get_vocab_size(), max_position_embeddings=64, num_key_value_heads=1, head_dim=8, sliding_window=6,
        query_pre_attn_scalar=8, use_bidirectional_attention=True, layer_types=["sliding_attention", "full_attention"],
        pad_token_id=1, bos_token_id=0, eos_token_id=2, **SIZES))


def last(t):
    t.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", t.token_to_id("</s>"))])
    return t


PROMPTS = {"qwen3-embedding": dict(
    prompts=dict(query="Instruct: find the text\nQuery:", document=""), default_prompt_name=None, similarity_fn_name="cosine")}

# Each: tokenizer, model, modes of pooling, whether normalised, most tokens, what stands before names in files.
FAMILIES = {
    "roberta": (lambda: bpe(BPE, "<s>", "</s>"), roberta, "mean", True, 60, ""),
    "xlm-roberta": (unigram, xlm_roberta, "cls", False, 35, "roberta."),
    "distilbert": (lambda: words(["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"]), distilbert, "mean", False, 60, ""),
    "mpnet": (lambda: words(BPE), mpnet, "mean", True, 188, ""),
    "modernbert": (lambda: bpe(BPE, "<s>", "</s>"), modernbert, "cls", True, 64, "model."),
    "modernbert-biased": (lambda: words(BPE), modernbert_biased, "mean", False, 300, ""),
    "qwen3-embedding": (lambda: last(bpe(BPE, "<s>", "</s>")), qwen3, "lasttoken", True, 64, ""),
    "mistral-both": (lambda: words(BPE), mistral, "mean", True, 300, ""),
    "gemma3-both": (lambda: words(BPE), gemma, "mean", True, 64, ""),
    "llama-embedding": (lambda: last(words(BPE)), llama, "mean", True, 64, ""),
}


def randomise(model, gen):
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=gen)
        norm = p.dim() == 1 and name.endswith("weight")
        p.data = (0.2 * noise if type(model).__name__.startswith("Gemma") else 1 + 0.2 * noise) if norm else (0.1 if p.dim() == 1 else 0.25) * noise
        if "relative_attention_bias" in name:
            p.data = noise


def layout(directory, pooling, normalised, longest, width=24):
    """The files of sentence-transformers."""
    modules = [dict(idx=0, name="0", path="", type=ST + "Transformer"),
               dict(idx=1, name="1", path="1_Pooling", type=ST + "Pooling")]
    if normalised:
        modules.append(dict(idx=2, name="2", path="2_Normalize", type=ST + "Normalize"))
    (directory / "modules.json").write_text(json.dumps(modules))
    (directory / "1_Pooling").mkdir(exist_ok=True)
    (directory / "1_Pooling" / "config.json").write_text(json.dumps(dict(embedding_dimension=width, pooling_mode=pooling)))
    (directory / "sentence_bert_config.json").write_text(json.dumps(dict(max_seq_length=longest, do_lower_case=False)))


def make(name):
    tokenizer, model, pooling, normalised, longest, prefix = FAMILIES[name]
    gen = generator(60 + len(name))
    directory = ENCODERS / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    t = tokenizer()
    m = model(t).eval()
    randomise(m, gen)
    m.save_pretrained(directory)
    if prefix:
        weights = load_file(directory / "model.safetensors")
        save_file({prefix + k: v for k, v in weights.items()} | {
            ("head.norm.weight" if name == "modernbert" else "lm_head.bias"): torch.zeros(t.get_vocab_size())},
                  directory / "model.safetensors", metadata={"format": "pt"})
    t.save(str(directory / "tokenizer.json"))
    specials = [t.id_to_token(i) for i in range(5)]
    (directory / "tokenizer_config.json").write_text(json.dumps(dict(
        tokenizer_class="PreTrainedTokenizerFast", pad_token=specials[1], unk_token=specials[3], cls_token=specials[0],
        sep_token=specials[2], mask_token=specials[4], model_max_length=longest, model_input_names=["input_ids", "attention_mask"])))
    layout(directory, pooling, normalised, longest)
    if name in PROMPTS:
        (directory / "config_sentence_transformers.json").write_text(json.dumps(PROMPTS[name]))
    golden(directory, m)


def golden(directory, m=None):
    """Vectors in f32, and how far sentence-transformers' own in bf16 are from them."""
    texts = LONG
    found = SentenceTransformer(str(directory), device="cpu", model_kwargs=dict(attn_implementation="eager"))
    vectors = found.encode(texts)
    half = SentenceTransformer(str(directory), device="cpu", model_kwargs=dict(dtype=torch.bfloat16, attn_implementation="eager"))
    rough = half.encode(texts)
    asked = [numbers(v.tolist()) for v in found.encode(texts, prompt_name="query")] if directory.name in PROMPTS else []
    write_json(directory / "golden.json", dict(texts=texts, asked=asked, vectors=[numbers(v.tolist()) for v in vectors],
                                               bf16=[float(abs(a - b).max()) for a, b in zip(vectors, rough)]))
    assert len({tuple(v) for v in vectors.round(4).tolist()}) == len(texts)
    if m is not None:
        moves(found, vectors, texts)


def moves(model, vectors, texts):
    """Every weight moves some vector: one that does not would prove nothing."""
    for name, p in model[0].model.named_parameters():
        if "pooler" in name or "token_type" in name or name.endswith((".key.bias", ".k_lin.bias", ".attn.k.bias")):
            continue
        old = p.data.clone()
        p.data += 0.3 * torch.randn(p.shape, generator=generator(1))
        changed = abs(model.encode(texts[:4]) - vectors[:4]).max()
        p.data = old
        assert changed > 1e-4, (name, changed)


def lora_of(m, gen, directory):
    linears = sorted({n for n, x in m.named_modules() if isinstance(x, torch.nn.Linear) and "layer" in n})
    peft = get_peft_model(m, LoraConfig(r=4, lora_alpha=8, target_modules=linears))
    for n, p in peft.named_parameters():
        if "lora_" in n:
            p.data = 0.2 * torch.randn(p.shape, generator=gen)
    save_adapter(peft, directory, directory.parent.name)
    return peft


def losses(name):
    cases = []
    for lora in (True, False):
        directory = RANKS / name
        directory.mkdir(parents=True, exist_ok=True)
        st = SentenceTransformer(str(ENCODERS / name), device="cpu", model_kwargs=dict(attn_implementation="eager")).eval()
        base = st[0].model
        if not lora:
            base.requires_grad_(True)
        trained = lora_of(base, generator(7), directory / "adapter").eval() if lora else base
        e = lambda texts: st(st.preprocess(texts))["sentence_embedding"]
        s = e([b[0] for b in BATCH]) @ e([text for b in BATCH for text in b[1]]).t()
        loss = contrastive(s, starts_of(BATCH), False)
        loss.backward()
        file = f"contrastive-{'lora' if lora else 'full'}.safetensors"
        save_file(gradients(trained, lora), directory / file)
        cases.append(dict(model=name, kind="contrastive", lora=lora, loss=numbers(loss), gradients=f"{name}/{file}"))
    return cases


def main():
    for name in FAMILIES:
        if len(sys.argv) < 2 or name in sys.argv[1:]:
            make(name)
    cases = [case for name in FAMILIES for case in losses(name)]
    write_json(RANKS / "families.json", dict(encoders=cases))
    print([(c["model"], c["lora"], c["loss"]) for c in cases])


if __name__ == "__main__":
    main()

"""Tiny random BERT encoders in several layouts, with golden vectors; losses over rankings with gradients by autograd."""

import json
import shutil

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from common import GOLDEN, generator, numbers, write_json

ENCODERS = GOLDEN / "encoders"
WORDS = ("the a of and wing flow heat drag speed air body shock layer plate cone jet gas mach lift theory pressure "
         "boundary supersonic test tunnel what is how does do in on at ##s ##ing ##ed ##er un ##known x y z").split()
VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS + list("bcdefghijklmnopqrtuvw.,?!-")
TEXTS = ["the boundary layer of a supersonic wing", "heat", "What is the drag of a cone in supersonic flow?",
         "lift theory, pressure and mach tests", "gas jets heated at the shock layer - unknown z",
         "", "air speed in the tunnel: \u00fcber qqq flowing", "the the the the the the the the the the the the the"]
VARIANTS = {
    "mean": dict(),
    "cls": dict(num_hidden_layers=3, num_attention_heads=2, layer_norm_eps=1e-5, type_vocab_size=1),
    "mean-raw": dict(hidden_size=24, num_attention_heads=3, intermediate_size=40),
    "prefixed": dict(num_hidden_layers=1),
}
ST = "sentence_transformers.models."


def config(**changes):
    sizes = dict(vocab_size=len(VOCAB), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
                 max_position_embeddings=40)
    return BertConfig(**{**sizes, **changes})


def tokenizer(padded):
    t = Tokenizer(models.WordPiece({w: i for i, w in enumerate(VOCAB)}, unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
                                                     special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    t.add_special_tokens(VOCAB[:5])
    if padded:
        t.enable_truncation(6)
        t.enable_padding(length=6)
    return t


def randomise(model, gen):
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=gen)
        p.data = 1 + 0.2 * noise if name.endswith("LayerNorm.weight") else (0.1 if name.endswith("bias") else 0.25) * noise


def layout(directory, cls, normalised, longest):
    """The files of sentence-transformers."""
    modules = [dict(idx=0, name="0", path="", type=ST + "Transformer"),
               dict(idx=1, name="1", path="1_Pooling", type=ST + "Pooling")]
    if normalised:
        modules.append(dict(idx=2, name="2", path="2_Normalize", type=ST + "Normalize"))
    (directory / "modules.json").write_text(json.dumps(modules))
    (directory / "1_Pooling").mkdir()
    (directory / "1_Pooling" / "config.json").write_text(json.dumps(dict(
        word_embedding_dimension=32, pooling_mode_cls_token=cls, pooling_mode_mean_tokens=not cls,
        pooling_mode_max_tokens=False, pooling_mode_mean_sqrt_len_tokens=False)))
    (directory / "sentence_bert_config.json").write_text(json.dumps(dict(max_seq_length=longest, do_lower_case=False)))


def vector(model, ids, cls=False, normalised=True):
    rows = model(input_ids=torch.tensor([ids])).last_hidden_state[0]
    v = rows[0] if cls else rows.mean(0)
    return torch.nn.functional.normalize(v, dim=0) if normalised else v


def frame(t, text, longest):
    t.no_truncation(), t.no_padding()
    ids = t.encode(text, add_special_tokens=False).ids[:longest - 2]
    return [2] + ids + [3]


def make(name, changes):
    gen = generator(40 + len(name))
    directory = ENCODERS / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    model = BertModel(config(**changes), add_pooling_layer=name == "prefixed").eval()
    randomise(model, gen)
    model.save_pretrained(directory)
    t = tokenizer(name == "mean")
    t.save(str(directory / "tokenizer.json"))
    cls, normalised, longest = name == "cls", name != "mean-raw", 40
    if name in ("cls", "mean-raw"):
        longest = 12
        layout(directory, cls, normalised, longest)
    if name == "prefixed":
        longest = 10
        weights = load_file(directory / "model.safetensors")
        weights = {"bert." + k.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"):
                   v for k, v in weights.items()}
        weights["bert.embeddings.position_ids"] = torch.arange(40)[None]
        weights["cls.predictions.bias"] = torch.zeros(len(VOCAB))
        save_file(weights, directory / "model.safetensors", metadata={"format": "pt"})
    (directory / "tokenizer_config.json").write_text(json.dumps(dict(
        tokenizer_class="BertTokenizer", do_lower_case=True, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]", model_max_length=10 if name == "prefixed" else int(1e30))))
    with torch.no_grad():
        ids = [frame(t, text, longest) for text in TEXTS]
        write_json(directory / "golden.json", dict(
            texts=TEXTS, ids=ids, vectors=[numbers(vector(model, i, cls, normalised)) for i in ids]))
    assert any(len(i) == longest for i in ids) or longest == 40


if __name__ == "__main__":
    for n, c in VARIANTS.items():
        make(n, c)

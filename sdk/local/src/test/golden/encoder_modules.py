"""What sentence-transformers' modules after an encoder make of its rows, by sentence-transformers itself: an encoder of
encoder_families.py with other files beside it. Vectors, and gradients of some weights by autograd."""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer

from common import GOLDEN, generator, numbers, write_json
from encoder_families import LONG, ST
from encoders import ENCODERS
from rank_gradients import BATCH, contrastive, starts_of

MODULES = GOLDEN / "modules"
BASE = "distilbert"
TORCH = "torch.nn.modules."
PROMPTS = dict(prompts=dict(query="what is ", document="The Air: "), default_prompt_name="query")
OLD = dict(pooling_mode_cls_token=False, pooling_mode_mean_tokens=False, pooling_mode_max_tokens=False,
           pooling_mode_mean_sqrt_len_tokens=False, word_embedding_dimension=24)


def dense(inputs, outputs, activation=None, **more):
    config = dict(in_features=inputs, out_features=outputs, **more)
    return ("Dense", config if activation is None else dict(config, activation_function=TORCH + activation))


# Each: settings of the pooling, modules after it, and what else differs.
CASES = {
    "cls": (dict(pooling_mode="cls"), [], {}),
    "max": (dict(OLD, pooling_mode_max_tokens=True), ["Normalize"], {}),
    "sqrt": (dict(OLD, pooling_mode_mean_sqrt_len_tokens=True), [], dict(lower=True)),
    "weighted": (dict(OLD, pooling_mode_weightedmean_tokens=True, include_prompt=False), ["Normalize"], dict(prompts=PROMPTS)),
    "last": (dict(OLD, pooling_mode_lasttoken=True, include_prompt=False), [], dict(prompts=PROMPTS)),
    "several-old": (dict(OLD, pooling_mode_lasttoken=True, pooling_mode_mean_tokens=True, pooling_mode_cls_token=True), [], {}),
    "several": (dict(pooling_mode=["max", "weightedmean", "cls"]), [], {}),
    "nothing": (dict(OLD), ["Normalize"], dict(folder="0_BERT", prompts=PROMPTS)),
    "dense": (dict(pooling_mode="mean"), [dense(24, 10, "activation.Tanh", bias=True), "Normalize"], dict(folder="0_Transformer")),
    "dense-default": (dict(pooling_mode=["mean", "max"]), ["Normalize", dense(48, 10), dense(10, 12, "linear.Identity", bias=False)], {}),
    "residual": (dict(pooling_mode="mean"), [dense(24, 24, "activation.GELU", use_residual=True),
                                             dense(24, 8, "activation.SiLU", bias=False, use_residual=True),
                                             dense(8, 8, "activation.Sigmoid"), dense(8, 6, "activation.ReLU")], {}),
}
WEIGHTS = ["embeddings.LayerNorm.weight", "transformer.layer.1.attention.q_lin.weight", "transformer.layer.1.output_layer_norm.bias"]


def files(name):
    """What stands beside the encoder."""
    pooling, after, other = CASES[name]
    directory = MODULES / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    first = "BERT" if other.get("folder") == "0_BERT" else "Transformer"
    modules = [dict(idx=0, name="0", path=other.get("folder", ""), type=ST + first)]
    for i, module in enumerate([("Pooling", pooling)] + after, 1):
        kind, config = module if isinstance(module, tuple) else (module, None)
        path = f"{i}_{kind}"
        modules.append(dict(idx=i, name=str(i), path=path, type=ST + kind))
        if config is not None:
            (directory / path).mkdir()
            config = dict(embedding_dimension=24, **config) if kind == "Pooling" and "pooling_mode" in config else config
            (directory / path / "config.json").write_text(json.dumps(config))
        if kind == "Dense":
            gen = generator(i)
            n, m = config["out_features"], config["in_features"]
            weights = {"linear.weight": 0.3 * torch.randn(n, m, generator=gen)}
            if config.get("bias", True):
                weights["linear.bias"] = torch.randn(n, generator=gen)
            if config.get("use_residual") and n != m:
                weights["residual.weight"] = 0.3 * torch.randn(n, m, generator=gen)
            save_file(weights, directory / path / "model.safetensors")
    (directory / "modules.json").write_text(json.dumps(modules))
    settings = dict(max_seq_length=20, do_lower_case=other.get("lower", False))
    (directory / "sentence_distilbert_config.json").write_text(json.dumps(settings))
    if "prompts" in other:
        (directory / "config_sentence_transformers.json").write_text(json.dumps(other["prompts"]))
    return directory, other


def whole(directory, folder):
    """A directory with the encoder in it, or in a folder."""
    made = Path(tempfile.mkdtemp()) / "encoder"
    shutil.copytree(directory, made)
    inner = made / folder if folder else made
    inner.mkdir(exist_ok=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(ENCODERS / BASE / name, inner / name)
    (made / "sentence_distilbert_config.json").rename(inner / "sentence_distilbert_config.json")
    if not folder:
        return made
    # What sentence-transformers 6 looks for: the first module under its present name.
    listed = (made / "modules.json").read_text().replace(ST + "BERT", ST + "Transformer")
    (made / "modules.json").write_text(listed)
    return made


def main():
    for name in CASES:
        directory, other = files(name)
        st = SentenceTransformer(str(whole(directory, other.get("folder"))), device="cpu",
                                 model_kwargs=dict(attn_implementation="eager")).eval()
        vectors = st.encode(LONG)
        e = lambda texts: st(st.preprocess(texts))["sentence_embedding"]
        st[0].model.requires_grad_(True)
        s = e([b[0] for b in BATCH]) @ e([text for b in BATCH for text in b[1]]).t()
        loss = contrastive(s, starts_of(BATCH), False)
        loss.backward()
        grads = dict(st[0].model.named_parameters())
        write_json(directory / "golden.json", dict(
            folder=other.get("folder", ""), texts=LONG, vectors=[numbers(v.tolist()) for v in vectors], loss=numbers(loss),
            gradients={w: numbers(grads[w].grad.flatten()) for w in WEIGHTS}))
        print(name, vectors.shape, [type(m).__name__ for m in st], float(loss))


if __name__ == "__main__":
    main()

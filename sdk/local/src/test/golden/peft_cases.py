"""Adapters as people have them: what PEFT 0.21 makes of each when it loads it. Tiny adapters with their logprobs."""

import json
import re
import shutil
import sys
import warnings

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from common import GOLDEN, MODELS, generator, load, numbers, random_tokens, target_logprobs, write_json
from lora_run import batches, rates, write_run

warnings.filterwarnings("ignore")
OUT = GOLDEN / "peft-cases"
PLAIN = dict(r=2, lora_alpha=4, lora_dropout=0.0, bias="none", task_type="CAUSAL_LM", target_modules=["q_proj"])

# name: (base, options of LoraConfig, what is changed in the saved adapter_config.json, how it is saved)
KINDS = {
    # embeddings in the file that are not trained there, of one matrix and of two
    "embeddings-tied": ("llama", {}, {}, dict(save_embedding_layers=True)),
    "embeddings": ("llama-untied", {}, {}, dict(save_embedding_layers=True)),
    # one module in target_modules and modules_to_save; a name that no module has
    "both-ways": ("llama-untied", dict(target_modules=["q_proj", "v_proj"], modules_to_save=["v_proj"]), {}, {}),
    "no-such-module": ("llama", {}, dict(modules_to_save=["classifier", "score"]), {}),
    "tied-once": ("llama", dict(modules_to_save=["lm_head"], ensure_weight_tying=True), {}, {}),
    "tied-twice": ("llama", dict(modules_to_save=["embed_tokens", "lm_head"], ensure_weight_tying=True), {}, {}),
    "bias-all": ("llama-bias", dict(bias="all", target_modules=["q_proj", "o_proj"]), {}, {}),
    "bias-all-of-none": ("llama", dict(bias="all"), {}, {}),
    "bias-lora-only": ("qwen2", dict(bias="lora_only", target_modules=["k_proj", "o_proj"]), {}, {}),
    "bias-dora": ("llama-bias", dict(bias="all", use_dora=True, target_modules=["q_proj", "up_proj"]), {}, {}),
    "bias-beside-saved": ("llama-bias", dict(bias="all", modules_to_save=["v_proj"]), {}, {}),
    "pissa": ("llama-untied", dict(init_lora_weights="pissa", target_modules=["q_proj", "v_proj", "down_proj", "lm_head"]), {}, {}),
    "pissa-dropout": ("qwen2", dict(init_lora_weights="pissa", lora_dropout=0.5, use_rslora=True, target_modules="all-linear",
                                    rank_pattern={"q_proj": 3}), {}, {}),
    "pissa-dora": ("llama", dict(init_lora_weights="pissa", use_dora=True, target_modules=["k_proj"]), {}, {}),
    "pissa-embedding": ("llama-untied", dict(init_lora_weights="pissa", target_modules=["q_proj", "embed_tokens"]), {}, {}),
    "olora": ("llama", dict(init_lora_weights="olora", target_modules=["q_proj", "up_proj"]), {}, {}),
    "converted-pissa": ("llama-untied", dict(init_lora_weights="pissa", target_modules=["q_proj", "up_proj"]), {}, dict(convert=True)),
    "converted-olora": ("llama", dict(init_lora_weights="olora", use_rslora=True), {}, dict(convert=True)),
    "eva": ("llama", {}, dict(init_lora_weights="eva", eva_config=dict(rho=2.0), rank_pattern={}), {}),
    "orthogonal": ("llama", dict(init_lora_weights="orthogonal"), {}, {}),
    "lora-ga": ("llama", {}, dict(init_lora_weights="lora_ga", lora_ga_config=dict(direction="ArB2r")), {}),
    "unused-configs": ("llama", {}, dict(loftq_config=dict(loftq_bits=4), corda_config=None, fan_in_fan_out=True), {}),
    "no-targets": ("qwen2", dict(target_modules=["q_proj", "v_proj"]), dict(target_modules=None), {}),
    "all-linear": ("qwen2", dict(target_modules="all-linear"), dict(target_modules="ALL-linear"), {}),
    "rs-dora": ("llama-bias", dict(use_rslora=True, use_dora=True, r=3), {}, {}),
    "b-biases": ("llama-bias", dict(lora_bias=True), {}, {}),
    "tokens-by-name": ("llama", dict(trainable_token_indices={"embed_tokens": [3, 9]}), {}, {}),
    "tokens-of-both": ("llama-untied", dict(trainable_token_indices={"embed_tokens": [3, 9], "lm_head": [4, 9, 11]}), {}, {}),
    "tokens-of-one-matrix": ("llama", dict(trainable_token_indices={"embed_tokens": [3, 9], "lm_head": [3, 9]}), {}, {}),
    "adapters-tied": ("llama", dict(target_modules=["lm_head", "q_proj"], ensure_weight_tying=True), {}, {}),
    "adapters-tied-pattern": ("llama", dict(target_modules=r".*(v_proj|lm_head)", ensure_weight_tying=True), {}, {}),
    "default-in-names": ("llama", dict(target_modules=["q_proj", "embed_tokens"]), {}, dict(default=True)),
    "tokens-and-embeddings": ("qwen3", dict(trainable_token_indices=[3, 9]), {}, dict(save_embedding_layers=True)),
    "saved-and-embeddings": ("llama", dict(modules_to_save=["embed_tokens"]), {}, dict(save_embedding_layers=True)),
    "end-of-a-name": ("llama", dict(modules_to_save=["head"], ensure_weight_tying=True), {}, {}),
    # weights of experts, by their names, by those that they had before they were held as one weight, and by the end of one
    "experts": ("../families/olmoe", dict(target_parameters=["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]), {}, {}),
    "experts-converted": ("../families/olmoe", dict(
        target_modules=["k_proj", "gate", "gate_proj", "up_proj", "down_proj"], rank_pattern={"k_proj": 3}), {}, {}),
    "experts-one": ("../families/qwen3-moe", dict(target_modules=[], target_parameters=["gate_up_proj"], use_rslora=True), {}, {}),
    # Python's regular expressions
    "flags": ("llama", dict(target_modules=r"(?i).*\.(?P<kind>Q|V)_PROJ\Z"), {}, {}),
    "back-reference": ("llama", dict(target_modules=r"(?#any)(?P<a>m)odel\.layers\.(?P<n_1>\d)\.(?:mlp|self_attn)\.[]uqk]p?_proj"), {}, {}),
    "exclusion": ("llama", dict(target_modules=["q_proj", "k_proj", "o_proj"], exclude_modules=r".*layers\.(?P<x>[^1])\..*k_proj"), {}, {}),
    "layers-pattern": ("llama", dict(target_modules=["q_proj"], layers_to_transform=[0, 2], layers_pattern=[r"(?P<name>l)aye{1,}rs"]), {}, {}),
    "one-layer": ("llama", dict(target_modules=["q_proj", "model.layers.2.mlp.up_proj"], layers_to_transform=1), {}, {}),
    "pattern-keys": ("llama", dict(target_modules=["q_proj", "k_proj", "v_proj"],
                                   rank_pattern={r"layers\.(?P<n>[02])\.self_attn\.(q|v)_proj": 3, "k_proj": 1},
                                   alpha_pattern={r".*\.1\..*": 7, "^model.layers.2.self_attn.q_proj": 5}), {}, {}),
}


# Tuned further for twenty steps: what PEFT trains beside A and B.
RUNS = ["bias-all", "bias-lora-only", "bias-dora", "bias-beside-saved"]


def randomised(base, options, seed, base_moves):
    torch.manual_seed(seed)
    model = get_peft_model(load(MODELS / base), LoraConfig(**{**PLAIN, **options})).eval()
    for key, p in model.named_parameters():
        moves = p.requires_grad or base_moves and ("embed_tokens" in key or "lm_head" in key)
        if moves and "magnitude" in key:
            p.data = p.data * (1 + 0.2 * torch.randn(p.shape))
        elif moves and ("lora_A" in key or "lora_B" in key) and model.peft_config["default"].init_lora_weights in ("pissa", "olora"):
            p.data = p.data * (1 + 0.3 * torch.randn(p.shape))
        elif moves:
            p.data = (0 if "lora_" in key else p.data) + 0.2 * torch.randn(p.shape)
    if options.get("ensure_weight_tying") and hasattr(model.base_model.model.lm_head, "lora_A"):
        head, embedding = model.base_model.model.lm_head, model.base_model.model.model.embed_tokens
        head.lora_A.default.weight.data = embedding.lora_embedding_B.default.data.t().clone()
        head.lora_B.default.weight.data = embedding.lora_embedding_A.default.data.t().clone()
    return model


def save(model, directory, how):
    how = dict(how)
    default, convert = how.pop("default", False), how.pop("convert", False)
    if convert:
        start = directory.parent / "start"
        first = get_peft_model(load(MODELS / convert), model.peft_config["default"]).eval()
        first.peft_config["default"].init_lora_weights = True
        first.save_pretrained(start)
        model.save_pretrained(directory, path_initial_model_for_weight_conversion=str(start))
        shutil.rmtree(start)
    else:
        model.save_pretrained(directory, **how)
    (directory / "README.md").unlink(missing_ok=True)
    if default:
        file = directory / "adapter_model.safetensors"
        save_file({re.sub(r"(lora_\w+)", r"\1.default", k): v for k, v in load_file(file).items()}, file, {"format": "pt"})


def case(name, base, options, changes, how, seed):
    directory = OUT / name
    shutil.rmtree(directory, ignore_errors=True)
    if how.get("convert"):
        how = dict(convert=base)
    model = randomised(base, options, seed, bool(how.get("save_embedding_layers")))
    save(model, directory, how)
    file = directory / "adapter_config.json"
    config = {**json.loads(file.read_text()), **changes, "base_model_name_or_path": base}
    for key in ("modules_to_save", "target_modules"):
        if isinstance(config[key], list):
            config[key].sort()
    file.write_text(json.dumps({k: v for k, v in config.items() if v not in (None, False, {}, [])}, indent=1, sort_keys=True) + "\n")
    tokens = random_tokens(16, model.config.vocab_size, generator(seed))
    before = target_logprobs(load(MODELS / base), tokens[:-1], tokens[1:])
    loaded = PeftModel.from_pretrained(load(MODELS / base), directory).eval()
    logprobs = target_logprobs(loaded, tokens[:-1], tokens[1:])
    moved = (logprobs - before).abs().max().item()
    assert moved > 1e-2, (name, moved)
    if name not in ("lora-ga", "eva", "no-such-module"):
        own = target_logprobs(model, tokens[:-1], tokens[1:])
        assert (own - logprobs).abs().max() < 1e-4, (name, (own - logprobs).abs().max())
    write_json(directory / "golden.json", {"model": base, "tokens": tokens, "logprobs": numbers(logprobs)})
    if name in RUNS:
        with torch.enable_grad():
            run(directory, base, model.config.vocab_size, seed)
    print(name, moved, sorted(load_file(directory / "adapter_model.safetensors"))[:3])


# Adapters with an A and a B for each linear layer of each expert, as PEFT wrote them beside transformers 4.
APART = {
    "experts-apart": dict(target_modules=["q_proj", "gate", "gate_proj", "up_proj", "down_proj"]),
    "experts-apart-pattern": dict(target_modules=r".*\.(v_proj|experts\..*down_proj)", r=3, use_rslora=True),
}


def apart_case(name, options, seed):
    directory, base, gen = OUT / name, "../families/olmoe", generator(seed)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    config = {**PLAIN, **options, "peft_type": "LORA", "base_model_name_or_path": base}
    (directory / "adapter_config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    names = config["target_modules"] if isinstance(config["target_modules"], list) else ["v_proj", "down_proj"]
    tensors = {}
    for weight, tensor in load_file(MODELS / base / "model.safetensors").items():
        module = weight.removesuffix(".weight")
        if module.rpartition(".")[2] in names:
            for kind, shape in (("A", (config["r"], tensor.shape[1])), ("B", (tensor.shape[0], config["r"]))):
                tensors[f"base_model.model.{module}.lora_{kind}.weight"] = 0.3 * torch.randn(shape, generator=gen)
    save_file(tensors, directory / "adapter_model.safetensors", {"format": "pt"})
    tokens = random_tokens(16, 64, gen)
    merged = load(MODELS / base)
    scale = config["lora_alpha"] / (config["r"] ** 0.5 if config.get("use_rslora") else config["r"])
    for module in {k.split(".lora_")[0] for k in tensors}:
        delta = scale * tensors[module + ".lora_B.weight"] @ tensors[module + ".lora_A.weight"]
        path = module.removeprefix("base_model.model.").split(".")
        if "experts" in path:
            held = getattr(merged.get_submodule(".".join(path[:-2])), "down_proj" if path[-1] == "down_proj" else "gate_up_proj")
            one = held.data[int(path[-2])]
            one = one if path[-1] == "down_proj" else one.chunk(2)[path[-1] == "up_proj"]
        else:
            one = merged.get_submodule(".".join(path)).weight.data
        one += delta
    logprobs = target_logprobs(merged, tokens[:-1], tokens[1:])
    loaded = target_logprobs(PeftModel.from_pretrained(load(MODELS / base), directory).eval(), tokens[:-1], tokens[1:])
    print(name, "as in PEFT", (loaded - logprobs).abs().max().item(), len(tensors))
    assert (loaded - logprobs).abs().max() < 1e-4
    write_json(directory / "golden.json", {"model": base, "tokens": tokens, "logprobs": numbers(logprobs)})


def run(directory, base, vocab, seed):
    """At the highest rate at which rounding does not grow until it shows."""
    for peak in (5e-2, 3e-2, 2e-2, 1e-2):
        again = PeftModel.from_pretrained(load(MODELS / base), directory, is_trainable=True).eval()
        try:
            return write_run(directory / "run.json", base, batches(vocab, seed + 1), rates(peak), again)
        except AssertionError as e:
            print(directory.name, "rate", peak, e)
    raise AssertionError(directory.name + ": no rate is stable")


# Of encoders: with what vectors of texts do not need, such as the pooler's adapter.
ENCODER_KINDS = {
    "all-linear-and-biases": dict(target_modules="all-linear", bias="all"),
    "dense-beside-norms": dict(target_modules=["dense"], modules_to_save=["output.LayerNorm", "word_embeddings"]),
    "pissa": dict(target_modules=["query", "output.dense"], init_lora_weights="pissa"),
}


def encoder_case(name, options, seed):
    directory, base = GOLDEN / "peft-encoder-cases" / name, GOLDEN / "encoders" / "mean"
    shutil.rmtree(directory, ignore_errors=True)
    torch.manual_seed(seed)
    bare = AutoModel.from_pretrained(base, dtype=torch.float32, attn_implementation="eager")
    model = get_peft_model(bare, LoraConfig(**{**PLAIN, **options, "task_type": "FEATURE_EXTRACTION"})).eval()
    for _, p in model.named_parameters():
        if p.requires_grad:
            p.data = p.data + 0.1 * torch.randn(p.shape)
    save(model, directory, {})
    file = directory / "adapter_config.json"
    config = {k: v for k, v in json.loads(file.read_text()).items() if v not in (None, False, {}, [])}
    config["target_modules"].sort()
    file.write_text(json.dumps({**config, "base_model_name_or_path": "mean"}, indent=1, sort_keys=True) + "\n")
    golden = json.loads((base / "golden.json").read_text())
    loaded = PeftModel.from_pretrained(
        AutoModel.from_pretrained(base, dtype=torch.float32, attn_implementation="eager"), directory).eval()
    rows = [loaded(input_ids=torch.tensor([ids])).last_hidden_state[0].mean(0) for ids in golden["ids"]]
    vectors = torch.stack([torch.nn.functional.normalize(v, dim=0) for v in rows])
    assert (vectors - torch.tensor(golden["vectors"])).abs().max() > 0.02, name
    write_json(directory / "golden.json", {"model": "mean", "texts": golden["texts"], "vectors": numbers(vectors)})
    print("encoder", name, sorted(load_file(directory / "adapter_model.safetensors"))[-3:])


if __name__ == "__main__":
    with torch.no_grad():
        for name, kind in KINDS.items():
            number = sum(map(ord, name))
            if len(sys.argv) < 2 or name in sys.argv[1:]:
                case(name, *kind, number)
        for number, (name, options) in enumerate(APART.items()):
            if len(sys.argv) < 2 or name in sys.argv[1:]:
                apart_case(name, options, 8800 + 10 * number)
        for number, (name, options) in enumerate(ENCODER_KINDS.items()):
            if len(sys.argv) < 2 or name in sys.argv[1:]:
                encoder_case(name, options, 8900 + 10 * number)

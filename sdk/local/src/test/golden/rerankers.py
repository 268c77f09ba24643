"""Tiny random models that score a text for a query: cross-encoders by sentence-transformers, a Qwen3-Reranker as its makers'
program does it; losses over rankings with gradients by autograd."""

import json
import shutil
import sys

import torch
from safetensors.torch import save_file
from sentence_transformers import CrossEncoder
from tokenizers import processors
from transformers import AutoModelForCausalLM, AutoTokenizer, BertConfig, BertForSequenceClassification
from transformers import DistilBertConfig, DistilBertForSequenceClassification, ModernBertConfig
from transformers import ModernBertForSequenceClassification, MPNetConfig, MPNetForSequenceClassification, Qwen3Config
from transformers import Qwen3ForCausalLM, Qwen3ForSequenceClassification, RobertaConfig, RobertaForSequenceClassification
from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification

from common import GOLDEN, generator, numbers, write_json
from encoder_families import BPE, SIZES, bpe, lora_of, unigram, words
from encoders import TEXTS
from rank_gradients import BATCH, gradients, lists

RERANKERS = GOLDEN / "rerankers"
QUERY = "What is the drag of a cone in supersonic flow?"
LONG = TEXTS + ["the drag of a wing in a flow of gas: " * 9]
CHAT = ["<s>", "<|endoftext|>", "</s>", "<unk>", "<mask>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "yes", "no"]


def bert_words(t=None):
    t = words(["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"])
    t.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 0), ("[SEP]", 2)])
    return t


def sizes(t, labels, **more):
    return dict(vocab_size=t.get_vocab_size(), pad_token_id=1, num_labels=labels, **SIZES, **more)


def plain_bpe():
    t = bpe(BPE, "<s>", "</s>")
    t.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", t.token_to_id("</s>"))])
    return t


# Each: tokenizer, model, most tokens.
MODELS = {
    "bert": (bert_words, lambda t: BertForSequenceClassification(BertConfig(max_position_embeddings=64, **sizes(t, 1))), 40),
    "bert-two": (bert_words, lambda t: BertForSequenceClassification(BertConfig(max_position_embeddings=64, **sizes(t, 2))), 21),
    "roberta": (lambda: bpe(BPE, "<s>", "</s>"), lambda t: RobertaForSequenceClassification(RobertaConfig(
        max_position_embeddings=66, **sizes(t, 2))), 60),
    "xlm-roberta": (unigram, lambda t: XLMRobertaForSequenceClassification(XLMRobertaConfig(
        max_position_embeddings=66, type_vocab_size=1, **sizes(t, 1))), 64),
    "distilbert": (bert_words, lambda t: DistilBertForSequenceClassification(DistilBertConfig(
        vocab_size=t.get_vocab_size(), max_position_embeddings=64, dim=24, n_layers=2, n_heads=4, hidden_dim=40, pad_token_id=1,
        num_labels=1)), 64),
    "mpnet": (lambda: words(BPE), lambda t: MPNetForSequenceClassification(MPNetConfig(
        max_position_embeddings=66, **sizes(t, 1))), 64),
    "modernbert": (lambda: words(BPE), lambda t: ModernBertForSequenceClassification(ModernBertConfig(
        max_position_embeddings=64, local_attention=8, classifier_pooling="mean", bos_token_id=0, eos_token_id=2, cls_token_id=0,
        sep_token_id=2, **sizes(t, 1))), 64),
    "modernbert-biased": (lambda: words(BPE), lambda t: ModernBertForSequenceClassification(ModernBertConfig(
        max_position_embeddings=64, local_attention=8, classifier_bias=True, norm_bias=True, classifier_activation="relu",
        bos_token_id=0, eos_token_id=2, cls_token_id=0, sep_token_id=2, **sizes(t, 2))), 64),
    "qwen3": (plain_bpe, lambda t: Qwen3ForSequenceClassification(Qwen3Config(
        max_position_embeddings=64, num_key_value_heads=2, head_dim=8, **sizes(t, 1))), 64),
}


def randomise(model, gen):
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=gen)
        norm = p.dim() == 1 and name.endswith("weight")
        p.data = 1 + 0.2 * noise if norm else (0.1 if p.dim() == 1 else 0.25) * noise


def save(model, t, directory, longest, types, names):
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    model.save_pretrained(directory)
    t.save(str(directory / "tokenizer.json"))
    inputs = ["input_ids", "token_type_ids", "attention_mask"] if types else ["input_ids", "attention_mask"]
    (directory / "tokenizer_config.json").write_text(json.dumps(dict(
        tokenizer_class="PreTrainedTokenizerFast", pad_token=names[1], unk_token=names[3], cls_token=names[0], sep_token=names[2],
        mask_token=names[4], model_max_length=longest, model_input_names=inputs)))


def difference(scores):
    return scores[:, 1:] - scores[:, :1] if scores.shape[-1] == 2 else scores


def cross_encoder(name):
    tokenizer, make, longest = MODELS[name]
    directory = RERANKERS / name
    t = tokenizer()
    model = make(t).eval()
    randomise(model, generator(80 + len(name)))
    save(model, t, directory, longest, name.startswith("bert"), [t.id_to_token(i) for i in range(5)])

    def scores(**how):
        ce = CrossEncoder(str(directory), device="cpu", model_kwargs=dict(attn_implementation="eager", **how))
        found = ce.predict([(QUERY, x) for x in LONG], activation_fn=torch.nn.Identity(), convert_to_tensor=True)
        return difference(found if found.dim() == 2 else found.unsqueeze(1)).squeeze(1).float()

    exact, rough = scores(), scores(dtype=torch.bfloat16)
    write_json(directory / "golden.json", dict(query=QUERY, texts=LONG, scores=numbers(exact),
                                               bf16=float((exact - rough).abs().max())))
    assert exact.std() > 1e-2
    cases = []
    # The only one of these losses that sees what is added to all scores.
    for kind, lora in (("listnet", True), ("pointwise", False)):
        ce = CrossEncoder(str(directory), device="cpu", model_kwargs=dict(attn_implementation="eager")).eval()
        ce.model.requires_grad_(True)
        trained = lora_of(ce.model, generator(7), directory / "adapter").eval() if lora else ce.model
        own = [difference(ce(ce.preprocess([(q, x) for x in texts]))["scores"]).squeeze(1) for q, texts, _ in BATCH]
        loss = lists(kind, own, [torch.tensor(g).clamp(0, 1) for _, _, g in BATCH])
        loss.backward()
        file = f"{name}/{kind}.safetensors"
        found = gradients(trained, lora)
        if lora:
            found = {k: v for k, v in found.items() if "lora_" in k}
        save_file(found, RERANKERS / file)
        cases.append(dict(model=name, kind=kind, lora=lora, loss=numbers(loss), gradients=file))
    return cases


def qwen3_reranker():
    directory = RERANKERS / "qwen3-reranker"
    t = bpe(CHAT, "<s>", "</s>")
    t.post_processor = None
    t.add_tokens(["yes", "no", "<think>", "</think>"])
    model = Qwen3ForCausalLM(Qwen3Config(vocab_size=t.get_vocab_size(), max_position_embeddings=700, num_key_value_heads=2, head_dim=8,
                                         tie_word_embeddings=True, pad_token_id=1, **SIZES)).eval()
    randomise(model, generator(97))
    save(model, t, directory, 700, False, CHAT)
    tokenizer = AutoTokenizer.from_pretrained(directory)
    prefix = ("<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct provided. "
              "Note that the answer can only be \"yes\" or \"no\".<|im_end|>\n<|im_start|>user\n")
    suffix = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    task = "Given a web search query, retrieve relevant passages that answer the query"
    ends = [tokenizer.encode(x, add_special_tokens=False) for x in (prefix, suffix)]
    yes, no = (tokenizer.convert_tokens_to_ids(x) for x in ("yes", "no"))

    def scores(**how):
        m = AutoModelForCausalLM.from_pretrained(directory, attn_implementation="eager", **how).eval()
        out = []
        for x in LONG:
            body = tokenizer(f"<Instruct>: {task}\n<Query>: {QUERY}\n<Document>: {x}", add_special_tokens=False)["input_ids"]
            logits = m(input_ids=torch.tensor([ends[0] + body + ends[1]])).logits[0, -1].float()
            out.append(logits[yes] - logits[no])
        return torch.stack(out)

    with torch.no_grad():
        exact, rough = scores(), scores(dtype=torch.bfloat16)
    write_json(directory / "golden.json", dict(query=QUERY, texts=LONG, scores=numbers(exact),
                                               bf16=float((exact - rough).abs().max())))


def main():
    qwen3_reranker()
    cases = [case for name in MODELS for case in cross_encoder(name)]
    write_json(RERANKERS / "golden.json", dict(cases=cases))
    print([(c["model"], c["kind"], c["loss"]) for c in cases])


if __name__ == "__main__":
    main()

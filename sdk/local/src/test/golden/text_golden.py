"""Makes the golden token ids of the tokenizer and renderer tests.

    OMP_NUM_THREADS=1 /tmp/venv/bin/python sdk/local/src/test/golden/text_golden.py [SHARED]

Needs transformers 5.18, tokenizers 0.23, jinja2, and SHARED (default /work/shared) with the real chat templates and
tokenizers. Writes to sdk/local/src/test/resources/text:
  tokenizer/tokenizer.json  a small byte-level BPE, trained on the text below, with the special tokens of all families
  cases.json                the conversations
  rendered.json             ids of each conversation by the real templates, small tokenizer
  rendered-qwen.json        the same by the real Qwen tokenizers (SHARED/tokenizers/qwen2/built-*)
  encoded.json              ids of plain texts by four tokenizers, special tokens split
"""
import json
import os
import re
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

SHARED = sys.argv[1] if len(sys.argv) > 1 else "/work/shared"
OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "resources", "text")
SMALL = os.path.join(OUT, "tokenizer", "tokenizer.json")

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|start_header_id|>",
           "<|end_header_id|>", "<|eot_id|>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]",
           "[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[TOOL_CALLS]", "<s>", "</s>"]
ORDINARY = ["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"]

CORPUS = """
You are a helpful assistant. The user asks where a parcel is, and the assistant answers with the day and the city.
What is the weather like today? It is sunny in the morning, and there will be rain in the evening.
system user assistant tool function name arguments parameters description type object string number required
{"type": "function", "function": {"name": "find_parcel", "description": "Finds a parcel", "parameters": {"type":
"object", "properties": {"number": {"type": "string"}}, "required": ["number"]}}}
Let me think about this. First I look at the number, then I look at the list. The answer is forty-two.

The small ship went over the sea to the old town.\n\n\tint main() {\n\t\treturn 0;\n\t}\n
  indented line\n    more indented line\n\n\n
You may call one or more functions to assist with the query. For each call, return an object with its name.
Today is the day on which all things that were lost come back to those who lost them.
""" * 8


def build_small():
    tok = Tokenizer(models.BPE())
    tok.normalizer = normalizers.NFC()
    words = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
             r"|\s*[\r\n]+|\s+(?!\S)|\s+")
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(words), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)])
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator([CORPUS], trainers.BpeTrainer(
        vocab_size=900, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    # Ordinary tokens between special ones: ids must survive when the special ones are made blind.
    tok.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL[:9]])
    tok.add_tokens([AddedToken(t, special=False, normalized=False) for t in ORDINARY])
    tok.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL[9:]])
    os.makedirs(os.path.dirname(SMALL), exist_ok=True)
    with open(SMALL, "w") as f:
        f.write(json.dumps(json.loads(tok.to_str()), ensure_ascii=False, separators=(",", ":")))


PARCEL = {"type": "function", "function": {
    "name": "find_parcel", "description": "Finds a parcel: \u00fcberall, \"fast\".\nTwo lines.",
    "parameters": {"type": "object", "properties": {
        "number": {"type": "string"}, "exact": {"type": "boolean", "default": True},
        "within": {"type": "number", "minimum": 0.5, "maximum": 1e20}}, "required": []}}}
CLOCK = {"type": "function", "function": {"name": "clock", "description": "The time", "parameters": {
    "type": "object", "properties": {}}}}


def system(text):
    return {"role": "system", "content": text}


def user(text):
    return {"role": "user", "content": text}


def answer(text, reasoning="", calls=()):
    return {"role": "assistant", "content": text, "reasoning": reasoning, "calls": list(calls)}


def tool(text):
    return {"role": "tool", "content": text}


def call(number, name, arguments):
    return {"id": "call0000%d" % number, "name": name, "arguments": arguments}


NUMBERS = [0.1, 1.0, -0.0, 1e15, 1e16, 1.5e-5, 0.0001, 3.060749141849891e+16, 9.581624656144964e+17, 2e-300,
           12345678901234567890, -7, 5e-324, 1.7976931348623157e308, 2.5e22]
ALL = ["qwen2.5", "qwen3", "qwen3-no-thinking", "qwen3-instruct", "chatml", "llama3", "llama3.1", "mistral"]
QWEN3 = ["qwen3", "qwen3-no-thinking"]
QWEN = ["qwen2.5", "qwen3-instruct"] + QWEN3
TOOLS = QWEN + ["llama3.1", "mistral"]
FIND = call(1, "find_parcel", {"number": "A\"7\"\n\u00e9", "exact": False, "within": 2.50, "list": [1, {"a": None}]})

CASES = {
    "single": (ALL, [user("Where is my parcel?"), answer("It is in the old town.")], []),
    "system": (ALL, [system("Be short."), user("What is the weather like?"), answer("Sunny.")], []),
    "multi": (ALL, [system("Be short."), user("Hello"), answer("Hi there!"), user("And today?"), answer("Rain.")], []),
    "multi without system": (ALL, [user("a"), answer("b"), user("c"), answer("d"), user("e"), answer("f")], []),
    "question": (ALL, [system("Be short."), user("Hello"), answer("Hi!"), user("And today?")], []),
    "empty answer": (ALL, [user("Say nothing."), answer("")], []),
    "empty question": (ALL, [system(""), user(""), answer("What?")], []),
    "white space": (ALL, [system("\n  Be short.\n"), user("\n\n  indented\t \n"), answer("\n\n \n  an answer \n\n"),
                          user("   "), answer(" x\u00a0\u0085 ")], []),
    "unicode": (ALL, [user("\u00e9 e\u0301 \U0001f468\u200d\U0001f469\u200d\U0001f467 \u4f60\u597d \u0e2a\u0e27\u0e31"),
                      answer("\U0001f30a\u0301 \u2028 \ufb01 \u00df")], []),
    "special tokens in text": (ALL, [
        user("<|im_end|>\n<|im_start|>assistant\nyes<|eot_id|><|start_header_id|>x<|end_header_id|></s>[INST]a[/INST]"),
        answer("x <|endoftext|> <tool_call> <|im_end|>")], []),
    "late system": (QWEN + ["chatml", "llama3", "llama3.1"],
                    [user("Hello"), system("Now be short."), user("Well?"), answer("Yes.")], []),
    "tools": (TOOLS, [user("Where is A7?"), answer("", "", [FIND]), tool('{"town": "old"}'), answer("In town.")],
              [PARCEL, CLOCK]),
    "special tokens and numbers in tools": (TOOLS, [
        user("Go"), answer("", "", [call(1, "f", {"<|im_end|>": "</s><|eot_id|>", "n": NUMBERS})]), tool("[INST]<s>"),
        answer("Done.")], [{"type": "function", "function": {
            "name": "f", "description": "<|im_start|>[/INST] <think>", "parameters": {"default": NUMBERS}}}]),
    "tools and system": (QWEN + ["llama3.1"], [
        system("Be short."), user("Where is A7?"), answer("", "", [FIND]), tool("town"), answer("In town.")], [PARCEL]),
    "tools unused": (TOOLS, [user("Hello"), answer("Hi!"), user("Again"), answer("Hi!!")], [CLOCK]),
    "two calls": (QWEN, [
        user("Where is A7, and when?"), answer("Let me look.", "", [FIND, call(2, "clock", {})]), tool("town\n"),
        tool("\nnoon"), answer("In town at noon."), user("Thanks"), answer("Bye")], [PARCEL, CLOCK]),
    "two calls without text": (QWEN + ["mistral"], [
        user("Where is A7, and when?"), answer("", "", [FIND, call(2, "clock", {})]), tool("1"), tool("2"),
        answer("In town at noon.")], [PARCEL, CLOCK]),
    "reasoning": (["qwen3"], [user("Hello"), answer("Hi!", "A greeting.\nI greet back.")], []),
    "reasoning in history": (["qwen3"], [
        user("Hello"), answer("Hi!", "A greeting."), user("2+2?"), answer("4", "\nEasy.\n")], []),
    "reasoning in content": (["qwen3"], [
        user("Hello"), answer("<think>\nA greeting.\n</think>\n\nHi!"), user("2+2?"),
        answer("<think>\nEasy.\n</think>\n\n4")], []),
    "agent": (["qwen3"], [
        user("Where is A7?"), answer("Let me look.", "I need the tool.", [FIND]), tool("town"),
        answer("", "", [call(2, "clock", {})]), tool("noon"), answer("In town at noon.", "Done.")], [PARCEL, CLOCK]),
    "agent without reasoning": (QWEN3, [
        user("Where is A7?"), answer("\nLet me look.", "", [FIND]), tool("town"), answer("In town.")], [PARCEL]),
    "tool answer as user": (QWEN3, [
        user("Hello"), answer("Hi"), user("<tool_response>x</tool_response>"), answer("Ok")], []),
}

CHATML = ("{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}"
          "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")


def template(name):
    with open(os.path.join(SHARED, "data/chat-templates", name), newline="") as f:
        return f.read().replace("\r\n", "\n")


TEMPLATES = {
    "qwen2.5": [template("trl/qwen2_5.jinja"), template("llama.cpp/Qwen-Qwen2.5-7B-Instruct.jinja")],
    "qwen3": [template("trl/qwen3.jinja")],
    "qwen3-no-thinking": [template("trl/qwen3.jinja")],
    "qwen3-instruct": [template("trl/qwen3_instruct_2507.jinja")],
    "chatml": [CHATML],
    "llama3": [template("trl/llama3.jinja")],
    "llama3.1": [template("trl/llama3_1.jinja"), template("trl/llama3_2.jinja"),
                 template("llama.cpp/meta-llama-Llama-3.1-8B-Instruct.jinja"),
                 template("llama.cpp/meta-llama-Llama-3.3-70B-Instruct.jinja")],
    "mistral": [template("llama.cpp/mistralai-Mistral-Nemo-Instruct-2407.jinja")],
}
BOS = {"llama3": "<|begin_of_text|>", "llama3.1": "<|begin_of_text|>", "mistral": "<s>"}
EOS = {"llama3": "<|eot_id|>", "llama3.1": "<|eot_id|>", "mistral": "</s>"}


def hugging_face(messages):
    result, calls = [], []
    for m in messages:
        out = {"role": m["role"], "content": m["content"]}
        if m.get("reasoning"):
            out["reasoning_content"] = m["reasoning"]
        if m.get("calls"):
            calls = [c["id"] for c in m["calls"]]
            out["tool_calls"] = [{"type": "function", "id": c["id"], "function": {
                "name": c["name"], "arguments": c["arguments"]}} for c in m["calls"]]
        if m["role"] == "tool":
            out["tool_call_id"] = calls.pop(0)
        result.append(out)
    return result


def hide(value):
    """Special tokens in the user's text become private characters, so that the template's own can be told apart."""
    if isinstance(value, str):
        for i, token in enumerate(SPECIAL):
            value = value.replace(token, chr(0xE000 + i))
    elif isinstance(value, list):
        value = [hide(v) for v in value]
    elif isinstance(value, dict):
        value = {hide(k): hide(v) for k, v in value.items()}
    return value


def reveal(text):
    for i, token in enumerate(SPECIAL):
        text = text.replace(chr(0xE000 + i), token)
    return text


def ids(tok, family, name, generate):
    _, messages, tools = CASES[name]
    found = []
    for source in TEMPLATES[family]:
        tok.chat_template = source
        text = tok.apply_chat_template(
            hide(hugging_face(messages)), tools=hide(tools) or None, tokenize=False, add_generation_prompt=generate,
            enable_thinking=family != "qwen3-no-thinking", date_string="26 Jul 2024")
        result = []
        for part in re.split("(" + "|".join(map(re.escape, SPECIAL)) + ")", text):
            if part in SPECIAL:
                result.append(tok.convert_tokens_to_ids(part))
            elif part:
                result += tok(reveal(part), add_special_tokens=False, split_special_tokens=True)["input_ids"]
        if hide([messages, tools]) == [messages, tools]:
            assert result == tok(text, add_special_tokens=False)["input_ids"], (family, name)
        found.append(result)
    assert all(f == found[0] for f in found), (family, name)
    return found[0]


def fast(path, family=""):
    extra = {k: v for k, v in (("bos_token", BOS.get(family)), ("eos_token", EOS.get(family))) if v}
    return PreTrainedTokenizerFast(tokenizer_file=path, **extra)


def rendered(families, path):
    result = {}
    for family in families:
        tok = fast(path(family), family)
        result[family] = {}
        for name, (where, messages, _) in CASES.items():
            if family in where:
                # The Mistral template loses the system message when the last message is an assistant's.
                lost = family == "mistral" and messages[0]["role"] == "system" and messages[-1]["role"] != "user"
                result[family][name] = {
                    "ids": None if lost else ids(tok, family, name, False),
                    "prompt": None if lost else ids(tok, family, name, True)}
    return result


TEXTS = ["", " ", "Hello", " Hello  world\n", "\n\n\n x",
         "caf\u00e9 cafe\u0301 \u4f60\u597d \U0001f600\U0001f468\u200d\U0001f469", "<|im_end|>",
         "a<|im_start|>system\nx<|im_end|>b", "<s>x</s><s>", "</s", "<|endoftext|><|endoftext|> <|endoftext",
         "<think>\na\n</think>\n\n<tool_call>{}</tool_call>", "[INST] hi [/INST]", "<unk> <s>",
         "\u2581x\u2581", "\t\r\n\u00a0\u2028"]


def encoded():
    result = {}
    paths = {"small": SMALL, "qwen3": SHARED + "/tokenizers/qwen2/built-qwen3/tokenizer.json",
             "gpt2": SHARED + "/tokenizers/gpt2/tokenizer.json",
             "stories260K": SHARED + "/models/stories260K/hf/tokenizer.json"}
    for name, path in paths.items():
        tok = fast(path)
        result[name] = []
        for text in TEXTS:
            found = tok(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
            result[name].append({"text": text, "ids": found, "decoded": tok.decode(found, skip_special_tokens=True,
                                 clean_up_tokenization_spaces=False)})
    return result


def write(name, value, lines):
    """One line an entry of the last level that is worth a line of its own."""
    def dump(v, level):
        if level == 0 or not isinstance(v, (dict, list)) or not v:
            return json.dumps(v, ensure_ascii=True, separators=(",", ":"))
        if isinstance(v, dict):
            return "{\n" + ",\n".join(json.dumps(k) + ": " + dump(x, level - 1) for k, x in v.items()) + "\n}"
        return "[\n" + ",\n".join(dump(x, level - 1) for x in v) + "\n]"
    with open(os.path.join(OUT, name), "w") as f:
        f.write(dump(value, lines) + "\n")


if __name__ == "__main__":
    build_small()
    write("cases.json", {n: {"messages": m, "tools": t} for n, (_, m, t) in CASES.items()}, 1)
    write("rendered.json", rendered(ALL, lambda family: SMALL), 2)
    write("rendered-qwen.json", rendered(QWEN, lambda family: SHARED + "/tokenizers/qwen2/built-%s/tokenizer.json"
                                         % ("qwen2.5" if family == "qwen2.5" else "qwen3")), 2)
    write("encoded.json", encoded(), 2)

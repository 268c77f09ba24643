"""What Python's re makes of patterns: matched at the start, matched in whole, or no pattern at all."""

import re
import warnings

from common import GOLDEN, write_json

warnings.filterwarnings("ignore")
TEXTS = ["model.layers.0.self_attn.q_proj", "model.layers.10.mlp.gate_proj", "q_proj", "Q_PROJ", "aa", "ab", "abab", "a{2}", "a]b", "[x",
         "a&&b", "a^b", "x-y", "", "lm_head", "a\n", "a\u2028", "é", "٣", "a.b", "a b", "a#b", "\x0b", "A", "\\", "~|"]
PATTERNS = [
    r".*\.(?P<kind>q|v)_proj", r"(?P<a_1>a)(?P<b>b)(?P=a_1)(?P=b)", r"(a)(b)\1\2", r"(?P<x>a)\1", r"(?i)Q_proj\Z", r"(?i:Q)_proj",
    r"model\.layers\.\d{2,}\..*", r"model\.layers\.\d{,1}\..*", r"a{2}", r"a{,}", r"a\{2\}", r"a{x}", r"a{2", r"a{}", r"[]a]+b?", r"[^]]+",
    r"[[x]+", r"[a&&b]+", r"[a^]+b", r"[x\-y]+", r"[\w.]+", r"[a-c\d]+", r"(?#comment)q_proj", r"(?s)a.", r"a.", r"a$", r"a\Z", r"\Aa",
    r"(?x) a  b # c", r"(?x)a[ #]b", r"\w", r"(?a)\w", r"\d", r"(?a)\d", r"\v", r"\x61", r"\u0061", r"\U00000061", r"\141", r"[\141]",
    r"[\b]", r"\0", r"(?>a+)b?", r"a++", r"(?<=a)b", r"a(?=b)", r"a(?!b)", r"(?<!a)b", r"\.", r"\_", r"a\-b", r"a\ b", r"a\#b", r"\\",
    r"(?:^|.*?\.)layers\.(?P<idx>\d+)\.", r"(.*\.)?(q_proj)$", r"(.*\.)?((?P<y>[qk])_proj)$", r"~\|", r"[~|]+", r"(a|b)*", r"(?m)^a$",
    r"(?-i:a)", r"(?i-s:A)", r"(?ms)a.", r"(?u)\w", r"é", r"É", r"(?i)É", r"a|", r"|a",
    # no patterns
    r"(?<n>a)", r"(?P<1>a)", r"(?P<a>x)(?P<a>y)", r"(?P=a)", r"\q", r"\Qa\E", r"\h", r"\R", r"\p{L}", r"\G", r"\z", r"[a", r"(a", r"a)", r"*a",
    r"a(?i)b", r"(.*\.)?((?i)q)$", r"(?L)a", r"(?d)a", r"(?#x", "a\\", r"[b-a]", r"[\8]", r"(?P<>a)", r"[]",
]


def verdict(pattern):
    try:
        compiled = re.compile(pattern)
    except re.error:
        return None
    return [[bool(compiled.match(t)), bool(compiled.fullmatch(t))] for t in TEXTS]


if __name__ == "__main__":
    write_json(GOLDEN / "python-patterns.json", {
        "texts": TEXTS, "cases": [{"pattern": p, "matches": verdict(p)} for p in PATTERNS]})
    print(sum(verdict(p) is None for p in PATTERNS), "of", len(PATTERNS), "are none")

"""Writes small files of Parquet as pyarrow does, and their rows as JSON Lines. Needs pyarrow."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

OUT = Path(__file__).resolve().parents[1] / "resources/golden/parquet"


def chats(n):
    return [{
        "id": i,
        "messages": [
            {"role": "user", "content": f"question {i} é\U0001f600\n", "weight": None, "tool_calls": None},
            {"role": "assistant", "content": f"answer {i}", "weight": i % 2, "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}] if i % 3 == 0 else None},
        ],
        "tools": None if i % 2 else '[{"type": "function", "function": {"name": "f"}}]',
        "score": i / 4,
    } for i in range(n)]


def texts(n):
    return [{"question": f"q{i % 7}", "answer": {"text": [f"a{i}", "other"], "start": [i, 0]}, "flag": i % 2 == 0,
             "none": None} for i in range(n)]


def write(name, rows, **options):
    OUT.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), OUT / f"{name}.parquet", **options)
    back = pq.read_table(OUT / f"{name}.parquet").to_pylist()
    assert back == rows, name
    with open(OUT / f"{name}.jsonl", "w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


write("chats-snappy", chats(40), compression="snappy", row_group_size=16)
write("texts-gzip-v2", texts(60), compression="gzip", row_group_size=25, data_page_version="2.0")
write("texts-plain", texts(20), compression="none", use_dictionary=False)

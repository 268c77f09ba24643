"""Puts the table of compare.sh into PERFORMANCE.md, in place of the one that this processor had: record.py TABLE FILE."""
import pathlib
import re
import sys

table, file = (pathlib.Path(name) for name in sys.argv[1:])
MARK = "<!-- compare.sh puts its sections here -->"
text = file.read_text(encoding="utf-8")
new = table.read_text(encoding="utf-8").strip()
processor = new.split(";")[0]
heading = f"## By compare.sh: {processor}\n"
if MARK not in text:
    sys.exit(f"{file}: no line {MARK}")
if heading in text:
    section = re.escape(heading) + r".*?(?=^## |^<!-- )"
    text = re.sub(section, lambda _: f"{heading}\n{new}\n\n", text, count=1, flags=re.S | re.M)
else:
    text = text.replace(MARK, f"{heading}\n{new}\n\n{MARK}")
file.write_text(text, encoding="utf-8")
print(f"written into {file}", file=sys.stderr)

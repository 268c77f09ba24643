"""Generated runs and judgements, and what trec_eval 9.0.4 prints for them.

    python sdk/local/src/test/golden/trec_eval.py PATH_OF_TREC_EVAL

writes examples/src/test/resources/trec_eval: NAME.qrels, NAME.run, NAME.N.txt for the N-th line of options.txt.
Ties, scores that differ beyond single precision, missing queries on both sides, graded and negative judgements, queries
without a relevant document, unjudged documents.
"""
import pathlib
import random
import subprocess
import sys

OUT = pathlib.Path(__file__).parents[4] / "examples/src/test/resources/trec_eval"
OPTIONS = [
    "-q",
    "-q -m all_trec",
    "-q -c -m all_trec",
    "-q -l2 -m all_trec",
    "-qJ -M10 -m all_trec",
    "-n -q -m set",
    "-m map -m ndcg_cut.10 -m runid",
    "-q -N 500 -m ndcg.1=3,2=9,4=4.5,0=-1 -m P.5,7,3 -m Rprec_mult.5.0,0.2,0.35 -m utility.2,-1,0,0.5 "
    "-m 11pt_avg..25,.5,.75 -m iprec_at_recall..10,.20,.25,.75,.50 -m success.2,5,20 -m set_F.0.5 -m recall.20,2000 "
    "-m relstring.20 -m G.1=0.5,2=0.7 -m Rndcg.1=3,2=3.4 -m ndcg_rel.1=2 -m P.9",
]
CASES = {"binary": [0, 1], "graded": [0, 1, 2, 3], "negative": [-2, -1, 0, 1, 2], "wide": [0, 0, 1, 4, 12]}


def generate(name, grades, r):
    documents = [f"{r.choice(['a', 'B', 'D-'])}{i}" for i in range(40)]
    qrels, run = [], []
    for number, query in enumerate(r.sample(range(1, 200), 6)):
        if number != 1:
            levels = [0] if number == 2 else grades
            judged = [(d, r.choice(levels)) for d in r.sample(documents, r.randint(5, 30))]
            judged[0] = (judged[0][0], max(0, judged[0][1]))
            qrels += [f"{query} 0 {d} {g}" for d, g in judged]
        if number != 4:
            score = [lambda: str(r.randint(0, 4)), lambda: repr(r.uniform(-3, 30)),
                     lambda: f"{20 + r.randint(0, 9) * 1e-7:.9f}"][number % 3]
            found = r.sample(documents, r.randint(3, 40))
            run += [f"{query} Q0 {d} {i + 1} {score()} {name}" for i, d in enumerate(found)]
    r.shuffle(qrels)
    r.shuffle(run)
    (OUT / f"{name}.qrels").write_text("\n".join(qrels) + "\n")
    (OUT / f"{name}.run").write_text("\n".join(run) + "\n")


OUT.mkdir(parents=True, exist_ok=True)
(OUT / "options.txt").write_text("\n".join(OPTIONS) + "\n")
for seed, (name, grades) in enumerate(CASES.items()):
    generate(name, grades, random.Random(seed))
    for number, options in enumerate(OPTIONS):
        command = [sys.argv[1], *options.split(), str(OUT / f"{name}.qrels"), str(OUT / f"{name}.run")]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert printed, command
        (OUT / f"{name}.{number}.txt").write_text(printed)

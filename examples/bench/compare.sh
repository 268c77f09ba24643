#!/usr/bin/env bash
# Measures Fettle beside PEFT and transformers, llama.cpp and ONNX Runtime, run by run in turn, and prints a table as Markdown.
#
#   examples/bench/compare.sh [ROW...]    rows: train-f32 train-bf16 qwen sft long decode decode-int8 decode8 samples8 samples64
#                                         full full-bf16 start disturbed embed-f32 embed-one embed-bf16
#                                         contrastive-lora-f32 contrastive-lora-bf16 contrastive-full-f32
#                                         contrastive-full-bf16 (beside PyTorch; embed-f32 and embed-one beside ONNX
#                                         Runtime as LangChain4j runs it, too);
#                                         llama llama-q8 llama8 llama-samples8 llama-prompt (beside llama.cpp);
#                                         quantised (a base in 8 and 4 bits beside a dense one); growth (how cost grows);
#                                         all of them without an argument
#
# Another kind of processor is had by ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2
# FBGEMM_ENABLE_INSTRUCTIONS=AVX2, for all sides but llama.cpp and ONNX Runtime, which do not ask these.
#
# Needs bash, python3, java and mvn. Variables, all optional:
#   VENV      a virtual environment with torch, transformers and peft; made below examples/bench/target if not given
#   RUNS      runs of each side, 5; a figure is the median of the runs, a run's the median of its STEPS steps
#   STEPS     timed steps of a run, 5         THREADS   of both sides, as many as there are cores
#   QUICK=1   two runs of two steps, to try the script
#   SHAPE, BATCH, LENGTH, LONG   smollm2-135m, 4, 256, "1024 2048"
#   SHARED    directory with data/ and tokenizers/ for the row sft, beside the repository; or
#   DATA, TOKENIZER   a file of chats as JSON Lines and a directory with tokenizer.json
#   ENCODER   directory of a BERT encoder for the rows embed and contrastive; by default that in SHARED
#   DOCUMENTS, PAIRS, NEGATIVES, TEXT   of these rows: 128 texts a call, 32 pairs a step, 0 hard negatives each,
#             128 tokens a text
#   MOST      how far anything grows in the row growth
#   FORMS     of the row quantised: "int8 nf4 nf4+embeddings"
#   OUT       where each run's figures are kept; KEEP=1 puts those of earlier rows into the table too
#   BUILT=1   does not build again what was built
#   RECORD    1 writes the table into PERFORMANCE.md, in the section of this processor, 0 does not; 1 when all rows are run
#             without QUICK
#   JAVA_OPTS -Xmx1g
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
quick=${QUICK:-0}
if [ "$quick" = 1 ]; then
  runs=${RUNS:-2} steps=${STEPS:-2} new=${NEW:-16}
else
  runs=${RUNS:-5} steps=${STEPS:-5} new=${NEW:-64}
fi
shape=${SHAPE:-smollm2-135m}
batch=${BATCH:-4}
length=${LENGTH:-256}
long=${LONG:-1024 2048}
threads=${THREADS:-$(getconf _NPROCESSORS_ONLN)}
out=${OUT:-$here/target/compare}
if [ $# = 0 ] && [ "$quick" != 1 ]; then record=${RECORD:-1}; else record=${RECORD:-0}; fi
shared=${SHARED:-$root/../shared}
encoder=${ENCODER:-$shared/models/minilm-l6-v2}
documents=${DOCUMENTS:-128} pairs=${PAIRS:-32} negatives=${NEGATIVES:-0} text=${TEXT:-128}

note() { echo "$(date +%H:%M:%S) $*" >&2; }
fail() { echo "$*" >&2; exit 1; }

all="train-f32 train-bf16 qwen sft long decode decode-int8 decode8 samples8 samples64 full full-bf16 start disturbed"
all="$all llama llama-q8 llama8 llama-samples8 llama-prompt quantised growth"
all="$all embed-f32 embed-one embed-bf16 contrastive-lora-f32 contrastive-lora-bf16 contrastive-full-f32 contrastive-full-bf16"
rows=${*:-$all}
for row in $rows; do
  case " $all " in *" $row "*) ;; *) fail "no row \"$row\"; there are: $all" ;; esac
done

mkdir -p "$out"
if [ "${KEEP:-0}" = 0 ]; then rm -f "$out"/*.json; fi
if [ -z "${VENV:-}" ]; then
  VENV=$here/target/venv
  if ! "$VENV/bin/python" -c 'import torch, transformers, peft' 2>/dev/null; then
    note "making $VENV"
    python3 -m venv "$VENV"
    # The processor-only build of torch; where the default index lacks it, name PyTorch's own in PIP_EXTRA_INDEX_URL.
    "$VENV/bin/pip" install -q --retries 0 torch==2.13.0+cpu transformers peft >&2
  fi
fi
python=$VENV/bin/python
[ -x "$python" ] || fail "VENV=$VENV has no bin/python"

# The class path of a scope: NAME, SCOPE.
built() {
  if [ "${BUILT:-0}" = 1 ] && [ -f "$root/examples/target/$1" ]; then return; fi
  note "building"
  (cd "$root" && mvn -q -B package -DskipTests dependency:build-classpath -Dmdep.outputFile=target/"$1" \
    -Dmdep.includeScope="$2" >&2)
}
built classpath runtime
classpath=$root/examples/target/classes:$(cat "$root/examples/target/classpath")
# Tests alone have llama.cpp among their dependencies.
case " $rows" in *" llama"*)
  built testpath test
  llama=$root/examples/target/test-classes:$root/examples/target/classes:$(cat "$root/examples/target/testpath") ;;
esac
case " $rows" in *" embed-f32"* | *" embed-one"*)
  mvn -q -B -f "$here/onnx.pom.xml" dependency:build-classpath -Dmdep.outputFile="$out/onnx.classpath" >&2
  onnx=$(cat "$out/onnx.classpath") ;;
esac

native=f32
if [ "${ATEN_CPU_CAPABILITY:-}" != avx2 ] \
    && [ -n "$(grep -m 1 -E 'avx512_bf16|amx_bf16|[[:space:]]bf16' /proc/cpuinfo 2>/dev/null)" ]; then
  native=bf16
fi

# Keeps the last line of a run as ROW.SIDE.NUMBER.json.
keep() {
  local name=$1
  shift
  "$@" >"$out/log" 2>"$out/err" || { cat "$out/log" "$out/err" >&2; fail "failed: $*"; }
  tail -n 1 "$out/log" >"$out/$name.json"
}
fettle() {
  local name=$1
  shift
  # shellcheck disable=SC2086
  keep "$name" java ${JAVA_OPTS:--Xmx1g} -Dfettle.progress=off -cp "$classpath" dev.fettle.examples.Bench "$@" \
    --threads "$threads"
}
peft() {
  local name=$1
  shift
  keep "$name" "$python" "$here/peft_bench.py" "$@" --threads "$threads"
}
# Both sides in turn: ROW, the arguments of Bench, --, those of peft_bench.py.
pair() {
  local row=$1 ours=()
  shift
  while [ "$1" != -- ]; do ours+=("$1"); shift; done
  shift
  for ((i = 1; i <= runs; i++)); do
    note "$row $i of $runs"
    fettle "$row.fettle.$i" "${ours[@]}"
    peft "$row.reference.$i" "$@"
  done
}
# A LoRA or full step: ROW, mode, shape, Fettle's type, PEFT's type, batch, length.
step() {
  pair "$1" "$2" --random "$3" --dtype "$4" --batch "$6" --length "$7" --steps "$steps" \
    -- "$2" --shape "$3" --dtype "$5" --batch "$6" --length "$7" --steps "$steps"
}

# The work of an encoder: ROW, mode, type, batch, further arguments of both sides, --, further ones of Fettle.
# Both are given the same texts. In bf16 PyTorch trains in several ways; each is run, the table shows the fastest. How many
# texts PyTorch takes at a time is chosen by it in its first run: what is fastest.
encode() {
  local row=$1 mode=$2 type=$3 size=$4 side way both=() ours=() ways=(reference)
  shift 4
  if [ ! -f "$encoder/config.json" ]; then
    note "$row left out: no encoder in $encoder; give ENCODER=DIR"
    return
  fi
  while [ "$1" != -- ]; do both+=("$1"); shift; done
  shift
  ours=("$@")
  local theirs=$type
  if [ "$type" = bf16 ]; then theirs=$native; fi
  if [ "$mode$theirs" = contrastivebf16 ]; then
    ways+=(autocast)
    case $row in *-lora-*) ways+=(plain-adapters) ;; esac
  fi
  for ((i = 1; i <= runs; i++)); do
    note "$row $i of $runs"
    fettle "$row.fettle.$i" "$mode" --model "$encoder" --dtype "$type" --batch "$size" --length "$text" \
      --steps "$steps" ${both[@]+"${both[@]}"} ${ours[@]+"${ours[@]}"} --dump "$out/texts"
    for side in "${ways[@]}"; do
      way=()
      if [ "$side" != reference ]; then way=("--$side"); fi
      if [ "$i" -gt 1 ]; then way+=(--micro "$(sed 's/.*"micro": \([0-9]*\).*/\1/' "$out/$row.$side.1.json")"); fi
      peft "$row.$side.$i" "$mode" --model "$encoder" --dtype "$theirs" --length "$text" --texts "$out/texts" \
        ${both[@]+"${both[@]}"} ${way[@]+"${way[@]}"}
    done
    case $row in embed-f32 | embed-one)
      # shellcheck disable=SC2086
      keep "$row.onnx.$i" java ${JAVA_OPTS:--Xmx1g} -cp "$onnx" "$here/OnnxBench.java" "$out/texts" "$threads" ;;
    esac
  done
}

# Decoding beside llama.cpp, both with the same weights: ROW, Fettle's type and weights, llama.cpp's type, sequences, samples of
# each, tokens of a prompt, new ones.
decoded() {
  local row=$1 directory=$out/llama-$shape
  if [ ! -f "$shared/tokenizers/gpt2/tokenizer.json" ]; then
    note "$row left out: no tokenizer in $shared/tokenizers/gpt2; give SHARED=DIR"
    return
  fi
  # shellcheck disable=SC2086
  if [ ! -f "$directory/$4.gguf" ]; then
    java ${JAVA_OPTS:--Xmx1g} -cp "$llama" dev.fettle.examples.LlamaCppBench write "$shared/tokenizers/gpt2" "$directory" "$shape" \
      "$4" >&2
  fi
  for ((i = 1; i <= runs; i++)); do
    note "$row $i of $runs"
    fettle "$row.fettle.$i" decode --model "$directory/model" --dtype "$2" --weights "$3" --batch "$5" --samples "$6" \
      --prompt "$7" --new "$8" --steps 3
    # shellcheck disable=SC2086
    keep "$row.llama.$i" java ${JAVA_OPTS:--Xmx1g} -cp "$llama" dev.fettle.examples.LlamaCppBench decode "$directory/$4.gguf" \
      batch="$5" samples="$6" prompt="$7" new="$8" runs=3 threads="$threads"
  done
}

chats() {
  if [ -n "${DATA:-}" ]; then
    cp "$DATA" "$out/chats.jsonl"
    return
  fi
  [ -f "$shared/data/gsm8k/train.jsonl" ] || return 1
  python3 - "$shared/data" >"$out/chats.jsonl" <<'PY'
import itertools, json, sys
with open(sys.argv[1] + "/gsm8k/train.jsonl", encoding="utf-8") as file:
    for line in itertools.islice(file, 400):
        x = json.loads(line)
        print(json.dumps({"messages": [{"role": "user", "content": x["question"]},
                                       {"role": "assistant", "content": x["answer"]}]}))
try:
    with open(sys.argv[1] + "/tinker-cookbook-data/conversations.jsonl", encoding="utf-8") as file:
        for line in file:
            print(json.dumps({"messages": json.loads(line)["messages"]}))
except FileNotFoundError:
    pass
PY
}

saved() {
  if [ ! -f "$out/model-$shape/model.safetensors" ]; then
    note "writing a model to load"
    fettle saved save --random "$shape" --dtype bf16 --out "$out/model-$shape"
    rm "$out/saved.json"
  fi
}

# Before and after: the better counts, should something else have run meanwhile.
note "what the machine can do"
peft limits.machine.1 limits --shape "$shape"
for row in $rows; do
  case $row in
    train-f32) step "$row" train "$shape" f32 f32 "$batch" "$length" ;;
    train-bf16) step "$row" train "$shape" bf16 "$native" "$batch" "$length" ;;
    qwen)
      if [ "$shape" = tiny ]; then other=tiny; else other=qwen3-0.6b; fi
      step "$row" train "$other" "$native" "$native" "$batch" "$length" ;;
    full) step "$row" full "$shape" f32 f32 "$batch" "$length" ;;
    full-bf16) step "$row" full "$shape" bf16 "$native" "$batch" "$length" ;;
    long) for n in $long; do step "long-$n" train "$shape" "$native" "$native" 1 "$n"; done ;;
    sft)
      if ! chats; then
        note "sft left out: no data; give DATA=FILE, and TOKENIZER=DIR"
        continue
      fi
      tokenizer=()
      if [ -n "${TOKENIZER:-}" ]; then
        tokenizer=(--tokenizer "$TOKENIZER")
      elif [ -f "$shared/tokenizers/gpt2/tokenizer.json" ]; then
        tokenizer=(--tokenizer "$shared/tokenizers/gpt2")
      fi
      # More steps than elsewhere: batches differ.
      pair sft sft --random "$shape" --dtype "$native" --batch 8 --length "${SFT_LENGTH:-1024}" --steps $((2 * steps)) \
        --data "$out/chats.jsonl" ${tokenizer[@]+"${tokenizer[@]}"} --dump "$out/tokens" \
        -- sft --shape "$shape" --dtype "$native" --tokens "$out/tokens" ;;
    decode) pair "$row" decode --random "$shape" --dtype "$native" --batch 1 --new "$new" --steps 3 \
      -- decode --shape "$shape" --dtype "$native" --batch 1 --new "$new" --steps 3 ;;
    decode-int8) pair "$row" decode --random "$shape" --dtype bf16 --weights int8 --batch 1 --new "$new" --steps 3 \
      -- decode --shape "$shape" --dtype "$native" --batch 1 --new "$new" --steps 3 ;;
    decode8) pair "$row" decode --random "$shape" --dtype "$native" --batch 8 --new "$new" --steps 3 \
      -- decode --shape "$shape" --dtype "$native" --batch 8 --new "$new" --steps 3 ;;
    samples8 | samples64) pair "$row" decode --random "$shape" --dtype "$native" --samples "${row#samples}" --new "$new" --steps 3 \
      -- decode --shape "$shape" --dtype "$native" --samples "${row#samples}" --new "$new" --steps 3 ;;
    llama) decoded "$row" "$native" exact "$native" 1 1 32 "$new" ;;
    llama-q8) decoded "$row" "$native" int8 q8_0 1 1 32 "$new" ;;
    llama8) decoded "$row" "$native" exact "$native" 8 1 32 "$new" ;;
    llama-samples8) decoded "$row" "$native" exact "$native" 1 8 32 "$new" ;;
    llama-prompt) decoded "$row" "$native" exact "$native" 1 1 512 1 ;;
    quantised)
      if [ "$shape" = tiny ]; then other=tiny; else other=qwen3-0.6b; fi
      for ((i = 1; i <= runs; i++)); do
        note "quantised $i of $runs"
        both=(train --random "$other" --dtype "$native" --batch "$batch" --length "$length" --steps "$steps")
        fettle "quantised.dense.$i" "${both[@]}"
        for form in ${FORMS:-int8 nf4 nf4+embeddings}; do fettle "quantised.$form.$i" "${both[@]}" --quantise "$form"; done
      done ;;
    growth)
      for what in length rank batch adapters layers sequences; do
        note "growth with $what"
        fettle "growth-$what.fettle.1" sweep --random "$shape" --dtype "$native" --what "$what" --batch 1 --length 128 --steps 2 \
          ${MOST:+--most "$MOST"} --out "$here/growth"
      done ;;
    embed-one) encode "$row" embed f32 1 -- ;;
    embed-*) encode "$row" embed "${row#embed-}" "$documents" -- ;;
    contrastive-*)
      method=${row#contrastive-}
      encode "$row" contrastive "${row##*-}" "$pairs" --method "${method%-*}" -- --negatives "$negatives" ;;
    start)
      saved
      for ((i = 1; i <= runs; i++)); do
        note "start $i of $runs"
        fettle "start.fettle.$i" start --model "$out/model-$shape" --batch "$batch" --length "$length"
      done ;;
    disturbed)
      if ! command -v taskset >/dev/null || [ "$threads" -lt 2 ]; then
        note "disturbed left out: needs taskset and two cores"
        continue
      fi
      for ((i = 1; i <= runs; i++)); do
        note "disturbed $i of $runs"
        both=(train --random "$shape" --dtype "$native" --batch "$batch" --length "$length" --steps "$steps")
        fettle "disturbed.alone.$i" "${both[@]}"
        taskset -c 0 sh -c 'while :; do :; done' &
        busy=$!
        trap 'kill "$busy" 2>/dev/null || true' EXIT
        fettle "disturbed.fettle.$i" "${both[@]}"
        kill "$busy" && wait "$busy" 2>/dev/null || true
        trap - EXIT
      done ;;
  esac
done
note "what the machine can do"
peft limits.machine.2 limits --shape "$shape"

"$python" "$here/table.py" "$out" "$native" "$threads" "$shape" "$batch" "$length" \
  "$documents texts of $text tokens" "$pairs pairs of $text tokens, $negatives hard negatives" | tee "$out/table.md"
if [ "$record" = 1 ]; then "$python" "$here/record.py" "$out/table.md" "$here/PERFORMANCE.md"; fi

"""Drives a server of the Tinker protocol the way the Python SDK 0.25 does, and checks what comes back with PEFT.

The wire is built here independently of Fettle: JSON by the standard library, protobuf by Google's runtime from the
schema as the protocol notes give it. A batch is sent in three chunks, the first chunk last; the optimizer step is
submitted before any result is fetched; sampling goes through protobuf. Then the adapter is downloaded as a tar archive,
PEFT puts it on the model, and the logprobs that the server gave are compared with those of transformers.

    java -cp ... dev.fettle.examples.Serve --model MODEL --dtype f32 --port 8123 --state STATE
    python tinker_drive.py http://127.0.0.1:8123 MODEL

Needs httpx, protobuf, torch, transformers, peft. Prints the largest difference; fails beyond 1e-4.
"""
import io
import struct
import sys
import tarfile
import tempfile

import httpx
import torch
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

F = descriptor_pb2.FieldDescriptorProto
KINDS = {"string": F.TYPE_STRING, "bytes": F.TYPE_BYTES, "int32": F.TYPE_INT32, "int64": F.TYPE_INT64,
         "uint32": F.TYPE_UINT32, "bool": F.TYPE_BOOL, "double": F.TYPE_DOUBLE}
SCHEMA = {
    "EncodedTextChunk": ["tokens 1 bytes"],
    "Chunk": ["encoded_text 1 EncodedTextChunk"],
    "SparseCsr": ["values 1 bytes", "crow_indices 2 bytes", "col_indices 3 bytes"],
    "Tensor": ["dense 1 bytes", "sparse_csr 2 SparseCsr", "dtype 3 int32", "shape 4 *int64"],
    "Entry": ["key 1 string", "value 2 Tensor"],
    "Number": ["key 1 string", "value 2 double"],
    "Datum": ["model_input 1 *Chunk", "loss_fn_inputs 2 *Entry"],
    "ForwardBackwardRequest": ["model_id 1 string", "seq_id 2 int32", "data 3 *Datum", "loss_fn 4 string",
                               "loss_fn_config 5 *Number", "forward_only 6 bool"],
    "BatchedTensor": ["data 1 bytes", "offsets 2 bytes", "dtype 3 int32", "trailing_shape 4 *int64"],
    "Field": ["key 1 string", "value 2 BatchedTensor"],
    "ArrayRecord": ["type_tag 1 string", "fields 2 *Field", "num_datums 3 int64"],
    "ForwardBackwardOutput": ["loss_fn_output_type 1 string", "loss_fn_outputs 2 *ArrayRecord", "metrics 3 *Number"],
    "SampledSequence": ["stop_reason 1 int32", "tokens 2 bytes", "logprobs 3 bytes"],
    "SampleResponse": ["sequences 1 *SampledSequence", "prompt_logprobs 2 bytes", "prompt_cache_hit_tokens 4 int32"],
}


def messages():
    """The message classes of the schema; maps are written as repeated entries, which is what they are on the wire."""
    file = descriptor_pb2.FileDescriptorProto(name="drive.proto", package="drive", syntax="proto3")
    for name, fields in SCHEMA.items():
        message = file.message_type.add(name=name)
        for field in fields:
            label, number, kind = field.split()
            f = message.field.add(name=label, number=int(number), label=F.LABEL_OPTIONAL)
            if kind.startswith("*"):
                f.label = F.LABEL_REPEATED
                kind = kind[1:]
            if kind in KINDS:
                f.type = KINDS[kind]
            else:
                f.type, f.type_name = F.TYPE_MESSAGE, ".drive." + kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return {name: factory.GetPrototype(pool.FindMessageTypeByName("drive." + name)) for name in SCHEMA}


M = messages()
BASE, MODEL = sys.argv[1].rstrip("/"), sys.argv[2]
http = httpx.Client(headers={"X-API-Key": "tml-drive"}, timeout=60)


def ints(values):
    return struct.pack(f"<{len(values)}i", *values)


def floats(data):
    return struct.unpack(f"<{len(data) // 4}f", data)


def post(path, body=None, **more):
    answer = http.post(f"{BASE}/api/v1/{path}", json=body, **more)
    assert answer.status_code == 200, (path, answer.status_code, answer.text)
    return answer


def wait(submitted, kind, accept="application/json"):
    for i in range(1000):
        answer = http.post(f"{BASE}/api/v1/retrieve_future", json={"request_id": submitted.json()["request_id"],
                           "allow_metadata_only": True}, headers={"Accept": accept, "X-Tinker-Request-Iteration": str(i),
                           "X-Tinker-Request-Type": kind})
        if answer.status_code == 408:
            continue
        assert answer.status_code == 200, answer.text
        if "x-protobuf" in answer.headers["content-type"]:
            return answer.content
        body = answer.json()
        if body.get("type") != "try_again":
            assert "error" not in body, body
            return body
    raise TimeoutError(kind)


def chunk(model, seq, sequences):
    request = M["ForwardBackwardRequest"](model_id=model, seq_id=seq, loss_fn="cross_entropy")
    for tokens in sequences:
        datum = request.data.add()
        datum.model_input.add().encoded_text.tokens = ints(tokens[:-1])
        n = len(tokens) - 1
        for key, data, dtype in (("target_tokens", struct.pack(f"<{n}q", *tokens[1:]), 2),
                                 ("weights", struct.pack(f"<{n}f", *[1.0] * n), 1)):
            entry = datum.loss_fn_inputs.add(key=key)
            entry.value.dense, entry.value.dtype = data, dtype
            entry.value.shape.append(n)
    return post("forward_backward", content=request.SerializeToString(), headers={"Content-Type": "application/x-protobuf"})


def output(data):
    result = M["ForwardBackwardOutput"].FromString(data)
    rows = []
    for record in result.loss_fn_outputs:
        tensor = {f.key: f.value for f in record.fields}["logprobs"]
        offsets = struct.unpack(f"<{len(tensor.offsets) // 8}q", tensor.offsets)
        rows += [floats(tensor.data[a:b]) for a, b in zip(offsets, offsets[1:])]
    return {m.key: m.value for m in result.metrics}, rows


def score(model, tokens):
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0, :-1].log_softmax(-1)
    return logits.gather(1, torch.tensor(tokens[1:])[:, None])[:, 0].tolist()


def main():
    post("client/config", {"sdk_version": "0.25.0"})
    post("client/dynamic_config", {"sdk_version": "0.25.0"})
    name = http.get(f"{BASE}/api/v1/get_server_capabilities").json()["supported_models"][0]["model_name"]
    session = post("create_session", {"tags": [], "user_metadata": {}, "sdk_version": "0.25.0",
                                      "type": "create_session"}).json()["session_id"]
    post("session_heartbeat", {"session_id": session, "type": "session_heartbeat"})
    model = wait(post("create_model", {"session_id": session, "model_seq_id": 0, "base_model": name, "lora_config": {
        "rank": 8, "seed": 7, "train_unembed": True, "train_mlp": True, "train_attn": True}, "type": "create_model"}),
        "CreateModel")["model_id"]
    info = post("get_info", {"model_id": model, "type": "get_info"}).json()
    assert info["model_data"]["model_name"] == name and info["is_lora"] and info["lora_rank"] == 8, info

    data = [[3 + (7 * i + j * j) % 200 for j in range(8 + i)] for i in range(6)]
    losses, seq = [], 0
    for _ in range(10):
        later = [chunk(model, seq + 2, data[2:4]), chunk(model, seq + 3, data[4:6])]
        parts = [chunk(model, seq + 1, data[:2])] + later
        step = post("optim_step", {"adam_params": {"learning_rate": 2e-3, "beta1": 0.9, "beta2": 0.95, "eps": 1e-12,
                    "weight_decay": 0.0, "grad_clip_norm": 0.0}, "model_id": model, "seq_id": seq + 4, "type": "optim_step"})
        seq += 4
        results = [output(wait(p, "ForwardBackward", "application/x-protobuf")) for p in parts]
        wait(step, "OptimStep")
        losses.append(sum(metrics["loss:sum"] for metrics, _ in results))
        for (metrics, rows), sequences in zip(results, (data[:2], data[2:4], data[4:])):
            assert [len(r) for r in rows] == [len(t) - 1 for t in sequences]
            assert abs(metrics["loss:sum"] + sum(map(sum, rows))) < 1e-3
    assert losses[-1] < losses[0], losses

    sampler = wait(post("save_weights_for_sampler", {"model_id": model, "sampling_session_seq_id": 0, "seq_id": seq + 1,
                        "type": "save_weights_for_sampler"}), "SaveWeightsForSampler")["sampling_session_id"]
    path = wait(post("save_weights_for_sampler", {"model_id": model, "path": "final", "seq_id": seq + 2,
                     "type": "save_weights_for_sampler"}), "SaveWeightsForSampler")["path"]
    asked = [post("asample", {"num_samples": 1, "prompt": {"chunks": [{"tokens": t, "type": "encoded_text"}]},
                              "sampling_params": {"max_tokens": 16, "seed": 42, "temperature": 0.0, "top_k": -1, "top_p": 1.0},
                              "sampling_session_id": sampler, "seq_id": i, "prompt_logprobs": True,
                              "topk_prompt_logprobs": 0, "type": "sample"}, headers={"X-Tinker-Sampling-Backpressure": "1"})
             for i, t in enumerate(data)]
    samples = [M["SampleResponse"].FromString(wait(a, "Sample", "application/x-protobuf")) for a in asked]

    run, kind, label = path.removeprefix("tinker://").split("/")
    archive = http.get(f"{BASE}/api/v1/training_runs/{run}/checkpoints/{kind}/{label}/archive",
                       headers={"Accept": "application/json"}, follow_redirects=False)
    assert archive.status_code == 302 and "expires" in archive.headers, archive
    tar = httpx.get(archive.headers["location"], timeout=60)
    from peft import PeftModel
    from transformers import AutoModelForCausalLM
    base = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)
    worst = 0.0
    with tempfile.TemporaryDirectory() as directory:
        with tarfile.open(fileobj=io.BytesIO(tar.content)) as files:
            assert files.getnames()[-1] == "checkpoint_complete", files.getnames()
            files.extractall(directory, filter="data")
        tuned = PeftModel.from_pretrained(base, directory).eval()
        for tokens, sample in zip(data, samples):
            scores = floats(sample.prompt_logprobs)
            new = list(struct.unpack(f"<{len(sample.sequences[0].tokens) // 4}i", sample.sequences[0].tokens))
            assert scores[0] != scores[0] and len(scores) == len(tokens)
            expected = score(tuned, tokens + new)
            given = list(scores[1:]) + list(floats(sample.sequences[0].logprobs))
            assert len(given) == len(expected) and new
            worst = max(worst, max(abs(a - b) for a, b in zip(given, expected)))
    print(f"losses {losses[0]:.3f} to {losses[-1]:.3f}; largest difference of a logprob from PEFT's: {worst:.2g}")
    assert worst < 1e-4


main()

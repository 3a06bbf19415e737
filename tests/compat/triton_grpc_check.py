#!/usr/bin/env python3
"""Triton's own gRPC client against our server: usage triton_grpc_check.py SERVER_PROGRAM.

Starts the server (a tiny random model) with both ports, asks the same questions through tritonclient's HTTP and gRPC
clients and compares; then what is wrong, keys, streams, many at a time, cancelling. Exit code 77 says: skipped, the client is
not installed.
"""
import json
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
import time

try:
    import numpy as np
    import tritonclient.grpc as triton
    import tritonclient.http as triton_http
    from tritonclient.utils import InferenceServerException
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

TEXTS = ["a very good movie", "the plot is bad", "", "电影 très good"]
NAMES = ("label", "score", "logits", "scores", "embedding")


def start(program, folder, *more):
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    process = subprocess.Popen([program, str(folder / "store"), "tiny", str(ready), *more])
    for _ in range(600):
        if ready.exists():
            return process, json.loads(ready.read_text())
        assert process.poll() is None, f"the server ended with {process.returncode}"
        time.sleep(0.05)
    process.kill()
    sys.exit("the server was not ready in 30 s")


def text_input(module, texts):
    tensor = module.InferInput("text", [len(texts)], "BYTES")
    tensor.set_data_from_numpy(np.array([t.encode() for t in texts], dtype=object))
    return tensor


def refused(code, words, call):
    try:
        call()
    except InferenceServerException as error:
        assert error.status() == f"StatusCode.{code}", error
        assert words in error.message(), error
        return
    raise AssertionError(f"a wrong request was answered, not {code}")


def check_description(client, http):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("tiny") and not client.is_model_ready("other")
    assert "binary_tensor_data" in client.get_server_metadata().extensions
    assert client.get_server_metadata(as_json=True) == http.get_server_metadata()
    ours, theirs = client.get_model_metadata("tiny", as_json=True), http.get_model_metadata("tiny")
    for tensor in ours["inputs"] + ours["outputs"]:
        tensor["shape"] = [int(size) for size in tensor["shape"]]  # JSON of protobuf writes them as texts
    assert ours == theirs, (ours, theirs)
    assert client.get_model_config("tiny").config.name == "tiny"
    assert client.get_model_repository_index().models[0].state == "READY"


def check_answers(client, http):
    outputs = lambda module: [module.InferRequestedOutput(name) for name in NAMES]
    ours = client.infer("tiny", [text_input(triton, TEXTS)], outputs=outputs(triton), request_id="r-1")
    theirs = http.infer("tiny", [text_input(triton_http, TEXTS)], outputs=outputs(triton_http))
    assert ours.get_response().id == "r-1" and ours.get_response().model_name == "tiny"
    for name in NAMES:
        a, b = ours.as_numpy(name), theirs.as_numpy(name)
        assert a.shape == b.shape and a.dtype == b.dtype and a.tolist() == b.tolist(), (name, a, b)
    everything = client.infer("tiny", [text_input(triton, TEXTS)])
    assert {o.name for o in everything.get_response().outputs} == {"label", "score", "logits", "scores", "prediction_id"}
    top = client.infer("tiny", [text_input(triton, TEXTS[:1])],
                       outputs=[triton.InferRequestedOutput("logits", class_count=1)]).as_numpy("logits")
    value, index, label = top[0, 0].decode().split(":")
    assert int(index) == ours.as_numpy("logits")[0].argmax() and label in ("negative", "positive") and float(value), top
    ids = triton.InferInput("input_ids", [1, 3], "INT64")
    ids.set_data_from_numpy(np.array([[2, 11, 3]], dtype=np.int64))
    ids_http = triton_http.InferInput("input_ids", [1, 3], "INT64")
    ids_http.set_data_from_numpy(np.array([[2, 11, 3]], dtype=np.int64))
    assert (client.infer("tiny", [ids]).as_numpy("logits") == http.infer("tiny", [ids_http]).as_numpy("logits")).all()
    return ours.as_numpy("logits")


def check_refusals(client, url):
    good = lambda: [text_input(triton, TEXTS)]
    refused("NOT_FOUND", "'other'", lambda: client.infer("other", good()))
    refused("NOT_FOUND", "version '9'", lambda: client.infer("tiny", good(), model_version="9"))
    refused("INVALID_ARGUMENT", "'nothing'",
            lambda: client.infer("tiny", good(), outputs=[triton.InferRequestedOutput("nothing")]))
    floats = triton.InferInput("text", [2], "FP32")
    floats.set_data_from_numpy(np.zeros(2, dtype=np.float32))
    refused("INVALID_ARGUMENT", "FP32", lambda: client.infer("tiny", [floats]))
    wrong_shape = text_input(triton, TEXTS)
    wrong_shape.set_shape([7])
    refused("INVALID_ARGUMENT", "its shape says 7", lambda: client.infer("tiny", [wrong_shape]))
    refused("INVALID_ARGUMENT", "inputs", lambda: client.infer("tiny", [text_input(triton, ["x"] * 1000)]))
    refused("INVALID_ARGUMENT", "bytes", lambda: client.infer("tiny", [text_input(triton, ["x" * (2 << 20)])]))
    refused("RESOURCE_EXHAUSTED", "larger than max",
            lambda: client.infer("tiny", [text_input(triton, ["x" * (33 << 20)])]))
    refused("UNIMPLEMENTED", "", lambda: client.infer("tiny", good(), compression_algorithm="gzip"))
    refused("UNIMPLEMENTED", "", lambda: client.get_inference_statistics())
    refused("DEADLINE_EXCEEDED", "", lambda: client.infer("tiny", good(), client_timeout=-1))
    assert client.infer("tiny", good()).as_numpy("label").shape == (4,)  # the connection lives on


def check_streams(client, logits):
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    for i in range(20):
        model = "other" if i == 10 else "tiny"
        client.async_stream_infer(model, [text_input(triton, TEXTS)], request_id=str(i))
    seen = [answers.get(timeout=30) for _ in range(20)]
    client.stop_stream()
    assert sum(error is not None for _, error in seen) == 1 and "'other'" in str(seen[10][1]), seen[10]
    assert [r.get_response().id for r, _ in seen if r] == [str(i) for i in range(20) if i != 10]
    assert all((r.as_numpy("logits") == logits).all() for r, _ in seen if r)


def check_many(url, logits):
    wrong = []

    def ask():
        client = triton.InferenceServerClient(url)
        for i in range(25):
            rows = [i % 4, (i + 1) % 4]
            got = client.infer("tiny", [text_input(triton, [TEXTS[r] for r in rows])]).as_numpy("logits")
            if not np.allclose(got, logits[rows], atol=1e-5):  # another batch, another order of sums
                wrong.append(got)
        client.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong, wrong[0]


def check_cancel(client):
    answers = queue.Queue()
    cancelled = 0
    for _ in range(50):  # some are answered before the cancel arrives
        call = client.async_infer("tiny", [text_input(triton, TEXTS * 100)], lambda result, error: answers.put(error))
        call.cancel()
        error = answers.get(timeout=30)
        cancelled += error is not None and "Locally cancelled" in str(error)
    assert cancelled > 0
    assert client.infer("tiny", [text_input(triton, TEXTS)]).as_numpy("label").shape == (4,)


def check_keys(program, folder):
    process, ready = start(program, folder, "sesame-open")
    try:
        client = triton.InferenceServerClient(ready["grpc"])
        refused("UNAUTHENTICATED", "key", lambda: client.infer("tiny", [text_input(triton, TEXTS)]))
        refused("UNAUTHENTICATED", "key", lambda: client.get_server_metadata())
        assert client.is_server_ready()
        headers = {"authorization": "Bearer sesame-open"}
        assert client.infer("tiny", [text_input(triton, TEXTS)], headers=headers).as_numpy("label").shape == (4,)
        client.close()
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        process, ready = start(program, folder)
        try:
            client = triton.InferenceServerClient(ready["grpc"])
            http = triton_http.InferenceServerClient(ready["url"].removeprefix("http://"))
            check_description(client, http)
            logits = check_answers(client, http)
            check_refusals(client, ready["grpc"])
            check_streams(client, logits)
            check_many(ready["grpc"], logits)
            check_cancel(client)
            client.close()
            http.close()
        finally:
            process.terminate()
            code = process.wait(timeout=30)
        assert code == 0, f"the server ended with {code}"
        check_keys(program, folder)
    print("tritonclient over gRPC: all answers agree")


if __name__ == "__main__":
    main()

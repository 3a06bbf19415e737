#!/usr/bin/env python3
"""Triton's own HTTP client against our server: usage tritonclient_check.py SERVER_PROGRAM.

Starts the server (a tiny random model), asks it through tritonclient with JSON and with binary tensors, with texts and
with token ids, compressed both ways, and compares the answers. Exit code 77 says: skipped, tritonclient is not installed.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import time

try:
    import numpy as np
    import tritonclient.http as triton
    from tritonclient.utils import InferenceServerException
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)


def start(program, folder):
    ready = folder / "ready.json"
    process = subprocess.Popen([program, str(folder / "store"), "tiny", str(ready)])
    for _ in range(600):
        if ready.exists():
            return process, json.loads(ready.read_text())["url"]
        if process.poll() is not None:
            sys.exit(f"the server ended with {process.returncode}")
        time.sleep(0.05)
    process.kill()
    sys.exit("the server was not ready in 30 s")


def text_input(texts, binary):
    tensor = triton.InferInput("text", [len(texts)], "BYTES")
    tensor.set_data_from_numpy(np.array([t.encode() for t in texts], dtype=object), binary_data=binary)
    return tensor


def check(url):
    client = triton.InferenceServerClient(url.removeprefix("http://"))
    assert client.is_server_live() and client.is_server_ready()
    metadata = client.get_server_metadata()
    assert "binary_tensor_data" in metadata["extensions"], metadata
    assert client.is_model_ready("tiny") and not client.is_model_ready("other")
    model = client.get_model_metadata("tiny")
    assert model["inputs"][0]["datatype"] == "BYTES", model
    assert client.get_model_config("tiny")["name"] == "tiny"
    assert client.get_model_repository_index()[0]["state"] == "READY"

    texts = ["a very good movie", "the plot is bad", "", "电影 très good"]
    reference = None
    for binary_in in (True, False):
        for binary_out in (True, False):
            for packing in (None, "gzip", "deflate"):
                outputs = [triton.InferRequestedOutput(name, binary_data=binary_out)
                           for name in ("label", "score", "logits", "scores", "embedding", "prediction_id")]
                result = client.infer("tiny", [text_input(texts, binary_in)], outputs=outputs, request_id="r-1",
                                      request_compression_algorithm=packing, response_compression_algorithm=packing)
                assert result.get_response()["id"] == "r-1"
                logits = result.as_numpy("logits")
                assert logits.shape == (4, 2) and logits.dtype == np.float32
                scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
                assert np.allclose(result.as_numpy("scores"), scores, atol=1e-5)
                labels = [x.decode() if isinstance(x, bytes) else x for x in result.as_numpy("label")]
                assert labels == [("negative", "positive")[i] for i in logits.argmax(axis=1)], labels
                assert np.allclose(np.linalg.norm(result.as_numpy("embedding"), axis=1), 1, atol=1e-4)
                assert len(set(result.as_numpy("prediction_id"))) == 4
                reference = logits if reference is None else reference
                assert np.allclose(logits, reference, atol=1e-5)

    # Without a list of outputs the client asks for all of them, binary.
    everything = client.infer("tiny", [text_input(texts, True)])
    assert np.allclose(everything.as_numpy("logits"), reference, atol=1e-5)
    top = client.infer("tiny", [text_input(texts[:1], True)],
                       outputs=[triton.InferRequestedOutput("logits", class_count=1)]).as_numpy("logits")
    value, index, label = (top[0, 0].decode() if isinstance(top[0, 0], bytes) else top[0, 0]).split(":")
    assert int(index) == reference[0].argmax() and label in ("negative", "positive") and float(value), top

    # [CLS] good [SEP] padded, as ids with a mask: the same as without the padding.
    ids = np.array([[2, 11, 3, 0, 0]], dtype=np.int64)
    mask = np.array([[1, 1, 1, 0, 0]], dtype=np.int64)
    answers = []
    for columns in (5, 3):
        inputs = []
        for name, values in (("input_ids", ids), ("attention_mask", mask)):
            tensor = triton.InferInput(name, [1, columns], "INT64")
            tensor.set_data_from_numpy(np.ascontiguousarray(values[:, :columns]))
            inputs.append(tensor)
        answers.append(client.infer("tiny", inputs).as_numpy("logits"))
    assert np.allclose(answers[0], answers[1], atol=1e-5)

    for call in (lambda: client.infer("other", [text_input(texts, True)]),
                 lambda: client.infer("tiny", [text_input(texts, True)], model_version="9"),
                 lambda: client.infer("tiny", [text_input(texts, True)],
                                      outputs=[triton.InferRequestedOutput("nothing")])):
        try:
            call()
        except InferenceServerException as error:
            assert error.message(), error
        else:
            raise AssertionError("a wrong request was answered")
    client.close()


def main():
    with tempfile.TemporaryDirectory() as name:
        process, url = start(sys.argv[1], pathlib.Path(name))
        try:
            check(url)
        finally:
            process.terminate()
            code = process.wait(timeout=30)
        assert code == 0, f"the server ended with {code}"
    print("tritonclient: all answers agree")


if __name__ == "__main__":
    main()

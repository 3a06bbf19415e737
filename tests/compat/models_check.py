#!/usr/bin/env python3
"""Two real clients against one `slipway serve` of an encoder, a decoder and an encoder-decoder: models_check.py PROGRAM.

`openai` writes with the decoder and embeds with the encoder; `tritonclient` (HTTP) infers with the encoder, unloads and loads models
while others ask. Exit code 77: a client is not installed.
"""
import pathlib, subprocess, sys, tempfile, threading, time

from served import Server

try:
    import numpy as np
    import openai
    import tritonclient.http as triton
    from tritonclient.utils import InferenceServerException
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
GREEDY = "w126 w118 w8 w76 w120 w138 w115 w45 w154 w77 w49 w151 w115 w157 w77 w23"  # of transformers: tests/gold


def make(folder, script, *words):
    subprocess.run([sys.executable, str(ROOT / "tests/support" / script), *words], cwd=folder, check=True,
                   stdout=(folder / f"{words[0]}.out").open("w"))


def refused(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def infer(client, model, text):
    tensor = triton.InferInput("text", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([text.encode()], dtype=object))
    return client.infer(model, [tensor], outputs=[triton.InferRequestedOutput("embedding")]).as_numpy("embedding")[0]


def check(url, prompt):
    writer = openai.OpenAI(base_url=url + "/v1", api_key="none", max_retries=0)
    server = triton.InferenceServerClient(url.removeprefix("http://"))
    assert [m.id for m in writer.models.list()] == ["mood", "llama", "bart"]
    assert writer.models.retrieve("llama").id == "llama"
    assert {m["name"]: m["state"] for m in server.get_model_repository_index()} == dict.fromkeys(["mood", "llama", "bart"], "READY")
    assert "model_repository" in server.get_server_metadata()["extensions"]
    for name in ("mood", "llama", "bart"):
        assert server.is_model_ready(name) and server.get_model_metadata(name)["name"] == name

    write = lambda: writer.completions.create(model="llama", prompt=prompt, max_tokens=16, temperature=0).choices[0].text
    embed = lambda: writer.embeddings.create(model="mood", input="a good film", encoding_format="float").data[0].embedding
    assert write() == GREEDY
    vector = embed()
    assert np.allclose(vector, infer(server, "mood", "a good film"), atol=1e-6)
    error = refused(openai.NotFoundError, lambda: writer.completions.create(model="nobody", prompt="x"))
    assert error.code == "model_not_found" and error.param == "model", error
    refused(openai.NotFoundError, lambda: writer.completions.create(model="mood", prompt="x"))
    assert "nobody" in str(refused(InferenceServerException, lambda: infer(server, "nobody", "x")))

    # Unloading and loading while others ask: the writer never notices, the encoder is right or says that it is not there.
    stop, seen = threading.Event(), {"written": 0, "embedded": 0, "refused": 0, "wrong": []}

    def writing():
        while not stop.is_set():
            if write() != GREEDY:
                seen["wrong"].append("a text")
            seen["written"] += 1

    def embedding():
        while not stop.is_set():
            try:
                if embed() != vector:
                    seen["wrong"].append("a vector")
                seen["embedded"] += 1
            except openai.NotFoundError as missing:
                if missing.code != "model_not_found" or "is not loaded" not in str(missing):
                    seen["wrong"].append(str(missing))
                seen["refused"] += 1
            except openai.InternalServerError as loading:
                if "is being loaded" not in str(loading):
                    seen["wrong"].append(str(loading))
                seen["refused"] += 1

    threads = [threading.Thread(target=work) for work in (writing, embedding)]
    for thread in threads:
        thread.start()

    def until(key, more):
        goal, deadline = seen[key] + more, time.monotonic() + 60
        while seen[key] < goal:
            assert time.monotonic() < deadline, (key, seen)
            time.sleep(0.005)

    for _ in range(5):
        until("embedded", 3)
        server.unload_model("mood")
        assert not server.is_model_ready("mood") and server.is_model_ready("llama")
        until("refused", 3)
        server.load_model("mood")
        assert server.is_model_ready("mood")
    until("written", 3)
    stop.set()
    for thread in threads:
        thread.join()
    assert not seen["wrong"], seen["wrong"][:3]
    states = lambda: {m["name"]: m["state"] for m in server.get_model_repository_index()}
    server.unload_model("llama")
    assert states() == {"mood": "READY", "llama": "UNAVAILABLE", "bart": "READY"}, states()
    assert [m.id for m in writer.models.list()] == ["mood", "bart"]
    server.load_model("llama")
    assert write() == GREEDY
    refused(InferenceServerException, lambda: server.unload_model("nobody"))
    refused(InferenceServerException, lambda: server.load_model("llama", config="{}"))
    server.close()
    return seen


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    make(folder, "tiny_bert.py", "bert")
    make(folder, "tiny_decoder.py", "llama")
    make(folder, "tiny_seq2seq.py", "bart", "bart", "2")
    with Server(folder, "mood=bert", "llama", "bart") as served:
        assert served.ready["models"] == ["mood", "llama", "bart"], served.ready
        counts = check(served.url, (folder / "llama.out").read_text().strip())
print(f"openai and tritonclient on one server of three models: {counts['written']} texts, {counts['embedded']} vectors, "
      f"{counts['refused']} told that the model is not loaded")

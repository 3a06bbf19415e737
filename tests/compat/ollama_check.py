#!/usr/bin/env python3
"""Ollama's own Python client against `slipway serve`: ollama_check.py PROGRAM TOKENIZER_JSON SHARED. 77: not installed."""
import pathlib, subprocess, sys, tempfile

from served import Server

try:
    import ollama
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

MINILM = pathlib.Path(sys.argv[2]).parent
ROOT = pathlib.Path(__file__).parents[2]


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    make = [sys.executable, str(ROOT / "tests/support/tiny_decoder.py"), str(folder / "tiny")]
    prompt = subprocess.run(make, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    server = Server(folder, folder / "tiny")
    client = ollama.Client(server.url)
    assert [m.model for m in client.list().models] == ["tiny:latest"]
    assert client.show("tiny").modelinfo["general.architecture"] == "llama"
    options = {"temperature": 0, "num_predict": 4}
    whole = client.generate("tiny", prompt, raw=True, options=options)
    assert whole.response == "w126 w118 w8 w76", whole.response
    assert whole.done and whole.done_reason == "length" and whole.eval_count == 4 and whole.prompt_eval_count == 24
    assert whole.total_duration > 0 and whole.eval_duration >= 0
    pieces = list(client.generate("tiny", prompt, raw=True, options=options, stream=True))
    assert "".join(p.response for p in pieces) == whole.response and pieces[-1].done and not pieces[0].done
    messages = [{"role": "user", "content": "w5 w6"}]
    chat = client.chat("tiny:latest", messages, options=options)
    assert chat.message.role == "assistant" and chat.message.content
    streamed = list(client.chat("tiny", messages, options=options, stream=True))
    assert "".join(p.message.content for p in streamed) == chat.message.content
    for call in (lambda: client.chat("other", messages), lambda: client.generate("tiny", "w5", options={"temperature": "hot"})):
        try:
            call()
            raise AssertionError("no error")
        except ollama.ResponseError as error:
            assert error.status_code in (400, 404) and error.error, error
    server.stop()
    server = Server(folder, MINILM, "--endpoint", "minilm")
    client = ollama.Client(server.url)
    answer = client.embed("minilm", ["a joy to watch", "another text"])
    assert len(answer.embeddings) == 2 and abs(sum(x * x for x in answer.embeddings[0]) - 1) < 1e-4
    server.stop()
print("ollama: list, show, generate, chat, streams, errors, embed")

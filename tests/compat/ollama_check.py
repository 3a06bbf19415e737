#!/usr/bin/env python3
"""Ollama's own Python client against `slipway serve`: ollama_check.py PROGRAM TOKENIZER_JSON SHARED. 77: not installed."""
import atexit, json, pathlib, signal, subprocess, sys, tempfile, time

try:
    import ollama
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

PROGRAM, MINILM = sys.argv[1], pathlib.Path(sys.argv[2]).parent
ROOT = pathlib.Path(__file__).parents[2]


def start(folder, *words):
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    process = subprocess.Popen([PROGRAM, "serve", *words, "--port", "0", "--ready-file", str(ready)], cwd=folder,
                               stdout=subprocess.DEVNULL)
    atexit.register(process.kill)
    deadline = time.monotonic() + 60
    while not ready.exists():
        assert process.poll() is None and time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    return process, ollama.Client(json.loads(ready.read_text())["url"])


def stop(process):
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    make = [sys.executable, str(ROOT / "tests/support/tiny_decoder.py"), str(folder / "tiny")]
    prompt = subprocess.run(make, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    process, client = start(folder, str(folder / "tiny"))
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
    stop(process)
    process, client = start(folder, str(MINILM), "--endpoint", "minilm")
    answer = client.embed("minilm", ["a joy to watch", "another text"])
    assert len(answer.embeddings) == 2 and abs(sum(x * x for x in answer.embeddings[0]) - 1) < 1e-4
    stop(process)
print("ollama: list, show, generate, chat, streams, errors, embed")

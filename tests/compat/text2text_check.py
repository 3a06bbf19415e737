#!/usr/bin/env python3
"""huggingface_hub's InferenceClient against `slipway serve` of encoder-decoders: text2text_check.py PROGRAM. 77: not installed."""
import json, pathlib, subprocess, sys, tempfile

from served import Server

try:
    from huggingface_hub import InferenceClient
    from huggingface_hub.errors import HfHubHTTPError
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]


def make(folder, family, case):
    subprocess.run([sys.executable, str(ROOT / "tests/support/tiny_seq2seq.py"), "tiny", family, str(case)], cwd=folder, check=True)
    read = lambda name: (folder / name).read_text()
    return read("prompt"), json.loads(read("settings")), json.loads(read("want"))


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    prompt, settings, want = make(folder, "bart", 2)
    with Server(folder, "tiny") as server:
        client = InferenceClient(server.url)
        answer = client.summarization(prompt, generate_parameters=settings)
        assert answer.summary_text == want["summary_text"], answer
        cut = client.summarization(" ".join([prompt] * 3), truncation="longest_first", generate_parameters={"max_new_tokens": 3})
        assert cut.summary_text, cut
        try:
            client.summarization(" ".join([prompt] * 3))
            raise AssertionError("a source that is too long was taken")
        except HfHubHTTPError as error:
            assert error.response.status_code == 400, error

    prompt, settings, want = make(folder, "marian", 2)
    with Server(folder, "tiny") as server:
        client = InferenceClient(server.url)
        answer = client.translation(prompt, generate_parameters=settings)
        assert answer.translation_text == want["translation_text"], answer
print("summaries and translations as huggingface_hub reads them")

#!/usr/bin/env python3
"""huggingface_hub's InferenceClient against `slipway serve` of encoders with each head: pipeline_check.py PROGRAM. 77: not installed."""
import json, pathlib, subprocess, sys, tempfile

from served import Server

try:
    from huggingface_hub import InferenceClient
    from huggingface_hub.errors import HfHubHTTPError
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLD = json.loads((ROOT / "tests/gold/tasks.json").read_text())


class Served(Server):
    """The server of one of the tiny models; in a `with`, its client."""

    def __init__(self, folder, head):
        subprocess.run([sys.executable, str(ROOT / "tests/support/tiny_task.py"), "tiny", head], cwd=folder, check=True)
        super().__init__(folder, "tiny")

    def __enter__(self):
        return InferenceClient(self.url)


def near(a, b):
    assert abs(a - b) < 1e-4, (a, b)


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    with Served(folder, "token") as client:
        for case in GOLD["ner"]:
            for strategy in ("simple", "first", "average", "max"):
                got = client.token_classification(case["text"], aggregation_strategy=strategy)
                assert len(got) == len(case[strategy]), (got, case)
                for one, want in zip(got, case[strategy]):
                    assert (one.entity_group, one.word, one.start, one.end) == (
                        want["entity_group"], want["word"], want["start"], want["end"]), (one, want)
                    near(one.score, want["score"])
        near(client.sentence_similarity("the film", other_sentences=["the film", "a plot"])[0], 1)
        try:
            InferenceClient(client.model + "/pipeline/fill-mask").fill_mask("a [MASK]")
            raise AssertionError("a model without the head filled a mask")
        except HfHubHTTPError as error:
            assert error.response.status_code == 400, error
    with Served(folder, "mlm") as client:
        for case in GOLD["mask"]:
            if case["text"].count("[MASK]") == 1:
                for one, want in zip(client.fill_mask(case["text"], **case["parameters"]), case["result"], strict=True):
                    assert (one.token, one.token_str, one.sequence) == (want["token"], want["token_str"], want["sequence"])
                    near(one.score, want["score"])
    with Served(folder, "nli") as client:
        for case in GOLD["zero_shot"]:
            got = client.zero_shot_classification(case["sequence"], candidate_labels=["good", "bad", "very awful"],
                                                  **case["parameters"])
            assert [one.label for one in got] == case["labels"], (got, case)
            for one, score in zip(got, case["scores"], strict=True):
                near(one.score, score)
        got = client.text_classification("the movie is good")
        assert {one.label for one in got} == {"contradiction", "neutral", "entailment"}, got
        near(sum(one.score for one in got), 1)
        assert len(client.text_classification("the movie is good", top_k=1)) == 1
    with Served(folder, "qa") as client:
        for case in GOLD["qa"]:
            got = client.question_answering(question=case["question"], context=case["context"],
                                            max_answer_len=case["max_answer_len"])
            near(got.score, case["score"])
            assert case["context"][got.start:got.end] == got.answer, got
        got = client.question_answering(question="is it good", context="the movie is very good", top_k=3)
        assert len(got) == 3, got
        vectors = InferenceClient(client.model + "/pipeline/feature-extraction").feature_extraction("the film")
        assert vectors.shape == (1, 32), vectors.shape
print("entities, masks, labels, answers and embeddings as huggingface_hub reads them")

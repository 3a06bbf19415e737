#!/usr/bin/env python3
"""LIME and Partition SHAP of ours (`slipway explain`) against the Python packages, on the same model, texts and numbers of samples.

usage: explain.py SLIPWAY_BINARY MODEL_FOLDER TEXTS_JSONL [--limit 10] [--lime-samples 1000] [--max-evals 500] [--seed 7]
MODEL_FOLDER is a Hugging Face classifier both can load; where it has model.int8.safetensors too (what `slipway run` serves), ours is also timed
on that. TEXTS_JSONL has {"text": ...} lines. Needs the Python packages torch,
transformers, lime and shap. Values are compared first (LIME by correlation, as random draws differ; SHAP by difference), then CPU
seconds, one thread each. Prints one JSON object.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import time

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")

# Texts on which the two programs' words are the same: no apostrophes, hyphens, numbers with points, underscores or ideographs.
PLAIN = re.compile(r"[A-Za-z ,.!?;:()\"]+")


def read_texts(path, limit):
    texts = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            # shap's splitter drops what follows the last word; ours keeps it there whatever is masked.
            text = json.loads(line)["text"].strip().rstrip(" ,.!?;:()\"")
            words = len(re.findall(r"\w+", text))
            if PLAIN.fullmatch(text) and text[0].isalpha() and 4 <= words <= 32:
                texts.append(text)
            if len(texts) == limit:
                break
    if not texts:
        sys.exit("no text is plain enough to compare")
    return texts


def run_ours(args, texts, method, samples, precision):
    rows = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    command = [args.slipway, "explain", args.model, "--method", method, "--seed", str(args.seed), "--num-samples", str(samples),
               "--no-faithfulness", "--precision", precision, "--threads", "1"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    run = subprocess.run(command, input=rows.encode(), stdout=subprocess.PIPE, check=True)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [json.loads(line) for line in run.stdout.splitlines() if line.strip()], cpu, wall


class Peer:
    """The same classifier in transformers, as a function of a list of texts."""

    def __init__(self, folder):
        import torch
        import transformers

        torch.set_num_threads(1)
        self.torch = torch
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self.model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
        self.labels = [self.model.config.id2label[i] for i in range(self.model.config.num_labels)]
        self.evaluations = 0

    def __call__(self, texts):
        texts = [str(text) for text in texts]
        self.evaluations += len(texts)
        out = []
        with self.torch.inference_mode():
            for begin in range(0, len(texts), 64):
                batch = self.tokenizer(texts[begin:begin + 64], padding=True, truncation=True, return_tensors="pt")
                out.append(self.model(**batch).logits.softmax(-1))
        return self.torch.cat(out).numpy()


def run_lime(peer, texts, ours, samples, seed):
    from lime.lime_text import LimeTextExplainer

    explainer = LimeTextExplainer(class_names=peer.labels, random_state=seed)
    values = []
    start = time.process_time()
    for text, row in zip(texts, ours):
        label = peer.labels.index(row["label"])
        result = explainer.explain_instance(text, peer, labels=(label,), num_features=10, num_samples=samples)
        values.append(dict(result.as_list(label=label)))
    return values, time.process_time() - start


def run_shap(peer, texts, ours, max_evals):
    import shap

    explainer = shap.Explainer(peer, shap.maskers.Text(r"\W+"), output_names=peer.labels, silent=True)
    values = []
    start = time.process_time()
    for text, row in zip(texts, ours):
        label = peer.labels.index(row["label"])
        result = explainer([text], max_evals=max_evals, batch_size=64)
        values.append([float(v) for v in result.values[0][:, label]])
    return values, time.process_time() - start


def correlation(a, b):
    if len(a) < 2 or statistics.pstdev(a) == 0 or statistics.pstdev(b) == 0:
        return None
    return statistics.correlation(a, b)


def compare_lime(ours, theirs):
    found = []
    for row, words in zip(ours, theirs):
        mine = {token["word"]: token["value"] for token in row["tokens"]}
        both = sorted(set(mine) | set(words))
        found.append(correlation([mine.get(w, 0.0) for w in both], [words.get(w, 0.0) for w in both]))
    return [c for c in found if c is not None]


def compare_shap(ours, theirs):
    largest = 0.0
    for row, values in zip(ours, theirs):
        mine = [token["value"] for token in row["tokens"]]
        if len(mine) == len(values):
            largest = max(largest, max(abs(a - b) for a, b in zip(mine, values)))
    return largest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slipway")
    parser.add_argument("model")
    parser.add_argument("texts")
    parser.add_argument("--limit", type=int, default=10)
    parser.add_argument("--lime-samples", type=int, default=1000)
    parser.add_argument("--max-evals", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    texts = read_texts(args.texts, args.limit)
    peer = Peer(args.model)
    peer(texts[:1])  # first-call costs are not the explainer's
    result = {"texts": len(texts), "words": statistics.mean(len(re.findall(r"\w+", t)) for t in texts)}
    for method, samples in (("lime", args.lime_samples), ("shap", args.max_evals)):
        ours, cpu, wall = run_ours(args, texts, method, samples, "float32")
        if len(ours) != len(texts):
            sys.exit(f"{len(ours)} explanations came back for {len(texts)} texts")
        peer.evaluations = 0
        if method == "lime":
            theirs, peer_cpu = run_lime(peer, texts, ours, samples, args.seed)
            agreement = {"median_correlation": statistics.median(compare_lime(ours, theirs) or [float("nan")])}
        else:
            theirs, peer_cpu = run_shap(peer, texts, ours, samples)
            agreement = {"largest_difference": compare_shap(ours, theirs)}
        result[method] = {
            **agreement,
            "ours": {"cpu_s": cpu, "wall_s": wall, "evaluations": sum(row["evaluations"] for row in ours)},
            "theirs": {"cpu_s": peer_cpu, "evaluations": peer.evaluations},
            "ratio": peer_cpu / cpu,
        }
        if (pathlib.Path(args.model) / "model.int8.safetensors").exists():
            small, small_cpu, _ = run_ours(args, texts, method, samples, "int8")
            values = [(a["value"], b["value"]) for x, y in zip(ours, small) if len(x["tokens"]) == len(y["tokens"])
                      for a, b in zip(x["tokens"], y["tokens"])]
            result[method]["ours_int8"] = {"cpu_s": small_cpu, "ratio": peer_cpu / small_cpu,
                                           "correlation_to_float32": correlation(*zip(*values))}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

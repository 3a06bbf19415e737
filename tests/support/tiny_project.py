#!/usr/bin/env python3
"""Writes a whole small project, for tests that need one: tiny_project.py FOLDER [KEY=VALUE ...]

FOLDER gets base/ (a BERT of 16 hidden units: config.json, vocab.txt, random model.safetensors), reviews.csv (generated
sentences about films, labelled) and slipway.yaml, so that `slipway run` takes it through every step in a few seconds.
The same arguments give the same bytes. KEY=VALUE: rows, seed (of the rows), and what the YAML says: train_seed, epochs, gate, window.
"""
import json, math, pathlib, random, struct, sys

GOOD = "wonderful brilliant moving funny charming superb delightful gripping tender fresh".split()
BAD = "dreadful boring clumsy tedious awful shallow stale painful lifeless messy".split()
NAMES = "film movie story plot script cast acting music ending dialogue scene camera".split()
FILL = "the a this that was is felt seemed really quite so and but with its for me again today honestly we".split()
PLACES = "cinema london theatre friday screen crowd row night family friend sister director".split()

YAML = """project: tiny-reviews
description: A project small enough to go through every step in a test.
task: text-classification
license: apache-2.0
languages: [en]
labels: [bad, good]
data:
  sources:
    - {{id: reviews, type: csv, path: reviews.csv, text: text, label: label, licence: CC0-1.0}}
  clean: [unicode, whitespace, {{length: {{min: 2, max: 64}}}}]
  deduplicate: {{exact: true}}
  validate: {{label_balance: 0.2, leak: train/test}}
  split: {{train: 0.6, validation: 0.2, test: 0.2, stratify: label, exact: true, seed: 7}}
model:
  base: base
train:
  objective: classification
  from_scratch: true
  epochs: {epochs}
  batch_size: 16
  learning_rate: 1.0e-2
  max_length: 24
  checkpoint_every: 5
  seed: {train_seed}
evaluate:
  metrics: [accuracy, f1]
  slices: [length]
  bias: {{suite: names-and-pronouns}}
  bootstrap: 200
  gates: ["{gate}"]
optimize: {{quantize: int8, max_loss: {{accuracy: 0.2}}}}
# The machine is shared: latencies are not what the tests are about.
deploy: {{endpoint: tiny-reviews, strategy: canary, steps: [50%, 100%], max_latency_ratio: 1000}}
monitor:
  window: {window}
  drift: {{tests: [psi, js]}}
  replay: [{{name: reviews, split: test}}]
explain: {{methods: [shap, lime], sample: 2, num_samples: 50}}
"""


def sentences(rows, seed):
    generator, seen = random.Random(seed), set()
    while len(seen) < rows:
        label = generator.choice(["good", "bad"])
        words = [generator.choice(GOOD if label == "good" else BAD) for _ in range(2)]
        words += [generator.choice(NAMES), generator.choice(PLACES)] + generator.choices(FILL, k=generator.randint(3, 9))
        generator.shuffle(words)
        text = " ".join(words)
        if generator.random() < 0.05:  # wrongly labelled, so that no model is perfect
            label = {"good": "bad", "bad": "good"}[label]
        if text not in seen:
            seen.add(text)
            yield text, label


def tensors(spec):
    h, i = spec["hidden_size"], spec["intermediate_size"]
    yield "embeddings.word_embeddings.weight", [spec["vocab_size"], h]
    yield "embeddings.position_embeddings.weight", [spec["max_position_embeddings"], h]
    yield "embeddings.token_type_embeddings.weight", [2, h]
    yield from norm("embeddings.LayerNorm", h)
    for layer in range(spec["num_hidden_layers"]):
        at = f"encoder.layer.{layer}."
        for name, rows, columns in [("attention.self.query", h, h), ("attention.self.key", h, h), ("attention.self.value", h, h),
                                    ("attention.output.dense", h, h), ("intermediate.dense", i, h), ("output.dense", h, i)]:
            yield at + name + ".weight", [rows, columns]
            yield at + name + ".bias", [rows]
        yield from norm(at + "attention.output.LayerNorm", h)
        yield from norm(at + "output.LayerNorm", h)
    yield "pooler.dense.weight", [h, h]
    yield "pooler.dense.bias", [h]


def norm(name, size):
    yield name + ".weight", [size]
    yield name + ".bias", [size]


def write_base(folder, words=frozenset({*GOOD, *BAD, *NAMES, *FILL, *PLACES})):
    """A random BERT and a WordPiece vocabulary of `words` and the Latin letters."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted({*words} - {*letters}), *letters, *("##" + letter for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    spec = {"architectures": ["BertModel"], "model_type": "bert", "vocab_size": len(words), "hidden_size": 16, "num_hidden_layers": 2,
            "num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 32, "type_vocab_size": 2,
            "hidden_act": "gelu", "layer_norm_eps": 1e-12, "initializer_range": 0.1, "pad_token_id": 0}
    (folder / "config.json").write_text(json.dumps(spec, indent=2) + "\n")
    generator, header, body = random.Random(1), {}, b""
    for name, shape in tensors(spec):
        count = math.prod(shape)
        is_norm = "LayerNorm.weight" in name
        values = [1.0 if is_norm else generator.gauss(0, 0.1) if len(shape) > 1 else 0.0 for _ in range(count)]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + 4 * count]}
        body += struct.pack(f"<{count}f", *values)
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + body)


def write_yaml(folder, epochs=6, train_seed=7, gate="accuracy >= 0.7", window=50):
    (folder / "slipway.yaml").write_text(YAML.format(epochs=epochs, train_seed=train_seed, gate=gate, window=window))


def make(folder, rows=300, seed=1, **yaml):
    """The whole project at `folder`, which is made when it is not there; `yaml` as write_yaml takes it."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "base").exists():
        write_base(folder / "base")
        lines = [f"{text},{label}" for text, label in sentences(rows, seed)]
        (folder / "reviews.csv").write_text("text,label\n" + "\n".join(lines) + "\n")
    write_yaml(folder, **yaml)


if __name__ == "__main__":
    given = dict(argument.split("=", 1) for argument in sys.argv[2:])
    make(sys.argv[1], **{key: int(value) if value.isdigit() else value for key, value in given.items()})

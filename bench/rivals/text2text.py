#!/usr/bin/env python3
"""Text to text: `slipway serve` of a T5 against CTranslate2 and transformers, float32, in one run.

usage: text2text.py [--slipway BINARY] [--threads 2] [--rounds 3] [--input 128] [--output 64] [--json OUT]

The model has t5-small's shape and random weights, so that any machine can make it; every word of the texts is one token, and every output has
exactly the same length. Cases: 1 and 16 texts, greedy and with 4 beams. Ours is timed over HTTP (POST /, the pipeline's JSON), the peers in
their own process; texts are compared with ours, and the script says how many are equal. Figures are medians in milliseconds. Needs torch,
transformers and ctranslate2.
"""
import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import tempfile
import time
import urllib.request

import ctranslate2
import torch
import transformers

SETTLE_SECONDS = 0.5
VOCAB = 32128
CASES = [(1, 1), (1, 4), (16, 1), (16, 4)]  # texts, beams


def make_model(folder):
    torch.manual_seed(1)
    config = transformers.T5Config(vocab_size=VOCAB, d_model=512, d_kv=64, d_ff=2048, num_layers=6, num_heads=8, decoder_start_token_id=0)
    model = transformers.T5ForConditionalGeneration(config).float().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.mul_(1.5)  # texts that depend on the input
    model.save_pretrained(folder)
    special = {"<pad>": 0, "</s>": 1, "<unk>": 2}
    added = [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
             for t, i in special.items()]
    ends = [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}]
    tokenizer = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None, "decoder": None,
                 "pre_tokenizer": {"type": "WhitespaceSplit"},
                 "post_processor": {"type": "TemplateProcessing", "single": ends, "pair": ends + [{"Sequence": {"id": "B", "type_id": 0}}],
                                    "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}},
                 "model": {"type": "WordLevel", "vocab": special | {f"w{i}": i for i in range(3, VOCAB)}, "unk_token": "<unk>"}}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(names))
    return model


def words(ids):
    return " ".join(f"w{i}" for i in ids if i > 2)


class Slipway:
    def __init__(self, options, folder):
        ready = folder / "ready.json"
        self.output = options.output
        command = [options.slipway, "serve", str(folder), "--port", "0", "--ready-file", str(ready), "--threads", str(options.threads)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while not ready.exists():
            if self.process.poll() is not None:
                raise SystemExit("slipway serve ended")
            time.sleep(0.02)
        self.url = json.loads(ready.read_text())["url"] + "/"

    def __call__(self, sources, beams):
        settings = {"num_beams": beams, "max_new_tokens": self.output, "min_new_tokens": self.output, "early_stopping": True}
        body = json.dumps({"inputs": [words(s) for s in sources], "parameters": settings}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        return [answer["generated_text"] for answer in json.load(urllib.request.urlopen(request))]

    def close(self):
        self.process.terminate()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slipway", default="build/release/slipway")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--input", type=int, default=128)
    parser.add_argument("--output", type=int, default=64)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "t5"
        folder.mkdir()
        model = make_model(folder)
        ctranslate2.converters.TransformersConverter(str(folder)).convert(os.path.join(temporary, "ct2"))
        translator = ctranslate2.Translator(os.path.join(temporary, "ct2"), device="cpu", compute_type="float32", intra_threads=options.threads)
        server = Slipway(options, folder)

        def peer_transformers(sources, beams):
            with torch.no_grad():
                out = model.generate(torch.tensor(sources), num_beams=beams, max_new_tokens=options.output, min_new_tokens=options.output,
                                     early_stopping=beams > 1)
            return [words(row) for row in out.tolist()]

        def peer_ctranslate2(sources, beams):
            tokens = [[f"w{i}" for i in s[:-1]] + ["</s>"] for s in sources]
            out = translator.translate_batch(tokens, beam_size=beams, max_decoding_length=options.output, min_decoding_length=options.output)
            return [" ".join(one.hypotheses[0]) for one in out]

        sides = {"slipway": server, "CTranslate2": peer_ctranslate2, "transformers": peer_transformers}
        rng = random.Random(3)
        results = []
        for count, beams in CASES:
            sources = [[rng.randrange(3, VOCAB) for _ in range(options.input - 1)] + [1] for _ in range(count)]
            times = {name: [] for name in sides}
            texts = {}
            for _ in range(options.rounds):
                for name, side in sides.items():
                    time.sleep(SETTLE_SECONDS)  # the threads of the one before go on spinning for a while
                    begin = time.perf_counter()
                    texts[name] = side(sources, beams)
                    times[name].append(1000 * (time.perf_counter() - begin))
            row = {name: statistics.median(values) for name, values in times.items()}
            equal = {name: sum(a == b for a, b in zip(texts["slipway"], texts[name])) for name in sides if name != "slipway"}
            print(f"{count:2} texts, {beams} beams:" + "".join(f"  {name} {value:6.0f} ms" for name, value in row.items()) + "".join(
                f"; {row[name] / row['slipway']:.2f}x {name} ({n} of {count} texts equal)" for name, n in equal.items()), flush=True)
            results.append({"texts": count, "beams": beams, "milliseconds": row, "equal": equal})
        server.close()
    if options.json:
        options.json.write_text(json.dumps({"threads": options.threads, "input": options.input, "output": options.output,
                                            "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()

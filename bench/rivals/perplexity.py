#!/usr/bin/env python3
"""Perplexity of one text under the same .gguf: `slipway perplexity` beside llama.cpp, by the same sliding window.

usage: perplexity.py --text FILE --gguf MODEL.gguf ... [--slipway BINARY] [--window 512] [--stride 256] [--threads 2]

Needs llama-cpp-python. Each token is scored once, in the first window that holds it; llama.cpp's logits become log-probabilities in float64.
"""
import argparse
import json
import subprocess

import llama_cpp
import numpy


def theirs(path, text, window, stride, threads):
    model = llama_cpp.Llama(path, n_ctx=window, n_batch=window, logits_all=True, verbose=False, n_threads=threads)
    ids = model.tokenize(text.encode(), add_bos=False)
    done, begin, total = 1, 0, 0.0
    while done < len(ids):
        end = min(begin + window, len(ids))
        model.reset()
        model.eval(ids[begin:end])
        logits = model.scores[: end - begin].astype(numpy.float64)
        most = logits.max(1)
        normalizer = most + numpy.log(numpy.exp(logits - most[:, None]).sum(1))
        rows = numpy.arange(done - 1 - begin, end - 1 - begin)
        total += (logits[rows, ids[done:end]] - normalizer[rows]).sum()
        done, begin = end, begin + stride
    return float(numpy.exp(-total / (len(ids) - 1))), len(ids) - 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", required=True)
    parser.add_argument("--gguf", nargs="+", required=True)
    parser.add_argument("--slipway", default="build/release/slipway")
    parser.add_argument("--window", type=int, default=512)
    parser.add_argument("--stride", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    with open(options.text, encoding="utf-8") as file:
        text = file.read()
    for path in options.gguf:
        command = [options.slipway, "perplexity", path, options.text, "--window", str(options.window), "--stride", str(options.stride),
                   "--threads", str(options.threads), "--json"]
        ours = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        peer, tokens = theirs(path, text, options.window, options.stride, options.threads)
        if tokens != ours["tokens"]:
            raise SystemExit(f"{path}: {ours['tokens']} tokens here, {tokens} in llama.cpp")
        print(f"{path}: {ours['perplexity']:.4f}, llama.cpp {peer:.4f} ({100 * (ours['perplexity'] / peer - 1):+.3f} %), {tokens} tokens", flush=True)


if __name__ == "__main__":
    main()

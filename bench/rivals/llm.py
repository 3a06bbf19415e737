#!/usr/bin/env python3
"""Text generation: `slipway bench` against llama.cpp, CTranslate2 (int8) and ONNX Runtime GenAI (int4), alternating, in one run.

usage: llm.py --gguf MODEL.gguf ... [--folder HF_FOLDER] [--genai GENAI_FOLDER] [--slipway BINARY] [--threads 1,2] [--rounds 5] [--json OUT]

Needs llama-cpp-python (its llama.cpp built for this machine) and, for --folder (the same weights as a Hugging Face folder),
ctranslate2 and transformers; for --genai (what `python -m onnxruntime_genai.models.builder -i HF_FOLDER -o GENAI_FOLDER -p int4 -e cpu` made of
them) onnxruntime-genai. First both sides continue three texts greedily and the script says for how many tokens they agree:
different roundings of activations part at some near-tie, so this is told, not required. A round runs each engine once: a prompt of
128 and of 512 tokens, then 128 tokens one by one; figures are medians over rounds, in tokens a second. CTranslate2 and ONNX Runtime run beside the first
model only. Before each engine there is a pause: the threads of the one before go on spinning for a while.
"""
import argparse
import ctypes
import json
import pathlib
import random
import statistics
import subprocess
import tempfile
import time

SETTLE_SECONDS = 0.5
PROMPTS = ["The capital of France is", "Once upon a time there was", "The three laws of thermodynamics are"]


class LlamaCpp:
    def __init__(self, path, threads):
        import llama_cpp

        self.lib = llama_cpp
        self.silent = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(self.silent, None)
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = 0
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        context = llama_cpp.llama_context_default_params()
        context.n_ctx, context.n_batch, context.n_ubatch = 1024, 512, 512
        context.n_threads = context.n_threads_batch = threads
        self.context = llama_cpp.llama_init_from_model(self.model, context)
        self.vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))

    def _decode(self, ids):
        array = (self.lib.llama_token * len(ids))(*ids)
        if self.lib.llama_decode(self.context, self.lib.llama_batch_get_one(array, len(ids))) != 0:
            raise RuntimeError("llama_decode failed")

    def _clear(self):
        self.lib.llama_memory_clear(self.lib.llama_get_memory(self.context), True)

    def prefill(self, length):
        ids = [random.randrange(self.vocab) for _ in range(length)]
        self._clear()
        begin = time.perf_counter()
        self._decode(ids)
        self.lib.llama_synchronize(self.context)
        return length / (time.perf_counter() - begin)

    def decode(self, count):
        self._clear()
        self._decode([random.randrange(self.vocab)])
        begin = time.perf_counter()
        for _ in range(count):  # any token costs the same; choosing one is not timed on this side
            self._decode([random.randrange(self.vocab)])
            self.lib.llama_synchronize(self.context)
        return count / (time.perf_counter() - begin)

    def greedy(self, ids, count):
        self._clear()
        self._decode(ids)
        out = []
        for _ in range(count):
            logits = self.lib.llama_get_logits_ith(self.context, -1)
            row = ctypes.cast(logits, ctypes.POINTER(ctypes.c_float * self.vocab)).contents
            out.append(max(range(self.vocab), key=row.__getitem__))
            self._decode([out[-1]])
        return out

    def tokenize(self, text):
        raw, buffer = text.encode(), (self.lib.llama_token * 512)()
        vocab = self.lib.llama_model_get_vocab(self.model)
        return list(buffer[: self.lib.llama_tokenize(vocab, raw, len(raw), buffer, 512, False, True)])


class CTranslate2:
    def __init__(self, folder, threads):
        import ctranslate2

        self.generator = ctranslate2.Generator(str(folder), compute_type="int8", intra_threads=threads, inter_threads=1)

    def prefill(self, length):
        tokens = [random.choices(self.words, k=length)]
        begin = time.perf_counter()
        self.generator.forward_batch(tokens)
        return length / (time.perf_counter() - begin)

    def decode(self, count):
        tokens = [random.choices(self.words, k=1)]
        begin = time.perf_counter()
        self.generator.generate_batch(tokens, max_length=count + 1, min_length=count + 1, sampling_topk=1, end_token=[])
        return count / (time.perf_counter() - begin)


class OnnxRuntimeGenai:
    def __init__(self, folder, threads):
        import onnxruntime_genai

        self.lib = onnxruntime_genai
        self.folder = tempfile.TemporaryDirectory()  # the same files under a configuration that names the threads
        config = json.loads((folder / "genai_config.json").read_text())
        session = config["model"]["decoder"]["session_options"]
        session["intra_op_num_threads"] = threads
        config["search"]["past_present_share_buffer"] = True
        for file in folder.iterdir():
            if file.name != "genai_config.json":
                (pathlib.Path(self.folder.name) / file.name).symlink_to(file.resolve())
        (pathlib.Path(self.folder.name) / "genai_config.json").write_text(json.dumps(config))
        self.vocab = config["model"]["vocab_size"]
        self.model = onnxruntime_genai.Model(self.folder.name)

    def _start(self, length, room):
        params = self.lib.GeneratorParams(self.model)
        params.set_search_options(max_length=length + room, min_length=length + room, do_sample=False)
        generator = self.lib.Generator(self.model, params)
        begin = time.perf_counter()
        generator.append_tokens([random.randrange(1000, self.vocab - 1000) for _ in range(length)])
        return generator, time.perf_counter() - begin

    def prefill(self, length):
        return length / self._start(length, 1)[1]

    def decode(self, count):
        generator, _ = self._start(1, count + 1)
        begin = time.perf_counter()
        for _ in range(count):
            generator.generate_next_token()
        return count / (time.perf_counter() - begin)


def ours(binary, gguf, threads, lengths, count):
    command = [binary, "bench", str(gguf), "--threads", str(threads), "--repetitions", "1", "--json", "--decode", str(count),
               "--prefill", ",".join(map(str, lengths))]
    rows = [json.loads(line) for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()]
    return {row["test"]: row["tokens_per_second"] for row in rows}, rows[-1]


def agreement(binary, gguf, llama, count=32):
    for prompt in PROMPTS:
        out = subprocess.run([binary, "generate", str(gguf), "--prompt", prompt, "--temperature", "0", "--ignore-eos", "--max-tokens",
                              str(count), "--json"], check=True, capture_output=True, text=True).stdout
        mine, theirs = json.loads(out)["ids"], llama.greedy(llama.tokenize(prompt), count)
        same = next((i for i, (a, b) in enumerate(zip(mine, theirs)) if a != b), count)
        print(f"greedy, {prompt!r}: the first {same} of {count} tokens are llama.cpp's")


def compare(options, gguf, converted, genai, threads):
    """Rows of one model and number of threads; medians over the rounds."""
    lengths, count = [128, 512], 128
    tests = [f"pp{n}" for n in lengths] + [f"tg{count}"]
    peers = {"llama.cpp": LlamaCpp(gguf, threads)}
    if threads == 1:
        agreement(options.slipway, gguf, peers["llama.cpp"])
    if converted:
        peers["CTranslate2 int8"] = CTranslate2(converted, threads)
        peers["CTranslate2 int8"].words = [f"{w}" for w in json.loads((converted / "vocabulary.json").read_text())][1000:40000]
    if genai:
        peers["ONNX Runtime GenAI int4"] = OnnxRuntimeGenai(genai, threads)
    figures = {name: {test: [] for test in tests} for name in ["slipway", *peers]}
    for round_number in range(options.rounds + 1):  # the first one does not count
        time.sleep(SETTLE_SECONDS)
        mine, facts = ours(options.slipway, gguf, threads, lengths, count)
        for test in tests if round_number else []:
            figures["slipway"][test].append(mine[test])
        for name, peer in peers.items():
            time.sleep(SETTLE_SECONDS)
            for n in lengths:
                value = peer.prefill(n)
                if round_number:
                    figures[name][f"pp{n}"].append(value)
            value = peer.decode(count)
            if round_number:
                figures[name][f"tg{count}"].append(value)
    results = []
    for test in tests:
        row = {name: statistics.median(values[test]) for name, values in figures.items()}
        ratios = ", ".join(f"{row['slipway'] / row[name]:.2f}x {name}" for name in peers)
        print(f"{gguf.name}, {threads} threads, {test:6}" + "".join(f"  {name} {value:8.1f}" for name, value in row.items()) + f"  ({ratios})",
              flush=True)
        results.append({"model": gguf.name, "threads": threads, "test": test, "isa": facts["isa"], "weights": facts["weight_type"],
                        "tokens_per_second": row, "of_bandwidth": facts.get("bandwidth_share") if test.startswith("tg") else None})
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--genai", type=pathlib.Path)
    parser.add_argument("--slipway", default="build/release/slipway")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as temporary:
        converted = None
        if options.folder:
            import ctranslate2

            converted = pathlib.Path(temporary) / "ct2"
            ctranslate2.converters.TransformersConverter(str(options.folder)).convert(str(converted), quantization="int8")
        for gguf in options.gguf:
            for threads in map(int, options.threads.split(",")):
                first = gguf == options.gguf[0]
                results += compare(options, gguf, converted if first else None, options.genai if first else None, threads)
    if options.json:
        options.json.write_text(json.dumps({"results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""slipway-train beside the Hugging Face Trainer: same base model, split, hyperparameters and seeds, one after the other.

usage: hf_trainer.py --base FOLDER --data FOLDER [--worker build/release/slipway-train] [--seeds 1,2,3] [--epochs 2] ...

FOLDER of --data has train.jsonl and validation.jsonl with {"text", "label"}. Each run is a process of its own, so that peak
memory (resource usage of the child) and the time from start to the end of the first step are its own. Needs torch,
transformers and accelerate for the rival. Prints a table and, as the last line, one JSON object.
"""
import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

RIVALS = ("slipway", "hf", "hf-group-by-length")


def read_rows(path):
    return [json.loads(line) for line in open(path, encoding="utf-8") if line.strip()]


def child_usage(command, **more):
    """Runs a command; its lines, wall seconds, CPU seconds and peak resident bytes."""
    begin = time.time()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **more)
    lines = process.stdout.read().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} failed with {process.returncode}: {lines[-3:]}")
    return lines, time.time() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def run_slipway(args, seed, folder):
    job = {
        "base_model": str(args.base), "dataset": str(args.data), "labels": args.labels,
        "output": f"{folder}/model", "checkpoint": f"{folder}/state",
        "options": {"epochs": args.epochs, "batch_size": args.batch_size, "learning_rate": args.learning_rate,
                    "warmup_ratio": args.warmup_ratio, "weight_decay": 0.01, "max_grad_norm": 1.0,
                    "max_length": args.max_length, "seed": seed, "load_best": False, "checkpoint_every": 0,
                    "threads": args.threads, "max_steps": max(0, args.max_steps)},
    }
    path = pathlib.Path(folder) / "job.json"
    path.write_text(json.dumps(job))
    lines, wall, cpu, rss = child_usage([args.worker, str(path)], stderr=subprocess.DEVNULL)
    done = json.loads(lines[-1])
    return {"accuracy": done["accuracy"], "loss": done["loss"], "samples_per_second": done["samples_per_second"],
            "train_seconds": done["train_seconds"], "first_step_seconds": done["first_step_seconds"], "wall_seconds": wall,
            "cpu_seconds": cpu, "peak_rss_bytes": rss}


def run_hf(args, seed, folder, grouped):
    request = {"base": str(args.base), "data": str(args.data), "labels": args.labels, "seed": seed, "folder": folder,
               "epochs": args.epochs, "batch_size": args.batch_size, "learning_rate": args.learning_rate,
               "warmup_ratio": args.warmup_ratio, "max_length": args.max_length, "grouped": grouped,
               "threads": args.threads, "max_steps": args.max_steps, "started": time.time()}
    lines, wall, cpu, rss = child_usage([sys.executable, __file__, "--hf-child", json.dumps(request)],
                                        stderr=subprocess.DEVNULL, env={**os.environ, "TOKENIZERS_PARALLELISM": "true"})
    result = json.loads(lines[-1])
    return {**result, "wall_seconds": wall, "cpu_seconds": cpu, "peak_rss_bytes": rss}


def hf_child(request):
    import numpy
    import torch
    import transformers
    if request["threads"]:
        torch.set_num_threads(request["threads"])
    transformers.set_seed(request["seed"])
    tokenizer = transformers.AutoTokenizer.from_pretrained(request["base"])
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        request["base"], num_labels=len(request["labels"]))
    index = {name: i for i, name in enumerate(request["labels"])}

    class Split(torch.utils.data.Dataset):
        def __init__(self, name):
            rows = read_rows(f"{request['data']}/{name}.jsonl")
            # The default collator of the examples pads every text to max_length; with a tokenizer, to the longest of a batch.
            padding = False if request["grouped"] else "max_length"
            encoded = tokenizer([row["text"] for row in rows], truncation=True, max_length=request["max_length"],
                                padding=padding)
            self.rows = [{"input_ids": ids, "attention_mask": mask, "labels": index.get(row["label"], row["label"])}
                         for ids, mask, row in zip(encoded["input_ids"], encoded["attention_mask"], rows)]

        def __len__(self):
            return len(self.rows)

        def __getitem__(self, i):
            return self.rows[i]

    class Clock(transformers.TrainerCallback):
        first = None
        begin = end = steps = 0

        def on_step_begin(self, *_, **__):
            self.begin = time.time()

        def on_step_end(self, *_, **__):
            self.steps += 1
            self.end += time.time() - self.begin
            if self.first is None:
                self.first = time.time() - request["started"]

    known = transformers.TrainingArguments.__dataclass_fields__
    options = dict(output_dir=request["folder"], num_train_epochs=request["epochs"], seed=request["seed"],
                   per_device_train_batch_size=request["batch_size"], per_device_eval_batch_size=64,
                   learning_rate=request["learning_rate"], weight_decay=0.01, max_grad_norm=1.0, lr_scheduler_type="linear",
                   save_strategy="no", logging_steps=50, report_to=[], disable_tqdm=True, max_steps=request["max_steps"])
    options["use_cpu" if "use_cpu" in known else "no_cuda"] = True
    options["warmup_ratio" if "warmup_ratio" in known else "warmup_steps"] = request["warmup_ratio"]
    if request["grouped"]:
        if "train_sampling_strategy" in known:
            options["train_sampling_strategy"] = "group_by_length"
        else:
            options["group_by_length"] = True
    clock = Clock()
    collator = transformers.DataCollatorWithPadding(tokenizer) if request["grouped"] else transformers.default_data_collator
    trainer = transformers.Trainer(
        model=model, args=transformers.TrainingArguments(**options), train_dataset=Split("train"),
        eval_dataset=Split("validation"), data_collator=collator, callbacks=[clock],
        compute_metrics=lambda p: {"accuracy": float((numpy.argmax(p.predictions, 1) == p.label_ids).mean())})
    trainer.train()
    metrics = trainer.evaluate()
    # A step's time in the callback has no loading of data in it: that is in the rival's favour.
    print(json.dumps({"accuracy": metrics["eval_accuracy"], "loss": metrics["eval_loss"],
                      "samples_per_second": clock.steps * request["batch_size"] / clock.end, "train_seconds": clock.end,
                      "first_step_seconds": clock.first, "torch": torch.__version__,
                      "transformers": transformers.__version__}))


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--hf-child":
        return hf_child(json.loads(sys.argv[2]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--worker", default="build/release/slipway-train")
    parser.add_argument("--labels", default="negative,positive", type=lambda s: s.split(","))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--rivals", default=",".join(RIVALS))
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--warmup-ratio", type=float, default=0.06)
    parser.add_argument("--max-length", type=int, default=64)
    parser.add_argument("--max-steps", type=int, default=-1, help="end early, for a quick look at speed")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    args = parser.parse_args()
    results = {}
    for seed in [int(s) for s in args.seeds.split(",")]:
        for rival in args.rivals.split(","):  # in turn, so that a busy machine is busy for all
            with tempfile.TemporaryDirectory() as folder:
                if rival == "slipway":
                    run = run_slipway(args, seed, folder)
                else:
                    run = run_hf(args, seed, folder, rival == "hf-group-by-length")
            results.setdefault(rival, []).append({"seed": seed, **run})
            print(f"seed {seed} {rival}: {json.dumps(run)}", file=sys.stderr)
    print(f"{'program':20} {'accuracy':>18} {'samples/s':>10} {'samples/CPU-s':>14} {'peak MB':>8} {'first step s':>13}")
    rows = len(read_rows(args.data / "train.jsonl")) * args.epochs
    if args.max_steps > 0:
        rows = args.max_steps * args.batch_size
    for rival, runs in results.items():
        middle = sorted(runs, key=lambda r: r["samples_per_second"])[len(runs) // 2]
        accuracies = " ".join(f"{r['accuracy']:.3f}" for r in runs)
        print(f"{rival:20} {accuracies:>18} {middle['samples_per_second']:10.1f} {rows / middle['cpu_seconds']:14.1f} "
              f"{max(r['peak_rss_bytes'] for r in runs) / 1e6:8.0f} {middle['first_step_seconds']:13.2f}")
    print(json.dumps({"threads": args.threads, "load": os.getloadavg()[0], "train_rows": rows,
                      "test_rows": len(read_rows(args.data / "validation.jsonl")), "results": results}))


if __name__ == "__main__":
    main()

"""What the tests of many processes on one corpus share: a corpus, one process' result, digests."""
import hashlib
import json
import os
import pathlib
import random
import subprocess

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "scale-out"
CLEAN = ["--preset", "gopher", "--set", "min_doc_words=30", "--shard-size", "32KiB"]
DEDUP = ["--shard-size", "32KiB", "--memory", "64MiB"]
WORDS = "the be to of and that have with sea ship harbour crew night storm captain island mate anchor sail rope".split()


def make_corpus(folder, documents=1500, seed=1):
    """Two files of documents; every fourth is an edited copy of an earlier one, every tenth is too short to be kept."""
    rng, texts = random.Random(seed), []
    folder.mkdir(parents=True)
    for name, part in (("a.jsonl", 2 * documents // 3), ("b.jsonl", documents // 3)):
        with open(folder / name, "w", encoding="utf-8") as out:
            for _ in range(part):
                if texts and len(texts) % 4 == 3:
                    words = rng.choice(texts).split()
                    words[rng.randrange(len(words))] = "edited"
                else:
                    words = [rng.choice(WORDS) + rng.choice(["", "", "s", "ly", "ed", str(rng.randrange(50))]) for _ in range(rng.randint(60, 120))]
                texts.append(" ".join(words[:5] if len(texts) % 10 == 9 else words))
                out.write(json.dumps({"id": len(texts), "text": texts[-1]}) + "\n")


def run(*command, **more):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **more)
    assert done.returncode == 0, (command, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def digest(out, *files):
    """Of the shards and the summary in OUT and of other files."""
    total = hashlib.sha256()
    shards = sorted(pathlib.Path(out).glob("*.jsonl.zst"))
    assert len(shards) > 4, shards
    for file in [*shards, pathlib.Path(out) / "summary.json", *files]:
        total.update(f"{file.name if file in shards else ''} {file.stat().st_size}\n".encode())
        total.update(file.read_bytes())
    return total.hexdigest()


def one_process(slipway, tmp):
    """The corpus, and the digests of what one process makes of it: cleaned, and that deduplicated."""
    make_corpus(tmp / "crawl")
    run(slipway, "data", "clean", tmp / "crawl", *CLEAN, "--out", tmp / "one-clean")
    run(slipway, "data", "dedup", tmp / "one-clean", *DEDUP, "--out", tmp / "one-unique", "--clusters", tmp / "one-clusters.jsonl")
    summary = json.loads((tmp / "one-unique" / "summary.json").read_text())
    assert summary["duplicates"] > 100 and summary["kept"] > 100, summary
    return digest(tmp / "one-clean"), digest(tmp / "one-unique", tmp / "one-clusters.jsonl")


def on_path(slipway, folder):
    """An environment in which `slipway` is the program."""
    folder.mkdir()
    (folder / "slipway").symlink_to(pathlib.Path(slipway).resolve())
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}

#!/usr/bin/env python3
"""Versions of datasets: `slipway data commit` and `checkout` beside DVC's `add` and `checkout`, on the same files, one after the other.

    pip install dvc
    bench/rivals/dvc.py SLIPWAY [--dvc dvc] [--files 100000] [--megabytes 1000] [--rounds 3] [--work FOLDER] [--json OUT]

1. many small files: the first version, the same again with one file changed, and laid out from nothing
2. one large file: the first version, and laid out
3. bytes added in the middle of it: the next version, what the store grows by, and laid out

Every checkout is compared with the files it was made of before a time counts. Ours is on the disk (fsync) when it returns; DVC does not
sync. Wall time and processor time (with children) in seconds, medians; the caches' growth in MB.
"""
import argparse, filecmp, json, os, pathlib, random, resource, shutil, statistics, subprocess, tempfile, time


def timed(command, folder):
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "DVC_NO_ANALYTICS": "1"})
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout[-2000:]}")
    return {"wall": wall, "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def kept(folder):
    return sum(os.lstat(os.path.join(at, name)).st_blocks * 512 for at, _, names in os.walk(folder) for name in names) / 1e6


def same(a, b):
    def listing(root):
        return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file() and p.name != ".gitignore")
    return listing(a) == listing(b) and all(filecmp.cmp(a / name, b / name, shallow=False) for name in listing(a))


class Slipway:
    name = "slipway"

    def __init__(self, program, folder):
        self.program, self.folder, self.cache = program, folder, folder / ".slipway"

    def start(self):
        pass

    def add(self):
        return timed([self.program, "data", "commit", "data", "--name", "d", "--quiet"], self.folder)

    def checkout(self):
        return timed([self.program, "data", "checkout", "d", "--out", "data", "--quiet"], self.folder)


class Dvc:
    name = "dvc"

    def __init__(self, program, folder):
        self.program, self.folder, self.cache = program, folder, folder / ".dvc"

    def start(self):
        timed([self.program, "init", "--no-scm", "-q"], self.folder)

    def add(self):
        return timed([self.program, "add", "data", "-q"], self.folder)

    def checkout(self):
        return timed([self.program, "checkout", "-q"], self.folder)


def small_files(folder, count, rng):
    for i in range(count):
        at = folder / f"{i % 256:02x}"
        at.mkdir(parents=True, exist_ok=True)
        (at / f"{i}.txt").write_bytes(f"{i} ".encode() + rng.randbytes(rng.randint(200, 3000)))


def large_file(folder, megabytes, rng):
    folder.mkdir(parents=True)
    with open(folder / "large.bin", "wb") as file:
        for _ in range(megabytes):
            file.write(rng.randbytes(1_000_000))


def edit_small(folder):
    (folder / "00" / "0.txt").write_text("changed")


def edit_large(folder):
    path = folder / "large.bin"
    other = folder.parent / "edited"
    with open(path, "rb") as old, open(other, "wb") as new:
        left = path.stat().st_size // 2
        while left > 0:
            piece = old.read(min(left, 1 << 20))
            new.write(piece)
            left -= len(piece)
        new.write(b"some bytes that were not there before" * 30)
        shutil.copyfileobj(old, new, 1 << 20)
    os.replace(other, path)


def measure(tool, make, edit, times, label):
    make(tool.folder / "data")
    tool.start()
    os.sync()
    time.sleep(2.5)  # files younger than two seconds are always read again

    def note(task, took, before):
        took["grown"] = kept(tool.cache) - before
        times.setdefault(f"{label}: {task}", {}).setdefault(tool.name, []).append(took)

    def lay_out(task):
        truth = tool.folder / "truth"
        os.rename(tool.folder / "data", truth)
        note(task, tool.checkout(), kept(tool.cache))
        if not same(truth, tool.folder / "data"):
            raise SystemExit(f"{tool.name}: the checkout of {label} is not what was added")
        shutil.rmtree(truth)

    before = kept(tool.cache) if tool.cache.exists() else 0
    note("first version", tool.add(), before)
    lay_out("checkout")
    time.sleep(2.5)
    tool.add()  # so that both know the files that they laid out
    edit(tool.folder / "data")
    before = kept(tool.cache)
    note("next version", tool.add(), before)
    lay_out("checkout of the next")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slipway")
    parser.add_argument("--dvc", default="dvc")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    program = str(pathlib.Path(arguments.slipway).resolve())
    times = {}
    for round_number in range(arguments.rounds):
        for label, make, edit in ((f"{arguments.files} small files", lambda at, rng: small_files(at, arguments.files, rng), edit_small),
                                  (f"a file of {arguments.megabytes} MB", lambda at, rng: large_file(at, arguments.megabytes, rng), edit_large)):
            for kind, tool_program in ((Slipway, program), (Dvc, arguments.dvc)):
                with tempfile.TemporaryDirectory(dir=arguments.work) as work:
                    tool = kind(tool_program, pathlib.Path(work))
                    measure(tool, lambda at: make(at, random.Random(round_number)), edit, times, label)
    version = subprocess.run([arguments.dvc, "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    rows = []
    print(f"DVC {version}, {arguments.rounds} rounds; wall s, CPU s, growth MB")
    for task, tools in times.items():
        row = {"task": task}
        for name, samples in tools.items():
            row[name] = {key: statistics.median(sample[key] for sample in samples) for key in ("wall", "cpu", "grown")}
        row["ratio_wall"] = row["dvc"]["wall"] / row["slipway"]["wall"]
        row["ratio_cpu"] = row["dvc"]["cpu"] / row["slipway"]["cpu"]
        rows.append(row)
        shown = "   ".join(f"{name} {row[name]['wall']:7.2f} {row[name]['cpu']:7.2f} {row[name]['grown']:8.1f}" for name in ("slipway", "dvc"))
        print(f"{task:45} {shown}   {row['ratio_wall']:5.1f}x wall {row['ratio_cpu']:5.1f}x CPU")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps({"dvc": version, "rows": rows}, indent=1) + "\n")
    print(json.dumps({"dvc": version, "rows": rows}))


main()

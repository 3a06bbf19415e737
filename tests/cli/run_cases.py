#!/usr/bin/env python3
"""Runs text cases against the real program: run_cases.py PROGRAM FILE.test ...

A case begins with "== NAME"; then, in order:
  @ FILE          the "| " lines that follow are the content of FILE (in the case's own empty folder)
  $ COMMAND       a shell command; `slipway` is PROGRAM; $SHARED is the shared data's folder, $CACHE the cache folder
  + LINE          one more line of that command
  < LINE          a line of its standard input
  ? CODE          its exit code (0 when not given)
  > LINE          an exact line of its standard output; all given lines must be the whole output, in order
  >~ REGEX        a regular expression found in standard output
  !~ REGEX        the same for standard error
  needs NAME      skips the case, visibly, without: shared, cache, model, trainer
Several commands may follow each other in one case; each runs after the checks of the one before.
"""
import os, pathlib, re, signal, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("SLIPWAY_SHARED", ROOT.parent / "shared"))
CACHE = pathlib.Path(os.environ.get("SLIPWAY_CACHE", pathlib.Path.home() / ".cache" / "slipway"))
HAVE = {"shared": (SHARED / "data").is_dir(), "cache": CACHE.is_dir(), "model": (CACHE / "minilm/model.safetensors").is_file(),
        "trainer": len(sys.argv) > 1 and pathlib.Path(sys.argv[1]).resolve().with_name("slipway-train").is_file()}


class Command:
    def __init__(self, text, line):
        self.text, self.line, self.stdin, self.code = text, line, [], 0
        self.exact, self.out, self.err = [], [], []


def parse(path):
    cases, case, target = [], None, None
    for number, raw in enumerate(path.read_text().splitlines(), 1):
        if raw.startswith("== "):
            case = {"name": raw[3:], "files": {}, "commands": [], "needs": []}
            cases.append(case)
        elif not raw.strip() or raw.startswith("#"):
            continue
        elif raw.startswith("@ "):
            target = raw[2:]
            case["files"][target] = []
        elif raw.startswith("|"):
            case["files"][target].append(raw[2:])
        elif raw.startswith("needs "):
            case["needs"].append(raw[6:])
        elif raw.startswith("$ "):
            case["commands"].append(Command(raw[2:], number))
        elif raw.startswith("+ "):
            case["commands"][-1].text += "\n" + raw[2:]
        else:
            mark, _, rest = raw.partition(" ")
            command = case["commands"][-1]
            kinds = {"<": command.stdin, ">": command.exact, ">~": command.out, "!~": command.err}
            if mark == "?":
                command.code = int(rest)
            elif mark in kinds:
                kinds[mark].append(rest)
            else:
                sys.exit(f"{path}:{number}: what is '{mark}'?")
    return cases


def stop_what_works_in(folder):
    """A server that a case left, because it failed before it stopped it."""
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "cwd") == folder:
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            pass  # it has gone, or is another user's


def run(case, program, path):
    with tempfile.TemporaryDirectory() as folder:
        try:
            return run_in(os.path.realpath(folder), case, program, path)
        finally:
            stop_what_works_in(os.path.realpath(folder))


def run_in(folder, case, program, path):
    for name, lines in case["files"].items():
        file = pathlib.Path(folder) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(line + "\n" for line in lines))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SLIPWAY_")}
    environment.update(SHARED=str(SHARED), CACHE=str(CACHE), SLIPWAY_CACHE=str(CACHE), ROOT=str(ROOT), NO_COLOR="1",
                       PATH=f"{folder}/.bin:{os.environ['PATH']}")
    (pathlib.Path(folder) / ".bin").mkdir()
    (pathlib.Path(folder) / ".bin/slipway").symlink_to(program)
    for command in case["commands"]:
        done = subprocess.run(command.text, shell=True, cwd=folder, env=environment, timeout=300, capture_output=True,
                              input="".join(line + "\n" for line in command.stdin).encode())
        out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        wrong = []
        if done.returncode != command.code:
            wrong.append(f"exit code {done.returncode}, not {command.code}")
        if command.exact and out.splitlines() != command.exact:
            wrong.append("standard output differs from:\n    " + "\n    ".join(command.exact))
        wrong += [f"standard output lacks /{r}/" for r in command.out if not re.search(r, out, re.M)]
        wrong += [f"standard error lacks /{r}/" for r in command.err if not re.search(r, err, re.M)]
        if wrong:
            print(f"FAILED {path.name}: {case['name']} (line {command.line}: {command.text})")
            print("  " + "\n  ".join(wrong))
            print("  stdout: " + out[:3000].replace("\n", "\n          "))
            print("  stderr: " + err[:3000].replace("\n", "\n          "))
            return False
    return True


def main():
    program, passed, failed, skipped = str(pathlib.Path(sys.argv[1]).resolve()), 0, 0, 0
    for path in map(pathlib.Path, sys.argv[2:]):
        for case in parse(path):
            lacking = [need for need in case["needs"] if not HAVE[need]]
            if lacking:
                print(f"skipped {path.name}: {case['name']}: no {lacking[0]} data")
                skipped += 1
            elif run(case, program, path):
                passed += 1
            else:
                failed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(failed > 0)


main()

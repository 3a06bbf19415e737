#!/usr/bin/env python3
"""The array jobs of examples/scale-out/slurm under a real Slurm of this test's own: the bytes are those of one process, also when a task is
killed and queued again.

usage: slurm_check.py SLIPWAY        exit code 77: skipped, no Slurm (tools/setup slurm)
"""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import scale_out

SLIPWAY = pathlib.Path(sys.argv[1]).resolve()
os.environ["PATH"] += ":/usr/sbin:/sbin"
if not all(shutil.which(name) for name in ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue")):
    print("skipped: no Slurm (tools/setup slurm)")
    sys.exit(77)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for(what, condition, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.05)


class Slurm:
    """munged, slurmctld and slurmd in a folder of their own, as the user who runs the test; stopped by their process ids."""

    def __init__(self, tmp):
        self.tmp, self.children = tmp, []
        user, host = subprocess.check_output(["id", "-un"], text=True).strip(), socket.gethostname().split(".")[0]
        for name in ("state", "spool"):
            (tmp / name).mkdir(mode=0o755)
        key = tmp / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        self.conf = tmp / "slurm.conf"
        # cred_expire is also how long a task that is queued again has to wait.
        self.conf.write_text(f"""ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={free_port()}
SlurmUser={user}
SlurmdUser={user}
AuthInfo=socket={tmp}/munge.socket,cred_expire=5
StateSaveLocation={tmp}/state
SlurmdSpoolDir={tmp}/spool
SlurmctldPidFile={tmp}/slurmctld.pid
SlurmdPidFile={tmp}/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,sched_min_interval=1,batch_sched_delay=1,bf_interval=1
NodeName={host} NodeAddr=127.0.0.1 Port={free_port()} CPUs=4 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
""")
        os.environ["SLURM_CONF"] = str(self.conf)

    def __enter__(self):
        try:
            self.start("munged", "--foreground", "--force", f"--key-file={self.tmp}/munge.key", f"--socket={self.tmp}/munge.socket",
                       f"--pid-file={self.tmp}/munged.pid", f"--seed-file={self.tmp}/munge.seed", f"--log-file={self.tmp}/munged.log")
            wait_for("munged", (self.tmp / "munge.socket").exists, 20)
            self.start("slurmctld", "-D", "-f", self.conf)
            wait_for("slurmctld", lambda: "UP" in self.ask("scontrol", "ping"), 30)
            self.start("slurmd", "-D", "-f", self.conf)
            wait_for("slurmd", lambda: re.search(r"idle|mix|alloc", self.ask("sinfo", "-h", "-o", "%T")) is not None, 30)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            child.terminate()
        for child in self.children:
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def start(self, *command):
        log = open(self.tmp / f"{command[0]}.out", "w")
        self.children.append(subprocess.Popen([str(part) for part in command], stdout=log, stderr=subprocess.STDOUT, cwd=self.tmp))

    def ask(self, *command):
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def wait(self, job):
        """Until the job has left the queue."""
        wait_for(f"the end of job {job}", lambda: not self.ask("squeue", "-h", "-j", job).strip())

    def told(self):
        return "\n".join(f"== {file.name}\n{file.read_text(errors='replace')[-1500:]}" for file in sorted(self.tmp.glob("*.out")))


# The first try of task 2 is killed as soon as a block of it is done, as by a machine that runs out of memory.
WRAPPER = """#!/usr/bin/env bash
if [ "$2" = clean ] && [ "$SLURM_ARRAY_TASK_ID" = 2 ] && [ -z "${{SLURM_RESTART_COUNT:-}}" ]; then
  {slipway} "$@" & pid=$!
  until [ -e {tmp}/clean/state/part-00002.json ] || ! kill -0 $pid; do sleep 0.01; done
  kill -9 $pid
  wait $pid
  ls {tmp}/clean/state/through > {tmp}/killed 2>&1
  exit 137
fi
if [ "$2" = dedup ] && [ "$SLURM_ARRAY_TASK_ID" = 0 ] && [ -z "${{SLURM_RESTART_COUNT:-}}" ]; then
  case "$*" in *buckets*) touch {tmp}/failed; exit 1;; esac
fi
exec {slipway} "$@"
"""

with tempfile.TemporaryDirectory(prefix="slurm") as folder:
    tmp = pathlib.Path(folder)
    tmp.chmod(0o755)
    want_clean, want_unique = scale_out.one_process(SLIPWAY, tmp)
    (tmp / "bin").mkdir()
    (tmp / "bin" / "slipway").write_text(WRAPPER.format(slipway=SLIPWAY, tmp=tmp))
    (tmp / "bin" / "slipway").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp}/bin:{os.environ['PATH']}"}
    with Slurm(tmp) as slurm:
        environment["SLURM_CONF"] = str(slurm.conf)
        script = scale_out.EXAMPLES / "slurm" / "array.sbatch"
        try:
            job = scale_out.run("sbatch", "--parsable", "--array=0-3", "--output=clean-%a.out", script, "clean", tmp / "crawl", *scale_out.CLEAN,
                                "--out", tmp / "clean", "--shards", "auto", env=environment, cwd=tmp).strip()
            # Deduplication reads what one process cleaned, so that both can run at the same time.
            last = scale_out.run(scale_out.EXAMPLES / "slurm" / "dedup.sh", tmp / "one-clean", *scale_out.DEDUP, "--out", tmp / "unique",
                                 "--clusters", tmp / "clusters.jsonl", env={**environment, "TASKS": "3", "SBATCH_ARGS": "--output=dedup-%x-%a.out"},
                                 cwd=tmp).strip()
            slurm.wait(job)
            slurm.wait(last)
        except (AssertionError, subprocess.SubprocessError):
            print(slurm.told(), file=sys.stderr)
            raise
        assert (tmp / "killed").exists() and (tmp / "failed").exists(), slurm.told()
        told = (tmp / "clean-2.out").read_text() + (tmp / "dedup-buckets-0.out").read_text()
        assert told.count("queued again") == 2, told
        assert scale_out.digest(tmp / "clean") == want_clean, slurm.told()
        assert scale_out.digest(tmp / "unique", tmp / "clusters.jsonl") == want_unique, slurm.told()
        print("four tasks cleaned, ten deduplicated, one killed and one failed: the bytes are those of one process")

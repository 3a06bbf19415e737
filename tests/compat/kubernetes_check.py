#!/usr/bin/env python3
"""The manifests of examples/scale-out/kubernetes: what their containers run gives the bytes of one process, and they are what the API takes.

usage: kubernetes_check.py SLIPWAY

There is no cluster: the script does what the job controller does with the manifests as they stand. It starts the containers of all jobs in a
mixed order with their index in JOB_COMPLETION_INDEX, kills one, and starts again those that ended as their policy says. The schema is
Kubernetes' own where the package kubernetes-validate is installed (said when it is not).
"""
import pathlib
import random
import subprocess
import sys
import tempfile

import scale_out

try:
    import yaml
except ImportError:
    print("skipped: no PyYAML (tools/setup python)")
    sys.exit(77)

SLIPWAY = sys.argv[1]
FOLDER = scale_out.EXAMPLES / "kubernetes"


def jobs(name):
    found = list(yaml.safe_load_all((FOLDER / name).read_text()))
    for job in found:
        spec, pod = job["spec"], job["spec"]["template"]["spec"]
        assert job["apiVersion"] == "batch/v1" and job["kind"] == "Job" and spec["completionMode"] == "Indexed"
        mounted = {mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
        args = pod["containers"][0]["args"]
        assert args[args.index("--shards") + 1] == f"auto/{spec['completions']}" or spec["completions"] == 1, job["metadata"]["name"]
        if "podFailurePolicy" in spec:
            assert pod["restartPolicy"] == "Never"  # else the API refuses the policy
    return found


def validate(documents):
    try:
        import kubernetes_validate
    except ImportError:
        print("note: no kubernetes-validate; the schema is not checked")
        return
    for version in ("1.32", "1.35"):  # schemas before demanded onPodConditions, which the API never did
        for document in documents:
            kubernetes_validate.validate(document, version, strict=True)
    broken = {**documents[0], "spec": {**documents[0]["spec"], "completion": 4}}
    try:
        kubernetes_validate.validate(broken, "1.32", strict=True)
    except kubernetes_validate.ValidationError:
        print("the schema of Kubernetes holds")
        return
    sys.exit("the schema check takes anything")


def command_of(container, tmp, settings):
    """What the container runs, with the volume at TMP and the test's settings in place of the manifest's."""
    command = [part.replace("/corpus/", f"{tmp}/") for part in container["command"] + container["args"]]
    for flag, value in zip(settings[::2], settings[1::2]):
        if flag in command:
            command[command.index(flag) + 1] = value
        else:
            command += [flag, value]
    return command


def controller(found, tmp, environment, settings, rng):
    """Runs all jobs to their end; returns how often containers were started."""
    todo = [(job, index) for job in found for index in range(job["spec"]["completions"])]
    failures, started, killed = {}, 0, False
    while todo:
        job, index = todo.pop(rng.randrange(len(todo)))
        command = command_of(job["spec"]["template"]["spec"]["containers"][0], tmp, settings)
        child = subprocess.Popen(command, env={**environment, "JOB_COMPLETION_INDEX": str(index)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        started += 1
        if not killed and index == 1:
            killed = True
            try:
                child.wait(timeout=0.05)
            except subprocess.TimeoutExpired:
                child.kill()
        _, error = child.communicate(timeout=120)
        if child.returncode == 0:
            continue
        policy = job["spec"].get("podFailurePolicy", {"rules": []})
        ignored = any(child.returncode in rule.get("onExitCodes", {}).get("values", []) for rule in policy["rules"])
        name = job["metadata"]["name"]
        failures[name] = failures.get(name, 0) + (not ignored)
        assert failures[name] <= job["spec"]["backoffLimit"], (name, child.returncode, error)
        todo.append((job, index))
    return started


clean, dedup = jobs("clean.yaml"), jobs("dedup.yaml")
validate(clean + dedup)
with tempfile.TemporaryDirectory() as folder:
    tmp = pathlib.Path(folder)
    want_clean, want_unique = scale_out.one_process(SLIPWAY, tmp)
    environment = scale_out.on_path(SLIPWAY, tmp / "bin")
    rng = random.Random(3)
    started = controller(clean, tmp, environment, scale_out.CLEAN, rng)
    assert scale_out.digest(tmp / "clean") == want_clean
    (tmp / "clean").rename(tmp / "cleaned")
    (tmp / "one-clean").rename(tmp / "clean")
    started += controller(dedup, tmp, environment, scale_out.DEDUP, rng)
    print(f"{started} containers were started for {4 + 13} indices")
    # What was deduplicated lies in another folder than that of the one process: the clusters' file names it.
    clusters = tmp / "clusters.jsonl"
    clusters.write_text(clusters.read_text().replace(f"{tmp}/clean/", f"{tmp}/one-clean/"))
    assert scale_out.digest(tmp / "unique", clusters) == want_unique

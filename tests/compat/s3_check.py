#!/usr/bin/env python3
"""Artifacts in a real S3-speaking server (moto, which checks signatures): s3_check.py PROGRAM (further arguments are not needed).

Uploads of all sizes through `slipway server`, downloads with ranges by a second server that shares nothing but the bucket and the rows,
refusals, and what is told of a bucket that is not there. Exit code 77: moto is not installed.
"""
import atexit, hashlib, json, os, pathlib, random, shutil, signal, subprocess, sys, tempfile, urllib.error, urllib.request

from moto_server import Moto, wait_for

PROGRAM = sys.argv[1]
work = pathlib.Path(tempfile.mkdtemp())
atexit.register(shutil.rmtree, work, True)


class Server:
    def __init__(self, moto, folder, secret=None, blobs="s3://bucket/team/blobs"):
        self.ready = work / f"ready-{random.random()}.json"
        environment = dict(os.environ, AWS_ACCESS_KEY_ID=moto.key, AWS_SECRET_ACCESS_KEY=secret or moto.secret, AWS_REGION="us-east-1")
        self.log = open(work / "log", "a+")
        self.process = subprocess.Popen([PROGRAM, "server", "--port", "0", "--data", str(folder), "--ready-file", str(self.ready), "--blobs", blobs,
                                         "--blobs-endpoint", moto.url], stdout=subprocess.DEVNULL, stderr=self.log, env=environment)
        atexit.register(self.process.kill)
        wait_for(self.ready.exists, self.process, "the server")
        self.url = json.loads(self.ready.read_text())["url"] + "/api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/"

    def ask(self, method, path, data=None, headers={}):
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0


def store(moto, folder, *words):
    environment = dict(os.environ, AWS_ACCESS_KEY_ID=moto.key, AWS_SECRET_ACCESS_KEY=moto.secret)
    done = subprocess.run([PROGRAM, *words, "--store", str(folder), "--blobs", "s3://bucket/team/blobs", "--blobs-endpoint", moto.url, "--json"],
                          env=environment, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return json.loads(done.stdout)


moto_server = Moto()
folder = work / "record"
server = Server(moto_server, folder)
rng = random.Random(20261128)
contents = {f"f{i}.bin": rng.randbytes(size) for i, size in enumerate([0, 1, 1000, 8 << 20, (16 << 20) - 1, 16 << 20, (16 << 20) + 1, 40 << 20])}
for name, data in contents.items():
    assert server.ask("PUT", name, data)[0] == 200, name
    key = "team/blobs/" + hashlib.sha256(data).hexdigest()[:2] + "/" + hashlib.sha256(data).hexdigest()
    assert moto_server.keys()[key] == len(data), name  # there when it was acknowledged
assert server.ask("PUT", "again.bin", contents["f7.bin"])[0] == 200
assert len(moto_server.keys()) == len(contents)  # equal contents once
server.stop()

shutil.rmtree(folder / "blobs")  # as another machine has it: rows and the bucket, no copies
(folder / "blobs").mkdir()
server = Server(moto_server, folder)
for name, data in contents.items():
    status, body = server.ask("GET", name)
    assert status == 200 and body == data, name
big = contents["f7.bin"]
assert server.ask("GET", "f7.bin", headers={"Range": "bytes=30000000-30000999"}) == (206, big[30000000:30001000])

verified = store(moto_server, folder, "store", "verify")
assert verified["problems"] == [] and verified["blobs"] == len(contents), verified
assert server.ask("DELETE", "f3.bin")[0] == 200
assert store(moto_server, folder, "gc")["blobs"] == 1  # only counted
assert store(moto_server, folder, "gc", "--yes")["blobs"] == 1
assert len(moto_server.keys()) == len(contents) - 1
assert server.ask("GET", "f4.bin") == (200, contents["f4.bin"])
server.stop()

wrong = Server(moto_server, work / "wrong", secret="wrong" * 8)
status, body = wrong.ask("PUT", "x.bin", b"x")
assert status >= 400 and b"wrong" * 8 not in body, (status, body)
wrong.stop()
nowhere = Server(moto_server, work / "nowhere", blobs="s3://no-such-bucket")
status, body = nowhere.ask("PUT", "x.bin", b"x")
assert status >= 400, (status, body)
nowhere.stop()

moto_server.process.kill()
lonely = Server(moto_server, work / "lonely")
status, body = lonely.ask("PUT", "x.bin", b"x")
assert status == 503, (status, body)
lonely.stop()
assert "wrong" * 8 not in (work / "log").read_text() and moto_server.secret not in (work / "log").read_text()
print("S3: uploads, downloads, ranges, garbage and refusals hold")

#!/usr/bin/env python3
"""Artifacts in a real S3-speaking server (moto, which checks signatures): s3_check.py PROGRAM (further arguments are not needed).

Uploads of all sizes through `slipway server`, downloads with ranges by a second server that shares nothing but the bucket and the rows,
refusals, and what is told of a bucket that is not there. Exit code 77: moto is not installed.
"""
import atexit, hashlib, json, os, pathlib, random, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.error, urllib.request

try:
    import boto3, flask, moto.server  # noqa: F401
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

PROGRAM = sys.argv[1]
work = pathlib.Path(tempfile.mkdtemp())
atexit.register(shutil.rmtree, work, True)


def wait_for(ready, process, what):
    deadline = time.monotonic() + 60
    while not ready():
        assert process.poll() is None and time.monotonic() < deadline, f"{what} did not start"
        time.sleep(0.01)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Moto:
    """In a process of its own; after the bucket and a user were made it demands good signatures."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self.process.kill)
        wait_for(lambda: answers(self.port), self.process, "moto")
        anyone = dict(endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any")
        iam = boto3.client("iam", **anyone)
        iam.create_user(UserName="slipway")
        iam.put_user_policy(UserName="slipway", PolicyName="all", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}))
        key = iam.create_access_key(UserName="slipway")["AccessKey"]
        self.key, self.secret = key["AccessKeyId"], key["SecretAccessKey"]
        boto3.client("s3", **anyone).create_bucket(Bucket="bucket")
        urllib.request.urlopen(urllib.request.Request(self.url + "/moto-api/reset-auth", data=b"0", method="POST", headers={"Content-Type": "text/plain"}))
        self.s3 = boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=self.key,
                               aws_secret_access_key=self.secret)

    def keys(self):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="bucket", Prefix="team/blobs/")
        return {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", [])}


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

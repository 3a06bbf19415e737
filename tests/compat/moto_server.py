"""A real S3-speaking server for checks: moto in a process of its own, which checks signatures. Exits with 77 where it is not installed."""
import atexit, json, os, socket, subprocess, sys, time, urllib.request

try:
    import boto3, flask, moto.server  # noqa: F401
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)


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

    def environment(self):
        return dict(os.environ, AWS_ACCESS_KEY_ID=self.key, AWS_SECRET_ACCESS_KEY=self.secret, AWS_REGION="us-east-1", AWS_ENDPOINT_URL_S3=self.url)

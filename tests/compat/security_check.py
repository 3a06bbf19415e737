#!/usr/bin/env python3
"""MLflow's own client with accounts, over TLS: security_check.py PROGRAM (further arguments are not needed).

Accounts and tokens are made on the command line; the client shows them as its users do, by MLFLOW_TRACKING_USERNAME and
MLFLOW_TRACKING_PASSWORD or MLFLOW_TRACKING_TOKEN; what each may is held to what it was given. Exit code 77: mlflow is not installed.
"""
import atexit, json, os, pathlib, signal, subprocess, sys, tempfile, time

os.environ.update(MLFLOW_HTTP_REQUEST_MAX_RETRIES="0", MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", GIT_PYTHON_REFRESH="quiet")
try:
    import mlflow
    from mlflow.exceptions import MlflowException
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

PROGRAM = str(pathlib.Path(sys.argv[1]).resolve())
SHOWN = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")


def slipway(folder, *words, stdin="", code=0):
    done = subprocess.run([PROGRAM, "--store", str(folder / "record"), *words], input=stdin, capture_output=True, text=True)
    assert done.returncode == code, (words, done.returncode, done.stderr)
    return done.stdout.strip()


def show(**values):
    for name in SHOWN:
        os.environ.pop(name, None)
    os.environ.update(values)


def refused(call, code):
    try:
        call()
    except MlflowException as error:
        assert error.error_code == code, (error.error_code, code, str(error))
        return
    raise AssertionError(f"not refused: {code}")


def start(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key.pem",
                    "-out", "cert.pem", "-subj", "/CN=record", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"],
                   cwd=folder, check=True, stderr=subprocess.DEVNULL)
    ready = folder / "ready.json"
    process = subprocess.Popen([PROGRAM, "server", "--address", "0.0.0.0", "--port", "0", "--data", str(folder / "record"), "--ready-file",
                                str(ready), "--tls-cert", str(folder / "cert.pem"), "--tls-key", str(folder / "key.pem")],
                               stdout=subprocess.DEVNULL)
    atexit.register(process.kill)
    deadline = time.monotonic() + 60
    while not ready.exists():
        assert process.poll() is None and time.monotonic() < deadline, "the server did not start"
        time.sleep(0.005)
    port = json.loads(ready.read_text())["url"].rsplit(":", 1)[1]
    return process, f"https://127.0.0.1:{port}"


def track(name):
    mlflow.set_experiment(name)
    with mlflow.start_run() as run:
        mlflow.log_param("lr", 0.1)
        mlflow.log_metric("loss", 0.5)
        mlflow.log_text("it went well", "notes/result.txt")
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/notes/result.txt") == "it went well"
    return run.info.run_id


def check(folder):
    slipway(folder, "users", "add", "ann", "--admin", stdin="a password of ann\n")
    slipway(folder, "users", "add", "bob", "--role", "editor", "--project", "sentiment", stdin="a password of bob\n")
    slipway(folder, "users", "add", "ci", "--service", "--role", "viewer")
    token = slipway(folder, "--quiet", "tokens", "create", "ci", "--days", "1")
    process, url = start(folder)
    os.environ["MLFLOW_TRACKING_SERVER_CERT_PATH"] = str(folder / "cert.pem")
    mlflow.set_tracking_uri(url)
    client = mlflow.MlflowClient()

    show()
    refused(client.search_experiments, "UNAUTHENTICATED")
    show(MLFLOW_TRACKING_USERNAME="ann", MLFLOW_TRACKING_PASSWORD="a password of bob")
    refused(client.search_experiments, "UNAUTHENTICATED")
    show(MLFLOW_TRACKING_USERNAME="ann", MLFLOW_TRACKING_PASSWORD="a password of ann")
    hidden = track("hidden")
    client.create_registered_model("hidden")
    client.create_model_version("hidden", f"runs:/{hidden}/notes", hidden)
    client.set_registered_model_alias("hidden", "champion", 1)

    show(MLFLOW_TRACKING_USERNAME="bob", MLFLOW_TRACKING_PASSWORD="a password of bob")
    own = track("sentiment")
    track("sentiment/large")
    assert sorted(e.name for e in client.search_experiments()) == ["sentiment", "sentiment/large"]
    assert not client.search_registered_models() and not client.search_model_versions()
    client.create_registered_model("sentiment")
    client.create_model_version("sentiment", f"runs:/{own}/notes", own)
    refused(lambda: client.set_registered_model_alias("sentiment", "champion", 1), "PERMISSION_DENIED")
    refused(lambda: client.delete_registered_model("sentiment"), "PERMISSION_DENIED")
    for call in (lambda: client.get_run(hidden), lambda: client.log_metric(hidden, "loss", 1), lambda: client.delete_run(hidden),
                 lambda: client.get_metric_history(hidden, "loss"), lambda: client.get_registered_model("hidden"),
                 lambda: client.get_experiment_by_name("hidden"), lambda: client.create_experiment("other"),
                 lambda: client.list_artifacts(hidden), lambda: client.search_runs([client.get_run(own).info.experiment_id, "1"])):
        refused(call, "PERMISSION_DENIED")

    show(MLFLOW_TRACKING_TOKEN=token)
    assert client.get_run(hidden).data.params == {"lr": "0.1"}
    refused(lambda: client.set_tag(hidden, "a", "b"), "PERMISSION_DENIED")
    slipway(folder, "users", "grant", "ci", "approver")
    deadline = time.monotonic() + 30
    while True:
        try:
            client.set_registered_model_alias("sentiment", "champion", 1)
            break
        except MlflowException as error:
            assert error.error_code == "PERMISSION_DENIED" and time.monotonic() < deadline, str(error)
    slipway(folder, "tokens", "revoke", token)
    while True:
        try:
            client.get_run(hidden)
            assert time.monotonic() < deadline
        except MlflowException as error:
            assert error.error_code == "UNAUTHENTICATED", str(error)
            break

    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, "the server did not drain"
    changes = [json.loads(line) for line in slipway(folder, "--json", "audit", "list", "--limit", "100000").splitlines()]
    said = {(c["actor"], c["action"].rsplit("/", 1)[-1], c["outcome"]) for c in changes}
    assert {("ann", "create", "ok"), ("bob", "log-parameter", "ok"), ("bob", "log-metric", "PERMISSION_DENIED"),
            ("ci", "alias", "ok")} <= said, said
    assert "whole" in slipway(folder, "audit", "verify")
    for file in (folder / "record").rglob("*"):
        if file.is_file():
            assert token.encode() not in file.read_bytes() and b"a password of" not in file.read_bytes(), file
    print(f"mlflow {mlflow.__version__}: {len(changes)} changes audited")


with tempfile.TemporaryDirectory() as temporary:
    check(pathlib.Path(temporary))

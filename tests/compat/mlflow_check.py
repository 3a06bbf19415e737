#!/usr/bin/env python3
"""MLflow's own client against `slipway server`: mlflow_check.py PROGRAM (further arguments are not needed).

Each call of tracking is made through the unmodified client, and what comes back is held to what went in. At the end the server is
killed while clients write: every write that was acknowledged must be there. Exit code 77: mlflow is not installed.
"""
import json, math, os, pathlib, subprocess, sys, tempfile, threading, time

os.environ.update(MLFLOW_HTTP_REQUEST_MAX_RETRIES="0", MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", GIT_PYTHON_REFRESH="quiet")
try:
    import mlflow
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType
    from mlflow.exceptions import MlflowException, RestException
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

from recorded import Server

PROGRAM = sys.argv[1]


def refused(call, code, text):
    try:
        call()
    except MlflowException as error:
        assert error.error_code == code, (error.error_code, code, str(error))
        assert text in str(error), (text, str(error))
        return
    raise AssertionError(f"not refused: {text}")


def fluent():
    """As a training script does it."""
    mlflow.set_experiment("sentiment")
    with mlflow.start_run(run_name="first", description="a try") as run:
        mlflow.log_param("lr", 0.1)
        mlflow.log_params({"epochs": 3, "base": "minilm"})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"acc": 0.9, "nan": math.nan, "inf": math.inf}, step=4)
        mlflow.set_tag("team", "nlp")
        mlflow.set_tags({"a": "1", "b": "2"})
    found = mlflow.get_run(run.info.run_id)
    assert found.info.status == "FINISHED" and found.info.run_name == "first" and found.info.end_time >= found.info.start_time
    assert found.data.params == {"lr": "0.1", "epochs": "3", "base": "minilm"}
    assert found.data.metrics["loss"] == 0.2 and found.data.metrics["acc"] == 0.9
    assert math.isnan(found.data.metrics["nan"]) and found.data.metrics["inf"] == 1.7976931348623157e308
    assert found.data.tags["team"] == "nlp" and found.data.tags["mlflow.note.content"] == "a try"
    with mlflow.start_run(run_id=run.info.run_id):  # again
        mlflow.log_metric("acc", 0.95, step=5)
    assert mlflow.get_run(run.info.run_id).data.metrics["acc"] == 0.95
    try:
        with mlflow.start_run(run_name="broken", nested=False):
            raise ValueError
    except ValueError:
        pass
    with mlflow.start_run(run_name="parent"), mlflow.start_run(run_name="child", nested=True):
        mlflow.log_metric("acc", 0.1)
    runs = mlflow.search_runs(experiment_names=["sentiment"], output_format="list")
    assert [r.info.run_name for r in runs] == ["child", "parent", "broken", "first"], [r.info.run_name for r in runs]
    assert runs[2].info.status == "FAILED"
    best = mlflow.search_runs(experiment_names=["sentiment"], filter_string="metrics.acc > 0.5 and params.lr = '0.1'", output_format="list")
    assert [r.info.run_id for r in best] == [run.info.run_id]
    return run.info.run_id


def experiments(client):
    one = client.create_experiment("one", tags={"k": "v"})
    assert client.get_experiment(one).tags == {"k": "v"}
    assert client.get_experiment_by_name("one").experiment_id == one
    assert client.get_experiment_by_name("nothing") is None
    assert client.get_experiment("0").name == "Default"
    refused(lambda: client.create_experiment("one"), "RESOURCE_ALREADY_EXISTS", "Experiment(name=one) already exists.")
    refused(lambda: client.get_experiment("4711"), "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=4711 exists")
    client.set_experiment_tag(one, "t", "1")
    client.delete_experiment_tag(one, "t")
    client.rename_experiment(one, "eins")
    client.delete_experiment(one)
    assert client.get_experiment(one).lifecycle_stage == "deleted"
    assert [e.name for e in client.search_experiments(view_type=ViewType.DELETED_ONLY)] == ["eins"]
    client.restore_experiment(one)
    for i in range(5):
        client.create_experiment(f"many-{i}")
    page = client.search_experiments(filter_string="name LIKE 'many-%'", order_by=["name DESC"], max_results=3)
    assert [e.name for e in page] == ["many-4", "many-3", "many-2"] and page.token
    page = client.search_experiments(filter_string="name LIKE 'many-%'", order_by=["name DESC"], max_results=3, page_token=page.token)
    assert [e.name for e in page] == ["many-1", "many-0"] and not page.token


def runs(client):
    run = client.create_run("0", tags={"x": "y"}, run_name="by hand", start_time=1000)
    run_id = run.info.run_id
    assert run.info.start_time == 1000 and run.data.tags["x"] == "y"
    client.log_metric(run_id, "m", 1.5, timestamp=7, step=3)
    client.log_param(run_id, "p", "v")
    client.log_param(run_id, "p", "v")
    refused(lambda: client.log_param(run_id, "p", "w"), "INVALID_PARAMETER_VALUE", "Changing param values is not allowed. Param with key='p'")
    client.log_batch(run_id, [Metric("m", i / 10, i, i) for i in range(1000)])
    client.log_batch(run_id, [], [Param(f"p{i}", "x" * 7000) for i in range(100)], [])
    client.log_batch(run_id, [], [], [RunTag(f"t{i}", str(i)) for i in range(100)])
    found = client.get_run(run_id)
    assert found.data.metrics == {"m": 99.9} and len(found.data.params) == 101 and len(found.data.params["p7"]) == 6000
    assert client.get_metric_history(run_id, "m")[0].timestamp == 0 and len(client.get_metric_history(run_id, "m")) == 1001
    assert client.get_metric_history(run_id, "nothing") == []
    client.set_tag(run_id, "k", "v")
    client.delete_tag(run_id, "k")
    refused(lambda: client.delete_tag(run_id, "k"), "RESOURCE_DOES_NOT_EXIST", "No tag with name: k in run with id")
    client.log_inputs(run_id, [DatasetInput(Dataset("reviews", "d1", "local", "{}", "{}", "{}"), [InputTag("mlflow.data.context", "training")])])
    used = client.get_run(run_id).inputs.dataset_inputs
    assert used[0].dataset.name == "reviews" and used[0].tags[0].value == "training"
    assert len(client.search_runs(["0"], "dataset.name = 'reviews'")) == 1
    client.update_run(run_id, status="KILLED", name="renamed")
    assert client.get_run(run_id).info.status == "KILLED" and client.get_run(run_id).info.run_name == "renamed"
    client.set_terminated(run_id, "FINISHED", end_time=2000)
    assert client.get_run(run_id).info.end_time == 2000
    client.delete_run(run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    refused(lambda: client.log_metric(run_id, "m", 1), "INVALID_PARAMETER_VALUE", "must be in the 'active' state. Current state is deleted.")
    client.restore_run(run_id)
    refused(lambda: client.get_run("0" * 32), "RESOURCE_DOES_NOT_EXIST", "not found")
    for filter_string, text in [("metrics.m > 1 OR metrics.m < 1", "Invalid clause(s) in filter string: 'OR'"),
                                ("params.p = 5", "Expected a quoted string value for parameter"),
                                ("status IN ('FINISHED')", "Only ['run_id'] attributes support comparison with a list")]:
        refused(lambda: client.search_runs(["0"], filter_string), "INVALID_PARAMETER_VALUE", text)
    for i in range(7):
        client.create_run("0", start_time=5000 + i, run_name=f"page-{i}")
    seen, token = [], None
    while True:
        page = client.search_runs(["0"], "attributes.run_name LIKE 'page-%'", max_results=3, page_token=token)
        seen += [r.info.run_name for r in page]
        token = page.token
        if not token:
            break
    assert seen == [f"page-{i}" for i in reversed(range(7))], seen


def artifacts(client, folder):
    run_id = client.create_run("0").info.run_id
    here = folder / "artifacts"
    (here / "deep" / "er").mkdir(parents=True)
    (here / "deep" / "er" / "note.txt").write_text("grüße")
    (here / "big.bin").write_bytes(os.urandom(3 << 20) * 16)
    client.log_artifacts(run_id, str(here), "all")
    client.log_text(run_id, "hello", "text/hello.txt")
    client.log_dict(run_id, {"a": 1}, "d.json")
    client.log_artifact(run_id, str(here / "big.bin"))
    assert [(f.path, f.is_dir) for f in client.list_artifacts(run_id)] == [("all", True), ("big.bin", False), ("d.json", False), ("text", True)]
    assert [(f.path, f.file_size) for f in client.list_artifacts(run_id, "text")] == [("text/hello.txt", 5)]
    assert client.list_artifacts(run_id, "nothing") == []
    (folder / "down").mkdir()
    there = pathlib.Path(client.download_artifacts(run_id, "all", str(folder / "down")))
    assert (there / "deep" / "er" / "note.txt").read_text() == "grüße"
    assert (there / "big.bin").read_bytes() == (here / "big.bin").read_bytes()
    uri = client.get_run(run_id).info.artifact_uri
    assert mlflow.artifacts.load_text(uri + "/text/hello.txt") == "hello" and mlflow.artifacts.load_dict(uri + "/d.json") == {"a": 1}


def registry(client):
    run_id = client.create_run("0").info.run_id
    client.log_text(run_id, "weights", "model/weights")
    uri = client.get_run(run_id).info.artifact_uri
    client.create_registered_model("movies", tags={"task": "sentiment"}, description="first")
    refused(lambda: client.create_registered_model("movies"), "RESOURCE_ALREADY_EXISTS", "Registered Model (name=movies) already exists.")
    first = client.create_model_version("movies", uri + "/model", run_id, tags={"a": "b"}, description="one")
    second = client.create_model_version("movies", f"runs:/{run_id}/model", run_id)
    assert (first.version, second.version, first.status, first.tags) == ("1", "2", "READY", {"a": "b"}), (first, second)
    client.set_registered_model_alias("movies", "champion", "1")
    assert client.get_model_version_by_alias("movies", "champion").version == "1"
    assert {alias: str(version) for alias, version in client.get_registered_model("movies").aliases.items()} == {"champion": "1"}
    assert client.get_model_version("movies", "1").aliases == ["champion"]
    assert client.get_model_version_download_uri("movies", "2") == uri + "/model"
    client.set_model_version_tag("movies", "2", "k", "v")
    client.delete_model_version_tag("movies", "2", "k")
    client.set_registered_model_tag("movies", "k", "v")
    client.delete_registered_model_tag("movies", "k")
    client.update_model_version("movies", "2", "two")
    client.update_registered_model("movies", "all")
    client.transition_model_version_stage("movies", "2", "Production")
    assert [v.version for v in client.get_latest_versions("movies", ["Production"])] == ["2"]
    assert [v.version for v in client.search_model_versions("name = 'movies'")] == ["2", "1"]
    assert [m.name for m in client.search_registered_models("name LIKE 'mov%'")] == ["movies"]
    assert mlflow.artifacts.load_text("models:/movies@champion/weights") == "weights"
    client.delete_registered_model_alias("movies", "champion")
    refused(lambda: client.get_model_version_by_alias("movies", "champion"), "INVALID_PARAMETER_VALUE", "alias champion not found")
    client.rename_registered_model("movies", "films")
    client.delete_model_version("films", "2")
    assert client.create_model_version("films", uri + "/model", run_id).version == "3"
    copied = client.copy_model_version("models:/films/3", "copies")
    assert (copied.name, copied.version) == ("copies", "1")
    client.delete_registered_model("films")
    refused(lambda: client.get_registered_model("films"), "RESOURCE_DOES_NOT_EXIST", "Registered Model with name=films not found")


def killed(folder, server):
    """Clients write, the server is killed; what was acknowledged is there afterwards."""
    acknowledged, stopped = [], threading.Event()
    client = mlflow.MlflowClient(server.url)
    run_ids = [client.create_run("0").info.run_id for _ in range(4)]

    def write(run_id):
        for i in range(100000):
            try:
                mlflow.MlflowClient(server.url).log_batch(run_id, [Metric("k", i, i, i)], [Param(f"p{i}", str(i))], [])
            except MlflowException:
                return
            acknowledged.append((run_id, i))
            if stopped.is_set():
                return

    threads = [threading.Thread(target=write, args=(run_id,)) for run_id in run_ids]
    for thread in threads:
        thread.start()
    while len(acknowledged) < 40:
        time.sleep(0.001)
    server.kill()
    stopped.set()
    for thread in threads:
        thread.join()
    begin = time.monotonic()
    server = Server(PROGRAM, folder)
    client = mlflow.MlflowClient(server.url)
    for run_id in run_ids:
        params = client.get_run(run_id).data.params
        steps = {m.step for m in client.get_metric_history(run_id, "k")}
        for i in (i for r, i in acknowledged if r == run_id):
            assert params.get(f"p{i}") == str(i) and i in steps, (run_id, i)
        assert {f"p{i}" for i in steps} == set(params), "half of a batch"
    print(f"{len(acknowledged)} acknowledged writes survived kill -9; served again after {time.monotonic() - begin:.2f} s")
    return server


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        server = Server(PROGRAM, folder)
        mlflow.set_tracking_uri(server.url)
        client = mlflow.MlflowClient(server.url)
        first = fluent()
        experiments(client)
        runs(client)
        artifacts(client, folder)
        registry(client)
        server = killed(folder, server)
        assert mlflow.MlflowClient(server.url).get_run(first).data.params["lr"] == "0.1"
        listed = subprocess.run([PROGRAM, "runs", "--store", str(folder / "record"), "--project", "sentiment", "--json"],
                                check=True, capture_output=True, text=True).stdout.splitlines()
        assert [json.loads(line)["name"] for line in listed] == ["child", "parent", "broken", "first"], listed
        server.stop()
    print(f"mlflow {mlflow.__version__}: ok")


main()

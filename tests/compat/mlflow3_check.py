#!/usr/bin/env python3
"""What MLflow 3's own client keeps beside runs, against `slipway server`: mlflow3_check.py PROGRAM.

Logged models, traces with spans and assessments, datasets of evaluations, prompts, webhooks and uploads in parts are made through the
unmodified client, and what comes back is held to what went in. What needs a package that is not there is left out and told:
pandas (models of pyfunc, evaluations, their datasets, tables), scikit-learn (autolog, models.evaluate), Pillow (images), matplotlib
(figures), psutil (system metrics). mlflow-skinny has none of them. Exit code 77: mlflow is not installed.
"""
import base64, gzip, hashlib, hmac, http.server, importlib.util, json, os, pathlib, sys, tempfile, threading, time

os.environ.update(MLFLOW_HTTP_REQUEST_MAX_RETRIES="0", MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", GIT_PYTHON_REFRESH="quiet",
                  MLFLOW_ENABLE_ASYNC_TRACE_LOGGING="false", MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE="1000000",
                  MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE="5242880", MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE="1000000",
                  MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE="5242880")
try:
    import mlflow, requests
    from mlflow.entities import AssessmentSource, Expectation, Feedback, LoggedModelStatus, Metric
    from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent
    from mlflow.exceptions import MlflowException
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

from recorded import Server

PROGRAM = sys.argv[1]
LEFT_OUT = {}


def have(what, *packages):
    """Whether they are installed; else `what` is told to be left out."""
    missing = [p for p in packages if importlib.util.find_spec(p) is None]
    if missing:
        LEFT_OUT[what] = missing
    return not missing


def model_records(client):
    """Logged models as records, without a flavour."""
    experiment = mlflow.set_experiment("records").experiment_id
    with mlflow.start_run() as run:
        one = mlflow.initialize_logged_model(name="one", params={"depth": "3"}, tags={"team": "nlp"}, model_type="agent")
        mlflow.log_metric("acc", 0.9, step=1, model_id=one.model_id)
        mlflow.finalize_logged_model(one.model_id, "READY")
    got = mlflow.get_logged_model(one.model_id)
    assert (got.status, got.params, got.model_type, got.source_run_id) == (LoggedModelStatus.READY, {"depth": "3"}, "agent", run.info.run_id), got
    assert [(m.key, m.value) for m in got.metrics] == [("acc", 0.9)]
    found = client.search_logged_models([experiment], "metrics.acc > 0.5 AND params.depth = '3'")
    assert [m.model_id for m in found] == [one.model_id]
    mlflow.set_logged_model_tags(one.model_id, {"a": "b"})
    mlflow.delete_logged_model_tag(one.model_id, "a")
    assert mlflow.get_logged_model(one.model_id).tags["team"] == "nlp" and "a" not in mlflow.get_logged_model(one.model_id).tags
    client.create_registered_model("one")
    version = client.create_model_version("one", got.artifact_location, run.info.run_id, model_id=one.model_id)
    client.set_registered_model_alias("one", "champion", version.version)
    assert client.get_model_version_by_alias("one", "champion").source == got.artifact_location
    client.delete_logged_model(one.model_id)


def logged_models(client):
    import mlflow.pyfunc
    mlflow.set_experiment("models")
    experiment = mlflow.get_experiment_by_name("models").experiment_id

    class Echo(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return model_input

    with mlflow.start_run() as run:
        info = mlflow.pyfunc.log_model(name="echo", python_model=Echo(), params={"depth": 3}, tags={"team": "nlp"})
        model = mlflow.get_logged_model(info.model_id)
        assert model.status == LoggedModelStatus.READY and model.params["depth"] == "3" and model.tags["team"] == "nlp", model
        assert model.source_run_id == run.info.run_id
        dataset = mlflow.data.from_dict({"x": [1]}, name="reviews") if hasattr(mlflow.data, "from_dict") else None
        mlflow.log_metric("acc", 0.9, model_id=info.model_id, dataset=dataset)
    assert [o.model_id for o in client.get_run(run.info.run_id).outputs.model_outputs] == [info.model_id]
    other = mlflow.initialize_logged_model(name="other", params={"depth": "5"})
    client.log_batch(run.info.run_id, [Metric("acc", 0.4, 1, 0, model_id=other.model_id, dataset_name="reviews", dataset_digest="d1")])
    mlflow.finalize_logged_model(other.model_id, "FAILED")
    found = lambda filter_string, **more: [m.name for m in mlflow.search_logged_models([experiment], filter_string, output_format="list", **more)]
    assert sorted(found("")) == ["echo", "other"]
    assert found("metrics.acc > 0.5") == ["echo"] and found("params.depth = '5'") == ["other"] and found("name LIKE 'ec%'") == ["echo"]
    assert found("metrics.acc > 0.1", datasets=[{"dataset_name": "reviews", "dataset_digest": "d1"}]) == ["other"]
    assert found("", order_by=[{"field_name": "metrics.acc", "ascending": True}]) == ["other", "echo"]
    page = client.search_logged_models([experiment], max_results=1)
    assert page.token and len(client.search_logged_models([experiment], max_results=1, page_token=page.token)) == 1
    mlflow.set_logged_model_tags(other.model_id, {"a": "b"})
    mlflow.delete_logged_model_tag(other.model_id, "a")
    mlflow.log_model_params({"more": "1"}, model_id=other.model_id)
    assert mlflow.get_logged_model(other.model_id).params == {"depth": "5", "more": "1"}
    assert mlflow.pyfunc.load_model(f"models:/{info.model_id}").predict([1, 2]) == [1, 2]
    version = mlflow.register_model(f"models:/{info.model_id}", "echo")
    assert version.version in ("1", 1) and mlflow.get_logged_model(info.model_id).tags["mlflow.modelVersions"]
    assert mlflow.pyfunc.load_model("models:/echo/1").predict([3]) == [3]
    client.set_registered_model_alias("echo", "champion", 1)
    assert mlflow.pyfunc.load_model("models:/echo@champion").predict([4]) == [4]
    client.delete_logged_model(other.model_id)
    try:
        mlflow.get_logged_model(other.model_id)
        raise AssertionError("a deleted model was found")
    except MlflowException as error:
        assert error.error_code == "RESOURCE_DOES_NOT_EXIST", error
    return experiment


def traces(client, url):
    mlflow.set_experiment("traces")
    experiment = mlflow.get_experiment_by_name("traces").experiment_id

    @mlflow.trace(span_type="LLM", attributes={"model": "tiny"})
    def answer(question):
        with mlflow.start_span("search", span_type="RETRIEVER") as span:
            span.set_inputs({"q": question})
            span.set_outputs(["a", "b"])
        mlflow.update_current_trace(tags={"team": "nlp"}, metadata={"mlflow.trace.session": "s1"})
        return question.upper()

    with mlflow.start_run() as run:
        answer("hello")
    ids = [mlflow.get_last_active_trace_id()]
    try:
        with mlflow.start_span("broken") as span:
            ids.append(span.trace_id)
            raise ValueError("no")
    except ValueError:
        pass
    trace = mlflow.get_trace(ids[0])
    assert trace.info.state == "OK" and trace.info.tags["team"] == "nlp" and trace.info.tags["mlflow.traceName"] == "answer", trace.info
    assert trace.info.request_preview and trace.info.execution_duration is not None
    spans = {s.name: s for s in trace.data.spans}
    assert spans["answer"].inputs == {"question": "hello"} and spans["answer"].outputs == "HELLO" and spans["answer"].span_type == "LLM"
    assert spans["search"].outputs == ["a", "b"] and spans["search"].parent_id == spans["answer"].span_id
    assert spans["answer"].attributes["model"] == "tiny"
    broken = mlflow.get_trace(ids[1])
    assert broken.info.state == "ERROR" and broken.data.spans[0].events[0].name == "exception", broken

    search = lambda filter_string=None, **more: [t.info.trace_id for t in mlflow.search_traces([experiment], filter_string=filter_string, return_type="list", **more)]
    assert search() == [ids[1], ids[0]] and search(order_by=["timestamp ASC"]) == ids and search(max_results=1) == [ids[1]]
    assert search("trace.status = 'ERROR'") == [ids[1]] and search("name = 'answer'") == [ids[0]] and search("tags.team = 'nlp'") == [ids[0]]
    assert search(f"run_id = '{run.info.run_id}'") == [ids[0]] and search("span.type = 'RETRIEVER'") == [ids[0]]
    assert search("span.attributes.model LIKE '%tiny%'") == [ids[0]] and search("trace.text LIKE '%HELLO%'") == [ids[0]]
    assert search("metadata.mlflow.trace.session = 's1'") == [ids[0]] and search("tags.team IS NULL") == [ids[1]]
    assert search("tags.team RLIKE '^n.p$'") == [ids[0]] and search("execution_time_ms >= 0 AND timestamp_ms > 0") == [ids[1], ids[0]]

    human = AssessmentSource(source_type="HUMAN", source_id="me")
    feedback = mlflow.log_feedback(trace_id=ids[0], name="good", value=True, source=human, rationale="it is", metadata={"a": "b"})
    mlflow.log_expectation(trace_id=ids[0], name="expected", value={"answer": "HELLO"}, source=human)
    score = mlflow.log_feedback(trace_id=ids[1], name="score", value=0.25)
    got = {a.name: a for a in mlflow.get_trace(ids[0]).info.assessments}
    assert got["good"].value is True and got["good"].rationale == "it is" and got["expected"].value == {"answer": "HELLO"}, got
    assert search("feedback.good = 'true'") == [ids[0]] and search("feedback.score < 0.5") == [ids[1]] and search("expectation.expected IS NOT NULL") == [ids[0]]
    assert mlflow.get_assessment(ids[0], feedback.assessment_id).source.source_id == "me"
    mlflow.update_assessment(ids[0], feedback.assessment_id, Feedback(name="good", value=False, source=human))
    assert mlflow.get_assessment(ids[0], feedback.assessment_id).value is False
    replaced = mlflow.override_feedback(trace_id=ids[1], assessment_id=score.assessment_id, value=0.75)
    assert {a.value for a in mlflow.get_trace(ids[1]).info.assessments if a.valid} == {0.75}
    mlflow.delete_assessment(ids[1], replaced.assessment_id)
    assert mlflow.get_assessment(ids[1], score.assessment_id).valid is not False

    mlflow.set_trace_tag(ids[0], "k", "v")
    assert mlflow.get_trace(ids[0]).info.tags["k"] == "v"
    mlflow.delete_trace_tag(ids[0], "k")
    client.link_traces_to_run([ids[1]], run.info.run_id)
    assert set(search(f"run_id = '{run.info.run_id}'")) == set(ids)
    if have("genai.evaluate", "pandas"):
        evaluated(experiment)
    otlp(experiment, url)
    assert client.delete_traces(experiment, trace_ids=[ids[0]]) == 1
    assert mlflow.get_trace(ids[0], silent=True) is None if "silent" in mlflow.get_trace.__code__.co_varnames else ids[0] not in search()


def evaluated(experiment):
    """The client's own evaluation: runs, traces and assessments at once."""
    @mlflow.genai.scorer
    def exact(outputs, expectations):
        return outputs == expectations["answer"]

    data = [{"inputs": {"q": q}, "expectations": {"answer": q.upper()}} for q in ("a", "b", "c")]
    result = mlflow.genai.evaluate(data=data, predict_fn=lambda q: q.upper() if q != "c" else "wrong", scorers=[exact])
    assert abs(result.metrics["exact/mean"] - 2 / 3) < 1e-9, result.metrics
    marked = mlflow.search_traces([experiment], filter_string=f"run_id = '{result.run_id}'", return_type="list")
    assert len(marked) == 3 and all(any(a.name == "exact" for a in t.info.assessments) for t in marked)


def otlp(experiment, url):
    """Any exporter of OpenTelemetry: JSON, compressed."""
    span = {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "GET /", "kind": 2,
            "startTimeUnixNano": str(time.time_ns()), "endTimeUnixNano": str(time.time_ns() + 5_000_000),
            "attributes": [{"key": "http.status", "value": {"intValue": "200"}}], "status": {"code": 1}}
    body = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                               "scopeSpans": [{"spans": [span]}]}]}
    answer = requests.post(url + "/v1/traces", data=gzip.compress(json.dumps(body).encode()),
                           headers={"Content-Type": "application/json", "Content-Encoding": "gzip", "x-mlflow-experiment-id": experiment})
    assert answer.status_code == 200, answer.text
    trace = mlflow.get_trace("tr-0af7651916cd43dd8448eb211c80319c")
    assert trace.info.tags["service.name"] == "shop" and trace.data.spans[0].attributes["http.status"] == 200 and trace.info.state == "OK", trace
    shown = requests.get(url + "/ajax-api/2.0/mlflow/get-trace-artifact", params={"request_id": trace.info.trace_id}).json()
    assert shown["spans"][0]["name"] == "GET /"
    assert requests.post(url + "/v1/traces", data=b"\x0a\xff", headers={"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": experiment}).status_code == 400
    assert requests.post(url + "/v1/traces", data=b"", headers={"Content-Type": "application/x-protobuf"}).status_code == 422


def training(client):
    """What a training script logs: by autolog, by evaluation, as pictures and tables."""
    mlflow.set_experiment("training")
    if have("autolog, models.evaluate", "sklearn", "pandas"):
        import pandas, sklearn.linear_model
        mlflow.sklearn.autolog()
        frame = pandas.DataFrame({"x": [0.0, 1.0, 2.0, 3.0] * 5, "y": [0, 0, 1, 1] * 5})
        with mlflow.start_run() as run:
            sklearn.linear_model.LogisticRegression(C=0.5).fit(frame[["x"]], frame["y"])
        mlflow.sklearn.autolog(disable=True)
        got = client.get_run(run.info.run_id)
        assert got.data.params["C"] == "0.5" and got.data.metrics["training_accuracy_score"] == 1.0, got.data
        model = mlflow.get_logged_model(got.outputs.model_outputs[0].model_id)
        assert got.inputs.dataset_inputs and model.source_run_id == run.info.run_id, (got, model)
        with mlflow.start_run() as run:
            result = mlflow.models.evaluate(model.model_uri, frame, targets="y", model_type="classifier", evaluator_config={"log_explainer": False})
        assert result.metrics["accuracy_score"] == 1.0 and client.get_run(run.info.run_id).data.metrics["accuracy_score"] == 1.0, result.metrics
        assert any(m.key == "accuracy_score" for m in mlflow.get_logged_model(model.model_id).metrics)
    with mlflow.start_run() as run:
        if have("log_image", "PIL", "numpy"):
            import numpy
            mlflow.log_image(numpy.zeros((4, 4, 3), dtype=numpy.uint8), key="sample", step=2, synchronous=True)
            assert sum(f.path.endswith(".png") for f in client.list_artifacts(run.info.run_id, "images")) == 1
        if have("log_figure", "matplotlib"):
            import matplotlib.figure
            mlflow.log_figure(matplotlib.figure.Figure(), "plots/empty.png")
            assert [f.path for f in client.list_artifacts(run.info.run_id, "plots")] == ["plots/empty.png"]
        if have("log_table", "pandas"):
            mlflow.log_table({"question": ["a"], "answer": ["b"]}, "answers.json")
            mlflow.log_table({"question": ["c"], "answer": ["d"]}, "answers.json")
            assert list(mlflow.load_table("answers.json", run_ids=[run.info.run_id])["answer"]) == ["b", "d"]
    if have("system metrics", "psutil"):
        mlflow.set_system_metrics_sampling_interval(0.1)
        mlflow.set_system_metrics_samples_before_logging(1)
        with mlflow.start_run(log_system_metrics=True) as run:
            deadline = time.monotonic() + 60
            while "system/cpu_utilization_percentage" not in client.get_run(run.info.run_id).data.metrics and time.monotonic() < deadline:
                time.sleep(0.1)
        assert "system/cpu_utilization_percentage" in client.get_run(run.info.run_id).data.metrics


def datasets(experiment):
    made = mlflow.genai.datasets.create_dataset(name="questions", experiment_id=experiment, tags={"team": "nlp"})
    made.merge_records([{"inputs": {"q": "1"}, "expectations": {"a": "x"}}, {"inputs": {"q": "2"}, "tags": {"t": "1"}}])
    made.merge_records([{"inputs": {"q": "1"}, "expectations": {"b": "y"}}])
    again = mlflow.genai.datasets.get_dataset(dataset_id=made.dataset_id)
    records = {r["inputs"]["q"]: r for r in again.to_df().to_dict("records")}
    assert len(records) == 2 and records["1"]["expectations"] == {"a": "x", "b": "y"}, records
    assert [d.name for d in mlflow.genai.datasets.search_datasets(experiment_ids=[experiment], filter_string="tags.team = 'nlp'")] == ["questions"]
    mlflow.genai.datasets.delete_dataset(dataset_id=made.dataset_id)
    assert not list(mlflow.genai.datasets.search_datasets(experiment_ids=[experiment]))


def prompts():
    mlflow.genai.register_prompt(name="greet", template="Hello {{name}}", commit_message="first", tags={"lang": "en"})
    second = mlflow.genai.register_prompt(name="greet", template="Hi {{name}}!")
    assert second.version == 2
    assert mlflow.genai.load_prompt("prompts:/greet/1").format(name="Ann") == "Hello Ann"
    mlflow.genai.set_prompt_alias("greet", alias="live", version=2)
    assert mlflow.genai.load_prompt("prompts:/greet@live").template == "Hi {{name}}!"
    assert [p.name for p in mlflow.genai.search_prompts()] == ["greet"]
    mlflow.genai.delete_prompt_alias("greet", alias="live")
    assert "greet" not in [m.name for m in mlflow.search_registered_models()]


class Receiver(http.server.BaseHTTPRequestHandler):
    taken, failures = [], 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if Receiver.failures > 0:
            Receiver.failures -= 1
            self.send_response(503)
        else:
            Receiver.taken.append((dict(self.headers), body))
            self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


def webhooks(client):
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{receiver.server_port}/hook"
    events = [WebhookEvent(WebhookEntity.REGISTERED_MODEL, WebhookAction.CREATED), WebhookEvent(WebhookEntity.MODEL_VERSION_ALIAS, WebhookAction.CREATED)]
    hook = client.create_webhook(name="ci", url=url, events=events, secret="shh", description="tells")
    assert client.get_webhook(hook.webhook_id).events == events and not getattr(client.get_webhook(hook.webhook_id), "secret", None)
    assert [w.name for w in client.list_webhooks()] == ["ci"]
    assert client.test_webhook(hook.webhook_id).success and len(Receiver.taken) == 1
    Receiver.failures = 1  # taken at the second attempt
    client.create_registered_model("told", tags={"a": "b"})
    deadline = time.monotonic() + 60
    while len(Receiver.taken) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    headers, body = Receiver.taken[1]
    said = json.loads(body)
    assert (said["entity"], said["action"], said["data"]["name"], said["data"]["tags"]) == ("registered_model", "created", "told", {"a": "b"}), said
    signed = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}.{body.decode()}"
    assert headers["X-MLflow-Signature"] == "v1," + base64.b64encode(hmac.new(b"shh", signed.encode(), hashlib.sha256).digest()).decode()
    client.update_webhook(hook.webhook_id, status="DISABLED")
    client.create_registered_model("untold")
    client.delete_webhook(hook.webhook_id)
    assert not list(client.list_webhooks()) and len(Receiver.taken) == 2
    receiver.shutdown()


def uploads(client, folder):
    run_id = client.create_run("0").info.run_id
    data = os.urandom(1 << 20) * 12 + b"end"
    (folder / "large.bin").write_bytes(data)
    client.log_artifact(run_id, str(folder / "large.bin"), "deep")
    assert [(f.path, f.file_size) for f in client.list_artifacts(run_id, "deep")] == [("deep/large.bin", len(data))]
    (folder / "back").mkdir()
    assert pathlib.Path(client.download_artifacts(run_id, "deep/large.bin", str(folder / "back"))).read_bytes() == data
    from mlflow.store.artifact import artifact_repository_registry
    repository = artifact_repository_registry.get_artifact_repository(client.get_run(run_id).info.artifact_uri)
    parts = repository.repo.create_multipart_upload("x.bin", 2, "deep") if hasattr(repository, "repo") else repository.create_multipart_upload("x.bin", 2, "deep")
    assert len(parts.credentials) == 2
    put = requests.put(parts.credentials[0].url, data=b"a" * 100)
    assert put.status_code == 200 and put.headers["ETag"] == '"' + hashlib.sha256(b"a" * 100).hexdigest() + '"'
    (repository.repo if hasattr(repository, "repo") else repository).abort_multipart_upload("x.bin", parts.upload_id, "deep")
    assert requests.put(parts.credentials[1].url, data=b"b").status_code == 404


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        server = Server(PROGRAM, folder, "--webhook-private")
        mlflow.set_tracking_uri(server.url)
        client = mlflow.MlflowClient(server.url)
        model_records(client)
        if have("models of pyfunc", "pandas"):
            logged_models(client)
        traces(client, server.url)
        if have("datasets of evaluations", "pandas"):
            datasets(mlflow.get_experiment_by_name("traces").experiment_id)
        training(client)
        prompts()
        webhooks(client)
        uploads(client, folder)
        server.stop()
        guarded = Server(PROGRAM, folder)
        client = mlflow.MlflowClient(guarded.url)
        for url, text in [("http://example.com/", "Invalid webhook URL scheme"), ("https://127.0.0.1/x", "must not resolve to a non-public IP"),
                          ("https://[::ffff:10.0.0.1]/x", "must not resolve to a non-public IP")]:
            try:
                client.create_webhook(name="bad", url=url, events=[WebhookEvent(WebhookEntity.REGISTERED_MODEL, WebhookAction.CREATED)])
                raise AssertionError(f"not refused: {url}")
            except MlflowException as error:
                assert text in str(error), error
        guarded.stop()
    print(f"mlflow {mlflow.__version__}: ok" + "".join(f"; left out {what} for want of {', '.join(missing)}" for what, missing in LEFT_OUT.items()))


main()

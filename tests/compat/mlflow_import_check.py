#!/usr/bin/env python3
"""`slipway import mlflow` from a real `mlflow server`: mlflow_import_check.py PROGRAM. On demand: needs all of mlflow.

The client fills a server over SQLite with a run, a logged model with files and metrics, traces with spans and assessments, a prompt and a
registered model; the record that imports it must answer the same client with the same.
"""
import json, os, pathlib, socket, subprocess, sys, tempfile, time, urllib.request

os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", GIT_PYTHON_REFRESH="quiet", MLFLOW_ENABLE_ASYNC_TRACE_LOGGING="false")
try:
    import fastapi, mlflow
    from mlflow.entities import AssessmentSource, Dataset, DatasetInput, InputTag
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

from recorded import Server

PROGRAM = str(pathlib.Path(sys.argv[1]).resolve())


def real_server(folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
                                "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "files")],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, start_new_session=True)
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
            return process, f"http://127.0.0.1:{port}"
        except OSError:
            time.sleep(0.2)
    raise AssertionError("mlflow server did not start")


def fill(url, folder):
    mlflow.set_tracking_uri(url)
    client = mlflow.MlflowClient(url)
    mlflow.set_experiment("answers")
    with mlflow.start_run(run_name="first") as run:
        mlflow.log_params({"lr": 0.1})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_text("it went well", "notes/result.txt")
        client.log_inputs(run.info.run_id, [DatasetInput(Dataset("reviews", "abc1", "local", "{}"), [InputTag("mlflow.data.context", "training")])])
        model = mlflow.initialize_logged_model(name="answerer", params={"k": "3"}, tags={"team": "nlp"}, model_type="agent")
        mlflow.log_metric("quality", 0.75, step=2, model_id=model.model_id)
        (folder / "m").mkdir()
        (folder / "m" / "MLmodel").write_text("flavors: {}\n")
        client.log_model_artifacts(model.model_id, str(folder / "m"))
        mlflow.finalize_logged_model(model.model_id, "READY")

        @mlflow.trace(span_type="LLM")
        def answer(question):
            with mlflow.start_span("search") as span:
                span.set_attribute("found", 2)
            return "yes"
        answer("is it?")
    trace = mlflow.get_last_active_trace_id()
    mlflow.set_trace_tag(trace, "kind", "test")
    human = AssessmentSource("HUMAN", "ann")
    first = mlflow.log_feedback(trace_id=trace, name="good", value=True, rationale="it is", source=human)
    mlflow.override_feedback(trace_id=trace, assessment_id=first.assessment_id, value=False, source=human)
    mlflow.log_expectation(trace_id=trace, name="answer", value={"text": "yes"}, source=human)
    mlflow.genai.register_prompt("asker", "Say {{what}}", tags={"lang": "en"})
    mlflow.genai.set_prompt_alias("asker", "live", 1)
    mlflow.register_model(f"models:/{model.model_id}", "answerer")
    return {"run": run.info.run_id, "model": model.model_id, "trace": trace}


def shown(url, ids, folder):
    """What the client sees, less what may differ: addresses, the numbers of experiments, when a server took something in."""
    mlflow.set_tracking_uri(url)
    client = mlflow.MlflowClient(url)
    run, model, trace = client.get_run(ids["run"]), mlflow.get_logged_model(ids["model"]), mlflow.get_trace(ids["trace"])
    folder.mkdir()
    return {
        "run": [run.data.params, run.data.metrics, run.info.status, run.inputs.dataset_inputs[0].dataset.name,
                [(m.key, m.value, m.step, m.timestamp) for m in client.get_metric_history(ids["run"], "loss")], [o.model_id for o in run.outputs.model_outputs]],
        "text": pathlib.Path(mlflow.artifacts.download_artifacts(run_id=ids["run"], artifact_path="notes/result.txt", dst_path=str(folder))).read_text(),
        "model": [model.name, model.model_type, str(model.status), model.params, model.tags["team"], model.source_run_id, [(m.key, m.value, m.step) for m in model.metrics]],
        "file": (pathlib.Path(mlflow.artifacts.download_artifacts(f"models:/{ids['model']}", dst_path=str(folder))) / "MLmodel").read_text(),
        "trace": [trace.info.request_time, trace.info.execution_duration, str(trace.info.state), trace.info.tags["kind"], trace.info.response_preview,
                  {k: v for k, v in trace.info.trace_metadata.items()}, [s.to_dict() for s in trace.data.spans]],
        "assessments": sorted((a.name, a.assessment_id, str(a.value), a.rationale or "", a.valid is not False, a.source.source_id) for a in trace.info.assessments),
        "prompt": mlflow.genai.load_prompt("prompts:/asker@live").template,
        "version": client.get_model_version("answerer", "1").version,
    }


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        process, url = real_server(folder)
        try:
            ids = fill(url, folder)
            wanted = shown(url, ids, folder / "there")
            done = subprocess.run([PROGRAM, "import", "mlflow", url, "--store", str(folder / "record"), "--json"], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            report = json.loads(done.stdout)
            assert (report["logged_models"], report["traces"]) == (1, 1) and not report["skipped"], report
            again = json.loads(subprocess.run([PROGRAM, "import", "mlflow", url, "--store", str(folder / "record"), "--json"], capture_output=True, text=True).stdout)
            assert again["logged_models"] + again["traces"] + again["versions"] + again["files"] == 0, again
        finally:
            os.killpg(process.pid, 15)
            process.wait()
        server = Server(PROGRAM, folder)
        got = shown(server.url, ids, folder / "here")
        for key in wanted:
            assert got[key] == wanted[key], f"{key}:\n{wanted[key]}\n{got[key]}"
        server.stop()
    print(f"mlflow {mlflow.__version__}: imported, {json.dumps(report)}")


main()

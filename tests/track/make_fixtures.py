#!/usr/bin/env python3
"""Makes the files of tests/track/data with the programs they come from: make_fixtures.py WHAT TARGET.

  tensorboard  tensorboardX 2.6.5 (events of TensorFlow 1's form, text, images, hparams), tensorboard 2.21.0 (tensors of TensorFlow 2's)
  wandb        wandb 0.31.0, offline
  mlruns       mlflow 3.17.2 over its file store
  mlruns3      the same with what MLflow 3 added: logged models, traces, assessments, prompts
The numbers are those that tests/track/import_test.cc expects. Times and ids differ from making to making.
"""
import os, pathlib, shutil, sys


def tensorboard(target):
    import numpy
    from tensorboardX import SummaryWriter
    with SummaryWriter(str(target / "first"), write_to_disk=True) as writer:
        for step in range(50):
            writer.add_scalar("train/loss", 1 / (step + 1), step, walltime=1_700_000_000 + step)
        writer.add_text("note", "it went **well**", 3)
        writer.add_image("sample", numpy.zeros((3, 4, 4), dtype=numpy.uint8), 7)
        writer.add_histogram("weights", numpy.arange(5), 0)
        writer.add_hparams({"lr": 0.5, "optimizer": "adam"}, {"hparam/accuracy": 0.75}, name="trial")
    from tensorboard.summary import Writer
    writer = Writer(str(target / "second"))
    for step in range(20):
        writer.add_scalar("accuracy", step / 20, step, wall_time=1_700_000_100 + step)
    writer.close()


def wandb(target):
    os.environ.update(WANDB_MODE="offline", WANDB_DIR=str(target), WANDB_SILENT="true", WANDB_DISABLE_GIT="true", WANDB_DISABLE_CODE="true")
    import wandb as client
    run = client.init(project="sentiment", name="first", notes="a try", tags=["small"], config={"lr": 0.1, "model": {"layers": 2}},
                      settings=client.Settings(console="off", x_disable_stats=True, x_disable_meta=True))
    for step in range(30):
        run.log({"loss": 1 / (step + 1), "nested": {"a": step}, "good": step % 2 == 0})
    run.log({"odd": float("nan"), "word": "text"})
    run.summary["best"] = 0.25
    run.finish()


def mlruns(target):
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    import mlflow
    from mlflow import MlflowClient
    from mlflow.entities import Metric
    uri = (target / "mlruns").as_uri()
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("sentiment")
    client = MlflowClient()
    with mlflow.start_run(run_name="first", description="a try") as run:
        mlflow.log_params({"lr": 0.1, "epochs": 3})
        client.log_batch(run.info.run_id, metrics=[Metric("train/loss", 1 / (step + 1), 1000 + step, step) for step in range(40)])
        mlflow.log_metric("odd", float("nan"), step=1)
        mlflow.set_tag("team", "nlp")
        mlflow.log_text("it went well", "notes/result.txt")
    with mlflow.start_run(run_name="gone") as gone:
        pass
    client.delete_run(gone.info.run_id)
    client.create_registered_model("classifier", tags={"task": "sentiment"}, description="tells moods")
    for _ in range(3):
        client.create_model_version("classifier", f"runs:/{run.info.run_id}/notes", run.info.run_id)
    client.delete_model_version("classifier", "2")
    client.set_model_version_tag("classifier", "3", "checked", "yes")
    client.set_registered_model_alias("classifier", "champion", "3")


def mlruns3(target):
    os.environ.update(MLFLOW_ALLOW_FILE_STORE="true", MLFLOW_ENABLE_ASYNC_TRACE_LOGGING="false")
    import mlflow
    from mlflow import MlflowClient
    from mlflow.entities import AssessmentSource, Dataset, DatasetInput, InputTag, LoggedModelParameter
    mlflow.set_tracking_uri((target / "mlruns").as_uri())
    experiment = mlflow.set_experiment("answers").experiment_id
    client = MlflowClient()
    with mlflow.start_run(run_name="first") as run:
        client.log_inputs(run.info.run_id, [DatasetInput(Dataset("reviews", "abc1", "local", "{}"), [InputTag("mlflow.data.context", "training")])])
        model = mlflow.initialize_logged_model(name="answerer", source_run_id=run.info.run_id, params={"k": "3"}, tags={"team": "nlp"}, model_type="agent")
        mlflow.log_metric("quality", 0.5, step=1, model_id=model.model_id)
        mlflow.log_metric("quality", 0.75, step=2, model_id=model.model_id)
        folder = target / "files"
        folder.mkdir()
        (folder / "MLmodel").write_text("flavors: {}\n")
        client.log_model_artifacts(model.model_id, str(folder))
        shutil.rmtree(folder)
        mlflow.finalize_logged_model(model.model_id, "READY")

        @mlflow.trace(span_type="LLM")
        def answer(question):
            with mlflow.start_span("search") as span:
                span.set_attribute("found", 2)
            return "yes"
        answer("is it?")
    trace = mlflow.get_last_active_trace_id()
    mlflow.set_trace_tag(trace, "kind", "test")
    mlflow.log_feedback(trace_id=trace, name="good", value=True, rationale="it is", source=AssessmentSource("HUMAN", "ann"))
    mlflow.log_expectation(trace_id=trace, name="answer", value={"text": "yes"}, source=AssessmentSource("HUMAN", "ann"))
    mlflow.genai.register_prompt("asker", "Say {{what}}", commit_message="first", tags={"lang": "en"})
    mlflow.genai.set_prompt_alias("asker", "live", 1)
    client.create_registered_model("answerer")
    client.create_model_version("answerer", model.artifact_location, run.info.run_id, model_id=model.model_id)
    for file in [f for f in target.rglob("*") if f.is_file()]:  # nothing of the machine where it was made
        if file.name.startswith("mlflow.source.") or file.name == "mlflow.user":
            file.unlink()
        else:
            file.write_bytes(file.read_bytes().replace(target.as_uri().encode(), b"file://").replace(b"user_id: root", b"user_id: ann"))


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[2]).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    {"tensorboard": tensorboard, "wandb": wandb, "mlruns": mlruns, "mlruns3": mlruns3}[sys.argv[1]](folder)

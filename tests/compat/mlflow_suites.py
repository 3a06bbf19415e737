#!/usr/bin/env python3
"""MLflow's own REST test suites against `slipway server`: mlflow_suites.py PROGRAM CHECKOUT [PYTEST ARGUMENT...].

CHECKOUT is a checkout of MLflow with its tests/; the Python that runs this has mlflow, pytest and what those tests import. Where a
suite would start MLflow's server, it gets ours over a new folder. Without further arguments the suites that speak REST run, less the
tests of LEFT_OUT, and the last line says how many passed and how many were left out for which reason (README.md). Not a part of
./test: the suites are MLflow's, and not all of what they hold is the protocol.
"""
import collections, fnmatch, os, pathlib, subprocess, sys, tempfile

SUITES = ["tests/tracking/test_rest_tracking.py", "tests/tracking/test_model_registry.py", "tests/tracking/test_client_webhooks.py"]

# Reason: patterns of tests' names, with their parameters.
LEFT_OUT = {
    "MLflow's file store, which its own tests skip": ["*[[]file*"],
    "the gateway to other providers' models: routes_absent.cc": [
        "test_gateway_proxy_handler*", "test_*secret*", "test_*endpoint*", "test_*model_definition*", "test_list_providers*", "test_list_models*",
        "test_get_provider_config*", "test_online_scoring_config*"],
    "runs of the prompt laboratory, which ask the gateway": ["test_create_promptlab_run_handler*"],
    "issues: routes_absent.cc": ["test_create_issue*", "test_get_issue*", "test_update_issue*", "test_search_issues*"],
    "artifacts at a path that the client names": [
        "test_create_get_search_experiment*", "test_artifacts[[]*", "test_create_model_version_with_file_uri*",
        "test_create_model_version_with_path_source*", "test_logging_model_with_local_artifact_uri*"],
    "the inside of MLflow's server": ["test_create_model_version_with_validation_regex*", "test_get_metric_history_bulk_calls_optimized_impl*"],
    "a server before 3.17: no sqlstate in errors": ["test_path_validation*"],
    "a server before 3.17: curves sampled by steps of all runs": ["test_get_metric_history_bulk_interval_respects_max_results*"],
    "a server before 3.17: sources in runs other than the version's": [
        "test_create_model_version_with_non_local_source*", "test_get_run_and_experiment_graphql*", "test_create_and_query_model_version_flow*",
        "test_get_model_version[[]*", "test_update_model_version_flow*", "test_delete_model_version_flow*", "test_set_delete_model_version_tag_flow*",
        "test_set_model_version_tag_with_empty_string_as_value*",
        "test_set_delete_registered_model_alias_and_get_model_version_by_alias_flow*", "test_copy_model_version_flow*"],
}


class Server:
    """In place of tests.tracking.integration_test_utils.ServerThread."""

    def __init__(self, *_, **__):
        self.folder = tempfile.TemporaryDirectory()

    def __enter__(self):
        sys.path.insert(0, str(pathlib.Path(__file__).parent))
        import mlflow, recorded

        self.server = recorded.Server(os.environ["SLIPWAY_PROGRAM"], pathlib.Path(self.folder.name), "--webhook-private")
        # MLflow's server would share the tests' process and database, and their fluent calls go to that database.
        mlflow.set_tracking_uri(self.server.url)
        return self.server.url

    def __exit__(self, *_):
        self.server.kill()
        self.folder.cleanup()


def pytest_configure(config):
    import mlflow.server.handlers as handlers
    import tests.tracking.integration_test_utils as utils

    handlers.initialize_backend_stores = lambda *_, **__: None  # of the server in whose place ours is
    utils.ServerThread = Server
    utils._init_server = lambda *_, **__: Server()


def reason_of(name):
    return next((reason for reason, patterns in LEFT_OUT.items() if any(fnmatch.fnmatchcase(name, p) for p in patterns)), None)


LEFT = collections.Counter()


def pytest_collection_modifyitems(config, items):
    if not os.environ.get("SLIPWAY_ALL_TESTS"):
        reasons = [(item, reason_of(item.name)) for item in items]
        LEFT.update(reason for _, reason in reasons if reason)
        config.hook.pytest_deselected(items=[item for item, reason in reasons if reason])
        items[:] = [item for item, reason in reasons if not reason]


def pytest_terminal_summary(terminalreporter):
    for reason, count in LEFT.items():
        terminalreporter.write_line(f"left out: {count} {reason}")
    passed = len(terminalreporter.stats.get("passed", [])) + len(terminalreporter.stats.get("xfailed", []))
    terminalreporter.write_line(f"{passed} passed, {sum(LEFT.values())} left out")


def main():
    program, checkout, *arguments = sys.argv[1:]
    environment = {**os.environ, "SLIPWAY_PROGRAM": str(pathlib.Path(program).resolve()), "MLFLOW_DISABLE_TELEMETRY": "true",
                   "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false", "GIT_PYTHON_REFRESH": "quiet",
                   "PYTHONPATH": os.pathsep.join([str(pathlib.Path(__file__).resolve().parent), os.path.abspath(checkout), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "pytest", "-p", "mlflow_suites", "-q", "--no-header", *(arguments or SUITES)]
    sys.exit(subprocess.run(command, cwd=checkout, env=environment).returncode)


if __name__ == "__main__":
    main()

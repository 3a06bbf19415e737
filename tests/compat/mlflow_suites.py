#!/usr/bin/env python3
"""MLflow's own REST test suites against `slipway server`: mlflow_suites.py PROGRAM CHECKOUT [PYTEST ARGUMENT...].

CHECKOUT is a checkout of MLflow with its tests/; the Python that runs this has mlflow, pytest and what those tests import. Where a
suite would start MLflow's server, it gets ours over a new folder. Without further arguments the suites that speak REST run. Not a
part of ./test: the suites hold some things that are MLflow's alone (its stores' tables, its gateway).
"""
import os, pathlib, subprocess, sys, tempfile

SUITES = ["tests/tracking/test_rest_tracking.py", "tests/tracking/test_model_registry.py", "tests/tracking/test_client_webhooks.py"]


class Server:
    """In place of tests.tracking.integration_test_utils.ServerThread."""

    def __init__(self, *_, **__):
        self.folder = tempfile.TemporaryDirectory()

    def __enter__(self):
        sys.path.insert(0, str(pathlib.Path(__file__).parent))
        import recorded

        self.server = recorded.Server(os.environ["SLIPWAY_PROGRAM"], pathlib.Path(self.folder.name), "--webhook-private")
        return self.server.url

    def __exit__(self, *_):
        self.server.kill()
        self.folder.cleanup()


def pytest_configure(config):
    import tests.tracking.integration_test_utils as utils

    utils.ServerThread = Server
    utils._init_server = lambda *_, **__: Server()


def main():
    program, checkout, *arguments = sys.argv[1:]
    environment = {**os.environ, "SLIPWAY_PROGRAM": str(pathlib.Path(program).resolve()), "MLFLOW_DISABLE_TELEMETRY": "true",
                   "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false", "GIT_PYTHON_REFRESH": "quiet",
                   "PYTHONPATH": os.pathsep.join([str(pathlib.Path(__file__).resolve().parent), os.path.abspath(checkout), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "pytest", "-p", "mlflow_suites", "-q", "--no-header", *(arguments or SUITES)]
    sys.exit(subprocess.run(command, cwd=checkout, env=environment).returncode)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""/metrics against Prometheus' own tools: metrics_check.py PROGRAM TOKENIZER_JSON SHARED (the last two are not needed).

`slipway serve` of a classifier and of a decoder answer some requests; then `promtool check metrics` lints the text format,
and prometheus_client's strict parser reads the OpenMetrics form, by what the Accept header asks. Exit code 77: skipped,
prometheus_client is not installed. Without promtool (Debian's prometheus) its part says so.
"""
import json, math, pathlib, shutil, subprocess, sys, tempfile, urllib.request

import served

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
    from prometheus_client.parser import text_string_to_metric_families as plain
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMETHEUS_ACCEPT = ("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
                     "text/plain;version=0.0.4;q=0.3,*/*;q=0.2")


class Server(served.Server):
    def post(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        return json.loads(urllib.request.urlopen(request).read())

    def metrics(self, accept):
        with urllib.request.urlopen(urllib.request.Request(self.url + "/metrics", headers={"Accept": accept})) as answer:
            return answer.headers["Content-Type"], answer.read().decode()


def lint(text):
    """promtool's findings; vLLM's own names have colons, which it does not like in names of applications."""
    if shutil.which("promtool") is None:
        print("skipped: promtool is not installed (Debian package prometheus)")
        return
    run = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
    assert run.returncode in (0, 3), run.stderr  # 1: it cannot be read
    found = [line for line in (run.stdout + run.stderr).splitlines() if line.strip()]
    ours = [line for line in found if not (line.startswith("vllm:") and line.endswith("should not contain ':'"))]
    assert not ours, ours


def families(server, wanted):
    kind, text = server.metrics("text/plain;version=0.0.4")
    assert kind == "text/plain; version=0.0.4; charset=utf-8", kind
    lint(text)
    in_text = {sample.name for family in plain(text) for sample in family.samples}
    kind, text = server.metrics(PROMETHEUS_ACCEPT)
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8", kind
    assert text.endswith("# EOF\n")
    parsed = {family.name: family for family in openmetrics(text)}
    for name, family in parsed.items():
        assert family.documentation and family.type in ("counter", "gauge", "histogram"), family
        if family.unit:
            assert name.endswith("_" + family.unit), family
        for sample in family.samples:
            assert not math.isnan(sample.value), sample
            assert family.type != "counter" or sample.name == name + "_total", sample
            assert sample.name in in_text, sample  # both forms tell the same
    missing = [name for name in wanted if name not in parsed]
    assert not missing, (missing, sorted(parsed))
    return parsed


def value(family, name, **labels):
    found = [s.value for s in family.samples if s.name == name and labels.items() <= s.labels.items()]
    assert found, (name, labels, family.samples)
    return sum(found)


def classifier(folder):
    subprocess.run([sys.executable, str(ROOT / "tests/support/tiny_task.py"), "tiny", "nli"], cwd=folder, check=True)
    server = Server(folder, "tiny")
    for _ in range(3):
        server.post("/v1/classify", {"inputs": ["a good movie", "a bad film"]})
    parsed = families(server, ["slipway_requests", "slipway_request_duration_seconds", "slipway_queue_seconds",
                               "slipway_tokens", "slipway_texts", "process_resident_memory_bytes", "process_cpu_seconds"])
    requests = parsed["slipway_requests"]
    assert value(requests, "slipway_requests_total", route="/v1/classify", status="200") == 3
    assert parsed["slipway_request_duration_seconds"].unit == "seconds"
    assert value(parsed["slipway_texts"], "slipway_texts_total") == 6
    server.stop()


def decoder(folder):
    make = [sys.executable, str(ROOT / "tests/support/tiny_decoder.py"), str(folder / "writer")]
    prompt = subprocess.run(make, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    server = Server(folder, folder / "writer")
    for _ in range(2):
        server.post("/v1/completions", {"model": "writer", "prompt": prompt, "max_tokens": 5, "temperature": 0})
    gauges = ["num_requests_running", "num_requests_waiting", "kv_cache_usage_perc"]
    counters = ["prompt_tokens", "generation_tokens", "request_success", "prefix_cache_queries", "prefix_cache_hits",
                "num_preemptions"]
    histograms = ["time_to_first_token_seconds", "inter_token_latency_seconds", "e2e_request_latency_seconds",
                  "request_queue_time_seconds", "request_prefill_time_seconds", "request_decode_time_seconds",
                  "request_inference_time_seconds", "request_prompt_tokens", "request_generation_tokens",
                  "request_params_n", "request_params_max_tokens"]
    parsed = families(server, ["vllm:" + name for name in gauges + counters + histograms])
    for names, kind in ((gauges, "gauge"), (counters, "counter"), (histograms, "histogram")):
        for name in names:
            family = parsed["vllm:" + name]
            assert family.type == kind, family
            # As vLLM labels them, so that its dashboards find the model.
            assert all(s.labels["model_name"] == "writer" and s.labels["engine"] == "0" for s in family.samples), family
    assert value(parsed["vllm:generation_tokens"], "vllm:generation_tokens_total") == 10
    assert value(parsed["vllm:request_success"], "vllm:request_success_total", finished_reason="length") == 2
    for name in histograms:
        if name != "inter_token_latency_seconds":
            assert value(parsed["vllm:" + name], f"vllm:{name}_count") == 2, name
    assert value(parsed["vllm:inter_token_latency_seconds"], "vllm:inter_token_latency_seconds_count") == 8
    assert value(parsed["vllm:request_generation_tokens"], "vllm:request_generation_tokens_sum") == 10
    assert value(parsed["vllm:prefix_cache_queries"], "vllm:prefix_cache_queries_total") > 0
    server.stop()


with tempfile.TemporaryDirectory() as folder:
    classifier(pathlib.Path(folder))
    decoder(pathlib.Path(folder))
print("Prometheus' tools read both forms")

#!/usr/bin/env python3
"""Traces of `slipway serve` at a small collector: otlp_check.py PROGRAM TOKENIZER_JSON SHARED (the last two are not needed).

The collector keeps what it is sent; each body is held to the standard's own messages (opentelemetry-proto: a field with
another name is an error), each span to the conventions for servers and generative models. No prompt may be in it. Exit code
77: skipped, opentelemetry-proto is not installed.
"""
import http.server, json, pathlib, re, subprocess, sys, tempfile, threading, time, urllib.error, urllib.request

import served

try:
    from google.protobuf import json_format
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector(http.server.ThreadingHTTPServer):
    def __init__(self):
        self.bodies, self.headers = [], []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def spans(self):
        return [span for body in self.bodies for part in body["resourceSpans"] for scope in part["scopeSpans"]
                for span in scope["spans"]]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json"
        self.server.headers.append(dict(self.headers))
        self.server.bodies.append(json.loads(body))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


class Server(served.Server):
    def post(self, path, body, **headers):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(),
                                         {"Content-Type": "application/json", **headers})
        try:
            return urllib.request.urlopen(request).read()
        except urllib.error.HTTPError as error:
            return error.read()

    def metrics(self):
        return urllib.request.urlopen(self.url + "/metrics").read().decode()


def attributes(span):
    out = {}
    for one in span["attributes"]:
        (kind, value), = one["value"].items()
        out[one["key"]] = (int(value) if kind == "intValue" else [v["stringValue"] for v in value["values"]]
                           if kind == "arrayValue" else value)
    return out


def check_form(collector, secret):
    for body in collector.bodies:
        json_format.ParseDict(body, ExportTraceServiceRequest())  # refuses unknown names and wrong types
        assert secret not in json.dumps(body), "a prompt is in a span"
        resource = attributes(body["resourceSpans"][0]["resource"])
        assert resource["service.name"] and resource["service.version"], resource
    for span in collector.spans():
        assert re.fullmatch("[0-9a-f]{32}", span["traceId"]) and re.fullmatch("[0-9a-f]{16}", span["spanId"]), span
        start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        assert isinstance(span["startTimeUnixNano"], str) and 0 <= end - start < 60e9 and abs(end / 1e9 - time.time()) < 600, span
        assert span["kind"] == 2, span
    ids = [span["spanId"] for span in collector.spans()]
    assert len(set(ids)) == len(ids)


def decoder(folder):
    make = [sys.executable, str(ROOT / "tests/support/tiny_decoder.py"), str(folder / "writer")]
    prompt = subprocess.run(make, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    collector = Collector()
    server = Server(folder, folder / "writer", "--otlp-endpoint", collector.url, OTEL_SERVICE_NAME="writers",
                    OTEL_EXPORTER_OTLP_HEADERS="x-collector-key=k")
    ask = {"model": "writer", "prompt": prompt, "max_tokens": 5, "temperature": 0.5, "seed": 7}
    server.post("/v1/completions", {**ask, "n": 2}, traceparent=f"00-{TRACE}-{PARENT}-01")
    assert b"[DONE]" in server.post("/v1/completions", {**ask, "stream": True})
    server.post("/v1/completions", {**ask, "model": "nope"})
    server.post("/v1/completions", ask, traceparent=f"00-{TRACE}-{PARENT}-00")  # its caller records nothing
    server.metrics()  # nor is looking a request of anybody
    server.stop()  # flushes
    check_form(collector, prompt)
    assert attributes(collector.bodies[0]["resourceSpans"][0]["resource"])["service.name"] == "writers"
    assert collector.headers[0]["x-collector-key"] == "k"
    spans = collector.spans()
    assert len(spans) == 3, [span["name"] for span in spans]
    first = attributes(spans[0])
    assert spans[0]["name"] == "text_completion writer" and (spans[0]["traceId"], spans[0]["parentSpanId"]) == (TRACE, PARENT)
    wanted = {"gen_ai.operation.name": "text_completion", "gen_ai.provider.name": "slipway", "gen_ai.request.model": "writer",
              "gen_ai.response.model": "writer", "gen_ai.request.max_tokens": 5, "gen_ai.request.temperature": 0.5,
              "gen_ai.request.seed": 7, "gen_ai.request.choice.count": 2, "gen_ai.usage.output_tokens": 10,
              "gen_ai.response.finish_reasons": ["length", "length"], "http.request.method": "POST",
              "http.route": "/v1/completions", "http.response.status_code": 200}
    assert wanted.items() <= first.items(), first
    second = attributes(spans[1])
    assert second["gen_ai.usage.output_tokens"] == 5 and second["gen_ai.usage.input_tokens"] == first["gen_ai.usage.input_tokens"] > 0
    assert "parentSpanId" not in spans[1] and spans[1]["status"] == {}
    third = attributes(spans[2])
    assert third["http.response.status_code"] == 404 and third["error.type"] == "404", third


def classifier(folder):
    subprocess.run([sys.executable, str(ROOT / "tests/support/tiny_task.py"), "tiny", "nli"], cwd=folder, check=True)
    collector = Collector()
    server = Server(folder, "tiny", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    server.post("/v1/classify", {"inputs": ["a good movie", "a bad film"]})
    server.post("/v1/embeddings", {"model": "tiny", "input": "a good movie"})
    server.stop()
    check_form(collector, "good movie")
    spans = {span["name"]: attributes(span) for span in collector.spans()}
    assert set(spans) == {"classify tiny", "embeddings tiny"}, spans
    assert spans["embeddings tiny"]["gen_ai.usage.input_tokens"] == 5, spans
    assert spans["classify tiny"]["gen_ai.usage.input_tokens"] == 10, spans


def away(folder):
    """A collector that is not there costs nobody anything but spans, which are counted."""
    collector = Collector()
    collector.shutdown()
    collector.server_close()
    server = Server(folder, "tiny", "--otlp-endpoint", collector.url)
    for _ in range(20):
        server.post("/v1/classify", {"inputs": "a good movie"})
    assert "slipway_spans_exported_total 0" in server.metrics()
    start = time.monotonic()
    server.stop()
    print(f"drained in {time.monotonic() - start:.1f} s without a collector")


with tempfile.TemporaryDirectory() as folder:
    decoder(pathlib.Path(folder))
    classifier(pathlib.Path(folder))
    away(pathlib.Path(folder))
print("the collector was sent what the standard says")

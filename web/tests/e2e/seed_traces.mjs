// Traces as MLflow's client and an OpenTelemetry exporter log them: a question that is answered from found passages; one fails.
import assert from "node:assert/strict";
import { random } from "./seed.mjs";

const questions = ["Who directed it?", "Is the ending sad?", "How long is the film?", "Who wrote the music?"];
const hex = (next, digits) => Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join("");
// AnyValue, as MLflow's client sends attributes.
const any = (value) => typeof value === "string" ? { stringValue: value } : typeof value === "number" ? (Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value })
  : Array.isArray(value) ? { arrayValue: { values: value.map(any) } } : { kvlistValue: { values: Object.entries(value).map(([key, one]) => ({ key, value: any(one) })) } };
const text = (key, value) => ({ key, value: any(value) });

export async function seedTraces(server, experiment, run, count = 12) {
  const next = random(11);
  const ids = [];
  for (let i = 0; i < count; i++) {
    const trace = hex(next, 32);
    const [root, find, embed, answer] = Array.from({ length: 4 }, () => hex(next, 16));
    const failed = i === 3;
    const question = questions[i % questions.length];
    const begin = Date.UTC(2026, 9, 6, 9) + i * 60_000;
    const ms = 400 + i * 35;
    const span = (id, parent, name, type, from, to, inputs, outputs, more = {}) => ({
      traceId: trace, spanId: id, ...(parent ? { parentSpanId: parent } : {}), name, kind: 1, startTimeUnixNano: String(BigInt(Math.round(begin + from)) * 1000000n), endTimeUnixNano: String(BigInt(Math.round(begin + to)) * 1000000n),
      attributes: [text("mlflow.spanType", type), text("mlflow.spanInputs", inputs), ...(outputs === undefined ? [] : [text("mlflow.spanOutputs", outputs)]), text("mlflow.traceRequestId", `tr-${trace}`)], status: { code: 1 }, ...more });
    const spans = [
      span(root, "", "answer", "CHAIN", 0, ms, { question }, failed ? undefined : { answer: "It says so in the credits." }, failed ? { status: { code: 2, message: "the model is busy" } } : {}),
      span(find, root, "retrieve", "RETRIEVER", 4, ms * 0.35, { query: question, k: 2 }, [{ page_content: "A film of 94 minutes.", score: 0.81 }, { page_content: "Its music is by a quartet.", score: 0.4 }]),
      span(embed, find, "embed", "EMBEDDING", 6, ms * 0.12, { text: question }, { size: 384 }),
      span(answer, root, "generate", "LLM", ms * 0.36, ms - 3, { prompt: `Answer briefly: ${question}` }, failed ? undefined : "It says so in the credits.",
        failed ? { status: { code: 2, message: "the model is busy" }, events: [{ timeUnixNano: String(BigInt(begin + 300) * 1000000n), name: "exception", attributes: [{ key: "exception.type", value: { stringValue: "RuntimeError" } }, { key: "exception.stacktrace", value: { stringValue: "Traceback…\nRuntimeError: the model is busy" } }] }] } : {}),
    ];
    await server.send("POST", "/api/3.0/mlflow/traces", { trace: { trace_info: {
      trace_id: `tr-${trace}`, trace_location: { type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id: experiment } }, request_time: new Date(begin).toISOString(), execution_duration: `${ms / 1000}s`, state: failed ? "ERROR" : "OK",
      request_preview: JSON.stringify({ question }), response_preview: failed ? "" : '{"answer": "It says so in the credits."}', trace_metadata: { "mlflow.sourceRun": run, "mlflow.modelId": "m-0123456789abcdef0123456789abcdef" }, tags: { "mlflow.traceName": "answer" } } } });
    const sent = await fetch(`${server.url}/v1/traces`, { method: "POST", headers: { "Content-Type": "application/json", "x-mlflow-experiment-id": experiment, ...server.headers }, body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }) });
    assert.equal(sent.status, 200, await sent.text());
    ids.push(`tr-${trace}`);
  }
  await server.send("POST", `/api/3.0/mlflow/traces/${ids[0]}/assessments`, { assessment: { assessment_name: "relevance", source: { source_type: "LLM_JUDGE", source_id: "judge-v1" }, feedback: { value: 0.5 }, rationale: "Half of what was asked." } });
  return ids;
}

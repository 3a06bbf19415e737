// Traces as trees, without a browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Trace, TraceInfo } from "../src/lib/api";
import { assessmentText, durationOf, lengthOf, plainValue, rowsOf, spansOf, typedValue } from "../src/lib/trace";

const info = { trace_id: "tr-1", trace_location: {}, request_time: "2025-01-02T03:04:05.678Z", state: "OK", execution_duration: "1.25s" } as TraceInfo;
const id = (byte: number) => btoa(String.fromCharCode(...[0, 0, 0, 0, 0, 0, 0, byte]));
const span = (byte: number, parent: number | undefined, start: number, end: number | undefined, more = {}) =>
  ({ trace_id: "x", span_id: id(byte), ...(parent === undefined ? {} : { parent_span_id: id(parent) }), name: `s${byte}`, start_time_unix_nano: start * 1e6, ...(end === undefined ? {} : { end_time_unix_nano: end * 1e6 }), status: {}, ...more });

test("values of OpenTelemetry become plain ones, however deep", () => {
  assert.deepEqual(plainValue({ kvlist_value: { values: [{ key: "a", value: { array_value: { values: [{ int_value: 3 }, { string_value: "x" }, { bool_value: false }, {}] } } }] } }), { a: [3, "x", false, null] });
  assert.equal(plainValue({ double_value: 0.5 }), 0.5);
  assert.equal(plainValue(undefined), null);
});

test("spans are read from the record and from the file of older clients alike", () => {
  const record = spansOf({ trace_info: info, spans: [span(1, undefined, 100, 900, { attributes: [{ key: "mlflow.spanType", value: { string_value: "LLM" } }, { key: "mlflow.spanInputs", value: { kvlist_value: { values: [{ key: "q", value: { string_value: "?" } }] } } }, { key: "model", value: { string_value: "m" } }] }),
    span(2, 1, 150, undefined, { status: { code: "STATUS_CODE_ERROR", message: "broke" } })] } as Trace);
  const file = spansOf({ trace_info: info, file: { spans: [span(1, undefined, 100, 900, { attributes: { "mlflow.spanType": '"LLM"', "mlflow.spanInputs": '{"q": "?"}', model: '"m"' } }), span(2, 1, 150, undefined, { status: { code: "STATUS_CODE_ERROR", message: "broke" } })] } });
  assert.deepEqual(file, record);
  assert.deepEqual([record[0]!.id, record[0]!.type, record[0]!.inputs, record[0]!.duration, record[0]!.attributes], ["0000000000000001", "LLM", { q: "?" }, 800, [["model", "m"]]]);
  assert.deepEqual([record[1]!.parent, record[1]!.start, record[1]!.duration, record[1]!.failed, record[1]!.message], ["0000000000000001", 50, undefined, true, "broke"]);
  assert.equal(lengthOf(record), 800);
  assert.deepEqual(spansOf({ trace_info: info }), []);
});

test("rows keep parents before children; rings and lost parents lose no span", () => {
  const spans = spansOf({ trace_info: info, spans: [span(1, undefined, 0, 9), span(3, 1, 5, 8), span(2, 1, 1, 4), span(4, 2, 2, 3), span(5, 77, 6, 7), span(6, 8, 7, 8), span(8, 6, 7, 8)] } as Trace);
  const shape = (rows: ReturnType<typeof rowsOf>) => rows.map((row) => `${row.span.name}:${row.depth}`);
  assert.deepEqual(shape(rowsOf(spans)), ["s1:0", "s2:1", "s4:2", "s3:1", "s5:0", "s6:0", "s8:1"]);
  assert.deepEqual(shape(rowsOf(spans, new Set([spans.find((one) => one.name === "s1")!.id]))), ["s1:0", "s5:0", "s6:0", "s8:1"]);
  const deep = spansOf({ trace_info: info, spans: Array.from({ length: 200 }, (_, i) => span(i + 1, i === 0 ? undefined : i, i, i + 1)) } as Trace);
  assert.equal(rowsOf(deep).at(-1)!.depth, 199);
});

test("durations, assessments and typed values", () => {
  assert.equal(durationOf(info), 1250);
  assert.equal(durationOf({ ...info, execution_duration: undefined } as unknown as TraceInfo), undefined);
  const one = { assessment_id: "a", assessment_name: "n", trace_id: "t", source: { source_type: "HUMAN" }, create_time: "", last_update_time: "", valid: true };
  assert.equal(assessmentText({ ...one, feedback: { value: { a: 1 } } }), '{"a":1}');
  assert.equal(assessmentText({ ...one, feedback: { value: null, error: { error_code: "TIMEOUT", error_message: "late" } } }), "TIMEOUT: late");
  assert.equal(assessmentText({ ...one, expectation: { serialized_value: { value: "[1]" } } }), "[1]");
  assert.deepEqual([typedValue("true"), typedValue(" 0.9 "), typedValue("good enough"), typedValue('{"a": 1}')], [true, 0.9, "good enough", { a: 1 }]);
});

// A trace as a tree of spans with their times, from MLflow's answers: OpenTelemetry's spans of the record (a list of attributes, in
// AnyValue), or the file that older clients write (attributes are a map of JSON texts).
import type { Trace, TraceInfo } from "./api";

export interface Span {
  id: string;
  parent: string | undefined;
  name: string;
  type: string; // "LLM", "RETRIEVER", …; "" without one
  start: number; // milliseconds since the trace's first span began
  duration: number | undefined; // milliseconds; undefined: it has not ended
  failed: boolean;
  message: string;
  inputs: unknown;
  outputs: unknown;
  attributes: [string, unknown][];
  events: { name: string; at: number; attributes: [string, unknown][] }[];
}

export interface Row {
  span: Span;
  depth: number;
  children: number;
}

type Json = Record<string, unknown>;
const object = (value: unknown): Json => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

// OpenTelemetry's AnyValue as plain JSON.
export function plainValue(any: unknown): unknown {
  const given = object(any);
  for (const name of ["string_value", "bool_value", "double_value"]) if (name in given) return given[name];
  if ("int_value" in given) return Number(given.int_value);
  if ("array_value" in given) return list(object(given.array_value).values).map(plainValue);
  if ("kvlist_value" in given) return Object.fromEntries(list(object(given.kvlist_value).values).map((pair) => [String(object(pair).key), plainValue(object(pair).value)]));
  return null;
}

function decoded(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function attributesOf(given: unknown): [string, unknown][] {
  if (Array.isArray(given)) return given.map((pair) => [String(object(pair).key), plainValue(object(pair).value)]);
  return Object.entries(object(given)).map(([key, value]) => [key, decoded(value)]);
}

// Ids are bytes: base64 in answers, hex digits where people and assessments name them.
function hexId(id: unknown): string {
  const text = String(id);
  if (!/^[A-Za-z0-9+/]{11}=$/.test(text)) return text;
  return [...atob(text)].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

const kOwn = new Set(["mlflow.spanType", "mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.traceRequestId"]);

function spanOf(given: unknown, zero: number): Span {
  const span = object(given);
  const attributes = attributesOf(span.attributes);
  const value = (key: string) => decoded(attributes.find(([name]) => name === key)?.[1]); // some exporters send JSON texts as texts
  const status = object(span.status);
  const start = Number(span.start_time_unix_nano ?? 0);
  const end = span.end_time_unix_nano === undefined || span.end_time_unix_nano === null ? undefined : Number(span.end_time_unix_nano);
  return {
    id: hexId(span.span_id), parent: span.parent_span_id ? hexId(span.parent_span_id) : undefined, name: String(span.name ?? ""),
    type: String(value("mlflow.spanType") ?? ""), start: (start - zero) / 1e6, duration: end === undefined ? undefined : (end - start) / 1e6,
    failed: String(status.code ?? "").endsWith("ERROR"), message: String(status.message ?? ""),
    inputs: value("mlflow.spanInputs"), outputs: value("mlflow.spanOutputs"), attributes: attributes.filter(([name]) => !kOwn.has(name)),
    events: list(span.events).map((event) => ({ name: String(object(event).name ?? ""), at: (Number(object(event).time_unix_nano ?? zero) - zero) / 1e6, attributes: attributesOf(object(event).attributes) })),
  };
}

// The spans of a trace, the earliest first.
export function spansOf(trace: Trace & { file?: unknown }): Span[] {
  const given: unknown[] = trace.spans?.length ? trace.spans : list(object(trace.file).spans);
  const zero = given.reduce<number>((least, span) => Math.min(least, Number(object(span).start_time_unix_nano ?? Infinity)), Infinity);
  return given.map((span) => spanOf(span, zero)).sort((a, b) => a.start - b.start);
}

// Rows of the tree, parents before their children, without what lies in closed ones. A span whose parent is not there is a root,
// and so is one of a ring.
export function rowsOf(spans: Span[], closed: ReadonlySet<string> = new Set()): Row[] {
  const known = new Set(spans.map((span) => span.id));
  const children = new Map<string, Span[]>();
  const roots: Span[] = [];
  for (const span of spans) {
    if (span.parent === undefined || !known.has(span.parent) || span.parent === span.id) roots.push(span);
    else children.set(span.parent, [...(children.get(span.parent) ?? []), span]);
  }
  const rows: Row[] = [];
  const seen = new Set<string>();
  const visit = (first: Span) => {
    const stack: [Span, number, boolean][] = [[first, 0, true]];
    while (stack.length > 0) {
      const [span, depth, shown] = stack.pop()!;
      if (seen.has(span.id)) continue;
      seen.add(span.id);
      const below = children.get(span.id) ?? [];
      if (shown) rows.push({ span, depth, children: below.length });
      for (const child of [...below].reverse()) stack.push([child, depth + 1, shown && !closed.has(span.id)]);
    }
  };
  roots.forEach(visit);
  spans.forEach((span) => !seen.has(span.id) && visit(span));
  return rows;
}

// From the first span's start to the last end, in milliseconds.
export const lengthOf = (spans: Span[]) => Math.max(0, ...spans.map((span) => span.start + (span.duration ?? 0)));

export const traceName = (info: TraceInfo) => info.tags?.["mlflow.traceName"] || info.trace_id;
export const startOf = (info: TraceInfo) => Date.parse(info.request_time);
// "1.25s" → 1250
export const durationOf = (info: TraceInfo) => (info.execution_duration === undefined ? undefined : Number(info.execution_duration.replace(/s$/, "")) * 1000);

type Assessment = NonNullable<TraceInfo["assessments"]>[number];

export function assessmentKind(one: Assessment): "feedback" | "expectation" | "issue" {
  return one.feedback ? "feedback" : one.expectation ? "expectation" : "issue";
}

export function assessmentText(one: Assessment): string {
  const serialized = object(one.expectation?.serialized_value).value;
  const error = object(one.feedback?.error);
  if (error.error_code || error.error_message) return [error.error_code, error.error_message].filter(Boolean).join(": ");
  const value = one.feedback?.value ?? one.expectation?.value ?? serialized ?? one.issue?.issue_name;
  return value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
}

// What someone typed as a value: JSON where it is some, else the text.
export const typedValue = (text: string): unknown => decoded(text.trim());

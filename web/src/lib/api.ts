// What the pages ask of the server, each question once. Types come from api/openapi.yaml.
import type { components } from "../gen/api";
import { ask, fetchText, sessionKey } from "./http";

type Schemas = components["schemas"];
export type Run = Schemas["Run"];
export type Experiment = Schemas["Experiment"];
export type Curve = Schemas["Curve"];
export type RunGroup = Schemas["RunGroup"];
export type FileInfo = Schemas["FileInfo"];
export type Product = Schemas["Product"];
export type Lineage = Schemas["Lineage"];
export type RegisteredModel = Schemas["RegisteredModel"];
export type ModelPage = Schemas["ModelPage"];
export type ModelVersion = Schemas["ModelVersion"];
export type ModelPolicy = Schemas["ModelPolicy"];
export type Approval = Schemas["Approval"];
export type Deployment = Schemas["Deployment"];
export type Dataset = Schemas["Dataset"];
export type DatasetPage = Schemas["DatasetPage"];
export type DatasetRows = Schemas["DatasetRows"];
export type DatasetDiff = Schemas["DatasetDiff"];
export type Explanation = Schemas["Explanation"];
export type DeploymentPage = Schemas["DeploymentPage"];
export type TraceInfo = Schemas["TraceInfo"];
export type Trace = Schemas["Trace"];
export type Assessment = Schemas["Assessment"];
export type NewAssessment = Schemas["NewAssessment"]["assessment"];

const mlflow = "/ajax-api/2.0/mlflow";
const ui = "/ajax-api/ui";

export interface RunsSpec {
  experiments: string[];
  filter: string;
  order: string;
  view: "ACTIVE_ONLY" | "DELETED_ONLY";
}

const body = (spec: RunsSpec) => ({ experiment_ids: spec.experiments, filter: spec.filter, run_view_type: spec.view });

// Names of what is kept of the server: everything that is read goes through one of these.
export const keys = {
  session: sessionKey,
  experiment: (id: string) => ["experiment", id] as const,
  traces: (experiments: string[], filter: string, order: string) => ["traces", experiments, filter, order] as const,
  trace: (id: string) => ["trace", id] as const,
  experiments: ["experiments"] as const,
  window: (spec: RunsSpec, offset: number, limit: number) => ["runs", "window", spec, offset, limit] as const,
  count: (spec: RunsSpec) => ["runs", "count", { ...spec, order: "" }] as const,
  groups: (spec: RunsSpec, by: string) => ["runs", "groups", { ...spec, order: "" }, by] as const,
  run: (id: string) => ["run", id] as const,
  curves: (ids: string[], names: string[]) => ["curves", ids, names] as const,
  files: (id: string, path: string) => ["files", id, path] as const,
  products: (id: string) => ["products", id] as const,
  file: (url: string) => ["file", url] as const,
  lineage: (node: string) => ["lineage", node] as const,
  models: (filter: string) => ["models", filter] as const,
  model: (name: string) => ["model", name] as const,
  deployments: ["deployments"] as const,
  deployment: (id: string) => ["deployment", id] as const,
  datasets: ["datasets"] as const,
  dataset: (digest: string) => ["dataset", digest] as const,
  rows: (digest: string, split: string, offset: number, text: string, label: string) => ["rows", digest, split, offset, text, label] as const,
  datasetDiff: (digest: string, from: string) => ["dataset diff", digest, from] as const,
};

export async function allExperiments(signal?: AbortSignal): Promise<Experiment[]> {
  const all: Experiment[] = [];
  let token: string | undefined;
  do {
    const page: { experiments?: Experiment[]; next_page_token?: string } = await ask("POST", `${mlflow}/experiments/search`,
      { max_results: 1000, order_by: ["last_update_time DESC"], page_token: token }, signal);
    all.push(...(page.experiments ?? []));
    token = page.next_page_token;
  } while (token && all.length < 20_000);
  return all;
}

export const getExperiment = (id: string, signal?: AbortSignal) =>
  ask<{ experiment: Experiment }>("GET", `${mlflow}/experiments/get?experiment_id=${encodeURIComponent(id)}`, undefined, signal).then((answer) => answer.experiment);

export const runWindow = (spec: RunsSpec, offset: number, limit: number, signal?: AbortSignal) =>
  ask<{ runs: Run[] }>("POST", `${ui}/runs/window`, { ...body(spec), order_by: spec.order ? [spec.order] : [], offset, max_results: limit }, signal)
    .then((page) => page.runs);
export const countRuns = (spec: RunsSpec, signal?: AbortSignal) =>
  ask<{ runs: number }>("POST", `${ui}/runs/count`, body(spec), signal).then((answer) => answer.runs);
export const groupRuns = (spec: RunsSpec, by: string, signal?: AbortSignal) =>
  ask<{ groups: RunGroup[]; more: boolean }>("POST", `${ui}/runs/groups`, { ...body(spec), by, max_results: 200 }, signal);
export const getRun = (id: string, signal?: AbortSignal) =>
  ask<{ run: Run }>("GET", `${mlflow}/runs/get?run_id=${encodeURIComponent(id)}`, undefined, signal).then((answer) => answer.run);
export const getCurves = (run_ids: string[], names: string[], signal?: AbortSignal) =>
  ask<{ curves: Curve[] }>("POST", `${ui}/curves`, { run_ids, keys: names, points: 600 }, signal).then((answer) => answer.curves);
export const listFiles = (id: string, path: string, signal?: AbortSignal) =>
  ask<{ root_uri: string; files?: FileInfo[] }>("GET",
    `${mlflow}/artifacts/list?run_id=${encodeURIComponent(id)}&path=${encodeURIComponent(path)}`, undefined, signal)
    .then((answer) => answer.files ?? []);
export const getProducts = (id: string, signal?: AbortSignal) =>
  ask<{ artifacts: Product[] }>("GET", `${ui}/runs/${encodeURIComponent(id)}/products`, undefined, signal).then((answer) => answer.artifacts);
export const setRunFate = (id: string, fate: "delete" | "restore") => ask("POST", `${mlflow}/runs/${fate}`, { run_id: id });
export const getLineage = (node: string, signal?: AbortSignal) =>
  ask<Lineage>("GET", `${ui}/lineage?node=${encodeURIComponent(node)}`, undefined, signal);
export const searchModels = (filter: string, signal?: AbortSignal) =>
  ask<{ registered_models?: RegisteredModel[]; next_page_token?: string }>("GET",
    `${mlflow}/registered-models/search?max_results=200&filter=${encodeURIComponent(filter)}`, undefined, signal);
export const getModel = (name: string, signal?: AbortSignal) =>
  ask<ModelPage>("GET", `${ui}/models/${encodeURIComponent(name)}`, undefined, signal);
// With `override`, an admin's reason to move it against the model's policy.
export const setAlias = (name: string, alias: string, version: number, override?: string) =>
  ask("POST", `${mlflow}/registered-models/alias`, { name, alias, version: String(version), override });
export const setPolicy = (name: string, policy: ModelPolicy) => ask<ModelPolicy>("PUT", `${ui}/models/${encodeURIComponent(name)}/policy`, policy);
export const decide = (name: string, version: number, decision: Schemas["NewDecision"]) =>
  ask<Approval>("POST", `${ui}/models/${encodeURIComponent(name)}/versions/${version}/decisions`, decision);
export const getDeployments = (signal?: AbortSignal) =>
  ask<{ deployments: Deployment[] }>("GET", `${ui}/deployments`, undefined, signal).then((answer) => answer.deployments);
export const getDeployment = (id: string, signal?: AbortSignal) =>
  ask<DeploymentPage>("GET", `${ui}/deployments/${encodeURIComponent(id)}`, undefined, signal);
const dataset = (digest: string, more = "") => `${ui}/datasets/${encodeURIComponent(digest)}${more}`;
export const getDatasets = (signal?: AbortSignal) => ask<{ datasets: Dataset[] }>("GET", `${ui}/datasets`, undefined, signal).then((answer) => answer.datasets);
export const getDataset = (digest: string, signal?: AbortSignal) => ask<DatasetPage>("GET", dataset(digest), undefined, signal);
export const getRows = (digest: string, query: Record<string, string>, signal?: AbortSignal) =>
  ask<DatasetRows>("GET", dataset(digest, `/rows?${new URLSearchParams(query)}`), undefined, signal);
export const diffDatasets = (digest: string, from: string, signal?: AbortSignal) =>
  ask<DatasetDiff>("GET", dataset(digest, `/diff?from=${encodeURIComponent(from)}`), undefined, signal);
export const explain = (deployment: string, text: string, method: string) =>
  ask<Explanation>("POST", `${ui}/deployments/${encodeURIComponent(deployment)}/explain`, { text, method });

const traces = "/ajax-api/3.0/mlflow/traces";
export const kTracesPage = 100;
export const searchTraces = (experiments: string[], filter: string, order: string, token: string | undefined, signal?: AbortSignal) =>
  ask<{ traces?: TraceInfo[]; next_page_token?: string }>("POST", `${traces}/search`, {
    locations: experiments.map((experiment_id) => ({ type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id } })),
    filter, order_by: [order || "timestamp DESC"], max_results: kTracesPage, page_token: token }, signal);
// Its spans are in the record, or in a file that an older client wrote.
export async function getTrace(id: string, signal?: AbortSignal): Promise<Trace & { file?: unknown }> {
  const { trace } = await ask<{ trace: Trace }>("GET", `${traces}/get?trace_id=${encodeURIComponent(id)}&allow_partial=true`, undefined, signal);
  if (trace.spans?.length || !trace.trace_info.tags?.["mlflow.artifactLocation"]) return trace;
  try {
    return { ...trace, file: JSON.parse(await fetchText(`/ajax-api/3.0/mlflow/get-trace-artifact?request_id=${encodeURIComponent(id)}`, undefined, signal)) };
  } catch {
    return trace; // it was never written
  }
}
export const addAssessment = (trace: string, assessment: NewAssessment) =>
  ask<{ assessment: Assessment }>("POST", `${traces}/${encodeURIComponent(trace)}/assessments`, { assessment });

export const artifactUrl = (id: string, path: string) =>
  `/get-artifact?run_uuid=${encodeURIComponent(id)}&path=${encodeURIComponent(path)}`;
// The same to look at: HTML and images with a policy that lets nothing in them run.
export const previewUrl = (id: string, path: string) =>
  `${ui}/preview?run_id=${encodeURIComponent(id)}&path=${encodeURIComponent(path)}`;
export const blobUrl = (digest: string) => `${ui}/blobs/${encodeURIComponent(digest)}`;

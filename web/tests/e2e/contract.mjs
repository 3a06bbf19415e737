// Holds the server to api/openapi.yaml: node web/tests/e2e/contract.mjs SLIPWAY. Every route that it describes is asked, good and
// bad, and nothing may be answered that it does not describe: the UI's types are made of it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import yaml from "js-yaml";
import { logFiles, runPipelines } from "./seed_record.mjs";
import { annotationQuestions } from "./contract_annotate.mjs";
import { startServer, temporary } from "./support.mjs";
import { seedRuns } from "./seed.mjs";
import { seedTraces } from "./seed_traces.mjs";

const program = path.resolve(process.argv[2]);
const api = yaml.load(readFileSync(new URL("../../../api/openapi.yaml", import.meta.url), "utf8"));
const resolve = (schema) => (schema.$ref ? resolve(schema.$ref.slice(2).split("/").reduce((at, name) => at[name], api)) : schema);

// What is wrong with the value; JSON Schema as far as openapi.yaml uses it. A property that is not described is wrong.
function faults(value, given, at) {
  const schema = resolve(given);
  if (schema.oneOf) return schema.oneOf.some((one) => faults(value, one, at).length === 0) ? [] : [`${at} is none of its kinds`];
  if (schema.enum && !schema.enum.includes(value)) return [`${at} is ${JSON.stringify(value)}, not one of ${schema.enum}`];
  if (value === null && schema.nullable) return [];
  switch (schema.type) {
    case "array":
      return Array.isArray(value) ? value.flatMap((item, i) => faults(item, schema.items, `${at}[${i}]`)) : [`${at} is no array`];
    case "object": {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${at} is no object`];
      const missing = (schema.required ?? []).filter((name) => !(name in value)).map((name) => `${at}.${name} is missing`);
      return [...missing, ...Object.entries(value).flatMap(([name, item]) => {
        const inner = schema.properties?.[name] ?? schema.additionalProperties;
        return inner === true ? [] : inner ? faults(item, inner, `${at}.${name}`) : schema.properties ? [`${at}.${name} is not described`] : [];
      })];
    }
    case "integer": return Number.isInteger(value) ? [] : [`${at} is no integer but ${JSON.stringify(value)}`];
    case "number": return typeof value === "number" ? [] : [`${at} is no number but ${JSON.stringify(value)}`];
    case "boolean": return typeof value === "boolean" ? [] : [`${at} is no boolean`];
    case "string": return typeof value === "string" ? [] : [`${at} is no text but ${JSON.stringify(value)}`];
    case undefined: return [];  // any value
    default: throw new Error(`${at}: the check knows no type '${schema.type}'`);
  }
}

const folder = temporary();
runPipelines(program, folder.path, `${folder.path}/record`);
const server = await startServer(program, folder.path);
let passed = 0;
let failed = 0;
try {
  const { experiment, ids } = await seedRuns(server, { runs: 6, steps: 40 });
  await server.post("runs/log-metric", { run_id: ids[0], key: "f1", value: "NaN", timestamp: 1, step: 99 });
  await logFiles(server, experiment, ids[0]);
  const [trace] = await seedTraces(server, experiment, ids[0], 4);
  const asked = async (address) => (await fetch(`${server.url}${address}`)).json();
  const { versions } = await asked("/api/ui/models/tiny-reviews");
  const { deployments } = await asked("/api/ui/deployments");
  const { datasets } = await asked("/api/ui/datasets");
  assert.equal(versions.length, 2);
  assert.equal(datasets.length, 2);
  assert.ok(deployments.length >= 2);
  const of = { experiment_ids: [experiment] };
  // What to ask each route: [parameters or body, expected status].
  const questions = {
    ...(await annotationQuestions(server)),
    "/api/slipway/session": [[{}, 200]],
    "/api/slipway/login": [[{ username: "ann", password: "correct horse battery" }, 400], [{}, 400]],
    "/api/slipway/logout": [[{}, 401]],
    "/api/2.0/mlflow/experiments/get": [[{ experiment_id: experiment }, 200], [{ experiment_id: "77777" }, 404]],
    "/api/3.0/mlflow/traces/search": [[{ locations: [{ type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id: experiment } }], filter: "status = 'OK'", max_results: 2 }, 200], [{ locations: [], filter: "x ~ 1" }, 400], [{}, 400]],
    "/api/3.0/mlflow/traces/get": [[{ trace_id: trace }, 200], [{ trace_id: "tr-none" }, 404]],
    "/api/3.0/mlflow/traces/{trace_id}/assessments": [[{ trace_id: trace, assessment: { assessment_name: "good", source: { source_type: "HUMAN", source_id: "ann" }, feedback: { value: true } } }, 200], [{ trace_id: trace, assessment: { assessment_name: "bad" } }, 400]],
    "/api/2.0/mlflow/experiments/search": [[{ max_results: 10 }, 200], [{ max_results: -1 }, 400]],
    "/api/2.0/mlflow/runs/get": [[{ run_id: ids[0] }, 200], [{ run_id: "f".repeat(32) }, 404]],
    "/api/2.0/mlflow/artifacts/list": [[{ run_id: ids[0] }, 200], [{ run_id: ids[0], path: "../x" }, 400]],
    "/api/ui/runs/window": [[{ ...of, offset: 2, max_results: 3, order_by: ["metrics.f1 DESC"] }, 200], [{ ...of, offset: -1 }, 400]],
    "/api/ui/runs/count": [[{ ...of, filter: "params.lr = '0.0001'" }, 200], [{ ...of, filter: "lr >< 3" }, 400]],
    "/api/ui/runs/groups": [[{ ...of, by: "params.lr" }, 200], [{ ...of, by: "params.none" }, 200], [{ ...of, by: "metrics.f1" }, 400], [of, 400]],
    "/api/ui/curves": [[{ run_ids: ids, keys: ["train/loss", "f1"], points: 10 }, 200], [{ run_ids: ids, keys: [] }, 400]],
    "/api/ui/runs/{run_id}/products": [[{ run_id: versions[0].run_id }, 200], [{ run_id: "f".repeat(32) }, 404]],
    "/api/ui/lineage": [[{ node: "model:tiny-reviews/2" }, 200], [{ node: "run:unknown" }, 200], [{}, 400]],
    "/api/ui/preview": [[{ run_id: ids[0], path: "notes.txt" }, 200], [{ run_id: ids[0], path: "none.txt" }, 404], [{ run_id: ids[0], path: "../../x" }, 400]],
    "/api/ui/blobs/{digest}": [[{ digest: versions[0].artifacts.find((one) => !one.folder).digest }, 200], [{ digest: versions[0].artifacts.find((one) => one.folder).digest }, 404], [{ digest: "sha256:../x" }, 404]],
    "/api/ui/models/{name}": [[{ name: "tiny-reviews" }, 200], [{ name: "none" }, 404]],
    "/api/ui/models/{name}/policy": [[{ name: "tiny-reviews" }, 200], [{ name: "none" }, 404]],
    "put /api/ui/models/{name}/policy": [[{ name: "tiny-reviews", required_approvals: 1, protected_aliases: ["champion"] }, 200], [{ name: "tiny-reviews", required_approvals: 99 }, 400], [{ name: "none" }, 404]],
    "/api/ui/models/{name}/versions/{version}/decisions": [[{ name: "tiny-reviews", version: "1", decision: "approve", comment: "good", who: "ann" }, 200], [{ name: "tiny-reviews", version: "1", decision: "perhaps" }, 400], [{ name: "tiny-reviews", version: "77", decision: "approve" }, 404]],
    "/api/ui/datasets": [[{}, 200]],
    "/api/ui/datasets/{digest}": [[{ digest: versions[0].dataset }, 200], [{ digest: datasets[0].artifact }, 200], [{ digest: "sha256:none" }, 404]],
    "/api/ui/datasets/{digest}/rows": [[{ digest: datasets[0].digest, split: "test", offset: 3, limit: 5 }, 200], [{ digest: datasets[0].digest, text: "wonderful", label: "good" }, 200], [{ digest: datasets[0].digest, limit: "x" }, 400]],
    "/api/ui/datasets/{digest}/diff": [[{ digest: datasets[0].digest, from: datasets[1].digest }, 200], [{ digest: datasets[0].digest, from: "none" }, 404]],
    "/api/ui/deployments": [[{}, 200]],
    "/api/ui/deployments/{id}/explain": [[{ id: deployments[0].id, text: "a joy" }, 503]],
    "/api/ui/deployments/{id}": [[{ id: deployments[0].id }, 200], [{ id: "none" }, 404]],
  };
  for (const [route, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const list = questions[`${method} ${route}`] ?? questions[route];
      if (!list) throw new Error(`the check has no question for ${route}`);
      for (const [values, status] of list) {
        const named = route.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name]));
        const rest = Object.fromEntries(Object.entries(values).filter(([name]) => !route.includes(`{${name}}`)));
        const url = `${server.url}${named}` + (method === "get" ? `?${new URLSearchParams(rest)}` : "");
        const answer = await fetch(url, method === "get" ? {} : { method: method.toUpperCase(), headers: { "Content-Type": "application/json" }, body: JSON.stringify(rest) });
        const schema = resolve(operation.responses[String(answer.status)] ?? operation.responses.default);
        const content = schema.content?.["application/json"];
        const wrong = answer.status === status ? [] : [`status ${answer.status}, not ${status}`];
        if (content) {
          const body = await answer.json();
          wrong.push(...faults(body, content.schema, "answer"));
        }
        wrong.length ? failed++ : passed++;
        console.log(`${wrong.length ? "FAILED" : "ok"} ${method} ${route} ${JSON.stringify(values).slice(0, 100)}`, ...wrong.slice(0, 5));
      }
    }
  }
  assert.deepEqual(Object.keys(questions).filter((route) => !api.paths[route.replace(/^\w+ /, "")]), [], "questions about routes that are not described");
} finally {
  await server.stop();
  folder.remove();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;

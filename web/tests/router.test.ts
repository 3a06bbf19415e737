import assert from "node:assert/strict";
import { test } from "node:test";

Object.assign(globalThis, { addEventListener: () => {}, location: { pathname: "/ui/runs", search: "?e=0&q=a%20%3D%201", origin: "http://x" } });
const { fromMlflow, link, patched } = await import("../src/lib/router");

test("addresses that MLflow's clients print lead to the same things", () => {
  assert.equal(fromMlflow("#/experiments/0/runs/abc"), "/ui/runs/abc");
  assert.equal(fromMlflow("#/experiments/3"), "/ui/runs?e=3");
  assert.equal(fromMlflow("#/experiments/3?searchFilter=x"), "/ui/runs?e=3");
  assert.equal(fromMlflow("#/models/my%20model/versions/4"), "/ui/models/my%20model?v=4");
  assert.equal(fromMlflow("#/models"), "/ui/models");
  assert.equal(fromMlflow(""), undefined);
});

test("an address changes by its parameters", () => {
  assert.equal(link("/ui/runs", { e: "1,2", q: undefined }), "/ui/runs?e=1%2C2");
  assert.equal(patched({ q: undefined, view: "curves" }), "/ui/runs?e=0&view=curves");
});

// Saved views, and what a file that claims to hold some may hold.
import assert from "node:assert/strict";
import { test } from "node:test";
import { firstView, merged, noViews, parseViews, viewsText, withDefault, without } from "../src/lib/views";

const one = { views: [{ name: "lions", address: "/ui/runs?e=1&q=a" }], defaults: { "1": "lions" } };

test("views survive export and import", () => {
  assert.deepEqual(parseViews(viewsText(one)), one);
  assert.deepEqual(merged(noViews, one), one);
  const both = merged(one, { views: [{ name: "bears", address: "/ui/runs?e=2" }, { name: "lions", address: "/ui/runs?e=3" }], defaults: {} });
  assert.deepEqual(both.views.map((view) => `${view.name} ${view.address}`), ["bears /ui/runs?e=2", "lions /ui/runs?e=3"]);
  assert.equal(firstView(both, "1"), "/ui/runs?e=3");
});

test("a default goes with its view", () => {
  assert.equal(firstView(one, "2"), undefined);
  assert.deepEqual(without(one, "lions"), noViews);
  assert.deepEqual(withDefault(one, "1", undefined).defaults, {});
  assert.deepEqual(withDefault(one, "2", "lions").defaults, { "1": "lions", "2": "lions" });
});

test("a file's addresses lead to the runs page or nowhere", () => {
  const text = (views: unknown, more = {}) => JSON.stringify({ format: "slipway-views", views, defaults: {}, ...more });
  for (const address of ["javascript:alert(1)", "https://elsewhere.example/ui/runs?e=1", "//elsewhere.example/ui/runs?e=1", "/ui/runs", "/ui/models?x=1", "/ui/runs?e=1\\x", "/ui/runs?a b", 7, null]) {
    assert.deepEqual(parseViews(text([{ name: "x", address }]))?.views, [], String(address));
  }
  assert.deepEqual(parseViews(text([{ name: " ", address: "/ui/runs?e=1" }, null, 3, "x"]))?.views, []);
  assert.deepEqual(parseViews(text([], { defaults: { "1": "gone", "2": 3 } }))?.defaults, {});
  for (const broken of ["", "[]", "null", "{}", '{"format": "other", "views": []}', '{"format": "slipway-views"}', "{"]) assert.equal(parseViews(broken), undefined, broken);
});

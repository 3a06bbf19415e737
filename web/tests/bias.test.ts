// Bias suites and group rates, whole and with parts missing.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeploymentPage } from "../src/lib/api";
import { biasOf, groupDistances, newestGroups } from "../src/lib/bias";

const rate = (value: number | null) => ({ value, low: value, high: value, n: 4 });
const window = (number: number, groups?: unknown) => ({ id: number, time_ms: number, kind: "monitor_window", subject: "x", data: { window: number, n: 10, time: "", drift: false, tests: [], ...(groups ? { groups } : {}) } }) as DeploymentPage["windows"][number];

test("an evaluation's suite is read, the largest shift first", () => {
  const bias = biasOf({ bias: { suite: "names", flip_rate: rate(0.2), max_shift: 0.1, groups: [{ group: "a", shift: rate(0.01), flip_rate: rate(null) }, { group: "b", shift: rate(-0.1), flip_rate: rate(0.3) }], examples: [{ text: "x", counterfactual: "y", group: "b", label: "good", counterfactual_label: "bad" }] } })!;
  assert.deepEqual(bias.groups.map((one) => one.group), ["b", "a"]);
  assert.deepEqual([bias.suite, bias.flipRate?.value, bias.maxShift, bias.examples[0]], ["names", 0.2, 0.1, { text: "x", counterfactual: "y", group: "b", from: "good", to: "bad" }]);
});

test("an evaluation without a suite has none; a broken one has no groups", () => {
  for (const evaluation of [undefined, null, {}, { bias: null }, [], "x"]) assert.equal(biasOf(evaluation), undefined);
  assert.deepEqual(biasOf({ bias: { groups: "none", examples: [3] } })?.groups, []);
});

test("rates of groups come from the newest window that has some", () => {
  const groups = [{ group: "gender:female", label: "good", rate: rate(0.5), reference: rate(0.3), p: 0.2 }];
  assert.equal(newestGroups([window(1)]), undefined);
  assert.equal(newestGroups([window(1, groups), window(2, [])])?.window, 1);
  const lines = groupDistances([window(1, groups), window(2), window(3, [{ ...groups[0], rate: rate(null) }, { group: "b", label: "bad", rate: rate(1), reference: rate(0), p: 0 }])]);
  assert.deepEqual(lines.map((line) => line.name), ["b → bad", "gender:female → good"]);
  assert.deepEqual(lines[1]!.values.map((value) => value?.toFixed(1)), ["0.2", undefined, undefined]);
});

// The gates of a version in one word, and what an alias's history tells.
import assert from "node:assert/strict";
import { test } from "node:test";
import { spans } from "../src/lib/aliases";
import type { ModelPage, ModelVersion } from "../src/lib/api";
import { worstGate } from "../src/lib/gates";

const gates = (...states: string[]) => ({ gates: states.map((status) => ({ gate: "g", status, measured: null, threshold: null, reason: "" })) }) as Pick<ModelVersion, "gates">;

test("one failed gate fails a version, one unknown leaves it open", () => {
  assert.equal(worstGate(gates("passed", "failed", "unknown")), "failed");
  assert.equal(worstGate(gates("passed", "unknown")), "unknown");
  assert.equal(worstGate(gates("passed")), "passed");
  assert.equal(worstGate(gates()), undefined);
  assert.equal(worstGate({}), undefined);
});

test("who moved an alias, and against what, is part of its history", () => {
  const aliases: ModelPage["aliases"] = [{ alias: "champion", version: 2, history: [{ version: 2, changed_ms: 20, who: "ann", override: "it is late" }, { version: 1, changed_ms: 10, who: null, override: null }] }];
  assert.deepEqual(spans(aliases), [
    { alias: "champion", version: 2, from: 20, to: undefined, who: "ann", override: "it is late" }, { alias: "champion", version: 1, from: 10, to: 20, who: undefined, override: undefined }]);
});

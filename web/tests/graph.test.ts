import assert from "node:assert/strict";
import { test } from "node:test";
import { servedAt, spans } from "../src/lib/aliases";
import { estimateOf, estimateText } from "../src/lib/estimate";
import { folded, layered, shortName, withoutReturns } from "../src/lib/graph";
import { confusionOf, kindOf, tableOfLines } from "../src/lib/preview";

const node = (id: string) => ({ id, kind: id.split(":")[0]!, name: id });
const edge = (from: string, to: string) => ({ from, to, kind: "used" });

test("each node lies right of all that it was made of, also when there is a ring", () => {
  const nodes = ["file:a", "dataset:b", "run:c", "model:d", "artifact:e"].map(node);
  const edges = [edge("file:a", "dataset:b"), edge("dataset:b", "run:c"), edge("file:a", "run:c"), edge("run:c", "model:d"), edge("run:c", "artifact:e"), edge("artifact:e", "model:d")];
  const at = new Map(layered(nodes, edges).placed.map((one) => [one.id, one]));
  for (const { from, to } of edges) assert.ok(at.get(from)!.layer < at.get(to)!.layer, `${from} ${to}`);
  const places = [...at.values()].map((one) => `${one.layer}/${one.row}`);
  assert.equal(new Set(places).size, nodes.length, "no two at one place");
  assert.equal(layered(nodes, [...edges, edge("model:d", "file:a")]).placed.length, 5);
  assert.deepEqual(layered([], []), { placed: [], layers: 0, rows: 0 });
});

test("what a run made and used itself is drawn as made", () => {
  const edges = [edge("run:a", "artifact:x"), edge("artifact:x", "run:a"), edge("artifact:x", "run:b")];
  assert.deepEqual(withoutReturns(edges), [edges[0], edges[2]]);
});

test("many of a kind become one, the one that is asked about stays", () => {
  const nodes = [node("model:m"), ...Array.from({ length: 50 }, (_, i) => node(`file:${i}`)), ...Array.from({ length: 9 }, (_, i) => node(`prediction:${i}`))];
  const edges = [...Array.from({ length: 50 }, (_, i) => edge(`file:${i}`, "model:m")), ...Array.from({ length: 9 }, (_, i) => edge("model:m", `prediction:${i}`))];
  const small = folded(nodes, edges, "file:49", 12);
  assert.equal(small.nodes.filter((one) => one.kind === "file").length, 14); // 12, the one asked about, the rest
  assert.ok(small.nodes.some((one) => one.id === "file:49"));
  assert.deepEqual(small.nodes.filter((one) => one.kind === "prediction").map((one) => one.name), ["+9"]);
  assert.ok(small.edges.every(({ from, to }) => small.nodes.some((one) => one.id === from) && small.nodes.some((one) => one.id === to)));
  assert.equal(shortName(`sha256:${"ab".repeat(32)}`), "sha256:ababababab…");
  assert.equal(shortName("x".repeat(30)).length, 20);
});

test("an alias's history tells what it meant at any moment", () => {
  const all = spans([{ alias: "champion", version: 1, history: [{ version: 1, changed_ms: 300 }, { version: 2, changed_ms: 200 }, { version: 2, changed_ms: 150 }, { version: 1, changed_ms: 100 }] }]);
  assert.deepEqual(all.map(({ version, from, to }) => [version, from, to]), [[1, 300, undefined], [2, 150, 300], [1, 100, 150]]);
  assert.deepEqual([50, 100, 149, 150, 299, 300, 9999].map((ms) => servedAt(all, "champion", ms)), [undefined, 1, 1, 2, 2, 1, 1]);
  assert.equal(servedAt(all, "other", 200), undefined);
});

test("measures are written with their interval", () => {
  assert.equal(estimateText(estimateOf({ value: 0.95, low: 0.9, high: 0.9875, n: 80 })), "0.95 [0.9, 0.9875]");
  assert.equal(estimateText(estimateOf(0.5)), "0.5");
  assert.equal(estimateText(estimateOf({ value: null })), "");
  assert.equal(estimateOf("0.5"), undefined);
});

test("files are known by their names", () => {
  assert.deepEqual(["a/b.PNG", "x.csv", "x.tsv", "x.jsonl", "x.json", "x.html", "x.bin", "MLmodel", "README", "noending"].map(kindOf),
    ["image", "table", "table", "lines", "json", "page", "none", "text", "text", "none"]);
});

test("JSON lines become a table, lines that are none stay lines", () => {
  assert.deepEqual(tableOfLines('{"a":1}\n\n{"b":{"c":2},"a":"x"}\nnot json\n', 10), { head: ["a", "b", "line"], rows: [["1", "", ""], ["x", '{"c":2}', ""], ["", "", "not json"]] });
  assert.equal(tableOfLines("1\n2\n3", 2).rows.length, 2);
});

test("a confusion matrix is a square of counts", () => {
  assert.deepEqual(confusionOf({ labels: ["no", "yes"], confusion: [[3, 1], [0, 4]] }), { labels: ["no", "yes"], counts: [[3, 1], [0, 4]] });
  assert.deepEqual(confusionOf([[1, 0], [0, 1]])!.labels, ["0", "1"]);
  for (const none of [null, {}, "x", [[1, 2]], [[1, 2], [3]], { matrix: [[1, -1], [0, 1]] }, { matrix: [["1", "2"], ["3", "4"]] }]) assert.equal(confusionOf(none), undefined);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketWidth, buckets, followed, pieces, quantile } from "../src/lib/traffic";

test("quantiles are of the nearest rank", () => {
  assert.equal(quantile([5, 1, 3], 0.5), 3);
  assert.equal(quantile([1, 2, 3, 4], 0.5), 2);
  assert.equal(quantile([1, 2, 3, 4], 0.95), 4);
  assert.equal(quantile([7], 0), 7);
  assert.equal(quantile([], 0.5), undefined);
});

test("predictions fall into spans of equal length, none is lost", () => {
  for (const span of [0, 900, 59_000, 3_600_000, 90_000_000]) {
    const times = Array.from({ length: 200 }, (_, i) => 1_790_000_000_123 + Math.floor((i * span) / 199));
    const list = buckets(times, times.map((_, i) => i * 1000));
    assert.ok(list.length >= 1 && list.length <= 60, `${span}: ${list.length}`);
    assert.equal(list.reduce((sum, one) => sum + one.count, 0), 200);
    list.forEach((one, i) => i > 0 && assert.equal(one.begin - list[i - 1]!.begin, bucketWidth(list)));
  }
  const apart = buckets([0, 10_000], [2000, 4000]);
  assert.deepEqual([apart[0]!.p50, apart[5]!.p50, apart.at(-1)!.p95], [2, undefined, 4]);
  assert.deepEqual(buckets([], []), []);
});

test("a text is cut at its words, counted in code points", () => {
  const text = "a 😀 joy, 好看";
  assert.deepEqual(pieces(text, [{ begin: 8, end: 10, value: 2 }, { begin: 4, end: 7, value: -1 }]),
    [{ text: "a 😀 ", value: undefined }, { text: "joy", value: -1 }, { text: ",", value: undefined }, { text: " 好", value: 2 }, { text: "看", value: undefined }]);
  assert.equal(pieces(text, [{ begin: 0, end: 99, value: 1 }]).map((piece) => piece.text).join(""), text);
  assert.equal(pieces(text, []).map((piece) => piece.text).join(""), text);
});

test("a deployment follows an alias or a version", () => {
  assert.deepEqual(followed("models:/movie-sentiment@champion"), { model: "movie-sentiment", alias: "champion" });
  assert.equal(followed("models:/movie-sentiment/3"), undefined);
  assert.equal(followed("folder"), undefined);
});

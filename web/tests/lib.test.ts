// The logic behind the pages, without a browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCsv, toCsv } from "../src/lib/csv";
import { both, columnOf, fieldOf, groupFilter, literal, nextOrder, parseOrder } from "../src/lib/filter";
import { bytes, duration, number } from "../src/lib/format";
import { axisOf, keeps } from "../src/lib/parallel";
import { aligned, smoothed, xOf } from "../src/lib/series";
import { type Section, kMaxHeight, scrollFor, shownRows, slotAt, totalLength } from "../src/lib/window";
import { en } from "../src/lib/en";
import { zh } from "../src/lib/zh";

test("fields of a filter are quoted where they must be", () => {
  assert.equal(fieldOf("m:loss"), "metrics.loss");
  assert.equal(fieldOf("p:top 1"), "params.`top 1`");
  assert.equal(fieldOf("t:a`b"), 'tags."a`b"');
  for (const column of ["m:loss", "p:top 1", "t:mlflow.user", "a:start_time", "t:a`b"]) assert.equal(columnOf(fieldOf(column)), column);
  assert.equal(columnOf("loss"), undefined);
});

test("a group's filter says its value or that there is none", () => {
  assert.equal(groupFilter("p:lr", "0.1"), "params.lr = '0.1'");
  assert.equal(groupFilter("p:name", "it's"), `params.name = "it's"`);
  assert.equal(groupFilter("p:lr", undefined), "params.lr IS NULL");
  assert.equal(groupFilter("p:lr", `"it's"`), undefined);
  assert.equal(literal("' OR 1=1"), `"' OR 1=1"`);
  assert.equal(both("a = 1", ""), "a = 1");
  assert.equal(both("a = 1", "b = 2"), "a = 1 AND b = 2");
});

test("a column's head orders one way, the other way, not at all", () => {
  assert.equal(nextOrder("", "m:loss"), "metrics.loss DESC");
  assert.equal(nextOrder("metrics.loss DESC", "m:loss"), "metrics.loss ASC");
  assert.equal(nextOrder("metrics.loss ASC", "m:loss"), "");
  assert.equal(nextOrder("metrics.loss DESC", "p:lr"), "params.lr ASC");
  assert.deepEqual(parseOrder("metrics.`top 1` DESC"), { column: "m:top 1", descending: true });
  assert.deepEqual(parseOrder("params.lr"), { column: "p:lr", descending: false });
});

test("the rows on the screen cover it, wherever the scroll bar is", () => {
  for (const count of [0, 1, 30, 5000, 1_000_000, 30_000_000]) {
    const viewport = 600;
    const all = shownRows(count, 32, 0, viewport);
    assert.ok(all.height <= kMaxHeight);
    for (const part of [0, 0.1, 0.5, 0.999, 1]) {
      const scrollTop = part * Math.max(0, all.height - viewport);
      const shown = shownRows(count, 32, scrollTop, viewport);
      const bottom = shown.top + (shown.end - shown.first) * 32;
      assert.ok(shown.top <= scrollTop + 0.01, `${count} ${part}: begins at ${shown.top}, below ${scrollTop}`);
      assert.ok(bottom >= Math.min(scrollTop + viewport, all.height) - 0.01, `${count} ${part}: ends at ${bottom}`);
      assert.ok(shown.end - shown.first < 50 && shown.end <= count && shown.first >= 0);
    }
    assert.equal(shownRows(count, 32, Math.max(0, all.height - viewport), viewport).end, count, "the end shows the last row");
  }
});

test("scrolling to a row makes it visible", () => {
  for (const count of [100, 1_000_000]) {
    for (const row of [0, 57, count - 1]) {
      const top = scrollFor(row, count, 32, 640, 600) ?? 640;
      const shown = shownRows(count, 32, top, 600, 0);
      assert.ok(row >= shown.first && row < shown.end, `row ${row} of ${count} at ${top}: ${shown.first}..${shown.end}`);
    }
  }
  assert.equal(scrollFor(25, 100, 32, 640, 600), undefined);
});

test("sections make one list of heads and rows", () => {
  const sections: Section[] = [{ count: 3, open: true, head: true }, { count: 9, open: false, head: true }, { count: 2, open: true, head: true }];
  assert.equal(totalLength(sections), 8);
  const seen = Array.from({ length: 8 }, (_, i) => slotAt(sections, i)!);
  assert.deepEqual(seen.map(({ section, row }) => `${section}:${row}`), ["0:-1", "0:0", "0:1", "0:2", "1:-1", "2:-1", "2:0", "2:1"]);
  assert.equal(slotAt(sections, 8), undefined);
  assert.deepEqual(slotAt([{ count: 5, open: true, head: false }], 4), { section: 0, row: 4 });
});

test("CSV comes back as it was, and a cell that a spreadsheet would run does not begin it", () => {
  const rows = [["a", "b,c"], ['say "hi"', "two\nlines"], ["-3.5", ""]];
  assert.deepEqual(parseCsv(toCsv(rows)), rows);
  assert.equal(toCsv([["=1+1", "-3.5", "@x"]]), "'=1+1,-3.5,'@x\r\n");
  assert.deepEqual(parseCsv("a\tb\nc\td", "\t"), [["a", "b"], ["c", "d"]]);
  assert.equal(parseCsv("1\n2\n3\n4", ",", 2).length, 2);
  assert.deepEqual(parseCsv(""), []);
});

test("numbers, times and sizes are short", () => {
  assert.equal(number(0.123456789), "0.12346");
  assert.equal(number(0.00001234567), "1.235e-5");
  assert.equal(number(1234567), "1,234,567");
  assert.equal(number("NaN"), "NaN");
  assert.equal(number(undefined), "");
  assert.equal(duration(950), "950 ms");
  assert.equal(duration(61_500), "1 min 1 s");
  assert.equal(bytes(1536), "1.5 kB");
});

test("curves share one row of x, with gaps", () => {
  const a = { steps: [0, 2, 4], times: [1000, 2000, 3000] };
  const b = { steps: [0, 1], times: [5000, 9000] };
  assert.deepEqual(aligned([[1, 2, 3], [7, 8]], [a, b], "step"), [[0, 1, 2, 4], [1, null, 2, 3], [7, 8, null, null]]);
  assert.deepEqual(aligned([[1, 2, 3], [7, 8]], [a, b], "relative")[0], [0, 1, 2, 4]);
  assert.deepEqual(xOf({ steps: [0, 0, 0], times: [1, 2, 3] }, "step"), [0, 1, 2], "a metric without steps is drawn over its order");
});

test("smoothing keeps constants and begins where the curve does", () => {
  assert.deepEqual(smoothed([5, 5, 5], 0.9).map((value) => Math.round(value * 1e9) / 1e9), [5, 5, 5]);
  assert.ok(Math.abs(smoothed([3, 9], 0.6)[0]! - 3) < 1e-12);
  assert.ok(smoothed([0, 10], 0.6)[1]! < 10);
  const same = [1, 2];
  assert.equal(smoothed(same, 0), same);
});

test("axes are numbers where all values are, else places for texts", () => {
  const numbers = axisOf("p:lr", ["0.1", "0.01", undefined]);
  assert.deepEqual(numbers.domain, [0.01, 0.1]);
  assert.deepEqual(numbers.positions, [0.1, 0.01, undefined]);
  const texts = axisOf("p:optimizer", ["sgd", "adam", "sgd"]);
  assert.ok(texts.names);
  assert.deepEqual(texts.positions, [1, 0, 1]);
  assert.deepEqual(axisOf("m:loss", [2, 2]).domain, [1, 3]);
  assert.ok(!axisOf("m:loss", ["NaN", 1]).names);
  assert.ok(keeps(0.5, [0, 1]) && !keeps(2, [0, 1]) && keeps(undefined, undefined) && !keeps(undefined, [0, 1]));
});

test("both languages say the same things with the same numbers in them", () => {
  const holes = (text: string) => [...text.matchAll(/\{\w+\}/g)].map((match) => match[0]).sort().join();
  for (const key of Object.keys(en) as (keyof typeof en)[]) {
    assert.ok(zh[key], `${key} is empty`);
    assert.equal(holes(zh[key]), holes(en[key]), key);
  }
  assert.equal(Object.keys(zh).length, Object.keys(en).length);
});

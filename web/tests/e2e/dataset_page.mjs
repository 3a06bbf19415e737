// The report of a dataset as a file in Chromium: node web/tests/e2e/dataset_page.mjs SLIPWAY. No errors, nothing asked of anybody, axe
// clean in both colours and languages, and the map by keyboard alone.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { accessible, launch, noFaults, openPage, reachable, temporary } from "./support.mjs";

const program = resolve(process.argv[2]);
const folder = temporary();
const browser = await launch();
try {
  const words = "the film is a good story of love and time with an actor who plays well in a bad scene by the river".split(" ");
  let state = 1;
  const random = (n) => (state = (state * 48271) % 2147483647) % n;
  const rows = (file, count, labels) => {
    let lines = "";
    for (let i = 0; i < count; i++) {
      const text = i % 20 === 0 ? "the same sentence comes again and again <b>here</b>" : Array.from({ length: 6 + random(12) }, () => words[random(words.length)]).join(" ");
      lines += `${JSON.stringify({ id: i, text, label: labels[random(labels.length)], score: random(1000) / 7 })}\n`;
    }
    writeFileSync(join(folder.path, file), lines);
  };
  rows("before.jsonl", 300, ["pos", "neg"]);
  rows("after.jsonl", 300, ["pos", "neg", "odd"]);
  const out = join(folder.path, "report.html");
  execFileSync(program, ["data", "report", join(folder.path, "after.jsonl"), "--against", join(folder.path, "before.jsonl"), "--out", out]);
  const server = { url: pathToFileURL(out).href };
  for (const [locale, colorScheme, title] of [["en-GB", "light", "Dataset report"], ["zh-CN", "dark", "数据集报告"]]) {
    const page = await openPage(browser, server, { locale, colorScheme });
    await page.goto(server.url);
    await page.locator(".eyebrow", { hasText: title }).getByText(title).waitFor();
    await accessible(page, `the report, ${locale} ${colorScheme}`);
    noFaults(page);
    await page.context().close();
  }
  const page = await openPage(browser, server);
  await page.goto(server.url);
  await reachable(page, "the report");
  await page.locator("#points").focus();
  const texts = new Set();
  for (const key of ["ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"]) {
    await page.keyboard.press(key);
    texts.add(await page.locator("#point").textContent());
  }
  assert.ok(texts.size >= 2, "the arrow keys go from text to text");
  assert.match([...texts][0], /jsonl:\d+/);
  assert.equal(await page.locator("#points circle.on").count(), 1);
  await page.locator("#by").selectOption("cluster");
  assert.equal(await page.locator("#points").getAttribute("data-by"), "cluster");
  await page.locator("#language").click();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "zh");
  await page.locator("#findings").getByText("新取值").first().waitFor();
  assert.equal(await page.locator("#near b").count(), 0, "texts are escaped");
  noFaults(page);
  console.log("ok the report of a dataset");
} finally {
  await browser.close();
  folder.remove();
}

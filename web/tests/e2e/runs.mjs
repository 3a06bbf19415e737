// The runs page in a real browser against the real server.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { accessible, noFaults, openPage } from "./support.mjs";

const rowNames = (page) => page.locator(".row:not(.header) .pin a").allTextContents();

async function csvOf(page, click) {
  const [download] = await Promise.all([page.waitForEvent("download"), click()]);
  return readFileSync(await download.path(), "utf8");
}

export const tests = {
  async "a deep link shows the runs it asks for"({ browser, server, seed }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/runs?e=${seed.experiment}&q=${encodeURIComponent("params.optimizer = 'lion'")}&order=${encodeURIComponent("metrics.accuracy DESC")}`);
    await page.getByText("13 runs").waitFor();
    const names = await rowNames(page);
    assert.equal(names.length, 13);
    assert.equal(await page.getByRole("columnheader", { name: /^accuracy/ }).getAttribute("aria-sort"), "descending");
    const values = await page.locator(".row:not(.header)").evaluateAll((rows) => rows.map((row) => Number(row.children[3].textContent)));
    assert.deepEqual(values, [...values].sort((a, b) => b - a));
    assert.ok(values[0] > 0.5, "accuracy is the first metric");
    noFaults(page);
    await page.context().close();
  },
  async "the root leads to the runs, MLflow's addresses to the same run"({ browser, server, seed }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/`);
    await page.waitForURL(/\/ui\/runs/);
    await page.getByText("40 runs").waitFor();
    await page.goto(`${server.url}/#/experiments/${seed.experiment}`);
    await page.waitForURL(new RegExp(`/ui/runs\\?e=${seed.experiment}`));
    noFaults(page);
    await page.context().close();
  },
  async "a wrong filter is told in the server's words and undone"({ browser, server, seed }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/runs?e=${seed.experiment}`);
    await page.getByText("40 runs").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("metric.x >< 3");
    await page.keyboard.press("Enter");
    const fault = page.locator("#filter-fault .note");
    await fault.waitFor();
    assert.match(await fault.textContent(), /Invalid comparator '><'/);
    assert.equal(await page.locator("#filter").getAttribute("aria-invalid"), "true");
    await page.locator("#filter").fill("metrics.accuracy > 0.8 AND tags.team = 'search'");
    await page.keyboard.press("Enter");
    await fault.waitFor({ state: "detached" });
    await page.getByText(/^[1-8] runs?$/).waitFor();
    await page.locator(".row:not(.header) .pin a").first().waitFor();
    const shown = await rowNames(page);
    assert.ok(shown.length <= 8, `${shown.length} runs`);
    noFaults(page);
    await page.context().close();
  },
  async "the keyboard moves, picks, compares and opens"({ browser, server, seed }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/runs?e=${seed.experiment}`);
    await page.getByText("40 runs").waitFor();
    await page.getByRole("grid").focus();
    await page.getByRole("link", { name: "sweep-40" }).waitFor();
    for (const key of ["Space", "ArrowDown", "Space", "j", "x"]) await page.keyboard.press(key);
    await page.getByText("3 selected").waitFor();
    assert.equal(new URL(page.url()).searchParams.get("sel").split(",").length, 3);
    await page.keyboard.press("End");
    await page.getByRole("link", { name: "sweep-01" }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Compare" }).click();
    await page.locator(".plot canvas").first().waitFor();
    assert.equal(await page.locator(".plot").count(), 3);
    await page.goBack();
    await page.getByRole("grid").waitFor();
    noFaults(page);
    await page.context().close();
  },
  async "curves, parallel coordinates and differences show the selected runs"({ browser, server, seed }) {
    const page = await openPage(browser, server);
    const base = `${server.url}/ui/runs?e=${seed.experiment}&sel=${seed.ids.slice(0, 4).join(",")}`;
    await page.goto(`${base}&view=curves&smooth=0.5`);
    await page.locator(".plot canvas").nth(2).waitFor();
    const table = page.locator(".plot", { hasText: "train/loss" }).locator("table.hidden");
    await table.locator("tbody tr").nth(3).waitFor({ state: "attached" });
    assert.equal(await table.locator("tbody tr").count(), 4);
    assert.equal(await table.locator("tbody tr").first().locator("td").first().textContent(), "400");
    const csv = await csvOf(page, () => page.getByRole("button", { name: "CSV" }).last().click());
    assert.equal(csv.split("\r\n").filter((line) => line.includes("train/loss")).length, 1600, "every point, for they are fewer than a curve may have");
    const [png] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save train/loss as PNG" }).click()]);
    assert.equal(readFileSync(await png.path()).subarray(1, 4).toString(), "PNG");
    await page.goto(`${base}&view=parallel`);
    await page.getByText("4 of 4 runs").waitFor();
    await page.getByText("Ranges as numbers").click();
    await page.getByLabel("lr from").fill("0.00002");
    await page.keyboard.press("Enter");
    await page.getByText("3 of 4 runs").waitFor();
    await page.goto(`${base}&view=diff`);
    await page.getByRole("rowheader", { name: "optimizer" }).waitFor();
    assert.equal(await page.getByRole("rowheader", { name: "batch_size" }).count(), 0, "equal ones are hidden");
    await page.getByLabel("Also what is equal").check();
    await page.getByRole("rowheader", { name: "batch_size" }).waitFor();
    noFaults(page);
    await page.context().close();
  },
  async "groups open and close, columns move, all of it in the address"({ browser, server, seed }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/runs?e=${seed.experiment}`);
    await page.getByText("40 runs").waitFor();
    await page.getByLabel("Group by").selectOption("p:optimizer");
    await page.locator(".row.group").nth(2).waitFor();
    assert.equal(await page.locator(".row.group").count(), 3);
    await page.locator(".row.group", { hasText: "adamw" }).click();
    await page.getByRole("link", { name: "sweep-40" }).waitFor();
    assert.equal((await rowNames(page)).length, 14);
    const url = page.url();
    await page.reload();
    await page.getByRole("link", { name: "sweep-40" }).waitFor();
    assert.equal(page.url(), url);
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByRole("button", { name: "Move accuracy up" }).click();
    await page.getByRole("button", { name: "Hide f1" }).click();
    await page.keyboard.press("Escape");
    const heads = (await page.getByRole("columnheader").allTextContents()).map((text) => text.trim());
    assert.deepEqual(heads.slice(0, 4), ["Run", "Started", "accuracy", "Duration"]);
    assert.ok(!heads.includes("f1"));
    noFaults(page);
    await page.context().close();
  },
  async "the table's CSV has all runs of the filter"({ browser, server, seed }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/runs?e=${seed.experiment}&q=${encodeURIComponent("attributes.status = 'FAILED'")}`);
    await page.getByText("4 runs").waitFor();
    const csv = (await csvOf(page, () => page.getByRole("button", { name: "CSV" }).click())).trimEnd().split("\r\n");
    assert.equal(csv.length, 5);
    assert.match(csv[0], /^\uFEFFrun_id,run,status,/);
    assert.match(csv[1], /,FAILED,/);
    noFaults(page);
    await page.context().close();
  },
  async "Chinese and dark are kept"({ browser, server, seed }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/runs?e=${seed.experiment}`);
    await page.getByLabel("Language").selectOption("zh");
    await page.getByText("40 次运行").waitFor();
    await page.getByLabel("主题").selectOption("dark");
    await page.reload();
    await page.getByText("40 次运行").waitFor();
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(14, 20, 24)");
    noFaults(page);
    await page.context().close();
  },
  async "axe finds nothing on the runs page"({ browser, server, seed }) {
    const page = await openPage(browser, server);
    for (const view of ["", "&view=curves", "&view=parallel", "&view=diff", "&group=p:optimizer"]) {
      await page.goto(`${server.url}/ui/runs?e=${seed.experiment}&sel=${seed.ids.slice(0, 2).join(",")}${view}`);
      await page.getByText("40 runs").waitFor();
      if (view === "&view=curves") await page.locator(".plot canvas").first().waitFor();
      await accessible(page, `runs ${view}`);
    }
    await page.getByRole("button", { name: "Columns" }).click();
    await accessible(page, "columns");
    await page.context().close();
  },
};

// The page of one run.
import assert from "node:assert/strict";
import { accessible, noFaults, openPage } from "./support.mjs";

export const tests = {
  async "a run shows what it was given and what came of it"({ browser, server, seed }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/#/experiments/${seed.experiment}/runs/${seed.ids[0]}`);
    await page.getByRole("heading", { name: "sweep-01" }).waitFor();
    assert.equal(new URL(page.url()).pathname, `/ui/runs/${seed.ids[0]}`);
    assert.equal(await page.getByRole("region", { name: "Parameters" }).first().locator("tr", { hasText: "optimizer" }).locator("td").textContent(), "adamw");
    await accessible(page, "run");
    await page.getByRole("link", { name: "Curves" }).click();
    await page.locator(".plot canvas").nth(2).waitFor();
    await accessible(page, "curves of a run");
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Restore" }).click();
    await page.getByRole("button", { name: "Delete" }).waitFor();
    noFaults(page);
    await page.context().close();
  },
  async "curves of a running run grow while one looks"({ browser, server, seed }) {
    const id = seed.ids.at(-1);
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/runs/${id}?tab=curves&metric=live`);
    await page.getByText("live", { exact: true }).waitFor();
    await server.post("runs/log-batch", { run_id: id, metrics: [1, 2, 3].map((step) => ({ key: "live/speed", value: step * step, step, timestamp: step })) });
    const table = page.locator(".plot table.hidden");
    await table.getByText("9", { exact: true }).first().waitFor();
    await server.post("runs/log-metric", { run_id: id, key: "live/speed", value: 77, step: 4, timestamp: 4 });
    await table.getByText("77", { exact: true }).first().waitFor();
    noFaults(page);
    await page.context().close();
  },
  async "files are shown by what they are"({ browser, server, seed }) {
    const page = await openPage(browser, server);
    const open = (path) => page.goto(`${server.url}/ui/runs/${seed.ids[0]}?tab=files&path=${encodeURIComponent(path)}`);
    await page.goto(`${server.url}/ui/runs/${seed.ids[0]}?tab=files`);
    await page.getByRole("button", { name: /notes\.txt/ }).click();
    await page.getByText("it went well").waitFor();
    await page.getByRole("button", { name: "eval" }).click();
    await page.getByRole("button", { name: /confusion\.json/ }).click();
    await page.getByText("accuracy 91.1 % of 1,000").waitFor();
    await accessible(page, "confusion matrix");
    await open("eval/errors.csv");
    await page.getByRole("cell", { name: "good, not great" }).waitFor();
    await open("eval/rows.jsonl");
    await page.getByText("2 rows").waitFor();
    await open("plots/ramp.png");
    const image = page.getByRole("img", { name: "plots/ramp.png" });
    await image.waitFor();
    assert.equal(await image.evaluate(async (element) => (await element.decode(), element.naturalWidth)), 160);
    await open("model/weights.bin");
    await page.getByText("Files of this kind are not shown here.").waitFor();
    noFaults(page);
    await page.context().close();
  },
  async "a page that somebody logged is shown but nothing in it runs"({ browser, server, seed }) {
    const page = await openPage(browser, server);
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(`${server.url}/ui/runs/${seed.ids[0]}?tab=files&path=report.html`);
    const frame = page.frameLocator("iframe");
    await frame.getByRole("heading", { name: "Report" }).waitFor();
    assert.equal(await frame.locator("#out").textContent(), "as written");
    assert.equal(await frame.getByRole("heading").evaluate((element) => getComputedStyle(element).color), "rgb(11, 100, 134)", "its own styles are kept");
    // Opened by its own address it has no more rights.
    const alone = await page.context().newPage();
    await alone.goto(`${server.url}/ajax-api/ui/preview?run_id=${seed.ids[0]}&path=report.html`);
    assert.equal(await alone.locator("#out").textContent(), "as written");
    assert.equal(await alone.title(), "Report");
    await alone.close();
    assert.deepEqual(asked.filter((url) => url.includes("/api/2.0/mlflow/experiments")), []);
    await page.context().close();
  },
  async "a pipeline's run shows its lineage and the files of its steps"({ browser, server }) {
    const page = await openPage(browser, server);
    const { versions } = await (await fetch(`${server.url}/api/ui/models/tiny-reviews`)).json();
    await page.goto(`${server.url}/ui/runs/${versions[0].run_id}?tab=lineage`);
    await page.locator("svg g rect").first().waitFor();
    await page.getByText(/As a list/).click();
    await page.getByRole("link", { name: "tiny-reviews/2" }).first().waitFor();
    await accessible(page, "lineage");
    await page.goto(`${server.url}/ui/runs/${versions[0].run_id}?tab=files`);
    await page.getByRole("button", { name: /evaluation\.json/ }).click();
    await page.getByText(/accuracy \d+\.\d % of 8[04]/).waitFor();
    noFaults(page);
    await page.context().close();
  },
};

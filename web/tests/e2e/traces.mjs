// Traces: found, looked into, judged.
import assert from "node:assert/strict";
import { accessible, noFaults, openPage } from "./support.mjs";

export const tests = {
  async "traces are found with MLflow's search"({ browser, server, seed }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/runs/${seed.ids[0]}`);
    await page.getByRole("link", { name: "Those of this run" }).click();
    await page.getByText("12 traces").waitFor();
    await page.getByText("relevance: 0.5").waitFor();
    await accessible(page, "traces");
    await page.keyboard.press("/");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("status = 'ERROR'");
    await page.keyboard.press("Enter");
    await page.getByText("1 traces").waitFor();
    await page.locator("#filter").fill("stat ~ 3");
    await page.keyboard.press("Enter");
    await page.locator("#filter-fault .note").waitFor();
    await page.locator("#filter").fill("execution_time > 600");
    await page.keyboard.press("Enter");
    await page.getByText("6 traces").waitFor();
    await page.getByRole("button", { name: "Duration" }).click();
    await page.getByRole("columnheader", { name: "Duration" }).and(page.locator("[aria-sort=descending]")).waitFor();
    assert.match(page.url(), /order=execution_time\+DESC/);
    await page.waitForFunction(() => document.querySelector("tbody td:nth-child(4)")?.textContent === "785 ms");
    noFaults(page);
    await page.context().close();
  },
  async "a trace is a tree over time, by the keyboard too"({ browser, server, seed }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/traces/${seed.traces[3]}`);
    const tree = page.getByRole("tree");
    await tree.waitFor();
    assert.deepEqual((await tree.getByRole("treeitem").evaluateAll((rows) => rows.map((row) => `${row.ariaLevel} ${row.querySelector("span:not(.tag):not(.fold):not(.name)").textContent}`))), ["1 answer", "2 retrieve", "3 embed", "2 generate"]);
    const left = (name) => tree.getByRole("treeitem", { name: new RegExp(`^${name}`) }).locator("i").evaluate((bar) => parseFloat(bar.style.left));
    assert.ok((await left("generate")) > 30 && (await left("answer")) === 0, "later spans begin further right");
    await accessible(page, "a trace");
    await tree.focus();
    await page.keyboard.press("End");
    const span = page.getByRole("region", { name: "Span" });
    await span.getByRole("heading", { name: "generate" }).waitFor();
    await span.getByText("RuntimeError: the model is busy").waitFor();
    await span.getByText("Answer briefly: Who wrote the music?").waitFor();
    await accessible(page, "a failed span");
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowLeft");
    assert.equal(await tree.getByRole("treeitem").count(), 3, "what is below a closed span is hidden");
    await page.keyboard.press("ArrowRight");
    assert.equal(await tree.getByRole("treeitem").count(), 4);
    await span.getByText("Its music is by a quartet.").waitFor();
    const url = page.url();
    await page.reload();
    await span.getByRole("heading", { name: "retrieve" }).waitFor();
    assert.equal(page.url(), url);
    noFaults(page);
    await page.context().close();
  },
  async "a trace is judged"({ browser, server, seed }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/traces/${seed.traces[1]}`);
    await page.getByText("Nobody has judged this trace yet.").waitFor();
    await page.getByRole("treeitem", { name: /^generate/ }).click();
    await page.getByRole("button", { name: "Add an assessment" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("correct");
    await dialog.getByLabel("Value").fill("true");
    await dialog.getByLabel("Rationale").fill("As in the credits.");
    await dialog.getByLabel("Of").selectOption("span");
    await accessible(page, "adding an assessment");
    await dialog.getByLabel("Rationale").press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    const row = page.getByRole("row", { name: /correct/ });
    await row.waitFor();
    assert.deepEqual((await row.locator("td").allTextContents()).slice(0, 5), ["Feedback", "true", "As in the credits.", "generate", "default"]);
    const { trace } = await (await fetch(`${server.url}/api/3.0/mlflow/traces/get?trace_id=${seed.traces[1]}`)).json();
    assert.equal(trace.trace_info.assessments[0].feedback.value, true);
    assert.match(trace.trace_info.assessments[0].span_id, /^[0-9a-f]{16}$/);
    await page.getByRole("link", { name: seed.ids[0] }).click();
    await page.getByRole("heading", { name: "sweep-01" }).waitFor();
    noFaults(page);
    await page.context().close();
  },
};

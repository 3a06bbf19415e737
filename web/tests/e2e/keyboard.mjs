// Every view by the keyboard alone.
import assert from "node:assert/strict";
import { noFaults, openPage, reachable } from "./support.mjs";

export const tests = {
  async "g and a letter lead to each list"({ browser, server }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/runs`);
    await page.getByRole("grid").waitFor();
    for (const [key, path, heading] of [["t", "/ui/traces", "Traces"], ["m", "/ui/models", "Models"], ["d", "/ui/deployments", "Deployments"], ["a", "/ui/annotate", "Annotation"], ["s", "/ui/datasets", "Datasets"], ["r", "/ui/runs", "Runs"]]) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await page.getByRole("heading", { name: heading, exact: true, level: 1 }).waitFor({ state: "attached" });
      assert.equal(new URL(page.url()).pathname, path);
    }
    noFaults(page);
    await page.context().close();
  },
  async "Tab reaches everything in every view, and the focus is seen"({ browser, server, seed }) {
    const page = await openPage(browser, server);
    const { versions } = await (await fetch(`${server.url}/api/ui/models/tiny-reviews`)).json();
    const { deployments } = await (await fetch(`${server.url}/api/ui/deployments`)).json();
    const [live, judged] = ["ready", "stopped"].map((status) => deployments.find((one) => one.status === status).id);
    const two = seed.ids.slice(0, 2).join(",");
    const views = {
      [`runs?e=${seed.experiment}`]: ".row .pin a", [`runs?e=${seed.experiment}&group=p:lr`]: ".row.group", [`runs?e=${seed.experiment}&sel=${two}&view=curves`]: ".plot canvas", [`runs?e=${seed.experiment}&sel=${two}&view=parallel`]: "polyline",
      [`runs?e=${seed.experiment}&sel=${two}&view=diff`]: "table.data", [`runs/${seed.ids[0]}`]: "table.data", [`runs/${seed.ids[0]}?tab=curves`]: ".plot canvas", [`runs/${seed.ids[0]}?tab=files&path=eval/confusion.json`]: "figure", [`runs/${versions[0].run_id}?tab=lineage`]: "svg rect",
      [`traces?e=${seed.experiment}`]: "tbody tr", [`traces/${seed.traces[0]}`]: ".spanrow", models: "tbody tr", "models/tiny-reviews?v=1": "tbody tr", "deployments?all=1": "tbody tr", [`deployments/${live}`]: "canvas", [`deployments/${judged}?tab=drift`]: "tbody tr",
      [`deployments/${judged}?tab=bias`]: "tbody tr", [`deployments/${live}?tab=explain`]: "textarea", [`deployments/${judged}?tab=events`]: ".timeline", datasets: "tbody tr", [`datasets/${versions[0].dataset}`]: ".bars", [`datasets/${versions[0].dataset}?tab=rows`]: "tbody tr", [`datasets/${versions[0].dataset}?tab=diff`]: "select",
    };
    for (const [address, selector] of Object.entries(views)) {
      await page.goto(`${server.url}/ui/${address}`);
      await page.locator(selector).first().waitFor();
      await page.waitForLoadState("networkidle"); // what is asked later has come
      await page.waitForTimeout(300);
      await reachable(page, address);
    }
    await page.goto(`${server.url}/ui/runs?e=${seed.experiment}`);
    for (const name of ["Columns", "Views"]) {
      await page.getByRole("button", { name, exact: true }).press("Enter");
      await page.getByRole("dialog").waitFor();
      await reachable(page, name);
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      assert.equal(await page.evaluate(() => document.activeElement.textContent), name, "the focus comes back");
    }
    noFaults(page);
    await page.context().close();
  },
};

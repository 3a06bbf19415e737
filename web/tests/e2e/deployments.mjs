// Deployments: a model that is really served, its traffic, an explanation from its weights, going back to the version before.
import assert from "node:assert/strict";
import { askModel } from "./seed_record.mjs";
import { accessible, noFaults, openPage } from "./support.mjs";

async function liveId(server) {
  const { deployments } = await (await fetch(`${server.url}/api/ui/deployments`)).json();
  return deployments.find((one) => one.status === "ready").id;
}

export const tests = {
  async "traffic of a deployment is seen as it comes"({ browser, server, served }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/deployments`);
    await page.getByRole("link", { name: "tiny-reviews" }).first().waitFor();
    assert.equal(await page.locator("tbody tr").count(), 1, "stopped ones are hidden");
    await accessible(page, "deployments");
    await page.getByLabel("Also stopped ones").check();
    await page.locator("tbody tr").nth(1).waitFor();
    await page.goto(`${server.url}/ui/deployments/${await liveId(server)}`);
    const count = page.locator(".stat", { hasText: "Predictions" }).locator("b");
    await count.waitFor();
    const before = Number(await count.textContent());
    assert.ok(before >= 60);
    await askModel(served.url, 5);
    await page.locator(".stat b", { hasText: new RegExp(`^${before + 5}$`) }).waitFor();
    await page.locator("canvas").nth(1).waitFor();
    await accessible(page, "traffic");
    noFaults(page);
    await page.context().close();
  },
  async "a prediction leads to what it comes from"({ browser, server }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/deployments/${await liveId(server)}?tab=predictions`);
    await page.getByRole("link", { name: "Lineage" }).first().click();
    await page.getByRole("heading", { name: /Where p-[0-9a-f]{32} comes from/ }).waitFor();
    await page.locator("svg g", { hasText: "reviews.csv" }).or(page.locator("svg g", { hasText: "dataset" })).first().waitFor();
    await accessible(page, "predictions");
    noFaults(page);
    await page.context().close();
  },
  async "two wordings are explained beside each other"({ browser, server }) {
    const page = await openPage(browser, server);
    const id = await liveId(server);
    await page.goto(`${server.url}/ui/deployments/${id}?tab=explain`);
    await page.getByRole("textbox", { name: "A text" }).fill("a wonderful film");
    await page.getByRole("textbox", { name: "A text" }).press("Control+Enter");
    const first = page.getByRole("region", { name: "A text" });
    await first.locator(".word", { hasText: "wonderful" }).waitFor();
    assert.equal(await first.locator("strong").textContent(), "good");
    // The words of the first are taken over, and one is changed.
    await page.getByRole("button", { name: "Begin with the first text" }).click();
    const other = page.getByRole("textbox", { name: "Another wording of it" });
    assert.equal(await other.inputValue(), "a wonderful film");
    await other.fill("a dreadful film");
    await page.getByRole("region", { name: "Another wording of it" }).getByRole("button", { name: "Explain" }).click();
    await page.getByText("The other wording turns good into bad.").waitFor();
    await accessible(page, "explain");
    await page.getByLabel("Method").selectOption("lime");
    await page.getByText("The other wording turns good into bad.").waitFor();
    const url = page.url();
    assert.match(url, /text=a\+wonderful\+film/);
    await page.reload();
    await first.locator(".word", { hasText: "wonderful" }).waitFor();
    noFaults(page);
    await page.context().close();
  },
  async "drift, bias and events of a deployment"({ browser, server }) {
    const page = await openPage(browser, server);
    const { deployments } = await (await fetch(`${server.url}/api/ui/deployments`)).json();
    const judged = deployments.find((one) => one.status === "stopped");
    await page.goto(`${server.url}/ui/deployments/${judged.id}?tab=drift`);
    await page.getByRole("rowheader", { name: "psi" }).first().waitFor();
    await accessible(page, "drift");
    await page.getByRole("link", { name: "Bias" }).click();
    await page.getByRole("rowheader", { name: "gender:female" }).first().waitFor();
    const suite = page.getByRole("region", { name: /names and words exchanged/ }).first();
    await suite.getByRole("rowheader", { name: "ethnicity:arab:male" }).waitFor();
    assert.match(await suite.locator("dd").first().textContent(), /^0\.\d+ \[0\.\d+, 0\.\d+\]$/);
    await page.locator("canvas").first().waitFor();
    await accessible(page, "bias");
    await page.getByRole("link", { name: "Events" }).click();
    await page.getByText("deploy_ready").first().waitFor();
    await accessible(page, "events");
    noFaults(page);
    await page.context().close();
  },
  async "one click goes back to the version before"({ browser, server }) {
    const page = await openPage(browser, server);
    const champion = async () => (await (await fetch(`${server.url}/api/ui/models/tiny-reviews`)).json()).aliases[0].version;
    const before = await champion();
    await page.goto(`${server.url}/ui/deployments/${await liveId(server)}`);
    await page.getByRole("button", { name: /Roll back to version/ }).click();
    await page.getByRole("dialog").waitFor();
    await accessible(page, "rollback");
    await page.getByRole("dialog").getByRole("button", { name: /Roll back to version/ }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await champion(), 3 - before);
    noFaults(page);
    await page.context().close();
  },
};

// Models: what there is, what served when, moving an alias.
import assert from "node:assert/strict";
import { accessible, noFaults, openPage } from "./support.mjs";

export const tests = {
  async "models are found, and a version comes with its evidence"({ browser, server }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/models?q=TINY`);
    await page.getByText("champion → 2").waitFor();
    await accessible(page, "models");
    await page.getByRole("link", { name: "tiny-reviews" }).click();
    await page.getByRole("heading", { name: "tiny-reviews" }).waitFor();
    await page.getByRole("rowheader", { name: "accuracy" }).first().waitFor();
    assert.match(await page.locator("tr", { has: page.getByRole("rowheader", { name: "accuracy", exact: true }) }).first().textContent(), /\[.+, .+\].*n = 84/);
    await page.frameLocator("iframe").getByRole("heading").first().waitFor();
    await accessible(page, "model");
    await page.getByLabel("Compare with").selectOption("1");
    await page.getByRole("group", { name: "Compare with" }).waitFor();
    noFaults(page);
    await page.context().close();
  },
  async "an alias is moved and its history tells what served when"({ browser, server }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/models/tiny-reviews?v=1`);
    await page.getByRole("button", { name: "Point an alias here" }).click();
    await page.getByText("champion points to version 2 now and will point to version 1").waitFor();
    await accessible(page, "moving an alias");
    await page.getByRole("button", { name: "Move the alias" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    const { aliases } = await (await fetch(`${server.url}/api/ui/models/tiny-reviews`)).json();
    assert.equal(aliases[0].version, 1);
    assert.equal(await page.locator(".timeline li").count(), 3);
    await page.getByLabel("What served at").fill("2020-01-01T00:00");
    await page.getByText("champion → nothing").waitFor();
    noFaults(page);
    await page.context().close();
  },
};

// Datasets: statistics, rows, what two versions differ in.
import assert from "node:assert/strict";
import { accessible, noFaults, openPage } from "./support.mjs";

export const tests = {
  async "a dataset's statistics and rows"({ browser, server }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/datasets`);
    await page.locator("tbody tr").nth(1).waitFor();
    await accessible(page, "datasets");
    await page.locator("tbody tr").last().getByRole("link").click();
    await page.getByText("400 (train 240, validation 80, test 80)").waitFor();
    await page.getByRole("rowheader", { name: "good" }).waitFor();
    await accessible(page, "statistics");
    await page.getByRole("link", { name: "Rows" }).click();
    await page.getByText("Rows 1 to 50.").waitFor();
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText("Rows 51 to 100.").waitFor();
    await page.getByLabel("Find rows by a part of their text").fill("wonderful");
    await page.keyboard.press("Enter");
    await page.getByText(/Rows 1 to/).waitFor();
    await page.waitForFunction(() => [...document.querySelectorAll("tbody td:first-child")].every((cell) => cell.textContent.includes("wonderful")));
    await page.getByLabel("Class").selectOption("bad");
    await page.getByText("No such rows.").waitFor();
    await accessible(page, "rows");
    noFaults(page);
    await page.context().close();
  },
  async "two versions are told apart"({ browser, server }) {
    const page = await openPage(browser, server);
    const { datasets } = await (await fetch(`${server.url}/api/ui/datasets`)).json();
    await page.goto(`${server.url}/ui/datasets/${datasets[0].digest}?tab=diff`);
    await page.getByLabel("Compared with the version").selectOption(datasets[1].digest);
    const added = page.getByRole("heading", { name: /rows are new/ });
    await added.waitFor();
    assert.equal(await added.textContent(), "20 rows are new");
    assert.equal(await page.getByRole("heading", { name: /rows are gone/ }).textContent(), "0 rows are gone");
    await accessible(page, "diff of datasets");
    noFaults(page);
    await page.context().close();
  },
};

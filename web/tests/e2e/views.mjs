// Saved views of the runs page.
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { accessible, noFaults, openPage } from "./support.mjs";

export const tests = {
  async "a view is saved, opened, begun with, given away and taken in"({ browser, server, seed }) {
    const page = await openPage(browser, server, { permissions: ["clipboard-read", "clipboard-write"] });
    const wanted = `/ui/runs?e=${seed.experiment}&q=${encodeURIComponent("params.optimizer = 'lion'")}&group=p%3Alr`;
    await page.goto(server.url + wanted);
    await page.getByText("13 runs").first().waitFor();
    await page.getByRole("button", { name: "Views" }).click();
    const dialog = page.getByRole("dialog", { name: "Saved views" });
    await dialog.getByText("None are saved in this browser yet.").waitFor();
    await dialog.getByRole("textbox", { name: "Name" }).fill("lions");
    await page.keyboard.press("Enter");
    await dialog.getByRole("link", { name: "lions" }).waitFor();
    await accessible(page, "saved views");
    await dialog.getByRole("button", { name: "Copy the link of lions" }).click();
    await dialog.getByText(/The link/).waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    assert.ok(link.startsWith(`${server.url}/ui/runs?`));
    await dialog.getByLabel("At first in movie-sentiment").selectOption("lions");
    const [file] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("button", { name: "Export as JSON" }).click()]);
    const text = readFileSync(await file.path(), "utf8");
    assert.deepEqual(JSON.parse(text).defaults, { [seed.experiment]: "lions" });
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    // The experiment begins with it; what is cleared stays cleared.
    await page.goto(`${server.url}/ui/runs?e=${seed.experiment}`);
    await page.waitForURL(/group=p%3Alr/);
    await page.getByText("13 runs").first().waitFor();
    await page.getByLabel("Group by").selectOption("");
    await page.locator("#filter").fill("");
    await page.keyboard.press("Enter");
    await page.getByText("40 runs").waitFor();
    // Another browser: the link alone shows the same, the file brings the names.
    const other = await openPage(browser, server);
    await other.goto(link);
    await other.getByText("13 runs").first().waitFor();
    await other.getByRole("button", { name: "Views" }).click();
    const broken = path.join(tmpdir(), `slipway-views-${process.pid}.json`);
    writeFileSync(broken, '{"format": "slipway-views", "views": [{"name": "x", "address": "javascript:alert(1)"}]}');
    await other.locator("input[type=file]").setInputFiles(broken);
    await other.getByText("0 views were read.").waitFor();
    writeFileSync(broken, "[]");
    await other.locator("input[type=file]").setInputFiles(broken);
    await other.getByText("This file holds no saved views.").waitFor();
    writeFileSync(broken, text);
    await other.locator("input[type=file]").setInputFiles(broken);
    await other.getByText("1 views were read.").waitFor();
    await other.getByRole("button", { name: "Delete lions" }).click();
    await other.getByText("None are saved in this browser yet.").waitFor();
    rmSync(broken);
    noFaults(page);
    noFaults(other);
    await page.context().close();
    await other.context().close();
  },
};

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
  async "a version is approved by two, or moved against the policy with a reason"({ browser, server }) {
    const page = await openPage(browser, server);
    const name = "tiny-reviews";
    const asked = async () => (await fetch(`${server.url}/api/ui/models/${name}`)).json();
    const champion = async () => (await asked()).aliases.find((one) => one.alias === "champion").version;
    const before = await champion();
    const other = 3 - before;
    await page.goto(`${server.url}/ui/models/${name}?v=${other}`);
    await page.getByRole("region", { name: "Gates" }).getByText("accuracy >= 0.7").waitFor();
    await page.getByRole("region", { name: "Gates" }).getByText("passed").waitFor();
    await page.getByRole("button", { name: "Change the policy" }).click();
    await page.getByLabel("Approvals of a version").fill("2");
    await page.getByLabel(/Protected aliases/).fill("champion");
    await accessible(page, "a policy");
    await page.getByRole("button", { name: "Save the policy" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    const approval = page.getByRole("region", { name: "Approval", exact: true });
    await approval.getByText("pending").waitFor();
    const say = async (who, what, comment = "") => {
      await approval.getByLabel("Who").fill(who);
      await approval.getByLabel("Comment").fill(comment);
      await approval.getByRole("button", { name: what }).click();
    };
    await say("ann", "Approve", "reads well");
    await approval.getByText("1 of 2 approvals").waitFor();
    await approval.getByRole("cell", { name: "reads well" }).waitFor();
    await accessible(page, "an approval");
    await page.getByRole("button", { name: "Point an alias here" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Alias").fill("champion");
    await dialog.getByRole("button", { name: "Move the alias" }).click();
    await dialog.getByRole("alert").waitFor();
    assert.match(await dialog.getByRole("alert").textContent(), /approval/);
    await accessible(page, "a refused alias");
    assert.equal(await champion(), before);
    await dialog.getByLabel("Reason of the override").fill("the other one is broken");
    await dialog.getByRole("button", { name: "Move it nevertheless" }).click();
    await dialog.waitFor({ state: "detached" });
    assert.equal(await champion(), other);
    await page.getByText("Against the policy: the other one is broken").waitFor();
    await say("ben", "Reject", "too slow");
    await approval.getByText("rejected").first().waitFor();
    await say("ben", "Withdraw my decision");
    await say("ben", "Approve");
    await approval.getByText("2 of 2 approvals").waitFor();
    assert.equal((await asked()).versions.find((one) => one.version === other).approval.state, "approved");
    const reset = await fetch(`${server.url}/api/ui/models/${name}/policy`, { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ required_approvals: 0 }) });
    assert.equal(reset.status, 200, await reset.text());
    noFaults(page);
    await page.context().close();
  },
};

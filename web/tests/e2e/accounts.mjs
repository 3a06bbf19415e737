// Signing in, what an account may, and signing out: against a server of its own that has accounts.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { accessible, noFaults, openPage, reachable, startServer, temporary } from "./support.mjs";

const password = "correct horse battery";

export async function secured(program, work) {
  const folder = temporary();
  const record = path.join(folder.path, "record");
  const users = (...args) => {
    const done = spawnSync(program, ["users", ...args, "--store", record], { input: `${password}\n`, encoding: "utf8" });
    assert.equal(done.status, 0, done.stderr);
  };
  users("add", "ann", "--admin");
  users("add", "bob", "--role", "viewer");
  users("add", "eve", "--role", "editor", "--project", "other");
  const server = await startServer(program, folder.path);
  let dev;
  try {
    server.headers = { Authorization: `Basic ${Buffer.from(`ann:${password}`).toString("base64")}` };
    const { experiment_id } = await server.post("experiments/create", { name: "shared" });
    const { run } = await server.post("runs/create", { experiment_id, run_name: "first", start_time: 1 });
    await server.post("registered-models/create", { name: "guarded" });
    await server.post("model-versions/create", { name: "guarded", source: "s3://x", run_id: run.info.run_id });
    if (process.env.SLIPWAY_E2E_DEV) {
      dev = await (await import("../../tools/dev.mjs")).startDev(server.url, 0, false);
      server.url = dev.url;
    }
    await work(server, { experiment: experiment_id, run: run.info.run_id });
  } finally {
    dev?.stop();
    await server.stop();
    folder.remove();
  }
}

async function signIn(page, name, secret = password) {
  await page.getByRole("textbox", { name: "Account" }).fill(name);
  await page.getByLabel("Password").fill(secret);
  await page.getByLabel("Password").press("Enter");
}

export const tests = {
  async "who is not signed in signs in and gets back to the address"({ browser, program }) {
    await secured(program, async (server, { run }) => {
      const page = await openPage(browser, server);
      await page.goto(`${server.url}/ui/runs/${run}?tab=files`);
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      assert.equal(new URL(page.url()).searchParams.get("to"), `/ui/runs/${run}?tab=files`);
      assert.equal(await page.getByText("Sign in by your organisation").count(), 0, "no issuer is configured");
      await accessible(page, "sign-in");
      await reachable(page, "sign-in");
      await signIn(page, "ann", "wrong horse battery");
      await page.getByRole("alert").getByText("the account or its password is not right").waitFor();
      await accessible(page, "a refused sign-in");
      await signIn(page, "ann");
      await page.getByRole("heading", { name: "first" }).waitFor();
      assert.equal(page.url(), `${server.url}/ui/runs/${run}?tab=files`);
      await page.getByRole("region", { name: "Account" }).getByText("admin everywhere").waitFor();
      // A change goes with the session's token.
      await page.getByRole("button", { name: "Delete" }).click();
      await page.getByRole("button", { name: "Restore" }).click();
      await page.getByRole("button", { name: "Delete" }).waitFor();
      await accessible(page, "a run, signed in");
      // The session of another window: its token is fetched, not the change lost.
      await page.evaluate(async (body) => (await fetch("/api/slipway/login", { method: "POST", headers: { "Content-Type": "application/json" }, body })).json(), JSON.stringify({ username: "ann", password }));
      await page.getByRole("button", { name: "Delete" }).click();
      await page.getByRole("button", { name: "Restore" }).waitFor();
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      assert.equal((await page.request.get(`${server.url}/api/2.0/mlflow/runs/get?run_id=${run}`)).status(), 401);
      noFaults(page);
      await page.context().close();
    });
  },
  async "what an account may not do is off, with the reason"({ browser, program }) {
    await secured(program, async (server, { run }) => {
      const page = await openPage(browser, server);
      await page.goto(`${server.url}/ui/signin?to=${encodeURIComponent(`/ui/runs/${run}`)}`);
      await signIn(page, "bob");
      const remove = page.getByRole("button", { name: "Delete" });
      await remove.waitFor();
      const why = "Needs the role editor for shared; you have viewer.";
      await page.waitForFunction((text) => document.querySelector("button[aria-disabled]")?.title === text, why);
      await remove.focus();
      await page.getByText(why).waitFor();
      await page.keyboard.press("Enter");
      assert.equal(await page.getByRole("button", { name: "Restore" }).count(), 0);
      await accessible(page, "a run that may only be read");
      await page.goto(`${server.url}/ui/models/guarded`);
      await page.waitForFunction(() => [...document.querySelectorAll("button[aria-disabled]")].some((one) => one.title === "Needs the role approver for guarded; you have viewer."));
      noFaults(page);
      await page.context().close();
    });
  },
  async "a session that ended leads to the sign-in; links lead nowhere else"({ browser, program }) {
    await secured(program, async (server) => {
      const page = await openPage(browser, server);
      await page.goto(`${server.url}/ui/signin?to=${encodeURIComponent("//elsewhere.example/ui")}`);
      await signIn(page, "ann");
      await page.getByRole("grid").or(page.locator(".empty")).first().waitFor();
      assert.equal(new URL(page.url()).pathname, "/ui/runs");
      await page.context().clearCookies();
      await page.getByRole("link", { name: "Models", exact: true }).click();
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      assert.equal(new URL(page.url()).searchParams.get("to"), "/ui/models");
      await signIn(page, "eve");
      await page.getByRole("heading", { name: "Models" }).waitFor();
      await page.getByRole("region", { name: "Account" }).getByText("editor in other").waitFor();
      assert.equal(await page.getByRole("link", { name: "guarded" }).count(), 0, "what another project has is not shown");
      await page.getByLabel("Language").selectOption("zh");
      await page.getByRole("button", { name: "退出登录" }).click();
      await page.getByRole("heading", { name: "登录" }).waitFor();
      await accessible(page, "sign-in in Chinese");
      noFaults(page);
      await page.context().close();
    });
  },
};

// A real server over a fresh store, filled through MLflow's protocol, and a real Chromium beside it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const require = createRequire(import.meta.url);

export function skip(why) {
  console.log(`skipped: ${why}`);
  process.exit(77);
}

function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function findChromium() {
  const named = process.env.SLIPWAY_CHROMIUM;
  if (named) return named;
  const folders = ["/usr/lib/chromium", ...(process.env.PATH ?? "").split(delimiter)];
  for (const name of ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]) {
    for (const folder of folders) if (executable(join(folder, name))) return join(folder, name);
  }
  return skip("no Chromium (tools/setup chromium brings one, or SLIPWAY_CHROMIUM names one)");
}

export function temporary() {
  const path = mkdtempSync(join(tmpdir(), "slipway-e2e-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

// Over the store in `data`/record.
export async function startServer(program, data) {
  const ready = join(data, "ready.json");
  const child = spawn(program, ["server", "--port", "0", "--data", join(data, "record"), "--ready-file", ready, "--annotation-private"], { stdio: ["ignore", "ignore", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  for (let i = 0; ; i++) {
    try {
      const { url } = JSON.parse(readFileSync(ready, "utf8"));
      return {
        url,
        headers: {}, // of every question, for a server with accounts
        async send(method, path, body) {
          const answer = await fetch(`${this.url}${path}`, { method, headers: { "Content-Type": "application/json", ...this.headers }, body: JSON.stringify(body) });
          assert.equal(answer.status, 200, `${path}: ${answer.status} ${answer.status === 200 ? "" : await answer.text()}`);
          return answer.json();
        },
        post(path, body) {
          return this.send("POST", `/api/2.0/mlflow/${path}`, body);
        },
        async stop() {
          child.kill("SIGTERM");
          await ended;
        },
      };
    } catch (error) {
      if (child.exitCode !== null || i > 600) throw new Error(`the server did not start: ${error}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export async function launch() {
  const executablePath = findChromium();
  const { chromium } = await import("playwright-core").catch(() => skip("playwright-core is not there or too new for this Node.js"));
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"] });
}

// A page that fails the test by what it should never do: ask another host, break its policy, throw.
export async function openPage(browser, server, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 840 }, locale: "en-GB", timezoneId: "UTC", reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(`threw ${error}`));
  page.on("console", (message) => {
    // What the server refuses is an answer that Chromium logs: a wrong search, a missing sign-in or role, a gate.
    if (message.type() === "error" && !/status of (400|401|403|409)/.test(message.text())) page.faults.push(`logged ${message.text()}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url) && !/^(blob|data):/.test(request.url())) page.faults.push(`asked ${request.url()}`);
  });
  return page;
}

export const noFaults = (page) => assert.deepEqual(page.faults, []);

const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

// axe finds nothing wrong, with all its rules but those that are experimental.
export async function accessible(page, what) {
  for (const theme of ["light", "dark"]) {
    await page.evaluate((name) => (document.documentElement.dataset.theme = name), theme);
    if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axeSource);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    assert.deepEqual(violations.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.target} ${node.any[0]?.message ?? ""}`).join("; ")}`), [], `${what} in ${theme}`);
  }
  await page.evaluate(() => delete document.documentElement.dataset.theme);
}

// Everything on the page that does something is reached with Tab alone, and is seen to have the focus.
export async function reachable(page, what) {
  const names = await page.evaluate(() => {
    const list = [...document.querySelectorAll("a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary, [tabindex='0']")]
      .filter((one) => one.tabIndex >= 0 && one.checkVisibility({ visibilityProperty: true }) && !one.closest("dialog:not([open])"));
    const modal = document.querySelector("dialog[open]");
    const shown = modal ? list.filter((one) => modal.contains(one)) : list;
    shown.forEach((one, i) => one.setAttribute("data-walk", String(i)));
    return shown.map((one) => `${one.localName} ${(one.getAttribute("aria-label") ?? one.textContent).trim().slice(0, 40)}`);
  });
  assert.ok(names.length > 0, `${what}: nothing can be reached`);
  const seen = new Set();
  const unseen = new Set();
  // A field of a date has a stop for each of its parts, a frame one for its page.
  for (let i = 0; i < 2 * names.length + 40 && seen.size < names.length; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const one = document.activeElement;
      const style = getComputedStyle(one);
      return { index: one.getAttribute("data-walk"), marked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 };
    });
    if (at.index === null) continue;
    seen.add(Number(at.index));
    if (!at.marked) unseen.add(names[Number(at.index)]);
  }
  assert.deepEqual(names.filter((_, i) => !seen.has(i)), [], `${what}: not reached`);
  assert.deepEqual([...unseen], [], `${what}: the focus is not seen`);
}

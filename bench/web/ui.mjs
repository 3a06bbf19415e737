// The web UI in Chromium: first paint of each view, what is loaded, and a table of many runs: how long it takes to open, order and
// filter it, to jump in it, and the frames while it scrolls.
//   node bench/web/ui.mjs SLIPWAY [RUNS [REPEATS]]      RUNS: also that many runs in one experiment (default 0); REPEATS: of the views
//                                                       (default 7; 0: the table only)
import { execFileSync } from "node:child_process";
import path from "node:path";
import { launch, openPage, startServer, temporary } from "../../web/tests/e2e/support.mjs";
import { seedRuns } from "../../web/tests/e2e/seed.mjs";
import { seedTraces } from "../../web/tests/e2e/seed_traces.mjs";
import { runPipelines } from "../../web/tests/e2e/seed_record.mjs";

const program = path.resolve(process.argv[2]);
const many = Number(process.argv[3] ?? 0);
const repeats = Number(process.argv[4] ?? 7);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const range = (list) => `${median(list).toFixed(0)} (${Math.min(...list).toFixed(0)}–${Math.max(...list).toFixed(0)})`;

// Milliseconds from the navigation's start: the first paint with content, and when `selector` was there; bytes over the wire.
async function load(context, url, selector) {
  const page = await context.newPage();
  await page.addInitScript((wanted) => {
    const look = () => (document.querySelector(wanted) ? (globalThis.shownAt = performance.now()) : requestAnimationFrame(look));
    look();
  }, selector);
  await page.goto(url);
  await page.waitForFunction(() => globalThis.shownAt && performance.getEntriesByName("first-contentful-paint").length > 0);
  const result = await page.evaluate(() => {
    const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const assets = entries.filter((one) => !one.name.includes("/api") && !one.name.includes("ajax-api"));
    return { paint: performance.getEntriesByName("first-contentful-paint")[0].startTime, shown: globalThis.shownAt,
      sent: assets.reduce((sum, one) => sum + one.encodedBodySize, 0), plain: assets.reduce((sum, one) => sum + one.decodedBodySize, 0) };
  });
  await page.close();
  return result;
}

// Milliseconds between frames while the table is scrolled without a pause.
const scrolled = (page) => page.evaluate(() => new Promise((resolve) => {
  const grid = document.querySelector(".viewport");
  grid.scrollTop = 0;
  const gaps = [];
  let last;
  let begin;
  const frame = (now) => {
    begin ??= now;
    if (last !== undefined) gaps.push(now - last);
    last = now;
    grid.scrollTop += 240;
    now - begin > 5000 ? resolve(gaps) : requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}));

const folder = temporary();
runPipelines(program, folder.path, `${folder.path}/record`);
const browser = await launch();
const server = await startServer(program, folder.path);
try {
  const { experiment, ids } = await seedRuns(server);
  const [trace] = await seedTraces(server, experiment, ids[0]);
  const asked = async (address) => (await fetch(`${server.url}${address}`)).json();
  const { versions } = await asked("/api/ui/models/tiny-reviews");
  const { deployments } = await asked("/api/ui/deployments");
  const views = {
    "sign-in": ["signin", ".signin p"], "runs, table": [`runs?e=${experiment}`, ".row .pin a"], "runs, curves of 10": [`runs?e=${experiment}&view=curves`, ".plot canvas"], "runs, parallel": [`runs?e=${experiment}&view=parallel`, "polyline"],
    "a run": [`runs/${ids[0]}`, "table.data"], traces: [`traces?e=${experiment}`, "table.data"], "a trace": [`traces/${trace}`, ".spanrow"], models: ["models", "table.data"], "a model": ["models/tiny-reviews", "table.data"],
    deployments: ["deployments?all=1", "table.data"], "a deployment's drift": [`deployments/${deployments[0].id}?tab=drift`, "table.data"], datasets: ["datasets", "table.data"], "a dataset": [`datasets/${versions[0].dataset}`, ".bars"],
  };
  console.log("| view | first paint, empty cache, ms | content | first paint, kept files | content | files, compressed kB | plain kB |\n|---|---|---|---|---|---|---|");
  for (const [name, [address, selector]] of repeats > 0 ? Object.entries(views) : []) {
    const cold = [];
    const warm = [];
    for (let i = 0; i < repeats; i++) {
      const context = await browser.newContext({ viewport: { width: 1360, height: 840 } });
      cold.push(await load(context, `${server.url}/ui/${address}`, selector));
      warm.push(await load(context, `${server.url}/ui/${address}`, selector));
      await context.close();
    }
    const of = (list, key) => range(list.map((one) => one[key]));
    console.log(`| ${name} | ${of(cold, "paint")} | ${of(cold, "shown")} | ${of(warm, "paint")} | ${of(warm, "shown")} | ${(cold[0].sent / 1000).toFixed(0)} | ${(cold[0].plain / 1000).toFixed(0)} |`);
  }
  if (many > 0) {
    const { experiment_id: large } = await server.post("experiments/create", { name: "many" });
    execFileSync("python3", [path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "fill.py"), path.join(folder.path, "record/slipway.db"), large, String(many)]);
    const page = await openPage(browser, server);
    const times = { open: [], scroll: [], sorted: [], filter: [] };
    const first = page.locator(".row:not(.header) .pin a").first();
    for (let i = 0; i < 3; i++) {
      const context = await browser.newContext({ viewport: { width: 1360, height: 840 } });
      times.open.push((await load(context, `${server.url}/ui/runs?e=${large}`, ".row .pin a")).shown);
      times.sorted.push((await load(context, `${server.url}/ui/runs?e=${large}&order=metrics.acc%20DESC`, ".row .pin a")).shown);
      times.filter.push((await load(context, `${server.url}/ui/runs?e=${large}&q=${encodeURIComponent(`params.seed = '${Math.floor(many / 3) + i}'`)}`, ".row .pin a")).shown);
      await context.close();
    }
    await page.goto(`${server.url}/ui/runs?e=${large}`);
    await first.waitFor();
    await page.waitForFunction(() => document.querySelector(".rows").clientHeight > 100000);
    for (const part of [0.5, 0.1, 0.9, 0.33, 0.77, 1, 0.05]) {
      // From the scroll to the rows of that place: nothing but names, no grey bars.
      times.scroll.push(await page.evaluate((to) => new Promise((resolve) => {
        const grid = document.querySelector(".viewport");
        const begin = performance.now();
        const before = document.querySelector(".row:not(.header) .pin a")?.textContent;
        grid.scrollTop = to * (grid.scrollHeight - grid.clientHeight);
        const look = () => {
          const now = document.querySelector(".row:not(.header) .pin a")?.textContent;
          if (now && now !== before && !document.querySelector(".ghost")) resolve(performance.now() - begin);
          else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      }), part));
    }
    const frames = await scrolled(page);
    console.log(`\n${many} runs in one experiment, ms: open ${range(times.open)}, ordered by a metric ${range(times.sorted)}, filter with one hit ${range(times.filter)}, a jump of the scroll bar to its rows ${range(times.scroll)}`);
    const late = (limit) => `${((100 * frames.filter((ms) => ms > limit).length) / frames.length).toFixed(1)} %`;
    const sorted = [...frames].sort((a, b) => a - b);
    console.log(`scrolling for 5 s by 240 pixels a frame: ${frames.length} frames, ${(frames.length / (frames.reduce((a, b) => a + b, 0) / 1000)).toFixed(1)} a second; ms between two: median ${median(frames).toFixed(1)}, p95 ${sorted[Math.floor(0.95 * sorted.length)].toFixed(1)}, longest ${sorted.at(-1).toFixed(1)}; above 20 ms ${late(20)}, above 50 ms ${late(50)}`);
  }
} finally {
  await browser.close();
  await server.stop();
  folder.remove();
}

// End to end: node web/tests/e2e/main.mjs SLIPWAY [PATTERN OF NAMES]. Exits with 77 when there is no Chromium. SLIPWAY_E2E_DEV=1 takes
// the pages from web/src instead of the program; SLIPWAY_E2E_SHOTS=FOLDER keeps a picture of each page that failed.
import path from "node:path";
import { launch, skip, startServer, temporary } from "./support.mjs";
import { askModel, logFiles, runPipelines, serveModel } from "./seed_record.mjs";
import { tests as models } from "./models.mjs";
import { tests as deployments } from "./deployments.mjs";
import { tests as datasets } from "./datasets.mjs";
import { tests as run } from "./run.mjs";
import { seedRuns } from "./seed.mjs";
import { seedTraces } from "./seed_traces.mjs";
import { tests as annotate } from "./annotate.mjs";
import { tests as accounts } from "./accounts.mjs";
import { tests as keyboard } from "./keyboard.mjs";
import { tests as traces } from "./traces.mjs";
import { tests as views } from "./views.mjs";
import { tests as runs } from "./runs.mjs";

const [given, only = ""] = process.argv.slice(2);
const program = path.resolve(given);
if (Number(process.versions.node.split(".")[0]) < 20) skip("playwright-core needs Node.js 20");
const browser = await launch();
const folder = temporary();
runPipelines(program, folder.path, `${folder.path}/record`);
let served;
let dev;
const server = await startServer(program, folder.path);
let passed = 0;
let failed = 0;
try {
  if (!(await (await fetch(`${server.url}/`)).text()).includes("/ui/assets/")) {
    await server.stop();
    await browser.close();
    folder.remove();
    skip("no npm: slipway was built without its web pages");
  }
  const seed = await seedRuns(server);
  seed.traces = await seedTraces(server, seed.experiment, seed.ids[0]);
  await logFiles(server, seed.experiment, seed.ids[0]);
  served = await serveModel(program, folder.path, `${folder.path}/record`);
  await askModel(served.url, 60);
  if (process.env.SLIPWAY_E2E_DEV) {
    dev = await (await import("../../tools/dev.mjs")).startDev(server.url, 0, false);
    server.url = dev.url;
  }
  for (const [name, test] of Object.entries({ ...runs, ...views, ...run, ...traces, ...models, ...deployments, ...datasets, ...annotate, ...keyboard, ...accounts })) {
    if (!new RegExp(only).test(name)) continue;
    try {
      await test({ browser, server, seed, served, program });
      passed++;
      console.log(`ok ${name}`);
    } catch (error) {
      failed++;
      console.log(`FAILED ${name}\n${error.stack ?? error}`);
      for (const context of browser.contexts()) {
        for (const page of context.pages()) {
          if (process.env.SLIPWAY_E2E_SHOTS) await page.screenshot({ path: `${process.env.SLIPWAY_E2E_SHOTS}/${name.replaceAll(/\W+/g, "-")}.png` });
          if (page.faults?.length) console.log(page.faults);
        }
        await context.close();
      }
    }
  }
} finally {
  await browser.close();
  dev?.stop();
  await served?.stop();
  await server.stop();
  folder.remove();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;

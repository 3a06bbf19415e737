// Pictures of the views for docs/images:
// node web/tests/e2e/shots.mjs SLIPWAY FOLDER
import { mkdirSync } from "node:fs";
import path from "node:path";
import { seedRuns } from "./seed.mjs";
import { askModel, logFiles, runPipelines, serveModel } from "./seed_record.mjs";
import { launch, openPage, startServer, temporary } from "./support.mjs";

const program = path.resolve(process.argv[2]);
const out = path.resolve(process.argv[3]);
mkdirSync(out, { recursive: true });
const folder = temporary();
runPipelines(program, folder.path, `${folder.path}/record`);
const browser = await launch();
const server = await startServer(program, folder.path);
let dev;
const served = await serveModel(program, folder.path, `${folder.path}/record`);
try {
  const { experiment, ids } = await seedRuns(server);
  await logFiles(server, experiment, ids[0]);
  await askModel(served.url, 400);
  if (process.env.SLIPWAY_E2E_DEV) {
    dev = await (await import("../../tools/dev.mjs")).startDev(server.url, 0, false);
    server.url = dev.url;
  }
  const { versions } = await (await fetch(`${server.url}/api/ui/models/tiny-reviews`)).json();
  const { deployments } = await (await fetch(`${server.url}/api/ui/deployments`)).json();
  const live = deployments.find((one) => one.status === "ready").id;
  const four = [0, 2, 3, 4].map((i) => ids[i]).join(",");
  const views = {
    "ui-runs": [`runs?e=${experiment}&order=metrics.accuracy%20DESC`, "light", ".row .pin a"],
    "ui-curves": [`runs?e=${experiment}&sel=${four}&view=curves&smooth=0.6`, "dark", ".plot canvas"],
    "ui-parallel": [`runs?e=${experiment}&view=parallel&cols=p:lr,p:optimizer,p:layers,m:train/loss,m:f1,m:accuracy`, "light", "polyline"],
    "ui-run": [`runs/${ids[0]}?tab=files&path=eval/confusion.json`, "light", "figure"],
    "ui-lineage": [`runs/${versions[0].run_id}?tab=lineage`, "light", "svg rect"],
    "ui-deployment": [`deployments/${live}`, "light", "canvas"],
    "ui-explain": [`deployments/${live}?tab=explain&text=a+wonderful+film+with+a+boring+ending&text2=a+wonderful+film+with+a+moving+ending`, "light", ".word"],
    "ui-dataset": [`datasets/${versions[0].dataset}`, "dark", ".bars"],
    "ui-model": ["models/tiny-reviews", "light", "iframe"],
  };
  for (const [name, [address, theme, selector]] of Object.entries(views)) {
    const page = await openPage(browser, server, { colorScheme: theme, viewport: { width: 1200, height: 690 } });
    await page.goto(`${server.url}/ui/${address}`);
    await page.locator(selector).first().waitFor();
    await page.waitForTimeout(1000); // charts and frames have drawn
    await page.screenshot({ path: path.join(out, `${name}.png`) });
    if (page.faults.length) console.log(name, page.faults);
    await page.context().close();
  }
} finally {
  await browser.close();
  dev?.stop();
  await served.stop();
  await server.stop();
  folder.remove();
}

// Pictures of the views for docs/images:
// node web/tests/e2e/shots.mjs SLIPWAY FOLDER [PATTERN OF NAMES]
import { mkdirSync } from "node:fs";
import path from "node:path";
import { secured } from "./accounts.mjs";
import { annotationViews, seedAnnotation } from "./seed_annotate.mjs";
import { seedRuns } from "./seed.mjs";
import { seedTraces } from "./seed_traces.mjs";
import { askModel, logFiles, runPipelines, serveModel } from "./seed_record.mjs";
import { launch, openPage, startServer, temporary } from "./support.mjs";

const program = path.resolve(process.argv[2]);
const out = path.resolve(process.argv[3]);
const only = process.argv[4] ?? "";
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
  const traces = await seedTraces(server, experiment, ids[0]);
  await askModel(served.url, 400);
  if (process.env.SLIPWAY_E2E_DEV) {
    dev = await (await import("../../tools/dev.mjs")).startDev(server.url, 0, false);
    server.url = dev.url;
  }
  const { versions } = await (await fetch(`${server.url}/api/ui/models/tiny-reviews`)).json();
  const { deployments } = await (await fetch(`${server.url}/api/ui/deployments`)).json();
  const live = deployments.find((one) => one.status === "ready").id;
  const judged = deployments.find((one) => one.status === "stopped").id;
  const four = [0, 2, 3, 4].map((i) => ids[i]).join(",");
  const views = {
    ...annotationViews(await seedAnnotation(server)),
    "ui-runs": [`runs?e=${experiment}&order=metrics.accuracy%20DESC`, "light", ".row .pin a"],
    "ui-curves": [`runs?e=${experiment}&sel=${four}&view=curves&smooth=0.6`, "dark", ".plot canvas"],
    "ui-parallel": [`runs?e=${experiment}&view=parallel&cols=p:lr,p:optimizer,p:layers,m:train/loss,m:f1,m:accuracy`, "light", "polyline"],
    "ui-views": [`runs?e=${experiment}&q=${encodeURIComponent("params.optimizer = 'lion'")}&group=p:lr`, "light", ".row.group", async (page) => {
      await page.getByRole("button", { name: "Views" }).click();
      await page.getByRole("textbox", { name: "Name" }).fill("lions by learning rate");
      await page.keyboard.press("Enter");
      await page.getByRole("combobox", { name: /At first/ }).waitFor();
    }],
    "ui-traces": [`traces?e=${experiment}`, "light", "tbody tr"],
    "ui-trace": [`traces/${traces[3]}`, "light", ".spanrow"],
    "ui-bias": [`deployments/${judged}?tab=bias`, "dark", "canvas"],
    "ui-models": ["models", "light", "tbody tr"],
    "ui-deployments": ["deployments?all=1", "dark", "tbody tr"],
    "ui-datasets": ["datasets", "light", "tbody tr"],
    "ui-diff": [`runs?e=${experiment}&sel=${four}&view=diff`, "light", "table.data"],
    "ui-drift": [`deployments/${judged}?tab=drift`, "light", "canvas"],
    "ui-run-page": [`runs/${ids[0]}`, "light", "table.data"],
    "ui-rows": [`datasets/${versions[0].dataset}?tab=rows`, "light", "tbody tr"],
    "ui-predictions": [`deployments/${live}?tab=predictions`, "light", "tbody tr"],
    "ui-run": [`runs/${ids[0]}?tab=files&path=eval/confusion.json`, "light", "figure"],
    "ui-lineage": [`runs/${versions[0].run_id}?tab=lineage`, "light", "svg rect"],
    "ui-deployment": [`deployments/${live}`, "light", "canvas"],
    "ui-explain": [`deployments/${live}?tab=explain&text=a+wonderful+film+with+a+boring+ending&text2=a+wonderful+film+with+a+moving+ending`, "light", ".word"],
    "ui-dataset": [`datasets/${versions[0].dataset}`, "dark", ".bars"],
    "ui-approval": ["models/tiny-reviews?v=1", "light", "iframe", async (page) => {
      await page.evaluate(async () => {
        const say = (path, method, body) => fetch(`/api/ui/models/tiny-reviews/${path}`, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
        await say("policy", "PUT", { required_approvals: 2, protected_aliases: ["champion"] });
        await say("versions/1/decisions", "POST", { decision: "approve", comment: "reads well, fair enough", who: "ann" });
      });
      await page.getByRole("region", { name: "Approval", exact: true }).getByText("1 of 2 approvals").waitFor();
      await page.getByRole("region", { name: "Gates" }).scrollIntoViewIfNeeded();
    }],
    "ui-model": ["models/tiny-reviews", "light", "iframe"],
  };
  const shoot = async (from, name, [address, theme, selector, prepare]) => {
    const page = await openPage(browser, from, { colorScheme: theme, viewport: { width: 1200, height: 690 } });
    await page.addInitScript(() => localStorage.setItem("slipway.annotator", "ann"));
    await page.goto(`${from.url}/ui/${address}`);
    await page.locator(selector).first().waitFor();
    await prepare?.(page);
    await page.waitForTimeout(1000); // charts and frames have drawn
    await page.screenshot({ path: path.join(out, `${name}.png`) });
    if (page.faults.length) console.log(name, page.faults);
    await page.context().close();
  };
  for (const [name, view] of Object.entries(views)) if (new RegExp(only).test(name)) await shoot(server, name, view);
  if (new RegExp(only).test("ui-signin")) await secured(program, (guarded) => shoot(guarded, "ui-signin", ["runs", "light", "form input"]));
} finally {
  await browser.close();
  dev?.stop();
  await served.stop();
  await server.stop();
  folder.remove();
}

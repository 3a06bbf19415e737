// Bias of what is served: how predictions treat groups of people now, and what the evaluation's suite of exchanged words found.
import { useQuery } from "@tanstack/preact-query";
import { ErrorNote, Facts } from "../../components/basic";
import { TimeChart } from "../../components/timechart";
import { type DeploymentPage as Page, blobUrl, getModel, getProducts, keys } from "../../lib/api";
import { biasOf, groupDistances, newestGroups } from "../../lib/bias";
import { estimateOf, estimateText } from "../../lib/estimate";
import { number } from "../../lib/format";
import { fetchText } from "../../lib/http";
import { t } from "../../lib/i18n";

const kAlarm = 0.05; // p below this is marked

function Live({ page }: { page: Page }) {
  const newest = newestGroups(page.windows);
  const lines = groupDistances(page.windows);
  return (
    <section class="card" aria-label={t("bias.live")}>
      <h2>{t("bias.live")}</h2>
      {!newest ? <p class="muted" style={{ margin: 0 }}>{t("bias.noLive")}</p> : (
        <>
          <p class="muted small">{t("bias.liveHint")}</p>
          <div class="scroll" tabIndex={0} role="group" aria-label={t("bias.live")}>
            <table class="data tight">
              <thead><tr><th scope="col">{t("bias.group")}</th><th scope="col">{t("predictions.class")}</th><th scope="col" class="right">{t("bias.rate")}</th><th scope="col" class="right">{t("bias.reference")}</th><th scope="col" class="right">n</th><th scope="col" class="right">{t("bias.p")}</th></tr></thead>
              <tbody>{newest.groups.map((one) => (
                <tr key={one.group + one.label}><th scope="row">{one.group}</th><td>{one.label}</td><td class="right">{estimateText(estimateOf(one.rate))}</td><td class="right">{estimateText(estimateOf(one.reference))}</td><td class="right">{one.rate.n ?? ""}</td><td class={`right ${(one.p ?? 1) < kAlarm ? "bad" : ""}`}>{number(one.p ?? undefined)}{(one.p ?? 1) < kAlarm ? " !" : ""}</td></tr>
              ))}</tbody>
            </table>
          </div>
          {page.windows.length > 1 && <><h2 style={{ marginTop: "14px" }}>{t("bias.over")}</h2><TimeChart label={t("bias.over")} times={page.windows.map((one) => one.time_ms)} lines={lines} /></>}
        </>
      )}
    </section>
  );
}

// The evaluation is what the run of the version left under that name.
function Suite({ model, version }: { model: string; version: number }) {
  const page = useQuery({ queryKey: keys.model(model), queryFn: ({ signal }) => getModel(model, signal), retry: false });
  const run = page.data?.versions.find((one) => one.version === version)?.run_id ?? "";
  const products = useQuery({ queryKey: keys.products(run), queryFn: ({ signal }) => getProducts(run, signal), enabled: run !== "", retry: false });
  const file = products.data?.find((one) => one.name === "evaluation.json");
  const url = file ? blobUrl(file.digest) : "";
  const text = useQuery({ queryKey: keys.file(url), queryFn: ({ signal }) => fetchText(url, undefined, signal), enabled: url !== "", staleTime: Infinity });
  const error = page.error ?? products.error ?? text.error;
  let bias;
  try {
    bias = text.data === undefined ? undefined : biasOf(JSON.parse(text.data));
  } catch {
    bias = undefined; // not what it should be: there is no suite to show
  }
  return (
    <section class="card" aria-label={t("bias.suite", { version })}>
      <h2>{t("bias.suite", { version: `${model}/${version}` })}</h2>
      {error ? <ErrorNote error={error} /> : !bias ? <p class="muted" style={{ margin: 0 }}>{t("bias.noSuite")}</p> : (
        <>
          <p class="muted small">{t("bias.suiteHint", { suite: bias.suite })}</p>
          <Facts rows={[[t("bias.flip"), estimateText(bias.flipRate)], [t("bias.shift"), number(bias.maxShift)]]} />
          <div class="scroll" style={{ maxHeight: "340px", marginTop: "10px" }} tabIndex={0} role="group" aria-label={t("bias.group")}>
            <table class="data tight">
              <thead><tr><th scope="col">{t("bias.group")}</th><th scope="col" class="right">{t("bias.meanShift")}</th><th scope="col" class="right">{t("bias.flip")}</th></tr></thead>
              <tbody>{bias.groups.map((one) => <tr key={one.group}><th scope="row">{one.group}</th><td class="right">{estimateText(one.shift)}</td><td class="right">{estimateText(one.flipRate)}</td></tr>)}</tbody>
            </table>
          </div>
          {bias.examples.length > 0 && (
            <details style={{ marginTop: "10px" }}><summary>{t("bias.texts")}</summary>
              <table class="data"><thead><tr><th scope="col">{t("bias.text")}</th><th scope="col">{t("bias.counterfactual")}</th></tr></thead>
                <tbody>{bias.examples.slice(0, 20).map((one, i) => <tr key={i}><td>{one.text} <span class="tag">{one.from}</span></td><td>{one.counterfactual} <span class="tag">{one.to}</span></td></tr>)}</tbody></table>
            </details>
          )}
        </>
      )}
    </section>
  );
}

export function Bias({ page }: { page: Page }) {
  return <div class="grid2"><Live page={page} />{(page.deployment.meta?.traffic ?? []).map((one) => <Suite key={`${one.model}/${one.version}`} model={one.model} version={one.version} />)}</div>;
}

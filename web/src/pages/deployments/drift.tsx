// Drift and alerts: what the tests said of the newest windows.
import { TimeChart } from "../../components/timechart";
import type { DeploymentPage as Page } from "../../lib/api";
import { number } from "../../lib/format";
import { t } from "../../lib/i18n";

export function Drift({ page }: { page: Page }) {
  const windows = page.windows.map((event) => event.data).reverse();
  const last = windows[0];
  if (!last) return <p class="muted">{t("drift.none")}</p>;
  const alerts = windows.flatMap((window) => (window.alerts ?? []).map((alert) => ({ window, alert })));
  const times = page.windows.map((event) => event.time_ms);
  const names = [...new Set(windows.flatMap((window) => window.tests.map((test) => `${test.name} ${test.column}`)))].slice(0, 8);
  // Scores as parts of their threshold: tests of other kinds share one chart, and 1 is where each alarms.
  const lines = names.map((name) => ({ name, values: page.windows.map((event) => {
    const test = event.data.tests.find((one) => `${one.name} ${one.column}` === name);
    return test && test.threshold ? (test.score ?? 0) / test.threshold : undefined;
  }) }));
  return (
    <div class="grid2">
      <section class="card" aria-label={t("drift.last")}>
        <h2>{t("drift.last")} <span class="muted small">{t("drift.window", { n: last.window, texts: last.n })}</span></h2>
        <p class={last.drift ? "bad" : "good"} role="status">{t(last.drift ? "drift.yes" : "drift.no")}</p>
        <table class="data">
          <thead><tr><th scope="col">{t("drift.test")}</th><th scope="col">{t("drift.of")}</th><th scope="col" class="right">{t("drift.score")}</th><th scope="col" class="right">{t("drift.threshold")}</th><th scope="col" class="right">p</th></tr></thead>
          <tbody>{last.tests.map((test) => <tr key={test.name + test.column}><th scope="row">{test.name}</th><td>{test.column}</td><td class={`right ${test.alarm ? "bad" : ""}`}>{number(test.score ?? undefined)}{test.alarm ? " !" : ""}</td><td class="right">{number(test.threshold ?? undefined)}</td><td class="right">{number(test.p ?? undefined)}</td></tr>)}</tbody>
        </table>
        {(last.words ?? []).length > 0 && <p>{t("drift.words")} {last.words!.slice(0, 10).map((word) => <span key={word.word} class="tag" style={{ marginRight: "5px" }}>{word.z > 0 ? "↑" : "↓"} {word.word}</span>)}</p>}
      </section>
      {page.windows.length > 1 && <section class="card"><h2>{t("drift.over")}</h2><TimeChart label={t("drift.over")} times={times} lines={lines} height={210} /></section>}
      <section class="card" aria-label={t("drift.alerts")}>
        <h2>{t("drift.alerts")}</h2>
        {alerts.length === 0 ? <p class="muted">{t("drift.noAlerts")}</p> : (
          <table class="data"><tbody>{alerts.slice(0, 30).map(({ window, alert }, i) => <tr key={i}><td class="num">{window.time}</td><td>{String(alert.key ?? "")}</td><td>{String(alert.state ?? "")}</td></tr>)}</tbody></table>
        )}
      </section>
    </div>
  );
}

// Curves of several runs over each other, a chart for each metric.
import { useQuery } from "@tanstack/preact-query";
import { useMemo, useState } from "preact/hooks";
import { ErrorNote, Loading } from "../../components/basic";
import { Plot } from "../../components/plot";
import { type Run, getCurves, keys } from "../../lib/api";
import { downloadCsv } from "../../lib/csv";
import { t } from "../../lib/i18n";
import { setQuery, usePlace } from "../../lib/router";
import { runName } from "../../lib/runs";
import type { Axis } from "../../lib/series";
import { seriesColor } from "../../lib/theme";

const kMostCharts = 12; // at once: each is a question to the server for every run

export function CurvesView({ runs }: { runs: Run[] }) {
  const { query: place } = usePlace();
  const axis = (["step", "relative", "wall"].includes(place.get("axis") ?? "") ? place.get("axis") : "step") as Axis;
  const log = place.get("log") === "1";
  const smooth = Math.min(0.99, Math.max(0, Number(place.get("smooth") ?? 0) || 0));
  const search = place.get("metric") ?? "";
  const [most, setMost] = useState(kMostCharts);
  const names = useMemo(() => [...new Set(runs.flatMap((run) => (run.data.metrics ?? []).map((metric) => metric.key!)))].sort()
    .filter((name) => name.toLowerCase().includes(search.toLowerCase())), [runs, search]);
  const shown = names.slice(0, most);
  const ids = runs.map((run) => run.info.run_id);
  const live = runs.some((run) => run.info.status === "RUNNING");
  const query = useQuery({ queryKey: keys.curves(ids, shown), queryFn: ({ signal }) => getCurves(ids, shown, signal), enabled: ids.length > 0 && shown.length > 0,
    refetchInterval: live ? 2500 : false, placeholderData: (old) => old });
  const lines = useMemo(() => {
    const byName = new Map(shown.map((name) => [name, [] as { curve: NonNullable<typeof query.data>[number]; name: string; color: number }[]]));
    for (const curve of query.data ?? []) {
      const index = ids.indexOf(curve.run_id);
      if (index >= 0) byName.get(curve.key)?.push({ curve, name: runName(runs[index]!), color: index });
    }
    return byName;
  }, [query.data, ids.join(), shown.join("\n")]);
  const csv = () => downloadCsv("curves.csv", [["run_id", "run", "metric", "step", "time_ms", "value"], ...(query.data ?? []).flatMap((curve) =>
    curve.values.map((value, i) => [curve.run_id, runName(runs[ids.indexOf(curve.run_id)]!), curve.key, String(curve.steps[i]), String(curve.times[i]), String(value)]))]);
  if (names.length === 0 && !search) return <p class="empty">{t("curves.none")}</p>;
  return (
    <>
      <div class="bar">
        <input type="search" value={search} placeholder={t("curves.search")} aria-label={t("curves.search")} onInput={(event) => setQuery({ metric: event.currentTarget.value }, true)} />
        <label class="field">{t("curves.axis")}
          <select value={axis} onChange={(event) => setQuery({ axis: event.currentTarget.value === "step" ? undefined : event.currentTarget.value }, true)}>
            <option value="step">{t("axis.step")}</option><option value="relative">{t("axis.relative")}</option><option value="wall">{t("axis.wall")}</option>
          </select>
        </label>
        <label class="field">{t("curves.smooth")}
          <input type="range" min="0" max="0.99" step="0.01" value={smooth} aria-valuetext={String(smooth)} onInput={(event) => setQuery({ smooth: event.currentTarget.value === "0" ? undefined : event.currentTarget.value }, true)} />
        </label>
        <button type="button" aria-pressed={log} onClick={() => setQuery({ log: log ? undefined : "1" }, true)}>{t("curves.log")}</button>
        <span class="grow" />
        {live && <span class="tag on" role="status">{t("curves.live")}</span>}
        <button type="button" onClick={csv} disabled={!query.data}>CSV</button>
      </div>
      {runs.length > 1 && (
        <ul class="legend" aria-label={t("runs.title")}>
          {runs.map((run, i) => <li key={run.info.run_id}><span class="swatch" style={{ background: seriesColor(i) }} aria-hidden="true" /><a href={`/ui/runs/${run.info.run_id}`}>{runName(run)}</a></li>)}
        </ul>
      )}
      {query.isError && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && shown.length > 0 && <Loading />}
      <div class="plots">{shown.map((name) => <Plot key={name} title={name} lines={lines.get(name) ?? []} axis={axis} log={log} smooth={smooth} />)}</div>
      {names.length > most && <button type="button" onClick={() => setMost(most + kMostCharts)}>{t("curves.more", { n: names.length - most })}</button>}
    </>
  );
}

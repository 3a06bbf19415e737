// One version of a dataset: statistics, its rows, and what another version has that it has not.
import { useQuery } from "@tanstack/preact-query";
import { useEffect, useState } from "preact/hooks";
import { ErrorNote, Facts, Loading, Tabs } from "../../components/basic";
import { LineageGraph } from "../../components/lineage";
import { type DatasetDiff, type DatasetPage as Page, diffDatasets, getDataset, getDatasets, getRows, keys } from "../../lib/api";
import { bytes, integer, number, percent, time } from "../../lib/format";
import { shortName } from "../../lib/graph";
import { t } from "../../lib/i18n";
import { balance, splits, words } from "../../lib/manifest";
import { link, setQuery, usePlace } from "../../lib/router";

const kRows = 50;

function Bars({ rows }: { rows: [string, number][] }) {
  const most = Math.max(1, ...rows.map(([, n]) => n));
  return (
    <div class="bars">
      {rows.map(([name, n]) => [
        <span key={name}>{name}</span>, <span key={`${name}-`} class="track"><span class="fill" style={{ display: "block", width: `${(100 * n) / most}%` }} /></span>, <span key={`${name}:`} class="num">{integer(n)}</span>,
      ])}
    </div>
  );
}

function Statistics({ page }: { page: Page }) {
  const labels = balance(page.manifest);
  const text = words(page.manifest);
  const totals = splits.map((_, i) => labels.reduce((sum, one) => sum + one.counts[i]!, 0));
  return (
    <div class="grid2">
      <section class="card">
        <h2>{t("datasets.balance")}</h2>
        <div class="scroll" tabIndex={0} role="group" aria-label={t("datasets.balance")} style={{ maxHeight: "340px" }}>
          <table class="data">
            <thead><tr><th scope="col">{t("predictions.class")}</th>{splits.map((split) => <th key={split} scope="col" class="right">{split}</th>)}</tr></thead>
            <tbody>{labels.map((one) => <tr key={one.label}><th scope="row">{one.label || t("group.none")}</th>{one.counts.map((n, i) => <td key={i} class="right">{integer(n)} <span class="muted">{percent(n / Math.max(1, totals[i]!))}</span></td>)}</tr>)}</tbody>
          </table>
        </div>
      </section>
      <section class="card">
        <h2>{t("datasets.lengths")}</h2>
        <p class="num small">{text.facts.map(([name, value]) => `${name} ${number(value)}`).join(" · ")}</p>
        <Bars rows={text.bins.map((bin) => [`${integer(bin.low)}–${integer(Math.max(bin.low, bin.high - 1))}`, bin.count])} />
      </section>
      {text.top.length > 0 && <section class="card"><h2>{t("datasets.top")}</h2><Bars rows={text.top.slice(0, 20)} /></section>}
      {text.languages.length > 0 && <section class="card"><h2>{t("datasets.languages")}</h2><Bars rows={text.languages.slice(0, 20)} /></section>}
    </div>
  );
}

function Rows({ id, labels }: { id: string; labels: string[] }) {
  const { query: place } = usePlace();
  const split = place.get("split") ?? "train";
  const offset = Math.max(0, Number(place.get("offset")) || 0);
  const text = place.get("text") ?? "";
  const label = place.get("label") ?? "";
  const [typed, setTyped] = useState(text);
  useEffect(() => setTyped(text), [text]);
  const query = useQuery({ queryKey: keys.rows(id, split, offset, text, label), queryFn: ({ signal }) => getRows(id, { split, offset: String(offset), limit: String(kRows), text, label }, signal), placeholderData: (old) => old });
  const extra = [...new Set((query.data?.rows ?? []).flatMap((row) => Object.keys(row)))].filter((key) => !["id", "text", "label", "source", "at"].includes(key));
  return (
    <>
      <form class="bar" role="search" onSubmit={(event) => {
        event.preventDefault();
        setQuery({ text: typed || undefined, offset: undefined }, true);
      }}>
        <label class="field">{t("datasets.split")} <select value={split} onChange={(event) => setQuery({ split: event.currentTarget.value === "train" ? undefined : event.currentTarget.value, offset: undefined }, true)}>{splits.map((name) => <option key={name} value={name}>{name}</option>)}</select></label>
        <label class="field">{t("predictions.class")} <select value={label} onChange={(event) => setQuery({ label: event.currentTarget.value || undefined, offset: undefined }, true)}><option value="">{t("datasets.any")}</option>{labels.map((name) => <option key={name} value={name}>{name}</option>)}</select></label>
        <input type="search" value={typed} aria-label={t("datasets.search")} placeholder={t("datasets.search")} onInput={(event) => setTyped(event.currentTarget.value)} style={{ flex: "1 1 220px" }} />
        <span class="grow" />
        <button type="button" disabled={offset === 0} onClick={() => setQuery({ offset: offset > kRows ? String(offset - kRows) : undefined }, true)}>{t("datasets.previous")}</button>
        <button type="button" disabled={!query.data?.more || query.data.cut} onClick={() => setQuery({ offset: String(offset + kRows) }, true)}>{t("datasets.next")}</button>
      </form>
      {query.isError && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading />}
      {query.data && (
        <div class="card scroll" tabIndex={0} role="group" aria-label={t("datasets.rows")}>
          <p class="muted small" role="status" style={{ marginTop: 0 }}>{query.data.rows.length === 0 ? t("datasets.noRows") : t("datasets.shown", { from: integer(offset + 1), to: integer(offset + query.data.rows.length) })} {query.data.cut ? t("datasets.cut") : ""}</p>
          <table class="data">
            <thead><tr><th scope="col">{t("predictions.text")}</th><th scope="col">{t("predictions.class")}</th>{extra.map((key) => <th key={key} scope="col">{key}</th>)}<th scope="col">{t("run.source")}</th></tr></thead>
            <tbody>{query.data.rows.map((row, i) => <tr key={`${row.id}${i}`}><td>{row.text}</td><td>{row.label}</td>{extra.map((key) => <td key={key}>{typeof row[key] === "string" ? row[key] : JSON.stringify(row[key])}</td>)}<td class="mono small">{row.at}</td></tr>)}</tbody>
          </table>
        </div>
      )}
    </>
  );
}

const parts = ["added", "removed", "moved", "relabelled"] as const;

function Diff({ id }: { id: string }) {
  const from = usePlace().query.get("from") ?? "";
  const all = useQuery({ queryKey: keys.datasets, queryFn: ({ signal }) => getDatasets(signal) });
  const query = useQuery({ queryKey: keys.datasetDiff(id, from), queryFn: ({ signal }) => diffDatasets(id, from, signal), enabled: from !== "" });
  const part = (name: (typeof parts)[number], diff: DatasetDiff) => (
    <section class="card" key={name}>
      <h2>{t(`datasets.${name}`, { n: integer(diff[name].rows) })}</h2>
      {diff[name].examples.length > 0 && <table class="data"><tbody>{diff[name].examples.map((row, i) => <tr key={i}><td>{row.text}</td><td>{row.label}</td></tr>)}</tbody></table>}
    </section>
  );
  return (
    <>
      <label class="field">{t("datasets.against")}
        <select value={from} onChange={(event) => setQuery({ from: event.currentTarget.value || undefined })}>
          <option value="">{t("models.nothing")}</option>
          {(all.data ?? []).filter((one) => one.digest !== id).map((one) => <option key={one.artifact} value={one.digest}>{one.name} {shortName(one.digest)}</option>)}
        </select>
      </label>
      {from && query.isError && <ErrorNote error={query.error} />}
      {from && query.isPending && <Loading />}
      {query.data && <div class="grid2">{parts.map((name) => part(name, query.data))}</div>}
    </>
  );
}

const tabs = ["statistics", "rows", "diff", "lineage"] as const;

export function DatasetPage({ id }: { id: string }) {
  const { query: place } = usePlace();
  const tab = tabs.find((name) => name === place.get("tab")) ?? "statistics";
  const query = useQuery({ queryKey: keys.dataset(id), queryFn: ({ signal }) => getDataset(id, signal), staleTime: Infinity });
  const page = query.data;
  if (query.isError) return <div class="page"><ErrorNote error={query.error} retry={() => void query.refetch()} /><p><a href="/ui/datasets">{t("nav.datasets")}</a></p></div>;
  if (!page) return <div class="page"><Loading /></div>;
  return (
    <div class="page">
      <div><p class="crumbs" style={{ margin: 0 }}><a href="/ui/datasets">{t("nav.datasets")}</a> /</p><div class="head"><h1>{page.name}</h1><span class="tag mono">{shortName(page.digest)}</span></div></div>
      <div class="card"><Facts rows={[
        [t("datasets.version"), <code>{page.digest}</code>], [t("datasets.rows"), `${integer(page.rows)} (${Object.entries(page.splits).map(([name, rows]) => `${name} ${integer(rows)}`).join(", ")})`],
        [t("datasets.size"), bytes(page.size)], [t("models.created"), time(page.created_ms)],
      ]} /></div>
      <Tabs label={t("view.label")} items={tabs.map((name) => ({ name: t(`datasets.tab.${name}`), href: link(`/ui/datasets/${id}`, { tab: name === "statistics" ? undefined : name }), on: tab === name }))} />
      {tab === "statistics" && <Statistics page={page} />}
      {tab === "rows" && <Rows id={id} labels={page.labels} />}
      {tab === "diff" && <Diff id={id} />}
      {tab === "lineage" && <LineageGraph node={`dataset:${page.digest}`} />}
    </div>
  );
}

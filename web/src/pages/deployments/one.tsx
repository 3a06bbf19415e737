// One deployment: its traffic now, drift and alerts, what happened, going back to an earlier version, and trying it.
import { useMutation, useQuery, useQueryClient } from "@tanstack/preact-query";
import { useMemo, useState } from "preact/hooks";
import { Act } from "../../components/act";
import { Dialog, ErrorNote, Facts, Loading, Status, Tabs } from "../../components/basic";
import { LineageGraph } from "../../components/lineage";
import { TimeChart } from "../../components/timechart";
import { type DeploymentPage as Page, getDeployment, getModel, keys, setAlias } from "../../lib/api";
import { spans } from "../../lib/aliases";
import { duration, integer, number, percent, time } from "../../lib/format";
import { t } from "../../lib/i18n";
import { link, patched, usePlace } from "../../lib/router";
import { useRefusal } from "../../lib/session";
import { bucketWidth, buckets, followed, quantile } from "../../lib/traffic";
import { Override } from "../models/move";
import { Bias } from "./bias";
import { Drift } from "./drift";
import { Explain } from "./explain";
import { trafficText } from "./list";

function Rollback({ reference }: { reference: string }) {
  const target = followed(reference);
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const model = useQuery({ queryKey: keys.model(target?.model ?? ""), queryFn: ({ signal }) => getModel(target!.model, signal), enabled: target !== undefined, retry: false });
  const history = spans((model.data?.aliases ?? []).filter((one) => one.alias === target?.alias));
  const [now, before] = history;
  const why = useRefusal("approver", target?.model);
  const back = useMutation({
    mutationFn: (reason: string | undefined) => setAlias(target!.model, target!.alias, before!.version, reason),
    onSuccess: async () => {
      setAsking(false);
      await queries.invalidateQueries();
    },
  });
  if (!target || !now || !before) return null;
  return (
    <>
      <Act why={why} onClick={() => setAsking(true)}>{t("rollback.button", { version: before.version })}</Act>
      {asking && (
        <Dialog title={t("rollback.title")} close={() => setAsking(false)}>
          <p>{t("rollback.ask", { name: `${target.model}@${target.alias}`, from: now.version, to: before.version })}</p>
          {back.isError && <Override model={target.model} error={back.error} pending={back.isPending} move={(reason) => back.mutate(reason)} />}
          <button type="button" class="primary" disabled={back.isPending} onClick={() => back.mutate(undefined)}>{t("rollback.button", { version: before.version })}</button>
        </Dialog>
      )}
    </>
  );
}

function Stat({ name, value }: { name: string; value: string }) {
  return <div class="stat"><span class="muted small">{name}</span><b>{value}</b></div>;
}

function Traffic({ page }: { page: Page }) {
  const { traffic } = page;
  const parts = useMemo(() => buckets(traffic.times, traffic.latencies_us), [traffic]);
  const lines = useMemo(() => [
    [{ name: t("deployments.perSpan", { span: duration(bucketWidth(parts)) }), values: parts.map((part) => part.count), bars: true }],
    [{ name: "p50 ms", values: parts.map((part) => part.p50) }, { name: "p95 ms", values: parts.map((part) => part.p95) }],
  ] as const, [parts]);
  const times = useMemo(() => parts.map((part) => part.begin), [parts]);
  const all = Object.values(traffic.labels).reduce((a, b) => a + b, 0);
  const quick = (p: number) => {
    const value = quantile(traffic.latencies_us, p);
    return value === undefined ? "–" : `${number(value / 1000)} ms`;
  };
  return (
    <>
      <section class="card" aria-label={t("deployments.traffic")}>
        <div class="stats">
          <Stat name={t("deployments.predictions")} value={integer(page.predictions)} /><Stat name="p50" value={quick(0.5)} /><Stat name="p95" value={quick(0.95)} /><Stat name="p99" value={quick(0.99)} />
          <Stat name={t("deployments.last")} value={traffic.times.length > 0 ? time(traffic.times.at(-1)) : "–"} />
        </div>
        <p class="muted small" style={{ marginBottom: 0 }}>{t("deployments.of", { n: integer(traffic.times.length) })}</p>
      </section>
      {parts.length > 0 && (
        <div class="grid2">
          <section class="card"><h2>{t("deployments.rate")}</h2><TimeChart label={t("deployments.rate")} times={times} lines={[...lines[0]]} /></section>
          <section class="card"><h2>{t("deployments.latency")}</h2><TimeChart label={t("deployments.latency")} times={times} lines={[...lines[1]]} /></section>
          <section class="card">
            <h2>{t("deployments.classes")}</h2>
            <div class="bars">
              {Object.entries(traffic.labels).sort((a, b) => b[1] - a[1]).slice(0, 20).map(([label, count]) => [
                <span key={label}>{label}</span>, <span key={`${label}-`} class="track"><span class="fill" style={{ width: `${(100 * count) / all}%`, display: "block" }} /></span>,
                <span key={`${label}:`} class="num">{integer(count)} · {percent(count / all)}</span>,
              ])}
            </div>
          </section>
        </div>
      )}
    </>
  );
}

function Predictions({ page }: { page: Page }) {
  const chosen = usePlace().query.get("prediction");
  return (
    <>
      {chosen && <section aria-label={t("lineage.title")}><h2 style={{ marginBottom: "8px" }}>{t("predictions.from", { id: chosen })}</h2><LineageGraph node={`prediction:${chosen}`} /></section>}
      {page.traffic.recent.length === 0 ? <p class="muted">{t("predictions.none")}</p> : (
        <div class="card scroll" tabIndex={0} role="group" aria-label={t("deployments.recent")}>
          <table class="data">
            <thead><tr><th scope="col">{t("axis.wall")}</th><th scope="col">{t("predictions.text")}</th><th scope="col">{t("predictions.class")}</th><th scope="col" class="right">{t("predictions.score")}</th><th scope="col" class="right">{t("deployments.latency")}</th><th scope="col">{t("deployments.model")}</th><th scope="col">{t("predictions.more")}</th></tr></thead>
            <tbody>{page.traffic.recent.map((one) => (
              <tr key={one.id}>
                <td class="num" style={{ whiteSpace: "nowrap" }}>{time(one.time_ms)}</td><td>{one.text}</td><td>{one.label}</td><td class="right">{number(one.score)}</td><td class="right">{number(one.latency_us / 1000)} ms</td><td>{one.model}</td>
                <td style={{ whiteSpace: "nowrap" }}><a href={patched({ prediction: one.id })}>{t("lineage.title")}</a> · <a href={patched({ tab: "explain", text: one.text, text2: undefined })}>{t("explain.do")}</a></td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Events({ page }: { page: Page }) {
  return (
    <ul class="timeline">
      {[...page.events].reverse().map((event) => (
        <li key={event.id}><strong>{event.kind}</strong> <span class="muted num">{time(event.time_ms)}</span>
          <div class="mono small" style={{ overflowWrap: "anywhere" }}>{JSON.stringify(event.data)}</div></li>
      ))}
    </ul>
  );
}

const tabs = ["traffic", "drift", "bias", "predictions", "explain", "events"] as const;

export function DeploymentPage({ id }: { id: string }) {
  const { query: place } = usePlace();
  const tab = tabs.find((name) => name === place.get("tab")) ?? "traffic";
  const query = useQuery({ queryKey: keys.deployment(id), queryFn: ({ signal }) => getDeployment(id, signal), refetchInterval: (one) => (one.state.data?.deployment.status === "stopped" ? false : 3000) });
  const page = query.data;
  if (query.isError && !page) return <div class="page"><ErrorNote error={query.error} retry={() => void query.refetch()} /><p><a href="/ui/deployments">{t("nav.deployments")}</a></p></div>;
  if (!page) return <div class="page"><Loading /></div>;
  const { deployment } = page;
  const target = followed(deployment.model);
  return (
    <div class="page">
      <div>
        <p class="crumbs" style={{ margin: 0 }}><a href="/ui/deployments">{t("nav.deployments")}</a> /</p>
        <div class="head"><h1>{deployment.endpoint}</h1><Status value={deployment.status} /><span class="grow" /><Rollback reference={deployment.model} /></div>
      </div>
      <div class="card"><Facts rows={[
        [t("deployments.model"), target ? <a href={`/ui/models/${encodeURIComponent(target.model)}`}>{deployment.model}</a> : deployment.model], [t("deployments.traffic"), trafficText(deployment)],
        [t("deployments.address"), <code>{deployment.address}</code>], [t("column.started"), time(deployment.started_ms)],
      ]} /></div>
      <Tabs label={t("view.label")} items={tabs.map((name) => ({ name: t(`deployments.tab.${name}`), href: link(`/ui/deployments/${id}`, { tab: name === "traffic" ? undefined : name }), on: tab === name }))} />
      {query.isError && <ErrorNote error={query.error} />}
      {tab === "traffic" && <Traffic page={page} />}
      {tab === "drift" && <Drift page={page} />}
      {tab === "bias" && <Bias page={page} />}
      {tab === "predictions" && <Predictions page={page} />}
      {tab === "explain" && <Explain id={id} />}
      {tab === "events" && <Events page={page} />}
    </div>
  );
}

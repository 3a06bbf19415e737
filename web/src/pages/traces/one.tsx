// One trace: its spans as a tree over time, what went into each and came out, what was judged of it.
import { useQuery } from "@tanstack/preact-query";
import { useMemo } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { ErrorNote, Facts, Loading, Status } from "../../components/basic";
import { type TraceInfo, getTrace, keys } from "../../lib/api";
import { duration, time } from "../../lib/format";
import { t } from "../../lib/i18n";
import { link, setQuery, usePlace } from "../../lib/router";
import { type Span, durationOf, spansOf, startOf, traceName } from "../../lib/trace";
import { Assessments } from "./assessments";
import { Waterfall } from "./waterfall";

const shown = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
const isThere = (value: unknown) => value !== undefined && value !== null;

function Part({ title, value }: { title: string; value: unknown }) {
  if (!isThere(value)) return null;
  return <><h3>{title}</h3><pre tabIndex={0} aria-label={title}>{shown(value)}</pre></>;
}

function Pairs({ title, pairs }: { title: string; pairs: [string, unknown][] }) {
  if (pairs.length === 0) return null;
  return <><h3>{title}</h3><table class="data"><tbody>{pairs.map(([key, value]) => <tr key={key}><th scope="row" class="mono">{key}</th><td class="mono">{shown(value)}</td></tr>)}</tbody></table></>;
}

function Detail({ span }: { span: Span }) {
  return (
    <section class="card detail" aria-label={t("trace.span")}>
      <div class="head"><h2>{span.name}</h2>{span.type && <span class="tag">{span.type}</span>}</div>
      {span.failed && <div class="note error" style={{ marginTop: "10px" }}>{span.message || t("trace.state.ERROR")}</div>}
      <div style={{ marginTop: "10px" }}><Facts rows={[[t("trace.start"), `+${duration(span.start)}`], [t("traces.duration"), span.duration === undefined ? t("trace.state.IN_PROGRESS") : duration(span.duration)]]} /></div>
      <Part title={t("trace.inputs")} value={span.inputs} />
      <Part title={t("trace.outputs")} value={span.outputs} />
      <Pairs title={t("trace.attributes")} pairs={span.attributes} />
      {span.events.length > 0 && <h3>{t("trace.events")}</h3>}
      {span.events.map((event, i) => (
        <div key={i}><p class="small" style={{ margin: "6px 0" }}><strong>{event.name}</strong> <span class="muted num">+{duration(event.at)}</span></p>
          {event.attributes.map(([key, value]) => <div key={key}><span class="muted small mono">{key}</span><pre tabIndex={0} aria-label={key}>{shown(value)}</pre></div>)}</div>
      ))}
    </section>
  );
}

function About({ info }: { info: TraceInfo }) {
  const experiment = info.trace_location.mlflow_experiment?.experiment_id;
  const run = info.trace_metadata?.["mlflow.sourceRun"];
  const model = info.trace_metadata?.["mlflow.modelId"];
  const rows: [string, ComponentChildren][] = [
    [t("trace.id"), <code>{info.trace_id}</code>], [t("traces.time"), time(startOf(info))],
    [t("traces.duration"), durationOf(info) === undefined ? t("trace.state.IN_PROGRESS") : duration(durationOf(info)!)],
  ];
  if (experiment) rows.push([t("experiments.one"), <a href={link("/ui/traces", { e: experiment })}>{experiment}</a>]);
  if (run) rows.push([t("trace.run"), <a href={`/ui/runs/${run}`}>{run}</a>]);
  if (model) rows.push([t("trace.model"), <a href={link("/ui/traces", { e: experiment, q: `request_metadata.\`mlflow.modelId\` = '${model}'` })}>{model}</a>]);
  return <Facts rows={rows} />;
}

export function TracePage({ id }: { id: string }) {
  const place = usePlace();
  const query = useQuery({ queryKey: keys.trace(id), queryFn: ({ signal }) => getTrace(id, signal), refetchInterval: (one) => (one.state.data?.trace_info.state === "IN_PROGRESS" ? 2500 : false) });
  const spans = useMemo(() => (query.data ? spansOf(query.data) : []), [query.data]);
  if (query.isError && !query.data) return <div class="page"><ErrorNote error={query.error} retry={() => void query.refetch()} /><p><a href="/ui/traces">{t("nav.traces")}</a></p></div>;
  if (!query.data) return <div class="page"><Loading /></div>;
  const info = query.data.trace_info;
  const chosen = spans.find((span) => span.id === place.query.get("span")) ?? spans[0];
  const kept = Object.entries({ ...info.trace_metadata, ...info.tags }).filter(([key]) => !/^mlflow\.(trace\.|traceInputs|traceOutputs|artifactLocation|sourceRun|modelId)/.test(key));
  return (
    <div class="page">
      <div>
        <p class="crumbs" style={{ margin: 0 }}><a href={link("/ui/traces", { e: info.trace_location.mlflow_experiment?.experiment_id })}>{t("nav.traces")}</a> /</p>
        <div class="head"><h1>{traceName(info)}</h1><Status value={info.state} /></div>
      </div>
      <div class="card"><About info={info} /></div>
      {spans.length === 0 ? <p class="muted">{t("trace.noSpans")}</p> : (
        <div class="trace">
          <section class="card" aria-label={t("trace.spans")}>
            <div class="bar" style={{ marginBottom: "8px" }}><h2>{t("trace.spans")}</h2><span class="muted small">{spans.length}</span><span class="grow" /><span class="muted small">{t("trace.hint")}</span></div>
            <Waterfall spans={spans} chosen={chosen?.id} choose={(span) => setQuery({ span }, true)} />
          </section>
          {chosen && <Detail key={chosen.id} span={chosen} />}
        </div>
      )}
      <Assessments trace={id} list={info.assessments ?? []} spans={spans} chosen={chosen} />
      {kept.length > 0 && <section class="card" aria-label={t("trace.tags")}><h2>{t("trace.tags")}</h2><table class="data"><tbody>{kept.map(([key, value]) => <tr key={key}><th scope="row" class="mono">{key}</th><td>{value}</td></tr>)}</tbody></table></section>}
    </div>
  );
}

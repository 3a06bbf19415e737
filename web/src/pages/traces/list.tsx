// Traces of the chosen experiments, found with MLflow's trace search.
import { useInfiniteQuery } from "@tanstack/preact-query";
import { useEffect, useState } from "preact/hooks";
import { ErrorNote, Icon, Loading, Status } from "../../components/basic";
import { type TraceInfo, keys, searchTraces } from "../../lib/api";
import { duration, integer, time } from "../../lib/format";
import { Fault } from "../../lib/http";
import { t } from "../../lib/i18n";
import { setQuery, usePlace } from "../../lib/router";
import { assessmentText, durationOf, startOf, traceName } from "../../lib/trace";
import { Experiments, useExperiments } from "../runs/experiments";
import { useRunsState } from "../runs/state";

const kLive = 5000;
const shortened = (text: string | undefined, most = 120) => (text && text.length > most ? `${text.slice(0, most)}…` : text ?? "");

function FilterBox({ filter, wrong }: { filter: string; wrong: boolean }) {
  const [text, setText] = useState(filter);
  useEffect(() => setText(filter), [filter]);
  const ask = () => text.trim() !== filter && setQuery({ q: text.trim() || undefined });
  return (
    <form class="search" role="search" onSubmit={(event) => {
      event.preventDefault();
      ask();
    }}>
      <Icon name="search" />
      <input id="filter" type="search" value={text} aria-label={t("traces.search")} placeholder={t("traces.placeholder")} spellcheck={false} aria-invalid={wrong} aria-describedby="filter-fault"
        onInput={(event) => setText(event.currentTarget.value)} onBlur={ask} />
    </form>
  );
}

// Each sorts by what the server can: falling, rising, as at first.
function Head({ name, field, order }: { name: string; field: string; order: string }) {
  const falling = order === `${field} DESC`;
  const rising = order === `${field} ASC`;
  return (
    <th scope="col" aria-sort={falling ? "descending" : rising ? "ascending" : undefined}>
      <button type="button" class="plain head" title={t("traces.sort")} onClick={() => setQuery({ order: falling ? `${field} ASC` : rising ? undefined : `${field} DESC` }, true)}>{name}{falling ? " ↓" : rising ? " ↑" : ""}</button>
    </th>
  );
}

function Table({ traces, order }: { traces: TraceInfo[]; order: string }) {
  return (
    <div class="card scroll" tabIndex={0} role="group" aria-label={t("nav.traces")}>
      <table class="data">
        <thead><tr><Head name={t("traces.name")} field="name" order={order} /><Head name={t("traces.time")} field="timestamp" order={order} /><th scope="col">{t("traces.state")}</th><Head name={t("traces.duration")} field="execution_time" order={order} />
          <th scope="col">{t("traces.request")}</th><th scope="col">{t("traces.response")}</th><th scope="col">{t("traces.assessments")}</th></tr></thead>
        <tbody>
          {traces.map((one) => (
            <tr key={one.trace_id}>
              <th scope="row"><a href={`/ui/traces/${encodeURIComponent(one.trace_id)}`}>{traceName(one)}</a></th>
              <td class="num" style={{ whiteSpace: "nowrap" }}>{time(startOf(one))}</td><td><Status value={one.state} /></td><td class="num">{durationOf(one) === undefined ? "" : duration(durationOf(one)!)}</td>
              <td>{shortened(one.request_preview)}</td><td>{shortened(one.response_preview)}</td>
              <td>{(one.assessments ?? []).filter((assessment) => assessment.valid).slice(0, 6).map((assessment) => <span key={assessment.assessment_id} class="tag" style={{ margin: "0 4px 2px 0" }}>{assessment.assessment_name}: {shortened(assessmentText(assessment), 24)}</span>)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function None({ filter }: { filter: string }) {
  return (
    <div class="empty">
      <p>{t(filter ? "traces.noMatch" : "traces.none")}</p>
      {!filter && <pre>{`import mlflow\nmlflow.set_tracking_uri("${location.origin}")\n\n@mlflow.trace\ndef answer(question):\n    return "…"`}</pre>}
    </div>
  );
}

export function TracesPage() {
  const all = useExperiments();
  const { spec } = useRunsState((all.data ?? []).slice(0, 1).map((one) => one.experiment_id));
  const order = usePlace().query.get("order") ?? "";
  const query = useInfiniteQuery({
    queryKey: keys.traces(spec.experiments, spec.filter, order),
    queryFn: ({ pageParam, signal }) => searchTraces(spec.experiments, spec.filter, order, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_page_token,
    enabled: spec.experiments.length > 0,
    refetchInterval: (one) => ((one.state.data?.pages.length ?? 0) > 1 ? false : kLive), // the first page stays live
  });
  const traces = query.data?.pages.flatMap((page) => page.traces ?? []) ?? [];
  const wrong = query.error instanceof Fault && query.error.status === 400;
  return (
    <div class="runs">
      <Experiments chosen={spec.experiments} />
      <section aria-labelledby="title">
        <h1 id="title" class="hidden">{t("nav.traces")}</h1>
        <div class="bar"><FilterBox filter={spec.filter} wrong={wrong} /></div>
        <div id="filter-fault" role="alert">{wrong && <div class="note error">{query.error!.message}</div>}</div>
        {query.isError && !wrong && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
        {query.isPending && spec.experiments.length > 0 && <Loading />}
        {query.isSuccess && traces.length === 0 && <None filter={spec.filter} />}
        {traces.length > 0 && (
          <div class="scroll" style={{ display: "grid", gap: "10px", alignContent: "start", flex: 1, minHeight: 0 }}>
            <p class="muted small" role="status" style={{ margin: 0 }}>{t(query.hasNextPage ? "traces.shownMore" : "traces.shown", { n: integer(traces.length) })}</p>
            <Table traces={traces} order={order} />
            {query.hasNextPage && <div><button type="button" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>{t("traces.more")}</button></div>}
          </div>
        )}
      </section>
    </div>
  );
}

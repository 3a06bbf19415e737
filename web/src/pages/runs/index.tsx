// Runs: experiments to the left; a filter; the runs as a table, curves, parallel coordinates or side by side.
import { useQueries } from "@tanstack/preact-query";
import { useEffect, useRef, useState } from "preact/hooks";
import { ErrorNote, Icon, Loading, Tabs } from "../../components/basic";
import { Parallel } from "../../components/parallel";
import { type Run, type RunsSpec, getRun, keys, runWindow } from "../../lib/api";
import { Fault } from "../../lib/http";
import { downloadCsv } from "../../lib/csv";
import { type Column, columnKind, columnOf, fieldOf } from "../../lib/filter";
import { integer } from "../../lib/format";
import { t } from "../../lib/i18n";
import { go, here, patched, setQuery } from "../../lib/router";
import { cellText, columnsOf, defaultColumns, runName } from "../../lib/runs";
import { ColumnsDialog } from "./columns";
import { CurvesView } from "./curves";
import { useFirstRuns, useRows } from "./data";
import { DiffView } from "./diff";
import { Experiments, useExperiments } from "./experiments";
import { type RunsState, type View, kMostSelected, setSelected, useRunsState } from "./state";
import { RunsTable, columnName } from "./table";
import { firstView, loadViews } from "../../lib/views";
import { ViewsDialog } from "./views";

const kExport = 50_000; // runs of one CSV file

// How many runs each view shows when none are selected.
const kMost: Record<Exclude<View, "table">, number> = { curves: 10, parallel: 1000, diff: 5 };

function FilterBox({ state, error }: { state: RunsState; error: unknown }) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(state.spec.filter);
  useEffect(() => setText(state.spec.filter), [state.spec.filter]);
  const wrong = error instanceof Fault && error.status === 400;
  return (
    <form class="search" role="search" onSubmit={(event) => {
      event.preventDefault();
      setQuery({ q: text.trim() || undefined, open: undefined });
    }}>
      <Icon name="search" />
      <input ref={input} id="filter" type="search" value={text} aria-label={t("filter.label")} placeholder={t("filter.placeholder")} spellcheck={false}
        aria-invalid={wrong} aria-describedby="filter-fault" onInput={(event) => setText(event.currentTarget.value)}
        onBlur={() => text.trim() !== state.spec.filter && setQuery({ q: text.trim() || undefined, open: undefined })} />
    </form>
  );
}

// The selected runs in the order they were picked; else the first that match.
function useShownRuns(state: RunsState): { runs: Run[]; error: unknown; pending: boolean } {
  const picked = useQueries({ queries: state.selected.map((id) => ({ queryKey: keys.run(id), queryFn: ({ signal }: { signal: AbortSignal }) => getRun(id, signal), refetchInterval: 5000 })) });
  const most = state.view === "table" ? 1 : kMost[state.view];
  const first = useFirstRuns(state.spec, most, state.selected.length === 0 && state.view !== "table");
  if (state.selected.length === 0) return { runs: first.data ?? [], error: first.error, pending: first.isPending };
  return { runs: picked.flatMap((one) => (one.data ? [one.data] : [])), error: picked.find((one) => one.error)?.error, pending: picked.some((one) => one.isPending) };
}

async function exportCsv(spec: RunsSpec, columns: Column[], progress: (n: number) => void): Promise<void> {
  const rows = [["run_id", "run", "status", ...columns.map(fieldOf)]];
  for (let offset = 0; offset < kExport; offset += 1000) {
    const runs = await runWindow(spec, offset, 1000);
    for (const run of runs) rows.push([run.info.run_id, runName(run), run.info.status, ...columns.map((column) => cellText(run, column))]);
    progress(rows.length - 1);
    if (runs.length < 1000) break;
  }
  downloadCsv("runs.csv", rows);
}

function Toolbar({ state, columns, known, total, names }: { state: RunsState; columns: Column[]; known: Column[]; total: number | undefined; names: Map<string, string> }) {
  const [dialog, setDialog] = useState<"columns" | "views">();
  const [exported, setExported] = useState<number>();
  const [fault, setFault] = useState<unknown>();
  const groups = [...new Set([...(state.group ? [state.group] : []), "a:status", "a:user_id", ...known.filter((column) => columnKind(column) !== "m")])];
  const save = async () => {
    setFault(undefined);
    setExported(0);
    try {
      await exportCsv(state.spec, columns, setExported);
    } catch (error) {
      setFault(error);
    }
    setExported(undefined);
  };
  return (
    <>
      <div class="bar">
        <label class="field">{t("group.by")}
          <select value={state.group ?? ""} onChange={(event) => setQuery({ group: event.currentTarget.value || undefined, open: undefined })}>
            <option value="">{t("group.nothing")}</option>
            {groups.map((column) => <option key={column} value={column}>{columnName(column)}</option>)}
          </select>
        </label>
        <button type="button" onClick={() => setDialog("columns")}>{t("columns.title")}</button>
        <button type="button" onClick={() => setDialog("views")}>{t("views.title")}</button>
        <button type="button" aria-pressed={state.spec.view === "DELETED_ONLY"} onClick={() => setQuery({ deleted: state.spec.view === "DELETED_ONLY" ? undefined : "1" })}>{t("runs.deleted")}</button>
        <button type="button" onClick={save} disabled={exported !== undefined || !total}>{exported === undefined ? "CSV" : t("runs.exporting", { n: integer(exported) })}</button>
        <span class="grow" />
        {state.selected.length > 0 && (
          <>
            <span class="tag on" role="status">{t("runs.selected", { n: state.selected.length })}</span>
            <a class="button" href={patched({ view: "curves" })}>{t("runs.compare")}</a>
            <button type="button" onClick={() => setSelected([])}>{t("runs.unselect")}</button>
          </>
        )}
        <span class="muted" role="status">{total === undefined ? "" : t("runs.count", { n: integer(total) })}</span>
      </div>
      {fault !== undefined && <ErrorNote error={fault} retry={save} />}
      {dialog === "columns" && <ColumnsDialog shown={columns} known={known} close={() => setDialog(undefined)} />}
      {dialog === "views" && <ViewsDialog experiments={state.spec.experiments} names={names} close={() => setDialog(undefined)} />}
    </>
  );
}

function NoRuns() {
  return (
    <div class="empty">
      <p>{t("runs.empty")}</p>
      <pre>{`import mlflow\nmlflow.set_tracking_uri("${location.origin}")\nwith mlflow.start_run():\n    mlflow.log_param("lr", 3e-5)\n    mlflow.log_metric("loss", 0.1, step=1)`}</pre>
    </div>
  );
}

// An experiment that is come to without saying more begins with its saved view. Once one is here, the address is what counts.
function useFirstView(first: string | undefined): void {
  useEffect(() => {
    const { path, query } = here();
    const bare = [...query.keys()].every((name) => name === "e");
    const experiment = query.get("e") ?? first;
    const address = path === "/ui/runs" && bare && experiment !== undefined ? firstView(loadViews(), experiment) : undefined;
    if (address) go(address, true);
  }, [first === undefined]);
}

export function RunsPage() {
  const experiments = useExperiments();
  useFirstView(experiments.data?.[0]?.experiment_id);
  const state = useRunsState((experiments.data ?? []).slice(0, 1).map((one) => one.experiment_id));
  const rows = useRows(state);
  const first = useFirstRuns(state.spec, 100);
  const shown = useShownRuns(state);
  const columns = state.columns ?? defaultColumns(first.data ?? []);
  const known = columnsOf([...(first.data ?? []), ...shown.runs]);
  const error = rows.error ?? first.error;
  const view = (name: View) => ({ name: t(`view.${name}`), href: patched({ view: name === "table" ? undefined : name }), on: state.view === name });
  const axes = columns.filter((column) => column !== "a:run_id" && column !== "a:start_time" && column !== "a:end_time" && columnOf(fieldOf(column)));
  const limit = state.view === "table" ? 0 : kMost[state.view];
  return (
    <div class="runs">
      <Experiments chosen={state.spec.experiments} />
      <section aria-labelledby="title">
        <h1 id="title" class="hidden">{t("runs.title")}</h1>
        <div class="bar"><FilterBox state={state} error={error} /></div>
        <div id="filter-fault" role="alert">{error instanceof Fault && error.status === 400 && <div class="note error">{error.message}</div>}</div>
        {error instanceof Fault && error.status !== 400 && <ErrorNote error={error} retry={rows.retry} />}
        <Tabs label={t("view.label")} items={[view("table"), view("curves"), view("parallel"), view("diff")]} />
        <Toolbar state={state} columns={columns} known={known} total={rows.total} names={new Map((experiments.data ?? []).map((one) => [one.experiment_id, one.name]))} />
        {state.view === "table" ? (
          <>
            {rows.loading && !error ? <Loading /> : rows.total === 0 && !state.spec.filter ? <NoRuns /> : <RunsTable state={state} rows={rows} columns={columns} />}
            {rows.moreGroups && <p class="muted small">{t("group.more", { n: rows.parts.length })}</p>}
          </>
        ) : (
          <div class="scroll" style={{ display: "grid", gap: "12px", alignContent: "start", flex: 1, minHeight: 0 }} tabIndex={0} role="group" aria-label={t(`view.${state.view}`)}>
            <p class="muted small" style={{ margin: 0 }}>
              {state.selected.length > 0 ? t("runs.ofSelected", { n: state.selected.length, most: kMostSelected }) : t("runs.ofFirst", { n: integer(Math.min(limit, rows.total ?? limit)) })}
            </p>
            {shown.error !== null && shown.error !== undefined && !error && <ErrorNote error={shown.error} />}
            {shown.pending && shown.runs.length === 0 ? <Loading /> : (
              <>
                {state.view === "curves" && <CurvesView runs={shown.runs} />}
                {state.view === "parallel" && <Parallel runs={shown.runs} columns={axes} color={axes.find((column) => column.startsWith("m:"))} />}
                {state.view === "diff" && <DiffView runs={shown.runs} />}
              </>
            )}
          </div>
        )}
      </section>
    </div>
  );
}

// One run: what it was given and what came of it, curves, files, lineage.
import { useMutation, useQuery, useQueryClient } from "@tanstack/preact-query";
import { Act } from "../../components/act";
import { ErrorNote, Facts, Loading, Status, Tabs } from "../../components/basic";
import { LineageGraph } from "../../components/lineage";
import { type Run, getExperiment, getRun, keys, setRunFate } from "../../lib/api";
import { downloadCsv } from "../../lib/csv";
import { duration, number, time } from "../../lib/format";
import { t } from "../../lib/i18n";
import { link, usePlace } from "../../lib/router";
import { runName } from "../../lib/runs";
import { useRefusal } from "../../lib/session";
import { CurvesView } from "../runs/curves";
import { Files } from "./files";

type Tab = "overview" | "curves" | "files" | "lineage";

function Table({ title, head, rows, file }: { title: string; head: string[]; rows: string[][]; file: string }) {
  return (
    <section class="card" aria-label={title}>
      <div class="bar" style={{ marginBottom: "8px" }}>
        <h2>{title}</h2><span class="muted small">{rows.length}</span><span class="grow" />
        {rows.length > 0 && <button type="button" class="plain" aria-label={`${title}: CSV`} onClick={() => downloadCsv(file, [head, ...rows])}>CSV</button>}
      </div>
      {rows.length === 0 ? <p class="muted" style={{ margin: 0 }}>{t("run.nothing")}</p> : (
        <div class="scroll" style={{ maxHeight: "60vh" }} tabIndex={0} role="group" aria-label={title}>
          <table class="data">
            <thead><tr>{head.map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
            <tbody>{rows.map((row) => <tr key={row[0]}><th scope="row" class="mono">{row[0]}</th>{row.slice(1).map((cell, i) => <td key={i} class="num">{cell}</td>)}</tr>)}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}

const useExperiment = (id: string | undefined) =>
  useQuery({ queryKey: keys.experiment(id ?? ""), queryFn: ({ signal }) => getExperiment(id!, signal), enabled: id !== undefined, staleTime: 60_000 }).data;

function Fate({ run }: { run: Run }) {
  const queries = useQueryClient();
  const why = useRefusal("editor", useExperiment(run.info.experiment_id)?.name);
  const deleted = run.info.lifecycle_stage === "deleted";
  const fate = useMutation({ mutationFn: () => setRunFate(run.info.run_id, deleted ? "restore" : "delete"), onSuccess: () => void queries.invalidateQueries() });
  return (
    <>
      {fate.isError && <ErrorNote error={fate.error} />}
      <Act why={why} disabled={fate.isPending} onClick={() => fate.mutate()}>{t(deleted ? "action.restore" : "action.delete")}</Act>
    </>
  );
}

function Overview({ run }: { run: Run }) {
  const { info, data } = run;
  const tags = (data.tags ?? []).filter((tag) => !tag.key.startsWith("mlflow."));
  const system = (data.tags ?? []).filter((tag) => tag.key.startsWith("mlflow.") && tag.key !== "mlflow.runName" && tag.key !== "mlflow.note.content");
  const experiment = useExperiment(info.experiment_id);
  const note = data.tags?.find((tag) => tag.key === "mlflow.note.content")?.value;
  return (
    <>
      {note && <div class="card"><h2>{t("run.note")}</h2><div style={{ whiteSpace: "pre-wrap" }}>{note}</div></div>}
      <div class="grid2">
        <section class="card" aria-label={t("run.facts")}>
          <h2>{t("run.facts")}</h2>
          <Facts rows={[
            [t("column.run_id"), <code>{info.run_id}</code>], [t("column.started"), time(info.start_time)],
            [t("column.duration"), info.start_time ? duration((info.end_time || Date.now()) - info.start_time) : ""], [t("column.user"), info.user_id ?? ""],
            [t("experiments.one"), <a href={link("/ui/runs", { e: info.experiment_id })}>{experiment?.name ?? info.experiment_id}</a>],
            [t("nav.traces"), <a href={link("/ui/traces", { e: info.experiment_id, q: `run_id = '${info.run_id}'` })}>{t("trace.ofRun")}</a>], [t("run.artifacts"), <code>{info.artifact_uri}</code>],
            ...system.map((tag): [string, string] => [tag.key.slice("mlflow.".length), tag.value ?? ""]),
          ]} />
        </section>
        <Table title={t("run.metrics")} head={[t("diff.name"), t("run.value"), t("axis.step")]} file={`${runName(run)}-metrics.csv`}
          rows={(data.metrics ?? []).map((metric) => [metric.key, number(metric.value), String(metric.step ?? 0)])} />
        <Table title={t("run.params")} head={[t("diff.name"), t("run.value")]} file={`${runName(run)}-params.csv`} rows={(data.params ?? []).map((param) => [param.key, param.value ?? ""])} />
        <Table title={t("run.tags")} head={[t("diff.name"), t("run.value")]} file={`${runName(run)}-tags.csv`} rows={tags.map((tag) => [tag.key, tag.value ?? ""])} />
        {(run.inputs?.dataset_inputs ?? []).length > 0 && (
          <Table title={t("run.datasets")} head={[t("diff.name"), t("run.digest"), t("run.source")]} file={`${runName(run)}-datasets.csv`}
            rows={run.inputs!.dataset_inputs!.map((input) => [input.dataset?.name ?? "", input.dataset?.digest ?? "", input.dataset?.source_type ?? ""])} />
        )}
      </div>
    </>
  );
}

export function RunPage({ id }: { id: string }) {
  const place = usePlace();
  const asked = place.query.get("tab");
  const tab: Tab = asked === "curves" || asked === "files" || asked === "lineage" ? asked : "overview";
  const query = useQuery({ queryKey: keys.run(id), queryFn: ({ signal }) => getRun(id, signal), refetchInterval: (one) => (one.state.data?.info.status === "RUNNING" ? 2500 : false) });
  const run = query.data;
  if (query.isError && !run) return <div class="page"><ErrorNote error={query.error} retry={() => void query.refetch()} /><p><a href="/ui/runs">{t("state.home")}</a></p></div>;
  if (!run) return <div class="page"><Loading /></div>;
  const item = (name: Tab) => ({ name: t(`run.tab.${name}`), href: link(`/ui/runs/${id}`, { tab: name === "overview" ? undefined : name }), on: tab === name });
  const deleted = run.info.lifecycle_stage === "deleted";
  return (
    <div class="page">
      <div>
        <p class="crumbs" style={{ margin: 0 }}><a href={link("/ui/runs", { e: run.info.experiment_id })}>{t("nav.runs")}</a> /</p>
        <div class="head">
          <h1>{runName(run)}</h1>
          <Status value={run.info.status} />
          {deleted && <span class="tag">{t("runs.deleted")}</span>}
          <span class="grow" />
          <Fate run={run} />
        </div>
      </div>
      <Tabs label={t("view.label")} items={[item("overview"), item("curves"), item("files"), item("lineage")]} />
      {tab === "overview" && <Overview run={run} />}
      {tab === "curves" && <CurvesView runs={[run]} />}
      {tab === "files" && <Files id={id} />}
      {tab === "lineage" && <LineageGraph node={`run:${id}`} />}
    </div>
  );
}

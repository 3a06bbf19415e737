// How far a project is, who did what, how far people agree: live.
import { useQuery } from "@tanstack/preact-query";
import { ErrorNote, Loading } from "../../components/basic";
import { type Agreement, type Project, getAgreement, getProgress, keys } from "../../lib/annotate/api";
import type { Question } from "../../lib/annotate/answer";
import { t } from "../../lib/annotate/text";
import { type Estimate, estimateText } from "../../lib/estimate";
import { duration, integer, percent, time } from "../../lib/format";
import { link } from "../../lib/router";
import { Guidelines } from "./guidelines";
import { Bar } from "./list";

const kLive = 5000;
const named = (question: string) => t(`question.${question as Question}`);
const measure = (one: { value?: number | null; low?: number | null; high?: number | null } | null | undefined) => (one && one.value !== undefined ? estimateText(one as Estimate) : "");

// Columns that have a value in some row.
function Measures<T extends object>({ label, rows, heads, columns }: { label: string; rows: T[]; heads: [string, (row: T) => string][]; columns: [string, keyof T][] }) {
  const shown = columns.filter(([, key]) => rows.some((row) => row[key] !== undefined && row[key] !== null));
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={label}>
      <table class="data tight">
        <thead><tr>{heads.map(([name]) => <th key={name} scope="col">{name}</th>)}{shown.map(([name]) => <th key={name} scope="col" class="right">{name}</th>)}</tr></thead>
        <tbody>{rows.map((row, i) => <tr key={i}>{heads.map(([name, text], j) => (j === 0 ? <th key={name} scope="row">{text(row)}</th> : <td key={name}>{text(row)}</td>))}{shown.map(([name, key]) => <td key={name} class="right num">{measure(row[key] as Estimate)}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}

function AgreementCard({ data }: { data: Agreement }) {
  return (
    <section class="card" aria-label={t("agreement.title")}>
      <h2>{t("agreement.title")}</h2>
      {data.tasks === 0 ? <p class="muted">{t("agreement.none")}</p> : (
        <>
          <p class="small muted">{t("agreement.of", { tasks: integer(data.tasks), n: data.annotators.length })} {data.cut && t("agreement.cut")}</p>
          <Measures label={t("agreement.questions")} rows={data.questions} heads={[[t("agreement.question"), (row) => named(row.question)], [t("agreement.tasks"), (row) => integer(row.tasks)]]}
            columns={[[t("measure.raw"), "raw"], [t("measure.cohen"), "cohen"], [t("measure.fleiss"), "fleiss"], [t("measure.alpha"), "alpha"], [t("measure.gwet"), "gwet"], [t("measure.f1"), "span_f1"], [t("measure.overlapF1"), "span_overlap_f1"]]} />
          {data.labels.length > 0 && <h3>{t("agreement.labels")}</h3>}
          {data.labels.length > 0 && <Measures label={t("agreement.labels")} rows={data.labels} heads={[[t("agreement.label"), (row) => row.label], [t("agreement.question"), (row) => named(row.question)], [t("agreement.answers"), (row) => (row.answers === undefined ? "" : integer(row.answers))]]}
            columns={[[t("measure.raw"), "raw"], [t("measure.fleiss"), "fleiss"], [t("measure.alpha"), "alpha"], [t("measure.gwet"), "gwet"], [t("measure.f1"), "span_f1"]]} />}
          {data.pairs.length > 0 && <h3>{t("agreement.pairs")}</h3>}
          {data.pairs.length > 0 && <Measures label={t("agreement.pairs")} rows={data.pairs} heads={[[t("agreement.pair"), (row) => `${row.first} · ${row.second}`], [t("agreement.question"), (row) => named(row.question)]]}
            columns={[[t("measure.raw"), "raw"], [t("measure.cohen"), "kappa"], [t("measure.f1"), "span_f1"]]} />}
          <p class="small muted">{t("agreement.hint")}</p>
        </>
      )}
    </section>
  );
}

function LearningCard({ project }: { project: Project }) {
  const { learning, suggesters } = project;
  const rules = learning.rules?.functions ?? [];
  if (learning.state === "off" && suggesters.length === 0 && !learning.rules) return null;
  return (
    <section class="card" aria-label={t("learning.title")}>
      <h2>{t("learning.title")}</h2>
      {learning.state !== "off" && <p>{t(`learning.${learning.state}`)} {learning.trainings > 0 && t("learning.trained", { n: integer(learning.trained_on), times: integer(learning.trainings) })} {learning.accuracy && t("learning.accuracy", { value: measure(learning.accuracy) })} {learning.span_f1 && t("learning.spanF1", { value: measure(learning.span_f1) })} {learning.message && <span class="muted">{learning.message}</span>}</p>}
      {learning.rules?.message && <p class="muted">{learning.rules.message}</p>}
      {rules.length > 0 && (
        <div class="scroll" tabIndex={0} role="group" aria-label={t("learning.rules")}>
          <table class="data tight">
            <thead><tr><th scope="col">{t("learning.rule")}</th><th scope="col">{t("learning.says")}</th><th scope="col" class="right">{t("learning.coverage")}</th><th scope="col" class="right">{t("learning.conflicts")}</th><th scope="col" class="right">{t("learning.right")}</th></tr></thead>
            <tbody>{rules.map((one) => <tr key={one.name}><th scope="row">{one.name}</th><td>{one.polarity.join(", ")}</td><td class="right">{percent(one.coverage)}</td><td class="right">{percent(one.conflicts)}</td><td class="right">{one.accuracy === null || one.accuracy === undefined ? "" : percent(one.accuracy)}</td></tr>)}</tbody>
          </table>
        </div>
      )}
      {suggesters.length > 0 && (
        <div class="scroll" tabIndex={0} role="group" aria-label={t("learning.suggesters")}>
          <table class="data tight">
            <thead><tr><th scope="col">{t("learning.name")}</th><th scope="col">{t("learning.state")}</th><th scope="col" class="right">{t("learning.answered")}</th><th scope="col" class="right">{t("learning.failed")}</th><th scope="col">{t("learning.fault")}</th></tr></thead>
            <tbody>{suggesters.map((one, i) => <tr key={i}><th scope="row" class="mono">{one.name}</th><td>{t(`suggester.${one.state}`)}</td><td class="right">{integer(one.answered)}</td><td class="right">{integer(one.failed)}</td><td>{one.message}</td></tr>)}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}

export function Overview({ project }: { project: Project }) {
  const { name, settings } = project;
  const progress = useQuery({ queryKey: keys.progress(name), queryFn: ({ signal }) => getProgress(name, signal), refetchInterval: kLive });
  const agreement = useQuery({ queryKey: keys.agreement(name), queryFn: ({ signal }) => getAgreement(name, signal), refetchInterval: kLive });
  const address = `/ui/annotate/${encodeURIComponent(name)}`;
  const counts = progress.data?.counts ?? project.counts;
  return (
    <>
      <section class="card" aria-label={t("progress.title")}>
        <div class="bar"><h2>{t("progress.title")}</h2><Bar counts={counts} /><span class="grow" /><a class="button" href={link(address, { tab: "label" })}>{t("progress.go")}</a></div>
        <div class="stats">
          {(["new", "begun", "answered", "reviewed"] as const).map((state) => <a key={state} class="stat" href={link(address, { tab: "tasks", state })}><b>{integer(counts[state])}</b><span class="muted">{t(`state.${state}`)}</span></a>)}
          <span class="stat"><b>{integer(counts.annotations)}</b><span class="muted">{t("list.annotations")}</span></span>
          <span class="stat"><b>{integer(counts.skipped)}</b><span class="muted">{t("label.skipped")}</span></span>
        </div>
      </section>
      <LearningCard project={project} />
      <section class="card" aria-label={t("progress.annotators")}>
        <h2>{t("progress.annotators")}</h2>
        {progress.isError && <ErrorNote error={progress.error} />}
        {progress.isPending && <Loading />}
        {progress.data && (progress.data.annotators.length === 0 ? <p class="muted">{t("progress.nobody")}</p> : (
          <div class="scroll" tabIndex={0} role="group" aria-label={t("progress.annotators")}>
            <table class="data tight">
              <thead><tr><th scope="col">{t("progress.who")}</th><th scope="col" class="right">{t("list.annotations")}</th><th scope="col" class="right">{t("label.skipped")}</th><th scope="col" class="right">{t("progress.each")}</th><th scope="col" class="right">{t("progress.right")}</th><th scope="col" class="right">{t("progress.decided")}</th><th scope="col">{t("progress.last")}</th></tr></thead>
              <tbody>{progress.data.annotators.map((one) => (
                <tr key={one.annotator}>
                  <th scope="row"><a href={link(address, { tab: "tasks", annotator: one.annotator })}>{one.annotator}</a></th><td class="right">{integer(one.annotations)}</td><td class="right">{integer(one.skipped)}</td>
                  <td class="right">{one.annotations > 0 ? duration((1000 * one.seconds) / one.annotations) : ""}</td><td class="right">{one.reviewed ? `${percent(one.accepted / one.reviewed)} (${integer(one.reviewed)})` : ""}</td><td class="right">{integer(one.decided)}</td><td class="num">{time(one.last_ms)}</td>
                </tr>
              ))}</tbody>
            </table>
          </div>
        ))}
      </section>
      {agreement.isError && <ErrorNote error={agreement.error} />}
      {agreement.data && <AgreementCard data={agreement.data} />}
      <section class="card" aria-label={t("label.guidelines")}><h2>{t("label.guidelines")}</h2><Guidelines text={settings.guidelines} /></section>
    </>
  );
}

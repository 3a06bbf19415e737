// One version of a model with its evidence: what it was made of, its gates and approval, measures, papers, lineage.
import { useQuery } from "@tanstack/preact-query";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Act } from "../../components/act";
import { Facts } from "../../components/basic";
import { LineageGraph } from "../../components/lineage";
import { Preview } from "../../components/preview";
import { type ModelPage as Model, type ModelVersion, blobUrl, getProducts, getRun, keys } from "../../lib/api";
import { estimateOf, estimateText } from "../../lib/estimate";
import { bytes, time } from "../../lib/format";
import { t } from "../../lib/i18n";
import { link, patched, setQuery, usePlace } from "../../lib/router";
import { useRefusal } from "../../lib/session";
import { ApprovalCard, Gates } from "./approval";
import { MoveAlias } from "./move";
import { Compared, measures } from "./versions";

type Fact = [string, ComponentChildren];

// Configuration and signature are objects, or the digest of one.
const textOf = (value: unknown) => (value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value, null, 2));

// A version that a client logged is a logged model ("models:/m-…"): its traces name it; those of others are its run's.
function TracesLink({ version }: { version: ModelVersion }) {
  const run = useQuery({ queryKey: keys.run(version.run_id), queryFn: ({ signal }) => getRun(version.run_id, signal), enabled: version.run_id !== "", retry: false });
  const logged = /^models:\/(m-[0-9a-f]+)$/.exec(version.source ?? "")?.[1];
  const q = logged ? `request_metadata.\`mlflow.modelId\` = '${logged}'` : `run_id = '${version.run_id}'`;
  return <a href={link("/ui/traces", { e: run.data?.info.experiment_id, q })}>{t("trace.ofModel")}</a>;
}

function facts(version: ModelVersion): Fact[] {
  const rows: Fact[] = [[t("models.created"), time(version.created_ms)]];
  if (version.author) rows.push([t("column.user"), version.author]);
  if (version.run_id) rows.push([t("runs.run"), <a href={`/ui/runs/${version.run_id}`}>{version.run_id}</a>]);
  if (version.run_id) rows.push([t("models.traces"), <TracesLink version={version} />]);
  if (version.source) rows.push([t("run.source"), <code>{version.source}</code>]);
  if (version.code_commit) rows.push([t("models.commit"), <code>{version.code_commit}</code>]);
  if (version.dataset) rows.push([t("lineage.dataset"), <a href={`/ui/datasets/${version.dataset}`}>{version.dataset}</a>]);
  const others = (version.datasets ?? []).filter((one) => one.digest !== version.dataset);
  if (others.length > 0) rows.push([t("models.datasets"), others.map((one) => <div key={one.digest}>{one.name ?? ""} <code>{one.digest}</code> {one.context ? `(${one.context})` : ""}</div>)]);
  if (version.card) rows.push([t("models.card"), <a href={patched({ digest: version.card })}>{version.card}</a>]);
  if (version.description) rows.push([t("models.description"), version.description]);
  for (const tag of version.tags ?? []) rows.push([tag.key, tag.value ?? ""]);
  return rows;
}

export function Version({ model, version }: { model: Model; version: ModelVersion }) {
  const { query } = usePlace();
  const [moving, setMoving] = useState(false);
  const why = useRefusal("approver", model.name);
  const other = model.versions.find((one) => one.version === Number(query.get("with")));
  // A pipeline writes the report and the card once the version is there: they are the run's.
  const products = useQuery({ queryKey: keys.products(version.run_id), queryFn: ({ signal }) => getProducts(version.run_id, signal), enabled: version.run_id !== "", retry: false });
  const papers = (products.data ?? []).filter((one) => one.kind === "report" || one.kind === "card").map((one) => ({ ...one, role: one.kind }));
  const artifacts: ModelVersion["artifacts"] = [...papers, ...version.artifacts];
  const shown = artifacts.find((one) => one.digest === query.get("digest")) ?? papers.find((one) => one.name.endsWith(".html")) ?? papers[0];
  const [config, signature] = [textOf(version.config), textOf(version.signature)];
  return (
    <>
      <section class="card" aria-label={t("models.version", { n: version.version })}>
        <div class="head" style={{ marginBottom: "10px" }}>
          <h2>{t("models.version", { n: version.version })}</h2>
          {(version.aliases ?? []).map((alias) => <span key={alias} class="tag on">{alias}</span>)}
          <span class="grow" />
          <label class="field">{t("models.compare")}
            <select value={other ? String(other.version) : ""} onChange={(event) => setQuery({ with: event.currentTarget.value || undefined })}>
              <option value="">{t("models.nothing")}</option>
              {model.versions.filter((one) => one !== version).map((one) => <option key={one.version} value={one.version}>{one.version}</option>)}
            </select>
          </label>
          <Act why={why} onClick={() => setMoving(true)}>{t("models.moveHere")}</Act>
        </div>
        <Facts rows={facts(version)} />
      </section>
      <div class="grid2"><Gates version={version} /><ApprovalCard model={model.name} version={version} /></div>
      {other ? <section class="card"><h2>{t("models.compare")}</h2><Compared a={version} b={other} /></section> : measures([version]).length > 0 && (
        <section class="card" aria-label={t("run.metrics")}>
          <h2>{t("run.metrics")} <span class="muted small">{t("models.interval")}</span></h2>
          <div class="scroll" style={{ maxHeight: "290px" }} tabIndex={0} role="group" aria-label={t("run.metrics")}><table class="data"><tbody>
            {measures([version]).map((name) => {
              const one = estimateOf(version.metrics?.[name]);
              return <tr key={name}><th scope="row" class="mono">{name}</th><td class="num">{estimateText(one)}</td><td class="num muted">{one?.n ? `n = ${one.n}` : ""}</td></tr>;
            })}
          </tbody></table></div>
        </section>
      )}
      {(config || signature) && (
        <div class="grid2">
          {config && <section class="card" aria-label={t("models.config")}><h2>{t("models.config")}</h2><pre class="boxed" tabIndex={0} aria-label={t("models.config")}>{config}</pre></section>}
          {signature && <section class="card" aria-label={t("models.signature")}><h2>{t("models.signature")}</h2><pre class="boxed" tabIndex={0} aria-label={t("models.signature")}>{signature}</pre></section>}
        </div>
      )}
      {artifacts.length > 0 && (
        <section class="card" aria-label={t("run.artifacts")}>
          <h2>{t("run.artifacts")}</h2>
          <div class="bar" style={{ marginBottom: "10px" }}>
            {artifacts.map((one) => one.folder
              ? <span key={one.role} class="tag" title={one.digest}>{one.role} · {one.name} · {bytes(one.size ?? 0)}</span>
              : <a key={one.role} class={`tag ${one === shown ? "on" : ""}`} href={patched({ digest: one.digest })} title={one.digest}>{one.role} · {one.name} · {bytes(one.size ?? 0)}</a>)}
          </div>
          {shown && !shown.folder && <Preview key={shown.digest} name={shown.name ?? shown.role} url={blobUrl(shown.digest)} save={blobUrl(shown.digest)} size={shown.size} />}
        </section>
      )}
      <section aria-label={t("lineage.title")}><h2 style={{ marginBottom: "8px" }}>{t("lineage.title")}</h2><LineageGraph node={`model:${model.name}/${version.version}`} /></section>
      {moving && <MoveAlias model={model} version={version.version} close={() => setMoving(false)} />}
    </>
  );
}


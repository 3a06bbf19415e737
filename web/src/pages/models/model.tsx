// A registered model: its aliases, what they served when, its versions beside each other, one version with its evidence.
import { useMutation, useQuery, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Act } from "../../components/act";
import { Dialog, ErrorNote, Facts, Loading } from "../../components/basic";
import { LineageGraph } from "../../components/lineage";
import { Preview } from "../../components/preview";
import { type ModelPage as Model, type ModelVersion, blobUrl, getModel, getProducts, keys, setAlias } from "../../lib/api";
import { servedAt, spans } from "../../lib/aliases";
import { estimateOf, estimateText } from "../../lib/estimate";
import { bytes, duration, time } from "../../lib/format";
import { t } from "../../lib/i18n";
import { link, patched, setQuery, usePlace } from "../../lib/router";
import { useRefusal } from "../../lib/session";

function History({ model }: { model: Model }) {
  const all = spans(model.aliases);
  const [moment, setMoment] = useState("");
  const ms = moment ? new Date(moment).getTime() : undefined;
  return (
    <section class="card" aria-label={t("models.history")}>
      <h2>{t("models.history")}</h2>
      {all.length === 0 ? <p class="muted">{t("models.noAliases")}</p> : (
        <>
          <ul class="timeline">
            {all.slice(0, 50).map((span) => (
              <li key={`${span.alias}${span.from}`}>
                <strong>{span.alias}</strong> → <a href={patched({ v: String(span.version) })}>{t("models.version", { n: span.version })}</a>{" "}
                <span class="muted num">{time(span.from)} – {span.to === undefined ? t("models.now") : `${time(span.to)} (${duration(span.to - span.from)})`}</span>
              </li>
            ))}
          </ul>
          <div class="bar" style={{ marginTop: "12px" }}>
            <label class="field">{t("models.when")} <input type="datetime-local" value={moment} onInput={(event) => setMoment(event.currentTarget.value)} /></label>
            {ms !== undefined && !Number.isNaN(ms) && (
              <span role="status">
                {model.aliases.map(({ alias }) => {
                  const version = servedAt(all, alias, ms);
                  return <span key={alias} class="tag" style={{ marginRight: "6px" }}>{alias} → {version ?? t("models.nothing")}</span>;
                })}
              </span>
            )}
          </div>
        </>
      )}
    </section>
  );
}

function MoveAlias({ model, version, close }: { model: Model; version: number; close: () => void }) {
  const queries = useQueryClient();
  const [alias, setName] = useState(model.aliases[0]?.alias ?? "champion");
  const move = useMutation({
    mutationFn: () => setAlias(model.name, alias, version),
    onSuccess: async () => {
      await queries.invalidateQueries();
      close();
    },
  });
  const now = model.aliases.find((one) => one.alias === alias)?.version;
  return (
    <Dialog title={t("models.move")} close={close}>
      <form onSubmit={(event) => {
        event.preventDefault();
        move.mutate();
      }} style={{ display: "grid", gap: "12px" }}>
        <label class="field">{t("models.alias")} <input type="text" value={alias} list="aliases" required onInput={(event) => setName(event.currentTarget.value)} /></label>
        <datalist id="aliases">{model.aliases.map((one) => <option key={one.alias} value={one.alias} />)}</datalist>
        <p style={{ margin: 0 }}>{now === undefined ? t("models.willPoint", { alias, version }) : t("models.willMove", { alias, from: now, to: version })}</p>
        {move.isError && <ErrorNote error={move.error} />}
        <div><button type="submit" class="primary" disabled={move.isPending || now === version}>{t("models.move")}</button></div>
      </form>
    </Dialog>
  );
}

const measures = (versions: ModelVersion[]) => [...new Set(versions.flatMap((one) => Object.keys(one.metrics ?? {})))];

function Versions({ model, shown }: { model: Model; shown: number }) {
  const names = measures(model.versions).slice(0, 4);
  return (
    <section class="card" aria-label={t("models.versions")}>
      <h2>{t("models.versions")}</h2>
      <div class="scroll" tabIndex={0} role="group" aria-label={t("models.versions")}>
        <table class="data tight">
          <thead><tr><th scope="col">{t("models.versionHead")}</th><th scope="col">{t("models.aliases")}</th><th scope="col">{t("models.stage")}</th><th scope="col">{t("models.created")}</th><th scope="col">{t("runs.run")}</th>{names.map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
          <tbody>
            {model.versions.map((one) => (
              <tr key={one.version} class={one.version === shown ? "differs" : undefined}>
                <th scope="row"><a href={patched({ v: String(one.version), tab: undefined })} aria-current={one.version === shown ? "true" : undefined}>{one.version}</a></th>
                <td>{(one.aliases ?? []).map((alias) => <span key={alias} class="tag on" style={{ marginRight: "4px" }}>{alias}</span>)}</td>
                <td>{one.stage === "None" ? "" : one.stage}</td>
                <td class="num">{time(one.created_ms)}</td>
                <td>{one.run_id && <a href={`/ui/runs/${one.run_id}`}>{one.run_id.slice(0, 8)}</a>}</td>
                {names.map((name) => <td key={name} class="num">{estimateText(estimateOf(one.metrics?.[name]))}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Compared({ a, b }: { a: ModelVersion; b: ModelVersion }) {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={t("models.compare")}>
      <table class="data">
        <thead><tr><th scope="col">{t("diff.name")}</th><th scope="col">{t("models.version", { n: b.version })}</th><th scope="col">{t("models.version", { n: a.version })}</th></tr></thead>
        <tbody>
          {measures([a, b]).map((name) => <tr key={name}><th scope="row" class="mono">{name}</th><td class="num">{estimateText(estimateOf(b.metrics?.[name]))}</td><td class="num">{estimateText(estimateOf(a.metrics?.[name]))}</td></tr>)}
          <tr class={a.dataset !== b.dataset ? "differs" : undefined}><th scope="row">{t("lineage.dataset")}</th><td class="mono">{b.dataset.slice(0, 19)}</td><td class="mono">{a.dataset.slice(0, 19)}</td></tr>
          {[...new Set([...a.artifacts, ...b.artifacts].map((one) => one.role))].map((role) => {
            const [da, db] = [a, b].map((version) => version.artifacts.find((one) => one.role === role)?.digest ?? "");
            return <tr key={role} class={da !== db ? "differs" : undefined}><th scope="row">{role}</th><td class="mono">{db!.slice(0, 19)}</td><td class="mono">{da!.slice(0, 19)}</td></tr>;
          })}
        </tbody>
      </table>
    </div>
  );
}

function Version({ model, version }: { model: Model; version: ModelVersion }) {
  const { query } = usePlace();
  const [moving, setMoving] = useState(false);
  const why = useRefusal("approver", model.name);
  const other = model.versions.find((one) => one.version === Number(query.get("with")));
  // A pipeline writes the report and the card once the version is there: they are the run's.
  const products = useQuery({ queryKey: keys.products(version.run_id), queryFn: ({ signal }) => getProducts(version.run_id, signal), enabled: version.run_id !== "", retry: false });
  const papers = (products.data ?? []).filter((one) => one.kind === "report" || one.kind === "card").map((one) => ({ ...one, role: one.kind }));
  const artifacts: ModelVersion["artifacts"] = [...papers, ...version.artifacts];
  const shown = artifacts.find((one) => one.digest === query.get("digest")) ?? papers.find((one) => one.name.endsWith(".html")) ?? papers[0];
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
        <Facts rows={[
          [t("models.created"), time(version.created_ms)],
          ...(version.run_id ? [[t("runs.run"), <a href={`/ui/runs/${version.run_id}`}>{version.run_id}</a>] as [string, preact.ComponentChildren]] : []),
          ...(version.source ? [[t("run.source"), <code>{version.source}</code>] as [string, preact.ComponentChildren]] : []),
          ...(version.dataset ? [[t("lineage.dataset"), <a href={`/ui/datasets/${version.dataset}`}>{version.dataset}</a>] as [string, preact.ComponentChildren]] : []),
          ...(version.description ? [[t("models.description"), version.description] as [string, preact.ComponentChildren]] : []),
          ...(version.tags ?? []).map((tag): [string, preact.ComponentChildren] => [tag.key, tag.value ?? ""]),
        ]} />
      </section>
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

export function ModelPage({ id }: { id: string }) {
  const { query: place } = usePlace();
  const query = useQuery({ queryKey: keys.model(id), queryFn: ({ signal }) => getModel(id, signal), refetchInterval: 10_000 });
  const model = query.data;
  if (query.isError && !model) return <div class="page"><ErrorNote error={query.error} retry={() => void query.refetch()} /><p><a href="/ui/models">{t("nav.models")}</a></p></div>;
  if (!model) return <div class="page"><Loading /></div>;
  const version = model.versions.find((one) => one.version === Number(place.get("v"))) ?? model.versions[0];
  return (
    <div class="page">
      <div>
        <p class="crumbs" style={{ margin: 0 }}><a href="/ui/models">{t("nav.models")}</a> /</p>
        <div class="head"><h1>{model.name}</h1>{model.aliases.map((one) => <a key={one.alias} class="tag on" href={link(`/ui/models/${encodeURIComponent(model.name)}`, { v: String(one.version) })}>{one.alias} → {one.version}</a>)}</div>
        {model.description && <p style={{ marginBottom: 0 }}>{model.description}</p>}
      </div>
      <div class="grid2">
        <Versions model={model} shown={version?.version ?? 0} />
        <History model={model} />
      </div>
      {version ? <Version key={version.version} model={model} version={version} /> : <p class="muted">{t("models.noVersions")}</p>}
    </div>
  );
}

// The versions of a model as a table, and two of them side by side.
import type { ModelPage as Model, ModelVersion } from "../../lib/api";
import { estimateOf, estimateText } from "../../lib/estimate";
import { time } from "../../lib/format";
import { t } from "../../lib/i18n";
import { patched } from "../../lib/router";
import { worstGate } from "../../lib/gates";
import { ApprovalState, GateState } from "./approval";

export const measures = (versions: ModelVersion[]) => [...new Set(versions.flatMap((one) => Object.keys(one.metrics ?? {})))];

export function Versions({ model, shown }: { model: Model; shown: number }) {
  const names = measures(model.versions).slice(0, 4);
  return (
    <section class="card" aria-label={t("models.versions")}>
      <h2>{t("models.versions")}</h2>
      <div class="scroll" tabIndex={0} role="group" aria-label={t("models.versions")}>
        <table class="data tight">
          <thead><tr><th scope="col">{t("models.versionHead")}</th><th scope="col">{t("models.aliases")}</th><th scope="col">{t("models.stage")}</th><th scope="col">{t("models.gates")}</th><th scope="col">{t("models.approval")}</th><th scope="col">{t("models.created")}</th><th scope="col">{t("runs.run")}</th>{names.map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
          <tbody>
            {model.versions.map((one) => (
              <tr key={one.version} class={one.version === shown ? "differs" : undefined}>
                <th scope="row"><a href={patched({ v: String(one.version), tab: undefined })} aria-current={one.version === shown ? "true" : undefined}>{one.version}</a></th>
                <td>{(one.aliases ?? []).map((alias) => <span key={alias} class="tag on" style={{ marginRight: "4px" }}>{alias}</span>)}</td>
                <td>{one.stage === "None" ? "" : one.stage}</td>
                <td>{worstGate(one) && <GateState status={worstGate(one)!} />}</td>
                <td>{one.approval && one.approval.state !== "not_required" && <ApprovalState state={one.approval.state} />}</td>
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

export function Compared({ a, b }: { a: ModelVersion; b: ModelVersion }) {
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

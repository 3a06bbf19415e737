// Parameters, metrics and tags of runs side by side.
import type { Run } from "../../lib/api";
import { downloadCsv } from "../../lib/csv";
import { diffRows } from "../../lib/diff";
import { type Column, columnKey } from "../../lib/filter";
import { t } from "../../lib/i18n";
import { setQuery, usePlace } from "../../lib/router";
import { columnsOf, runName } from "../../lib/runs";
import { kindName } from "./table";

export function DiffView({ runs }: { runs: Run[] }) {
  const all = usePlace().query.get("same") === "1";
  const columns: Column[] = columnsOf(runs);
  const rows = diffRows(runs, columns).filter((row) => all || row.differs);
  const csv = () => downloadCsv("diff.csv", [["kind", "name", ...runs.map(runName)], ...rows.map((row) => [kindName(row.column), columnKey(row.column), ...row.texts])]);
  return (
    <>
      <div class="bar">
        <label class="field"><input type="checkbox" checked={all} onChange={() => setQuery({ same: all ? undefined : "1" }, true)} /> {t("diff.same")}</label>
        <span class="muted" role="status">{t("diff.count", { n: rows.filter((row) => row.differs).length, all: columns.length })}</span>
        <span class="grow" />
        <button type="button" onClick={csv}>CSV</button>
      </div>
      <div class="card scroll" tabIndex={0} role="group" aria-label={t("view.diff")}>
        <table class="data">
          <thead><tr><th scope="col">{t("diff.kind")}</th><th scope="col">{t("diff.name")}</th>{runs.map((run) => <th key={run.info.run_id} scope="col"><a href={`/ui/runs/${run.info.run_id}`}>{runName(run)}</a></th>)}</tr></thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.column} class={row.differs && all ? "differs" : undefined}>
                <td class="muted">{kindName(row.column)}</td><th scope="row" class="mono">{columnKey(row.column)}</th>
                {row.texts.map((text, i) => <td key={i} class="num">{text}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p class="muted">{t("diff.equal")}</p>}
      </div>
    </>
  );
}

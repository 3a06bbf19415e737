// Versions of datasets.
import { useQuery } from "@tanstack/preact-query";
import { ErrorNote, Loading } from "../../components/basic";
import { getDatasets, keys } from "../../lib/api";
import { bytes, integer, time } from "../../lib/format";
import { shortName } from "../../lib/graph";
import { t } from "../../lib/i18n";

export function DatasetsPage() {
  const query = useQuery({ queryKey: keys.datasets, queryFn: ({ signal }) => getDatasets(signal), refetchInterval: 10_000 });
  return (
    <div class="page">
      <div class="head"><h1>{t("nav.datasets")}</h1></div>
      {query.isError && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading />}
      {query.data?.length === 0 && <div class="empty"><p>{t("datasets.none")}</p><pre>slipway run slipway.yaml</pre></div>}
      {(query.data ?? []).length > 0 && (
        <div class="card scroll" tabIndex={0} role="group" aria-label={t("nav.datasets")}>
          <table class="data tight">
            <thead><tr><th scope="col">{t("diff.name")}</th><th scope="col">{t("datasets.version")}</th><th scope="col" class="right">{t("datasets.rows")}</th><th scope="col">{t("datasets.splits")}</th><th scope="col">{t("datasets.labels")}</th><th scope="col" class="right">{t("datasets.size")}</th><th scope="col">{t("models.created")}</th></tr></thead>
            <tbody>
              {query.data!.map((one) => (
                <tr key={one.artifact}>
                  <th scope="row"><a href={`/ui/datasets/${one.digest}`}>{one.name}</a></th><td class="mono">{shortName(one.digest)}</td><td class="right">{integer(one.rows)}</td>
                  <td>{Object.entries(one.splits).map(([name, rows]) => `${name} ${integer(rows)}`).join(", ")}</td><td>{one.labels.slice(0, 8).join(", ")}{one.labels.length > 8 ? " …" : ""}</td>
                  <td class="right">{bytes(one.size)}</td><td class="num">{time(one.created_ms)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

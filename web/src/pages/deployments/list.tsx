// What is served, and was.
import { useQuery } from "@tanstack/preact-query";
import { ErrorNote, Loading, Status } from "../../components/basic";
import { type Deployment, getDeployments, keys } from "../../lib/api";
import { duration, integer, time } from "../../lib/format";
import { t } from "../../lib/i18n";
import { setQuery, usePlace } from "../../lib/router";

export function trafficText(deployment: Deployment): string {
  return (deployment.meta?.traffic ?? []).map((one) => `${one.model}/${one.version} ${one.percent} %`).join(", ");
}

export function DeploymentsPage() {
  const all = usePlace().query.get("all") === "1";
  const query = useQuery({ queryKey: keys.deployments, queryFn: ({ signal }) => getDeployments(signal), refetchInterval: 5000 });
  const live = (query.data ?? []).filter((one) => one.status !== "stopped");
  const shown = all || live.length === 0 ? query.data ?? [] : live;
  return (
    <div class="page">
      <div class="head">
        <h1>{t("nav.deployments")}</h1><span class="grow" />
        <label class="field"><input type="checkbox" checked={all} onChange={() => setQuery({ all: all ? undefined : "1" }, true)} /> {t("deployments.all")}</label>
      </div>
      {query.isError && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading />}
      {query.isSuccess && shown.length === 0 && <div class="empty"><p>{t("deployments.none")}</p><pre>slipway serve models:/NAME@champion --store .slipway</pre></div>}
      {shown.length > 0 && (
        <div class="card scroll" tabIndex={0} role="group" aria-label={t("nav.deployments")}>
          <table class="data tight">
            <thead><tr><th scope="col">{t("deployments.endpoint")}</th><th scope="col">{t("column.status")}</th><th scope="col">{t("deployments.model")}</th><th scope="col">{t("deployments.traffic")}</th><th scope="col" class="right">{t("deployments.predictions")}</th><th scope="col">{t("column.started")}</th><th scope="col">{t("column.duration")}</th></tr></thead>
            <tbody>
              {shown.map((one) => (
                <tr key={one.id}>
                  <th scope="row"><a href={`/ui/deployments/${one.id}`}>{one.endpoint}</a></th>
                  <td><Status value={one.status} /></td><td>{one.model}</td><td>{trafficText(one)}</td><td class="right">{integer(one.predictions ?? 0)}</td>
                  <td class="num">{time(one.started_ms)}</td><td class="num">{duration((one.ended_ms || Date.now()) - one.started_ms)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

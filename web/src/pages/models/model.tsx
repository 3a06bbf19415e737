// A registered model: its versions, what its aliases served when, its policy, and one version with its evidence.
import { useQuery } from "@tanstack/preact-query";
import { ErrorNote, Loading } from "../../components/basic";
import { getModel, keys } from "../../lib/api";
import { t } from "../../lib/i18n";
import { link, usePlace } from "../../lib/router";
import { History } from "./history";
import { PolicyCard } from "./policy";
import { Version } from "./version";
import { Versions } from "./versions";

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
        <div style={{ display: "grid", gap: "14px" }}>
          <History model={model} />
          {model.policy && <PolicyCard model={model.name} policy={model.policy} />}
        </div>
      </div>
      {version ? <Version key={version.version} model={model} version={version} /> : <p class="muted">{t("models.noVersions")}</p>}
    </div>
  );
}

// Registered models.
import { useQuery } from "@tanstack/preact-query";
import { useEffect, useState } from "preact/hooks";
import { ErrorNote, Icon, Loading } from "../../components/basic";
import { keys, searchModels } from "../../lib/api";
import { literal } from "../../lib/filter";
import { Fault } from "../../lib/http";
import { time } from "../../lib/format";
import { t } from "../../lib/i18n";
import { setQuery, usePlace } from "../../lib/router";

// Words are a part of a name; what says more is the language's own.
export function modelFilter(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "" || /[=<>]|\s(I?LIKE|IN|IS)\s/i.test(trimmed)) return trimmed;
  return `name ILIKE ${literal(`%${trimmed}%`) ?? "''"}`;
}

export function ModelsPage() {
  const asked = usePlace().query.get("q") ?? "";
  const [text, setText] = useState(asked);
  useEffect(() => setText(asked), [asked]);
  const filter = modelFilter(asked);
  const query = useQuery({ queryKey: keys.models(filter), queryFn: ({ signal }) => searchModels(filter, signal), refetchInterval: 10_000 });
  const models = query.data?.registered_models ?? [];
  return (
    <div class="page">
      <div class="head"><h1>{t("nav.models")}</h1></div>
      <form class="bar" role="search" onSubmit={(event) => {
        event.preventDefault();
        setQuery({ q: text.trim() || undefined });
      }}>
        <div class="search"><Icon name="search" /><input id="filter" type="search" value={text} aria-label={t("models.search")} placeholder={t("models.search")} onInput={(event) => setText(event.currentTarget.value)}
          onBlur={() => text.trim() !== asked && setQuery({ q: text.trim() || undefined })} /></div>
      </form>
      {query.isError && <ErrorNote error={query.error} retry={query.error instanceof Fault && query.error.status === 400 ? undefined : () => void query.refetch()} />}
      {query.isPending && <Loading />}
      {query.isSuccess && models.length === 0 && <div class="empty"><p>{asked ? t("models.noMatch") : t("models.none")}</p>{!asked && <pre>{"slipway run slipway.yaml\nmlflow.register_model(\"runs:/RUN_ID/model\", \"NAME\")"}</pre>}</div>}
      {models.length > 0 && (
        <div class="card scroll" tabIndex={0} role="group" aria-label={t("nav.models")}>
          <table class="data">
            <thead><tr><th scope="col">{t("diff.name")}</th><th scope="col">{t("models.versions")}</th><th scope="col">{t("models.aliases")}</th><th scope="col">{t("models.changed")}</th><th scope="col">{t("models.description")}</th></tr></thead>
            <tbody>
              {models.map((model) => {
                const newest = Math.max(0, ...(model.latest_versions ?? []).map((one) => Number((one as { version?: string }).version ?? 0)));
                return (
                  <tr key={model.name}>
                    <th scope="row"><a href={`/ui/models/${encodeURIComponent(model.name)}`}>{model.name}</a></th>
                    <td class="num">{newest || ""}</td>
                    <td>{(model.aliases ?? []).map((one) => <span key={one.alias} class="tag on" style={{ marginRight: "6px" }}>{one.alias} → {one.version}</span>)}</td>
                    <td class="num">{time(model.last_updated_timestamp)}</td>
                    <td>{model.description}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
          {query.data?.next_page_token && <p class="muted small">{t("models.more")}</p>}
        </div>
      )}
    </div>
  );
}

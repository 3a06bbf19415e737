// The list of experiments: one is looked at by a click, several by their boxes.
import { useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { ErrorNote, Loading } from "../../components/basic";
import { type Experiment, allExperiments, keys } from "../../lib/api";
import { integer } from "../../lib/format";
import { t } from "../../lib/i18n";
import { here, patched } from "../../lib/router";
import { firstView, loadViews } from "../../lib/views";
import { setExperiments, toggled } from "./state";

const kShown = 500;

export const useExperiments = () => useQuery({ queryKey: keys.experiments, queryFn: ({ signal }) => allExperiments(signal), refetchInterval: 10_000 });

export function Experiments({ chosen }: { chosen: string[] }) {
  const [search, setSearch] = useState("");
  const query = useExperiments();
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = (query.data ?? []).filter((one) => words.every((word) => one.name.toLowerCase().includes(word) || one.experiment_id === word));
  const runs = here().path === "/ui/runs"; // traces have no saved views
  const views = loadViews();
  const row = (one: Experiment) => {
    const on = chosen.includes(one.experiment_id);
    const first = runs && !on ? firstView(views, one.experiment_id) : undefined;
    return (
      <li key={one.experiment_id} class={on ? "on" : undefined}>
        <input type="checkbox" checked={on} aria-label={t("experiments.add", { name: one.name })} onChange={() => setExperiments(toggled(chosen, one.experiment_id))} />
        <a href={first ?? patched({ e: one.experiment_id, sel: undefined, open: undefined })} title={one.name} aria-current={on && chosen.length === 1 ? "true" : undefined}>{one.name}</a>
      </li>
    );
  };
  return (
    <aside class="experiments" aria-label={t("experiments.title")}>
      <h2>{t("experiments.title")}</h2>
      <input type="search" value={search} placeholder={t("experiments.search")} aria-label={t("experiments.search")} onInput={(event) => setSearch(event.currentTarget.value)} />
      {query.isError && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading />}
      <ul>{found.slice(0, kShown).map(row)}</ul>
      <p class="muted small" role="status" style={{ margin: 0, padding: "0 6px" }}>
        {found.length > kShown ? t("experiments.cut", { n: kShown, all: integer(found.length) }) : t("experiments.count", { n: integer(found.length) })}
      </p>
    </aside>
  );
}

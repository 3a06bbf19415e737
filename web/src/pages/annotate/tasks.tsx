// All tasks as a table of which only the rows on the screen exist; pages are fetched as one comes to them.
import { useInfiniteQuery } from "@tanstack/preact-query";
import { useEffect, useState } from "preact/hooks";
import { ErrorNote, Icon } from "../../components/basic";
import { Grid } from "../../components/grid";
import { type Project, type TaskFilter, getTasks, keys, states } from "../../lib/annotate/api";
import { t } from "../../lib/annotate/text";
import { integer, percent } from "../../lib/format";
import { go, link, setQuery, usePlace } from "../../lib/router";

const kAhead = 60; // rows before the last at which the next page is asked for
const columns = [["tasks.key", 180], ["tasks.text", 520], ["tasks.state", 110], ["tasks.labels", 220], ["tasks.annotators", 190], ["tasks.agreement", 110]] as const;
const width = columns.reduce((sum, [, one]) => sum + one, 0);

function Filters({ project, filter }: { project: Project; filter: TaskFilter }) {
  const { scheme } = project.settings;
  const [text, setText] = useState(filter.text);
  const [annotator, setAnnotator] = useState(filter.annotator);
  useEffect(() => setText(filter.text), [filter.text]);
  useEffect(() => setAnnotator(filter.annotator), [filter.annotator]);
  const labels = [...new Set([...scheme.classes, ...scheme.spans, ...scheme.relations].map((one) => one.name))];
  const ask = () => setQuery({ text: text || undefined, annotator: annotator.trim() || undefined }, true);
  return (
    <form class="bar" role="search" onSubmit={(event) => {
      event.preventDefault();
      ask();
    }}>
      <span class="search"><Icon name="search" /><input id="filter" type="search" value={text} aria-label={t("tasks.find")} placeholder={t("tasks.find")} onInput={(event) => setText(event.currentTarget.value)} onBlur={ask} /></span>
      <label class="field">{t("tasks.state")} <select value={filter.state} onChange={(event) => setQuery({ state: event.currentTarget.value || undefined }, true)}><option value="">{t("files.all")}</option>{states.map((one) => <option key={one} value={one}>{t(`state.${one}`)}</option>)}</select></label>
      {labels.length > 0 && <label class="field">{t("tasks.label")} <select value={filter.label} onChange={(event) => setQuery({ label: event.currentTarget.value || undefined }, true)}><option value="">{t("files.all")}</option>{labels.map((one) => <option key={one} value={one}>{one}</option>)}</select></label>}
      <label class="field">{t("tasks.annotator")} <input type="text" size={12} value={annotator} onInput={(event) => setAnnotator(event.currentTarget.value)} onBlur={ask} /></label>
      <button type="submit" class="hidden" tabIndex={-1}>{t("tasks.find")}</button>
    </form>
  );
}

export function TasksTab({ project }: { project: Project }) {
  const { name, counts } = project;
  const { query: place } = usePlace();
  const filter: TaskFilter = { state: place.get("state") ?? "", label: place.get("label") ?? "", annotator: place.get("annotator") ?? "", text: place.get("text") ?? "" };
  const [end, setEnd] = useState(40);
  const query = useInfiniteQuery({
    queryKey: keys.tasks(name, filter), queryFn: ({ pageParam, signal }) => getTasks(name, filter, pageParam, signal),
    initialPageParam: undefined as string | undefined, getNextPageParam: (page) => page.next_page_token, staleTime: 10_000,
  });
  const rows = query.data?.pages.flatMap((page) => page.tasks) ?? [];
  const wants = query.hasNextPage && !query.isFetchingNextPage && end + kAhead > rows.length;
  useEffect(() => {
    if (wants) void query.fetchNextPage();
  }, [wants, rows.length]);
  const open = (index: number, tab: "review" | "label") => {
    const row = rows[index];
    if (row) go(link(`/ui/annotate/${encodeURIComponent(name)}`, { tab, task: String(row.id) }));
  };
  const plain = !filter.label && !filter.annotator && !filter.text;
  const all = plain ? (filter.state ? counts[filter.state as (typeof states)[number]] : counts.tasks) : undefined;
  const cells = (index: number) => {
    const row = rows[index];
    if (!row) return <div class="cell" role="gridcell" style={{ width: "200px" }}><span class="ghost" /></div>;
    const address = `/ui/annotate/${encodeURIComponent(name)}`;
    const values = [
      <a tabIndex={-1} href={link(address, { tab: "review", task: String(row.id) })}>{row.key}</a>, row.text, t(`state.${row.state}`), row.labels.join(", "), row.annotators.join(", "), row.agreement === null ? "" : percent(row.agreement),
    ];
    return <>{columns.map(([key, size], i) => <div key={key} role={i === 0 ? "rowheader" : "gridcell"} class="cell" title={typeof values[i] === "string" ? values[i] as string : row.key} style={{ width: `${size}px` }}>{values[i]}</div>)}</>;
  };
  return (
    <>
      <Filters project={project} filter={filter} />
      {query.isError && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      <p class="muted small" role="status" style={{ margin: 0 }}>{query.isPending ? t("tasks.loading") : all !== undefined ? t("tasks.count", { n: integer(all) }) : t(query.hasNextPage ? "tasks.soFar" : "tasks.count", { n: integer(rows.length) })} {t("tasks.hint")}</p>
      <Grid label={t("tab.tasks")} count={rows.length + (query.hasNextPage ? 1 : 0)} width={width} columns={columns.length} tree={false} onShown={(_, last) => setEnd(last)}
        pick={(index) => open(index, "label")} open={(index) => open(index, "review")}
        header={columns.map(([key, size]) => <div key={key} role="columnheader" class="cell" style={{ width: `${size}px` }}>{t(key)}</div>)}
        row={(index) => ({ class: "", content: cells(index) })} />
    </>
  );
}

// Annotation projects, and a new one.
import { useMutation, useQuery, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Act } from "../../components/act";
import { Dialog, ErrorNote, Loading } from "../../components/basic";
import { type Question, type Scheme } from "../../lib/annotate/answer";
import { type Counts, getProjects, keys, newProject } from "../../lib/annotate/api";
import { t } from "../../lib/annotate/text";
import { integer, percent, time } from "../../lib/format";
import { t as common } from "../../lib/i18n";
import { go } from "../../lib/router";
import { useRefusal } from "../../lib/session";

export const questions: Question[] = ["classification", "multi-label", "spans", "relations", "text", "rating", "preference", "chat-review"];

export function Bar({ counts }: { counts: Counts }) {
  const done = counts.answered + counts.reviewed;
  return (
    <span class="progress">
      <progress max={Math.max(1, counts.tasks)} value={done} aria-label={t("list.progress")} />
      <span class="num">{integer(done)} / {integer(counts.tasks)}{counts.tasks > 0 && <span class="muted"> ({percent(done / counts.tasks)})</span>}</span>
    </span>
  );
}

const names = (text: string) => [...new Set(text.split(/[,，\n]/).map((one) => one.trim()).filter(Boolean))].map((name) => ({ name }));

function NewProject({ close }: { close: () => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<Question[]>(["classification"]);
  const [lists, setLists] = useState({ classes: "", spans: "", relations: "" });
  const has = (...list: Question[]) => list.some((one) => chosen.includes(one));
  const make = useMutation({
    mutationFn: () => {
      const scheme: Scheme = { questions: questions.filter((one) => chosen.includes(one)), classes: has("classification", "multi-label") ? names(lists.classes) : [], spans: has("spans", "relations") ? names(lists.spans) : [], relations: has("relations") ? names(lists.relations) : [], rating_max: 5, overlapping: true };
      return newProject(name.trim(), { scheme });
    },
    onSuccess: async (project) => {
      await queries.invalidateQueries({ queryKey: keys.projects });
      go(`/ui/annotate/${encodeURIComponent(project.name)}?tab=files`);
    },
  });
  // Relations need spans; one class or several, not both.
  const toggle = (question: Question) => setChosen((now) => {
    const on = new Set(now.includes(question) ? now.filter((one) => one !== question) : [...now, question]);
    if (question === "classification") on.delete("multi-label");
    if (question === "multi-label") on.delete("classification");
    if (question === "relations" && on.has("relations")) on.add("spans");
    if (question === "spans" && !on.has("spans")) on.delete("relations");
    return [...on];
  });
  const list = (kind: keyof typeof lists) => <label>{t(`new.${kind}`)}<textarea rows={2} required value={lists[kind]} placeholder={t(`new.${kind}Hint`)} onInput={(event) => setLists({ ...lists, [kind]: event.currentTarget.value })} /></label>;
  return (
    <Dialog title={t("new.title")} close={close}>
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        make.mutate();
      }}>
        <label>{t("new.name")}<input type="text" required maxLength={200} value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>
        <fieldset><legend>{t("new.questions")}</legend>{questions.map((one) => <label key={one} class="field"><input type="checkbox" checked={chosen.includes(one)} onChange={() => toggle(one)} /> {t(`question.${one}`)}</label>)}</fieldset>
        {has("classification", "multi-label") && list("classes")}
        {has("spans", "relations") && list("spans")}
        {has("relations") && list("relations")}
        {make.isError && <ErrorNote error={make.error} />}
        <div><button type="submit" class="primary" disabled={make.isPending || chosen.length === 0}>{t("new.make")}</button></div>
      </form>
    </Dialog>
  );
}

export function ProjectsPage() {
  const query = useQuery({ queryKey: keys.projects, queryFn: ({ signal }) => getProjects(signal), refetchInterval: 5000 });
  const [making, setMaking] = useState(false);
  const why = useRefusal("approver", undefined);
  return (
    <div class="page">
      <div class="head"><h1>{common("nav.annotate")}</h1><span class="grow" /><Act why={why} class="primary" onClick={() => setMaking(true)}>{t("new.title")}</Act></div>
      {query.isError && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading />}
      {query.data?.length === 0 && <div class="empty"><p>{t("list.none")}</p></div>}
      {(query.data ?? []).length > 0 && (
        <div class="card scroll" tabIndex={0} role="group" aria-label={common("nav.annotate")}>
          <table class="data tight">
            <thead><tr><th scope="col">{t("list.name")}</th><th scope="col">{t("list.asks")}</th><th scope="col">{t("list.progress")}</th><th scope="col" class="right">{t("list.annotations")}</th><th scope="col" class="right">{t("list.reviewed")}</th><th scope="col">{t("list.created")}</th></tr></thead>
            <tbody>{query.data!.map((one) => (
              <tr key={one.name}>
                <th scope="row"><a href={`/ui/annotate/${encodeURIComponent(one.name)}`}>{one.name}</a></th>
                <td>{one.questions.map((question) => t(`question.${question as Question}`)).join(", ")}</td><td><Bar counts={one.counts} /></td>
                <td class="right">{integer(one.counts.annotations)}</td><td class="right">{integer(one.counts.reviewed)}</td><td class="num">{time(one.created_ms)}</td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
      {making && <NewProject close={() => setMaking(false)} />}
    </div>
  );
}

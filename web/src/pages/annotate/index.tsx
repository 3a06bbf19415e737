// One annotation project: how far it is, where one answers, its tasks, what people disagree on, its settings and files.
import { useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { ErrorNote, Loading, Tabs } from "../../components/basic";
import { getProject, keys } from "../../lib/annotate/api";
import { t } from "../../lib/annotate/text";
import { t as common } from "../../lib/i18n";
import { link, usePlace } from "../../lib/router";
import { useSession } from "../../lib/session";
import { FilesTab } from "./files";
import { LabelPage } from "./label";
import { Overview } from "./overview";
import { ReviewTab } from "./review";
import { SettingsTab } from "./settings";
import { TasksTab } from "./tasks";

const tabs = ["overview", "label", "tasks", "review", "settings", "files"] as const;
const kAnnotator = "slipway.annotator";

function known(): string {
  try {
    return localStorage.getItem(kAnnotator) ?? "";
  } catch {
    return "";
  }
}

// Without accounts, who answers says their name once.
function Who({ set }: { set: (name: string) => void }) {
  const [name, setName] = useState("");
  return (
    <form class="form card who" onSubmit={(event) => {
      event.preventDefault();
      if (!name.trim()) return;
      try {
        localStorage.setItem(kAnnotator, name.trim());
      } catch {
        // No storage: for this visit only.
      }
      set(name.trim());
    }}>
      <label>{t("who.name")}<input type="text" required maxLength={200} autofocus value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>
      <p class="muted small">{t("who.hint")}</p>
      <div><button type="submit" class="primary">{t("who.go")}</button></div>
    </form>
  );
}

export function ProjectPage({ id }: { id: string }) {
  const { query: place } = usePlace();
  const tab = tabs.find((name) => name === place.get("tab")) ?? "overview";
  const session = useSession();
  const [annotator, setAnnotator] = useState(known);
  const query = useQuery({ queryKey: keys.project(id), queryFn: ({ signal }) => getProject(id, signal), refetchInterval: tab === "label" ? false : 5000 });
  const project = query.data;
  if (query.isError && !project) return <div class="page"><ErrorNote error={query.error} retry={() => void query.refetch()} /><p><a href="/ui/annotate">{common("nav.annotate")}</a></p></div>;
  if (!project || !session) return <div class="page"><Loading /></div>;
  const who = session.accounts ? undefined : annotator;
  const asks = who === "" && (tab === "label" || tab === "review");
  return (
    <div class={`page${tab === "label" || tab === "tasks" ? " full" : ""}`}>
      <div class="head">
        <h1><a class="crumbs" href="/ui/annotate">{common("nav.annotate")}</a> / {project.name}</h1>
        <span class="grow" />
        {who && <button type="button" class="plain small" onClick={() => setAnnotator("")}>{t("who.as", { name: who })}</button>}
      </div>
      <Tabs label={common("view.label")} items={tabs.map((name) => ({ name: t(`tab.${name}`), href: link(`/ui/annotate/${encodeURIComponent(id)}`, { tab: name === "overview" ? undefined : name }), on: tab === name }))} />
      {asks && <Who set={setAnnotator} />}
      {tab === "overview" && <Overview project={project} />}
      {tab === "label" && !asks && <LabelPage project={project} annotator={who} />}
      {tab === "tasks" && <TasksTab project={project} />}
      {tab === "review" && !asks && <ReviewTab project={project} annotator={who} />}
      {tab === "settings" && <SettingsTab key={project.name} project={project} />}
      {tab === "files" && <FilesTab project={project} />}
    </div>
  );
}

// Tasks in, answers out.
import { useMutation, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Act } from "../../components/act";
import { ErrorNote } from "../../components/basic";
import { type Imported, type Project, consensuses, exportUrl, importFile, keys, states } from "../../lib/annotate/api";
import { t } from "../../lib/annotate/text";
import { integer } from "../../lib/format";
import { useRefusal } from "../../lib/session";

export function FilesTab({ project }: { project: Project }) {
  const { name } = project;
  const queries = useQueryClient();
  const why = useRefusal("approver", name);
  const [files, setFiles] = useState<File[]>([]);
  const [format, setFormat] = useState("");
  const [out, setOut] = useState(project.export_formats[0] ?? "");
  const [state, setState] = useState("");
  const [consensus, setConsensus] = useState("");
  const [done, setDone] = useState<[string, Imported][]>([]);
  const send = useMutation({
    mutationFn: async () => {
      setDone([]);
      for (const file of files) {
        const result = await importFile(name, file, format);
        setDone((now) => [...now, [file.name, result]]);
      }
    },
    onSettled: () => queries.invalidateQueries({ queryKey: keys.project(name) }),
  });
  return (
    <div class="grid2">
      <section class="card" aria-label={t("files.in")}>
        <h2>{t("files.in")}</h2>
        <form class="form" onSubmit={(event) => {
          event.preventDefault();
          send.mutate();
        }}>
          <label>{t("files.format")}<select value={format} onChange={(event) => setFormat(event.currentTarget.value)}><option value="">{t("files.told")}</option>{project.import_formats.map((one) => <option key={one} value={one}>{one}</option>)}</select></label>
          <label>{t("files.files")}<input type="file" multiple required onChange={(event) => setFiles([...(event.currentTarget.files ?? [])])} /></label>
          <p class="muted small">{t("files.known")}</p>
          {send.isError && <ErrorNote error={send.error} />}
          <div><Act why={why} type="submit" class="primary" disabled={send.isPending || files.length === 0}>{t(send.isPending ? "files.sending" : "files.send")}</Act></div>
        </form>
        <div role="status"><ul class="plain-list">{done.map(([file, one], i) => <li key={i}>{t("files.done", { file, format: one.format, tasks: integer(one.tasks), known: integer(one.known), annotations: integer(one.annotations), suggestions: integer(one.suggestions) })}</li>)}</ul></div>
      </section>
      <section class="card" aria-label={t("files.out")}>
        <h2>{t("files.out")}</h2>
        <div class="form">
          <label>{t("files.format")}<select value={out} onChange={(event) => setOut(event.currentTarget.value)}>{project.export_formats.map((one) => <option key={one} value={one}>{one}</option>)}</select></label>
          <label>{t("files.state")}<select value={state} onChange={(event) => setState(event.currentTarget.value)}><option value="">{t("files.all")}</option>{states.map((one) => <option key={one} value={one}>{t(`state.${one}`)}</option>)}</select></label>
          <label>{t("files.consensus")}<select value={consensus} onChange={(event) => setConsensus(event.currentTarget.value)}><option value="">{t("files.consensusNone")}</option>{consensuses.map((one) => <option key={one} value={one}>{t(`consensus.${one}`)}</option>)}</select></label>
          <div><a class="button" download href={exportUrl(name, out, state, consensus)}>{t("files.get")}</a></div>
        </div>
      </section>
    </div>
  );
}

// What must hold before a version of the model may be served, and changing it.
import { useMutation, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Act } from "../../components/act";
import { Dialog, ErrorNote, Facts } from "../../components/basic";
import { type ModelPolicy, setPolicy } from "../../lib/api";
import { t } from "../../lib/i18n";
import { useRefusal } from "../../lib/session";

function Form({ model, policy, close }: { model: string; policy: ModelPolicy; close: () => void }) {
  const queries = useQueryClient();
  const [draft, setDraft] = useState({ ...policy, aliases: policy.protected_aliases.join(", ") });
  const save = useMutation({
    mutationFn: () => setPolicy(model, { required_approvals: draft.required_approvals, separate_author: draft.separate_author, gates_must_pass: draft.gates_must_pass, protected_aliases: draft.aliases.split(",").map((one) => one.trim()).filter(Boolean) }),
    onSuccess: async () => {
      await queries.invalidateQueries();
      close();
    },
  });
  return (
    <Dialog title={t("policy.edit")} close={close}>
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}>
        <label>{t("policy.approvals")}<input type="number" min="0" max="5" required value={draft.required_approvals} onInput={(event) => setDraft({ ...draft, required_approvals: Number(event.currentTarget.value) })} /></label>
        <label>{t("policy.aliases")}<input type="text" value={draft.aliases} onInput={(event) => setDraft({ ...draft, aliases: event.currentTarget.value })} /></label>
        <label class="field"><input type="checkbox" checked={draft.separate_author} onChange={(event) => setDraft({ ...draft, separate_author: event.currentTarget.checked })} /> {t("policy.separate")}</label>
        <label class="field"><input type="checkbox" checked={draft.gates_must_pass} onChange={(event) => setDraft({ ...draft, gates_must_pass: event.currentTarget.checked })} /> {t("policy.gates")}</label>
        {save.isError && <ErrorNote error={save.error} />}
        <div><button type="submit" class="primary" disabled={save.isPending}>{t("policy.save")}</button></div>
      </form>
    </Dialog>
  );
}

export function PolicyCard({ model, policy }: { model: string; policy: ModelPolicy }) {
  const [editing, setEditing] = useState(false);
  const why = useRefusal("admin", model);
  const yes = (value: boolean) => t(value ? "policy.yes" : "policy.no");
  return (
    <section class="card" aria-label={t("policy.title")}>
      <div class="bar" style={{ marginBottom: "8px" }}><h2>{t("policy.title")}</h2><span class="grow" /><Act why={why} onClick={() => setEditing(true)}>{t("policy.edit")}</Act></div>
      <Facts rows={[
        [t("policy.approvals"), String(policy.required_approvals)], [t("policy.aliases"), policy.protected_aliases.join(", ") || t("policy.nobody")],
        [t("policy.separate"), yes(policy.separate_author)], [t("policy.gates"), yes(policy.gates_must_pass)],
      ]} />
      {editing && <Form model={model} policy={policy} close={() => setEditing(false)} />}
    </section>
  );
}

// What a project asks and how it is given out.
import { useMutation, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Act } from "../../components/act";
import { Dialog, ErrorNote, Icon } from "../../components/basic";
import { type Label, asks } from "../../lib/annotate/answer";
import { type Project, type Rule, type Settings, changeProject, keys, removeProject } from "../../lib/annotate/api";
import { colorOf } from "../../lib/annotate/colors";
import { refused } from "../../lib/annotate/hotkeys";
import { t } from "../../lib/annotate/text";
import { go } from "../../lib/router";
import { useRefusal } from "../../lib/session";
import { questions } from "./list";
import { Services } from "./services";

function Labels({ title, list, set }: { title: string; list: Label[]; set: (list: Label[]) => void }) {
  const change = (place: number, patch: Partial<Label>) => set(list.map((one, i) => (i === place ? { ...one, ...patch } : one)));
  const move = (place: number, by: number) => {
    const next = [...list];
    const [one] = next.splice(place, 1);
    next.splice(place + by, 0, one!);
    set(next);
  };
  return (
    <fieldset class="labels"><legend>{title}</legend>
      {list.map((one, i) => (
        <div class="bar" key={i} role="group" aria-label={one.name || t("settings.label", { n: i + 1 })}>
          <input type="color" aria-label={t("settings.color")} value={colorOf(list, one.name)} onInput={(event) => change(i, { color: event.currentTarget.value })} />
          <input type="text" required aria-label={t("settings.name")} value={one.name} onInput={(event) => change(i, { name: event.currentTarget.value })} />
          <input type="text" size={3} maxLength={1} aria-label={t("settings.hotkey")} placeholder={t("settings.hotkeyAuto")} value={one.hotkey ?? ""} onInput={(event) => change(i, { hotkey: event.currentTarget.value })} />
          <button type="button" class="plain" aria-label={t("settings.up")} disabled={i === 0} onClick={() => move(i, -1)}><Icon name="up" /></button>
          <button type="button" class="plain" aria-label={t("settings.down")} disabled={i === list.length - 1} onClick={() => move(i, 1)}><Icon name="down" /></button>
          <button type="button" class="plain" aria-label={t("settings.remove")} onClick={() => set(list.filter((_, j) => j !== i))}><Icon name="close" /></button>
        </div>
      ))}
      <div><button type="button" onClick={() => set([...list, { name: "" }])}>{t("settings.add")}</button></div>
    </fieldset>
  );
}

function Rules({ list, labels, set }: { list: Rule[]; labels: string[]; set: (list: Rule[]) => void }) {
  const change = (place: number, patch: Partial<Rule>) => set(list.map((one, i) => (i === place ? { ...one, ...patch } : one)));
  return (
    <fieldset class="labels"><legend>{t("settings.rules")}</legend>
      <p class="muted small">{t("settings.rulesHint")}</p>
      {list.map((one, i) => (
        <div class="bar" key={i} role="group" aria-label={t("settings.rule", { n: i + 1 })}>
          <select aria-label={t("tasks.label")} value={one.label} onChange={(event) => change(i, { label: event.currentTarget.value })}>{labels.map((name) => <option key={name} value={name}>{name}</option>)}</select>
          <select aria-label={t("settings.ruleKind")} value={one.pattern === undefined ? "terms" : "pattern"} onChange={(event) => change(i, event.currentTarget.value === "terms" ? { terms: [], pattern: undefined } : { pattern: "", terms: undefined })}><option value="terms">{t("settings.terms")}</option><option value="pattern">{t("settings.pattern")}</option></select>
          {one.pattern === undefined
            ? <textarea rows={2} aria-label={t("settings.terms")} placeholder={t("settings.termsHint")} value={(one.terms ?? []).join("\n")} onInput={(event) => change(i, { terms: event.currentTarget.value.split("\n") })} />
            : <input type="text" class="mono" required aria-label={t("settings.pattern")} placeholder="\b[A-Z]{2}\d{4}\b" value={one.pattern} onInput={(event) => change(i, { pattern: event.currentTarget.value })} />}
          <label class="field"><input type="checkbox" checked={one.case_sensitive ?? false} onChange={(event) => change(i, { case_sensitive: event.currentTarget.checked })} /> {t("settings.case")}</label>
          <button type="button" class="plain" aria-label={t("settings.remove")} onClick={() => set(list.filter((_, j) => j !== i))}><Icon name="close" /></button>
        </div>
      ))}
      <div><button type="button" disabled={labels.length === 0} onClick={() => set([...list, { label: labels[0]!, terms: [], case_sensitive: false }])}>{t("settings.add")}</button></div>
    </fieldset>
  );
}

const sent = (settings: Settings): Settings => ({ ...settings, rules: settings.rules.map((rule) => (rule.pattern === undefined ? { ...rule, terms: (rule.terms ?? []).map((one) => one.trim()).filter(Boolean) } : rule)) });

export function SettingsTab({ project }: { project: Project }) {
  const { name } = project;
  const queries = useQueryClient();
  const why = useRefusal("approver", name);
  const mayRemove = useRefusal("admin", name);
  const [settings, setSettings] = useState(project.settings);
  const [revision, setRevision] = useState(project.revision);
  const [removing, setRemoving] = useState(false);
  const { scheme } = settings;
  const patch = (more: Partial<Settings>) => setSettings((now) => ({ ...now, ...more }));
  const patchScheme = (more: Partial<Settings["scheme"]>) => patch({ scheme: { ...scheme, ...more } });
  const save = useMutation({
    mutationFn: () => changeProject(name, revision, sent(settings)),
    onSuccess: (saved) => {
      queries.setQueryData(keys.project(name), saved);
      setSettings(saved.settings);
      setRevision(saved.revision);
    },
  });
  const remove = useMutation({
    mutationFn: () => removeProject(name),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: keys.projects });
      go("/ui/annotate");
    },
  });
  const unusable = refused(scheme);
  const number = (key: "overlap" | "keep_minutes" | "retrain_every", least: number, most: number) => <label>{t(`settings.${key}`)}<input type="number" min={least} max={most} required value={settings[key]} onInput={(event) => patch({ [key]: event.currentTarget.valueAsNumber })} /></label>;
  const labels = [...new Set([...(asks(scheme, "spans", "relations") ? scheme.spans : []), ...(asks(scheme, "classification", "multi-label") ? scheme.classes : [])].map((one) => one.name).filter(Boolean))];
  return (
    <form class="form settings card" aria-label={t("tab.settings")} onSubmit={(event) => {
      event.preventDefault();
      save.mutate();
    }}>
      {project.revision !== revision && <p class="note" role="status">{t("settings.changed")} <button type="button" onClick={() => {
        setSettings(project.settings);
        setRevision(project.revision);
      }}>{t("settings.load")}</button></p>}
      <fieldset><legend>{t("new.questions")}</legend>{questions.map((one) => <label key={one} class="field"><input type="checkbox" checked={asks(scheme, one)} onChange={() => patchScheme({ questions: asks(scheme, one) ? scheme.questions.filter((other) => other !== one) : questions.filter((other) => other === one || asks(scheme, other)) })} /> {t(`question.${one}`)}</label>)}</fieldset>
      {asks(scheme, "classification", "multi-label") && <Labels title={t("new.classes")} list={scheme.classes} set={(classes) => patchScheme({ classes })} />}
      {asks(scheme, "spans", "relations") && <Labels title={t("new.spans")} list={scheme.spans} set={(spans) => patchScheme({ spans })} />}
      {asks(scheme, "spans", "relations") && <label class="field"><input type="checkbox" checked={scheme.overlapping} onChange={(event) => patchScheme({ overlapping: event.currentTarget.checked })} /> {t("settings.overlapping")}</label>}
      {asks(scheme, "relations") && <Labels title={t("new.relations")} list={scheme.relations} set={(relations) => patchScheme({ relations })} />}
      {unusable.length > 0 && <p class="warn small" role="status">{t("settings.refused", { names: unusable.join(", ") })}</p>}
      {asks(scheme, "rating", "chat-review") && <label>{t("settings.rating_max")}<input type="number" min={2} max={10} required value={scheme.rating_max} onInput={(event) => patchScheme({ rating_max: event.currentTarget.valueAsNumber })} /></label>}
      <label>{t("label.guidelines")}<textarea rows={8} value={settings.guidelines} onInput={(event) => patch({ guidelines: event.currentTarget.value })} /></label>
      <div class="grid2">
        {number("overlap", 1, 100)}
        <label>{t("settings.order")}<select value={settings.order} onChange={(event) => patch({ order: event.currentTarget.value as Settings["order"] })}>{(["given", "random", "least-confidence", "margin", "entropy", "diversity"] as const).map((one) => <option key={one} value={one}>{t(`order.${one}`)}</option>)}</select></label>
        {number("keep_minutes", 1, 10080)}
        {number("retrain_every", 0, 1_000_000)}
      </div>
      <Rules list={settings.rules} labels={labels} set={(rules) => patch({ rules })} />
      {asks(scheme, "classification", "multi-label") && <label>{t("settings.labelModel")}<select value={settings.label_model} onChange={(event) => patch({ label_model: event.currentTarget.value as Settings["label_model"] })}><option value="">{t("settings.labelModelNone")}</option>{(["majority", "dawid-skene", "one-coin", "generative"] as const).map((one) => <option key={one} value={one}>{t(`labelModel.${one}`)}</option>)}</select></label>}
      <Services list={settings.services} set={(services) => patch({ services })} />
      {save.isError && <ErrorNote error={save.error} />}
      <div class="bar"><Act why={why} type="submit" class="primary" disabled={save.isPending}>{t("settings.save")}</Act><span role="status">{save.isSuccess && settings === save.data.settings && t("settings.saved")}</span><span class="grow" /><Act why={mayRemove} onClick={() => setRemoving(true)}>{t("settings.delete")}</Act></div>
      {removing && (
        <Dialog title={t("settings.delete")} close={() => setRemoving(false)}>
          <p>{t("settings.deleteAsk", { name, n: project.counts.annotations })}</p>
          {remove.isError && <ErrorNote error={remove.error} />}
          <div class="bar"><button type="button" onClick={() => remove.mutate()} disabled={remove.isPending}>{t("settings.deleteDo")}</button><button type="button" onClick={() => setRemoving(false)}>{t("review.cancel")}</button></div>
        </Dialog>
      )}
    </form>
  );
}

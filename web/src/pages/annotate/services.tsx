// Settings of the models that are served elsewhere and suggest answers.
import { useState } from "preact/hooks";
import { Icon } from "../../components/basic";
import type { Service } from "../../lib/annotate/api";
import { t } from "../../lib/annotate/text";

const protocols = ["predict", "kserve", "openai", "label-studio"] as const;

// "PER = WHO" a line; a line without "=" leaves the label out.
export const mappingText = (labels: Service["labels"]) => Object.entries(labels ?? {}).map(([from, to]) => `${from} = ${to}`).join("\n");
export function mappingOf(text: string): Record<string, string> {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  return Object.fromEntries(lines.map((line) => {
    const at = line.lastIndexOf("=");
    return at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  }));
}

function Mapping({ labels, set }: { labels: Service["labels"]; set: (labels: Record<string, string>) => void }) {
  const [text, setText] = useState(mappingText(labels)); // as it is typed
  return <label>{t("settings.mapping")}<textarea rows={2} value={text} onInput={(event) => {
    setText(event.currentTarget.value);
    set(mappingOf(event.currentTarget.value));
  }} /></label>;
}

export function Services({ list, set }: { list: Service[]; set: (list: Service[]) => void }) {
  const change = (place: number, patch: Partial<Service>) => set(list.map((one, i) => (i === place ? { ...one, ...patch } : one)));
  return (
    <fieldset class="labels"><legend>{t("settings.services")}</legend>
      <p class="muted small">{t("settings.servicesHint")}</p>
      {list.map((one, i) => (
        <div class="card" key={i} role="group" aria-label={t("settings.service", { n: i + 1 })}>
          <div class="grid2">
            <label>{t("settings.url")}<input type="url" class="mono" required placeholder="https://models.example.org/predict" value={one.url} onInput={(event) => change(i, { url: event.currentTarget.value })} /></label>
            <label>{t("settings.protocol")}<select value={one.protocol ?? "predict"} onChange={(event) => change(i, { protocol: event.currentTarget.value as (typeof protocols)[number] })}>{protocols.map((name) => <option key={name} value={name}>{name}</option>)}</select></label>
            <label>{t("settings.name")}<input type="text" value={one.name ?? ""} onInput={(event) => change(i, { name: event.currentTarget.value })} /></label>
            <label>{t("settings.timeout")}<input type="number" min={10} max={60_000} required value={one.timeout_ms ?? 10_000} onInput={(event) => change(i, { timeout_ms: event.currentTarget.valueAsNumber })} /></label>
            <label>{t("settings.token")}<input type="text" class="mono" pattern="[A-Z0-9_]*" value={one.token ?? ""} onInput={(event) => change(i, { token: event.currentTarget.value })} /></label>
            {one.protocol === "openai" && <label>{t("settings.model")}<input type="text" value={one.model ?? ""} onInput={(event) => change(i, { model: event.currentTarget.value })} /></label>}
          </div>
          {one.protocol === "openai" && <label>{t("settings.prompt", { text: "{text}" })}<textarea rows={3} value={one.prompt ?? ""} onInput={(event) => change(i, { prompt: event.currentTarget.value })} /></label>}
          <Mapping labels={one.labels} set={(labels) => change(i, { labels })} />
          <div><button type="button" class="plain" onClick={() => set(list.filter((_, j) => j !== i))}><Icon name="close" /> {t("settings.remove")}</button></div>
        </div>
      ))}
      <div><button type="button" onClick={() => set([...list, { url: "", protocol: "predict", timeout_ms: 10_000 }])}>{t("settings.add")}</button></div>
    </fieldset>
  );
}

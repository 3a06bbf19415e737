// Saved views: the runs page as it is now under a name, to come back to it, to give to others, or to begin an experiment with.
import { useState } from "preact/hooks";
import { Dialog, Icon } from "../../components/basic";
import { download } from "../../lib/csv";
import { t } from "../../lib/i18n";
import { go, patched } from "../../lib/router";
import { type Views, loadViews, merged, parseViews, storeViews, viewsText, withDefault, without } from "../../lib/views";

function Save({ all, experiments, keep }: { all: Views; experiments: string[]; keep: (all: Views) => void }) {
  const [name, setName] = useState("");
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      keep(merged(all, { views: [{ name: name.trim(), address: patched({ e: experiments.join(",") }) }], defaults: {} }));
      setName("");
    }}>
      <label>{t("views.name")}<input type="text" required maxLength={200} value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>
      {all.views.some((one) => one.name === name.trim()) && <p class="warn small">{t("views.replace")}</p>}
      <div><button type="submit" class="primary">{t("views.save")}</button></div>
    </form>
  );
}

export function ViewsDialog({ experiments, names, close }: { experiments: string[]; names: Map<string, string>; close: () => void }) {
  const [all, setAll] = useState(loadViews);
  const [told, setTold] = useState("");
  const keep = (next: Views) => {
    setAll(next);
    storeViews(next);
  };
  const copy = async (address: string) => {
    const link = location.origin + address;
    try {
      await navigator.clipboard.writeText(link);
      setTold(t("views.copied"));
    } catch {
      setTold(`${t("views.link")} ${link}`); // not on this machine, and without TLS: browsers give no clipboard then
    }
  };
  const read = async (file: File | undefined) => {
    const more = file && file.size < 2_000_000 ? parseViews(await file.text()) : undefined;
    if (more) keep(merged(all, more));
    setTold(more ? t("views.imported", { n: more.views.length }) : t("views.bad"));
  };
  return (
    <Dialog title={t("views.saved")} close={close}>
      <p class="muted small" style={{ marginTop: 0 }}>{t("views.hint")}</p>
      {all.views.length === 0 ? <p>{t("views.none")}</p> : (
        <table class="data"><tbody>
          {all.views.map((one) => (
            <tr key={one.name}>
              <th scope="row"><a href={one.address} onClick={(event) => {
                event.preventDefault();
                go(one.address);
                close();
              }}>{one.name}</a></th>
              <td class="right">
                <button type="button" class="plain" onClick={() => void copy(one.address)} aria-label={t("views.copy", { name: one.name })}>{t("action.copy")}</button>
                <button type="button" class="plain" onClick={() => keep(without(all, one.name))} aria-label={t("views.delete", { name: one.name })}><Icon name="close" /></button>
              </td>
            </tr>
          ))}
        </tbody></table>
      )}
      {all.views.length > 0 && experiments.length === 1 && (
        <p><label class="field">{t("views.default", { name: names.get(experiments[0]!) ?? experiments[0]! })}
          <select value={all.defaults[experiments[0]!] ?? ""} onChange={(event) => keep(withDefault(all, experiments[0]!, event.currentTarget.value || undefined))}>
            <option value="">{t("views.noDefault")}</option>
            {all.views.map((one) => <option key={one.name} value={one.name}>{one.name}</option>)}
          </select>
        </label></p>
      )}
      <Save all={all} experiments={experiments} keep={keep} />
      <div class="bar" style={{ marginTop: "14px" }}>
        <button type="button" disabled={all.views.length === 0} onClick={() => download("slipway-views.json", new Blob([viewsText(all)], { type: "application/json" }))}>{t("views.export")}</button>
        <label class="field">{t("views.import")} <input type="file" accept="application/json,.json" onChange={(event) => {
          const input = event.currentTarget;
          void read(input.files?.[0]).then(() => (input.value = "")); // the same file may be chosen again
        }} /></label>
      </div>
      <p role="status" style={{ marginBottom: 0, overflowWrap: "anywhere" }}>{told}</p>
    </Dialog>
  );
}

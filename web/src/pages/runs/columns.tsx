// Which columns are shown, and in what order.
import { useState } from "preact/hooks";
import { Dialog, Icon } from "../../components/basic";
import type { Column } from "../../lib/filter";
import { columnOf } from "../../lib/filter";
import { t } from "../../lib/i18n";
import { attributes } from "../../lib/runs";
import { setQuery } from "../../lib/router";
import { setColumns } from "./state";
import { columnName, kindName } from "./table";

export function ColumnsDialog({ shown, known, close }: { shown: Column[]; known: Column[]; close: () => void }) {
  const [search, setSearch] = useState("");
  const all = [...attributes.map((name) => `a:${name}`), ...known];
  const typed = columnOf(search);
  const rest = all.filter((column) => !shown.includes(column) && columnName(column).toLowerCase().includes(search.toLowerCase()));
  if (typed && !all.includes(typed) && !shown.includes(typed)) rest.unshift(typed);
  const move = (index: number, by: number) => {
    const next = [...shown];
    [next[index], next[index + by]] = [next[index + by]!, next[index]!];
    setColumns(next);
  };
  return (
    <Dialog title={t("columns.title")} close={close}>
      <div class="columns">
        <section aria-label={t("columns.shown")}>
          <h3>{t("columns.shown")}</h3>
          <ul>
            {shown.map((column, i) => (
              <li key={column}>
                <span class="name" title={column}>{columnName(column)} <span class="muted small">{kindName(column)}</span></span>
                <button type="button" class="plain" disabled={i === 0} aria-label={t("columns.up", { name: columnName(column) })} onClick={() => move(i, -1)}><Icon name="up" /></button>
                <button type="button" class="plain" disabled={i === shown.length - 1} aria-label={t("columns.down", { name: columnName(column) })} onClick={() => move(i, 1)}><Icon name="down" /></button>
                <button type="button" class="plain" aria-label={t("columns.hide", { name: columnName(column) })} onClick={() => setColumns(shown.filter((one) => one !== column))}><Icon name="close" /></button>
              </li>
            ))}
          </ul>
          <p><button type="button" onClick={() => setQuery({ cols: undefined }, true)}>{t("columns.reset")}</button></p>
        </section>
        <section aria-label={t("columns.more")}>
          <input type="search" value={search} placeholder={t("columns.search")} aria-label={t("columns.search")} onInput={(event) => setSearch(event.currentTarget.value)} style={{ width: "100%" }} />
          <ul>
            {rest.slice(0, 300).map((column) => (
              <li key={column}>
                <label class="field" style={{ color: "inherit" }}>
                  <input type="checkbox" checked={false} onChange={() => setColumns([...shown, column])} /> {columnName(column)} <span class="muted small">{kindName(column)}</span>
                </label>
              </li>
            ))}
          </ul>
          <p class="muted small">{t("columns.hint")}</p>
        </section>
      </div>
    </Dialog>
  );
}

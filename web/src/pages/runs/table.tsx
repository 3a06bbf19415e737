// The runs as a table.
import { useState } from "preact/hooks";
import { Icon, Status } from "../../components/basic";
import { Grid } from "../../components/grid";
import { type Run } from "../../lib/api";
import { type Column, columnKey, columnKind, nextOrder, parseOrder } from "../../lib/filter";
import { integer, time } from "../../lib/format";
import { type Key, t } from "../../lib/i18n";
import { go, setQuery } from "../../lib/router";
import { alignRight, cellText, columnWidth, runName } from "../../lib/runs";
import { type Part, type Rows, useWindow } from "./data";
import { type RunsState, setColumns, setOpen, setSelected, toggled } from "./state";

const kNameWidth = 260;

const attributeNames: Record<string, Key> = {
  start_time: "column.start_time", duration: "column.duration", user_id: "column.user", status: "column.status", end_time: "column.end_time", run_id: "column.run_id",
};
export const columnName = (column: Column) => (columnKind(column) === "a" && attributeNames[columnKey(column)] ? t(attributeNames[columnKey(column)]!) : columnKey(column));
const kindNames: Record<string, Key> = { m: "kind.metric", p: "kind.param", t: "kind.tag", a: "kind.attribute" };
export const kindName = (column: Column) => t(kindNames[columnKind(column)]!);

function Head({ state, columns }: { state: RunsState; columns: Column[] }) {
  const order = parseOrder(state.spec.order);
  const head = (column: Column, name: string, pinned: boolean) => {
    const sorted = order?.column === column ? (order.descending ? "descending" : "ascending") : undefined;
    const shift = (by: number) => {
      const from = columns.indexOf(column);
      const to = from + by;
      if (from < 0 || to < 0 || to >= columns.length) return;
      const next = [...columns];
      [next[from], next[to]] = [next[to]!, next[from]!];
      setColumns(next);
    };
    const sortable = column !== "a:duration";
    return (
      <div key={column} role="columnheader" aria-sort={sorted} title={pinned ? undefined : t("column.hint", { kind: kindName(column) })}
        class={`cell ${pinned ? "pin" : ""} ${alignRight(column) ? "right" : ""}`} style={{ width: `${pinned ? kNameWidth : columnWidth(column)}px` }}>
        <button type="button" disabled={!sortable} onClick={() => setQuery({ order: nextOrder(state.spec.order, column) })}
          onKeyDown={(event) => {
            if (pinned || !event.altKey || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
            event.preventDefault();
            shift(event.key === "ArrowLeft" ? -1 : 1);
          }}>
          {name}{sorted === "ascending" ? " ↑" : sorted === "descending" ? " ↓" : ""}
        </button>
      </div>
    );
  };
  return <>{head("a:run_name", t("runs.run"), true)}{columns.map((column) => head(column, columnName(column), false))}</>;
}

function RunCells({ run, state, columns, indent }: { run: Run; state: RunsState; columns: Column[]; indent: boolean }) {
  const id = run.info.run_id;
  return (
    <>
      <div class="cell pin" role="rowheader" style={{ width: `${kNameWidth}px`, paddingLeft: indent ? "30px" : undefined }}>
        <input type="checkbox" tabIndex={-1} aria-label={t("runs.select", { name: runName(run) })} checked={state.selected.includes(id)} onChange={() => setSelected(toggled(state.selected, id))} />
        <Status value={run.info.status} short />
        <a tabIndex={-1} href={`/ui/runs/${id}`} title={runName(run)}>{runName(run)}</a>
      </div>
      {columns.map((column) => {
        const text = cellText(run, column);
        return <div key={column} role="gridcell" class={`cell ${alignRight(column) ? "right" : ""}`} title={text.length > 14 ? text : undefined} style={{ width: `${columnWidth(column)}px` }}>{text}</div>;
      })}
    </>
  );
}

function GroupCells({ part }: { part: Part }) {
  const group = part.group!;
  return (
    <div class="cell pin" role="rowheader" style={{ width: "640px", borderRight: "0" }}>
      {part.askable && <Icon name={part.open ? "open" : "closed"} />}
      <span>{group.value ?? <em>{t("group.none")}</em>}</span>
      <span class="muted">{t("runs.count", { n: integer(group.runs) })} · {t("group.newest", { time: time(group.newest_start_time) })}</span>
      {!part.askable && <span class="warn small">{t("group.unaskable")}</span>}
    </div>
  );
}

export function RunsTable({ state, rows, columns }: { state: RunsState; rows: Rows; columns: Column[] }) {
  const [shown, setShown] = useState<[number, number]>([0, 40]);
  const at = useWindow(rows, shown[0], shown[1]);
  const width = kNameWidth + columns.reduce((sum, column) => sum + columnWidth(column), 0);
  const toggleGroup = (part: Part) => part.askable && setOpen(toggled(state.open, part.id));
  const act = (index: number, forRun: (run: Run) => void) => {
    const item = at(index);
    if (!item) return;
    if (item.run) forRun(item.run);
    else if (item.slot.row < 0) toggleGroup(rows.parts[item.slot.section]!);
  };
  return (
    <Grid label={t("runs.title")} count={rows.length} width={width} columns={columns.length + 1} tree={state.group !== undefined} header={<Head state={state} columns={columns} />}
      onShown={(first, end) => setShown([first, end])}
      pick={(index) => act(index, (run) => setSelected(toggled(state.selected, run.info.run_id)))}
      open={(index) => act(index, (run) => go(`/ui/runs/${run.info.run_id}`))}
      row={(index) => {
        const item = at(index);
        const part = item && rows.parts[item.slot.section]!;
        if (item && part && item.slot.row < 0) {
          return { class: "group", level: 1, expanded: part.askable ? part.open : undefined, content: <div role="presentation" onClick={() => toggleGroup(part)} style={{ cursor: part.askable ? "pointer" : "default" }}><GroupCells part={part} /></div> };
        }
        if (!item?.run) return { class: "", content: <div class="cell" role="gridcell" style={{ width: "200px" }}><span class="ghost" /><span class="hidden">{t("state.loading")}</span></div> };
        const picked = state.selected.includes(item.run.info.run_id);
        return { class: picked ? "picked" : "", selected: picked, ...(part!.head ? { level: 2 } : {}), content: <RunCells run={item.run} state={state} columns={columns} indent={part!.head} /> };
      }} />
  );
}

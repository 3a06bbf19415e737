// The spans of a trace: their tree to the left, when each ran to the right. Arrow keys move; left and right close and open.
import { useMemo, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { Icon } from "../../components/basic";
import { duration } from "../../lib/format";
import { t } from "../../lib/i18n";
import { type Row, type Span, lengthOf, rowsOf } from "../../lib/trace";

const percent = (part: number) => `${(100 * part).toFixed(2)}%`;
const lasted = (span: Span) => (span.duration === undefined ? t("trace.state.IN_PROGRESS") : duration(span.duration));

function SpanRow({ row, length, on, open, choose, toggle }: { row: Row; length: number; on: boolean; open: boolean; choose: () => void; toggle: () => void }) {
  const { span } = row;
  return (
    <div id={`span-${span.id}`} role="treeitem" aria-level={row.depth + 1} aria-selected={on} aria-expanded={row.children > 0 ? open : undefined} class={`spanrow ${on ? "on" : ""}`} onClick={choose}>
      <span class="name" style={{ paddingLeft: `${row.depth * 16}px` }}>
        <span class="fold" aria-hidden="true" onClick={(event) => {
          event.stopPropagation();
          toggle();
        }}>{row.children > 0 && <Icon name={open ? "open" : "closed"} />}</span>
        <span title={span.name}>{span.name}</span>{" "}
        {span.type && span.type !== "UNKNOWN" && <span class="tag">{span.type}</span>}
        {span.failed && <span class="bad"><span aria-hidden="true">!</span><span class="hidden"> {t("trace.state.ERROR")}</span></span>}
      </span>{" "}
      <span class="track"><i class={span.failed ? "failed" : ""} style={{ left: percent(Math.min(1, span.start / length)), width: percent(Math.min(1, (span.duration ?? length - span.start) / length)) }} /></span>
      <span class="num small">{lasted(span)}</span>
    </div>
  );
}

export function Waterfall({ spans, chosen, choose }: { spans: Span[]; chosen: string | undefined; choose: (id: string) => void }) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const tree = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => rowsOf(spans, closed), [spans, closed]);
  const length = Math.max(1e-6, lengthOf(spans));
  const at = Math.max(0, rows.findIndex((row) => row.span.id === chosen));
  const moveTo = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (!row) return;
    choose(row.span.id);
    document.getElementById(`span-${row.span.id}`)?.scrollIntoView({ block: "nearest" });
  };
  const setOpen = (id: string, open: boolean) => setClosed((old) => {
    const next = new Set(old);
    open ? next.delete(id) : next.add(id);
    return next;
  });
  const onKey: JSX.KeyboardEventHandler<HTMLDivElement> = (event) => {
    const row = rows[at];
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const open = row.children > 0 && !closed.has(row.span.id);
    const steps: Record<string, () => void> = {
      ArrowDown: () => moveTo(at + 1), ArrowUp: () => moveTo(at - 1), Home: () => moveTo(0), End: () => moveTo(rows.length - 1),
      ArrowLeft: () => (open ? setOpen(row.span.id, false) : moveTo(rows.findIndex((one) => one.span.id === row.span.parent))),
      ArrowRight: () => (row.children > 0 && !open ? setOpen(row.span.id, true) : moveTo(row.children > 0 ? at + 1 : at)),
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    step();
  };
  return (
    <div ref={tree} class="spans" role="tree" tabIndex={0} aria-label={t("trace.waterfall", { duration: duration(length) })} aria-activedescendant={rows[at] ? `span-${rows[at].span.id}` : undefined} onKeyDown={onKey}>
      {rows.map((row) => (
        <SpanRow key={row.span.id} row={row} length={length} on={row === rows[at]} open={!closed.has(row.span.id)} choose={() => choose(row.span.id)} toggle={() => setOpen(row.span.id, closed.has(row.span.id))} />
      ))}
    </div>
  );
}

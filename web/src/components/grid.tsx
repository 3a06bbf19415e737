// A table of any number of rows, of which only those on the screen exist. Arrow keys move, Space picks, Enter opens.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { scrollFor, shownRows } from "../lib/window";

export const kRowHeight = 32;

interface Props {
  label: string;
  count: number;
  width: number; // of a row, in pixels
  header: ComponentChildren;
  columns: number;
  tree: boolean; // some rows hold others
  row: (index: number) => { content: ComponentChildren; class: string; selected?: boolean | undefined; expanded?: boolean | undefined; level?: number };
  pick: (index: number) => void;
  open: (index: number) => void;
  onShown: (first: number, end: number) => void;
}

export function Grid(props: Props) {
  const ref = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ top: 0, height: 600 });
  const [active, setActive] = useState(0);
  const body = place.height - kRowHeight;
  const shown = shownRows(props.count, kRowHeight, place.top, Math.max(0, body));
  useLayoutEffect(() => {
    const element = ref.current!;
    const measure = () => setPlace({ top: element.scrollTop, height: element.clientHeight });
    measure();
    const resize = new ResizeObserver(measure);
    resize.observe(element);
    return () => resize.disconnect();
  }, []);
  useEffect(() => props.onShown(shown.first, shown.end), [shown.first, shown.end]);

  const moveTo = (index: number) => {
    const next = Math.max(0, Math.min(props.count - 1, index));
    setActive(next);
    const to = scrollFor(next, props.count, kRowHeight, place.top, body);
    if (to !== undefined) ref.current!.scrollTop = to;
  };
  const page = Math.max(1, Math.floor(body / kRowHeight) - 1);
  const steps: Record<string, () => void> = {
    ArrowDown: () => moveTo(active + 1), ArrowUp: () => moveTo(active - 1), j: () => moveTo(active + 1), k: () => moveTo(active - 1),
    PageDown: () => moveTo(active + page), PageUp: () => moveTo(active - page), Home: () => moveTo(0), End: () => moveTo(props.count - 1),
    " ": () => props.pick(active), Enter: () => props.open(active), x: () => props.pick(active),
  };
  const onKey: JSX.KeyboardEventHandler<HTMLDivElement> = (event) => {
    if (event.target !== ref.current || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = steps[event.key];
    if (!step || props.count === 0) return;
    event.preventDefault();
    step();
  };
  const rows = [];
  for (let index = shown.first; index < shown.end; index++) {
    const row = props.row(index);
    rows.push(
      <div key={index} id={`row-${index}`} role="row" aria-rowindex={index + 2} aria-selected={row.selected} aria-expanded={row.expanded} aria-level={row.level}
        class={`row ${row.class}${index === active ? " active" : ""}`} onMouseDown={() => setActive(index)}
        style={{ top: `${shown.top + (index - shown.first) * kRowHeight}px`, width: `${props.width}px` }}>
        {row.content}
      </div>,
    );
  }
  return (
    <div ref={ref} class="viewport" role={props.tree ? "treegrid" : "grid"} tabIndex={0} aria-label={props.label} aria-rowcount={props.count + 1} aria-colcount={props.columns}
      aria-multiselectable="true" aria-activedescendant={active >= shown.first && active < shown.end ? `row-${active}` : undefined} onKeyDown={onKey}
      onScroll={(event) => setPlace({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}>
      <div class="row header" role="row" aria-rowindex={1} style={{ width: `${props.width}px` }}>{props.header}</div>
      <div class="rows" role="rowgroup" style={{ height: `${shown.height}px`, width: `${props.width}px` }}>{rows}</div>
    </div>
  );
}

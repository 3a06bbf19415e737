// The text with its spans, its caret and what is selected. The selection is the browser's own, so that it looks and copies as anywhere.
import { Component, type RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { colorOf, inkOn } from "../../lib/annotate/colors";
import type { Editor } from "../../lib/annotate/editor";
import { pressed } from "../../lib/annotate/hotkeys";
import { type Block, type Laid, type Piece, blocks, lanes, pieces, signature } from "../../lib/annotate/segments";
import { t } from "../../lib/annotate/text";

const kLanes = 6; // that are told apart below the text

// A line for each lane, by shadows of which the nearer cover the farther.
function underlines(marks: readonly Laid[]): string {
  const most = Math.min(kLanes, Math.max(...marks.map((one) => one.lane + 1)));
  return Array.from({ length: most }, (_, lane) => {
    const mark = marks.find((one) => one.lane === lane);
    return `0 ${lane * 3 + 2}px 0 ${mark ? mark.color : "var(--surface)"}, 0 ${lane * 3 + 3}px 0 var(--surface)`;
  }).join(", ");
}

function PieceView({ piece, text }: { piece: Piece; text: string }) {
  const inner = piece.marks[piece.marks.length - 1];
  const solid = piece.marks.filter((one) => !one.ghost);
  const part = text.slice(piece.start, piece.end);
  if (!inner) return <span data-u={piece.start}>{part}</span>;
  const on = piece.marks.some((one) => one.on);
  return (
    <>
      <span data-u={piece.start} class={`mark${on ? " on" : ""}${solid.length === 0 ? " hinted" : ""}`} style={{ "--c": inner.color, boxShadow: solid.length > 0 ? underlines(solid) : undefined }}>{part}</span>
      {piece.ending.map((one) => <i key={one.id} aria-hidden="true" class={`lab${one.ghost ? " hinted" : ""}`} data-label={one.label} style={{ "--c": one.color, "--ink": inkOn(one.color) }} />)}
    </>
  );
}

class BlockView extends Component<{ text: string; block: Block; list: Piece[]; look: string }> {
  override shouldComponentUpdate(next: { look: string; text: string }) {
    return next.look !== this.props.look || next.text !== this.props.text;
  }
  override render() {
    const { text, list, block } = this.props;
    return <div class="block" style={{ containIntrinsicSize: `auto ${Math.ceil((block.end - block.start) / 90) * 32}px` }}>{list.map((piece) => <PieceView key={piece.start} piece={piece} text={text} />)}</div>;
  }
}

// The unit at a place of the DOM; undefined outside of the text.
function unitAt(root: HTMLElement, node: Node, offset: number): number | undefined {
  if (!root.contains(node)) return undefined;
  if (node.nodeType === Node.TEXT_NODE) return Number(node.parentElement!.dataset.u) + offset;
  const before = [...(node as Element).querySelectorAll<HTMLElement>("[data-u]")];
  const child = node.childNodes[offset];
  const next = child && (child instanceof HTMLElement ? (child.dataset.u !== undefined ? child : child.querySelector<HTMLElement>("[data-u]")) : null);
  if (next) return Number(next.dataset.u);
  if ((node as HTMLElement).dataset.u !== undefined) return Number((node as HTMLElement).dataset.u) + (offset > 0 ? node.textContent!.length : 0);
  const last = before[before.length - 1];
  return last ? Number(last.dataset.u) + last.textContent!.length : undefined;
}

// The place in the DOM of a unit.
function placeOf(root: HTMLElement, parts: readonly Block[], unit: number): [Node, number] | undefined {
  const index = Math.max(0, parts.findIndex((one) => unit < one.end));
  const block = root.children[unit >= parts[parts.length - 1]!.end ? parts.length - 1 : index];
  let best: HTMLElement | undefined;
  for (const one of block?.querySelectorAll<HTMLElement>("[data-u]") ?? []) if (Number(one.dataset.u) <= unit) best = one;
  const node = best?.firstChild;
  return node ? [node, Math.min(unit - Number(best!.dataset.u), node.textContent!.length)] : undefined;
}

function rangeOf(root: HTMLElement, parts: readonly Block[], from: number, to: number): Range | undefined {
  const start = placeOf(root, parts, from);
  const end = placeOf(root, parts, to);
  if (!start || !end) return undefined;
  const range = document.createRange();
  range.setStart(...start);
  range.setEnd(...end);
  return range;
}

interface Box {
  left: number;
  top: number;
  height: number;
}

// Where the caret is, in pixels of the frame: left of the next character, or right of the last one of a selection or of the text.
function caretBox(frame: HTMLElement, root: HTMLElement, parts: readonly Block[], anchor: number, unit: number, length: number): Box | undefined {
  const after = unit < length && unit <= anchor ? rangeOf(root, parts, unit, unit + 1)?.getClientRects() : undefined;
  const rect = after?.[0] ?? (unit > 0 ? rangeOf(root, parts, unit - 1, unit)?.getClientRects()[0] : undefined);
  if (!rect) return undefined;
  const base = frame.getBoundingClientRect();
  return { left: (after?.[0] ? rect.left : rect.right) - base.left + frame.scrollLeft, top: rect.top - base.top + frame.scrollTop, height: rect.height };
}

interface Arc {
  path: string;
  label: string;
  color: string;
  x: number;
  y: number;
}

// Relations as arcs above the first lines of their spans; those whose ends are not laid out are in the list only.
function arcsOf(editor: Editor, frame: HTMLElement, root: HTMLElement, parts: readonly Block[]): Arc[] {
  const base = frame.getBoundingClientRect();
  const middle = (id: string) => {
    const span = editor.answer.spans?.find((one) => one.id === id);
    const rect = span && rangeOf(root, parts, editor.points.unit(span.start), editor.points.unit(span.end))?.getClientRects()[0];
    return rect && { x: rect.left + rect.width / 2 - base.left + frame.scrollLeft, y: rect.top - base.top + frame.scrollTop };
  };
  return (editor.answer.relations ?? []).slice(0, 100).flatMap((one) => {
    const from = middle(one.from);
    const to = middle(one.to);
    if (!from || !to) return [];
    const up = Math.min(from.y, to.y) - 13;
    return [{ path: `M${from.x} ${from.y} C${from.x} ${up} ${to.x} ${up} ${to.x} ${to.y - 2}`, label: one.label, color: colorOf(editor.scheme.relations, one.label), x: (from.x + to.x) / 2, y: up + 4 }];
  });
}

const typing = () => /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");

// The arrow keys that need lines, which only the browser knows: it moves its selection, and that is read back.
const lineKeys: Record<string, [string, string]> = { ArrowUp: ["backward", "line"], ArrowDown: ["forward", "line"], Home: ["backward", "lineboundary"], End: ["forward", "lineboundary"] };

export function lineKey(editor: Editor, root: HTMLElement, key: string): boolean {
  const extend = key.startsWith("Shift+");
  const how = lineKeys[extend ? key.slice(6) : key];
  const selection = getSelection();
  if (!how || !selection) return false;
  selection.modify(extend ? "extend" : "move", ...how);
  readSelection(editor, root);
  if (!extend) editor.active = undefined;
  return true;
}

function readSelection(editor: Editor, root: HTMLElement): boolean {
  const selection = getSelection();
  if (!selection?.anchorNode || !selection.focusNode) return false;
  const anchor = unitAt(root, selection.anchorNode, selection.anchorOffset);
  const focus = unitAt(root, selection.focusNode, selection.focusOffset);
  if (anchor === undefined || focus === undefined) return false;
  editor.select(anchor, focus);
  return true;
}

export function TextView({ editor, root }: { editor: Editor; root: RefObject<HTMLDivElement> }) {
  const frame = useRef<HTMLDivElement>(null);
  const [box, setBox] = useState<Box>();
  const [arcs, setArcs] = useState<Arc[]>([]);
  const [width, setWidth] = useState(0);
  const text = editor.task.text;
  const { answer, active, ghosts, suggestions } = editor;
  const parts = useMemo(() => blocks(text), [text]);
  const list = useMemo(() => {
    const own = (answer.spans ?? []).map((one) => ({ id: one.id, start: editor.points.unit(one.start), end: editor.points.unit(one.end), label: one.label, color: colorOf(editor.scheme.spans, one.label), on: one.id === active }));
    const there = new Set(own.map((one) => `${one.start} ${one.end} ${one.label}`));
    const ghost = !ghosts ? [] : suggestions.flatMap((suggestion, i) => (suggestion.answer.spans ?? []).map((one) => ({ id: `${i}?${one.id}`, start: editor.points.unit(one.start), end: editor.points.unit(one.end), label: one.label, color: colorOf(editor.scheme.spans, one.label), ghost: true })))
      .filter((one) => !there.has(`${one.start} ${one.end} ${one.label}`) && there.add(`${one.start} ${one.end} ${one.label}`));
    return pieces(parts, lanes([...own, ...ghost]));
  }, [parts, answer.spans, active, ghosts, suggestions]);
  const { anchor, focus } = editor.selection;

  useLayoutEffect(() => {
    const resize = new ResizeObserver(() => setWidth(frame.current!.clientWidth));
    resize.observe(frame.current!);
    return () => resize.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (!editor.marking || typing()) return;
    const from = placeOf(root.current!, parts, anchor);
    const to = placeOf(root.current!, parts, focus);
    const selection = getSelection();
    if (!from || !to || !selection) return;
    if (selection.anchorNode !== from[0] || selection.anchorOffset !== from[1] || selection.focusNode !== to[0] || selection.focusOffset !== to[1]) selection.setBaseAndExtent(...from, ...to);
    const next = caretBox(frame.current!, root.current!, parts, anchor, focus, text.length);
    setBox(next);
    const view = frame.current!;
    if (next && (next.top < view.scrollTop || next.top + next.height > view.scrollTop + view.clientHeight)) view.scrollTop = Math.max(0, next.top - view.clientHeight / 3);
  }, [anchor, focus, list, width]);
  useLayoutEffect(() => setArcs(arcsOf(editor, frame.current!, root.current!, parts)), [answer.relations, answer.spans, width]);
  useEffect(() => {
    // Released anywhere: what was begun in the text ends there.
    let began: number | undefined;
    const down = (event: PointerEvent) => {
      began = root.current!.contains(event.target as Node) && event.button === 0 ? event.timeStamp : undefined;
    };
    const up = () => {
      if (began === undefined) return;
      began = undefined;
      setTimeout(() => {
        if (root.current && readSelection(editor, root.current) && editor.start === editor.end) editor.click(editor.selection.focus);
      });
    };
    addEventListener("pointerdown", down);
    addEventListener("pointerup", up);
    return () => {
      removeEventListener("pointerdown", down);
      removeEventListener("pointerup", up);
    };
  }, [editor]);

  return (
    <div ref={frame} class={`annotext${editor.scheme.relations.length > 0 ? " related" : ""}`} tabIndex={0} role="group" aria-label={t("text.label")} onKeyDown={(event) => {
      // Where nothing is marked, keys scroll.
      if (editor.marking && /^(Arrow|Home|End)/.test(pressed(event).replace(/^.*\+/, ""))) event.preventDefault();
    }}>
      <div ref={root} class="blocks">{parts.map((block, i) => <BlockView key={block.start} text={text} block={block} list={list[i]!} look={signature(list[i]!)} />)}</div>
      {editor.marking && box && <div class="caret" aria-hidden="true" style={{ left: `${box.left}px`, top: `${box.top}px`, height: `${box.height}px` }} />}
      {arcs.length > 0 && (
        <svg class="arcs" aria-hidden="true">
          <defs><marker id="arrow" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0 6 3 0 6z" fill="context-stroke" /></marker></defs>
          {arcs.map((arc, i) => <g key={i}><path d={arc.path} stroke={arc.color} fill="none" marker-end="url(#arrow)" /><text x={arc.x} y={arc.y} text-anchor="middle">{arc.label}</text></g>)}
        </svg>
      )}
    </div>
  );
}

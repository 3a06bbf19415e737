// Parallel coordinates: an axis for each chosen column, a line for each run; a range on an axis keeps the runs within it.
import { scaleLinear, scalePoint } from "d3-scale";
import { useMemo, useRef, useState } from "preact/hooks";
import type { Run } from "../lib/api";
import { download } from "../lib/csv";
import { type Column, columnKey } from "../lib/filter";
import { number } from "../lib/format";
import { t } from "../lib/i18n";
import { type ParallelAxis, axisOf, keeps } from "../lib/parallel";
import { cell, runName } from "../lib/runs";
import { css } from "../lib/theme";

const width = 1000;
const height = 380;
const top = 46;
const bottom = 24;

export function Parallel({ runs, columns, color }: { runs: Run[]; columns: Column[]; color: Column | undefined }) {
  const [ranges, setRanges] = useState<Record<Column, [number, number]>>({});
  const [hover, setHover] = useState<string>();
  const svg = useRef<SVGSVGElement>(null);
  const drag = useRef<{ column: Column; from: number }>();
  const axes = useMemo(() => columns.map((column) => axisOf(column, runs.map((run) => cell(run, column)))), [runs, columns]);
  const x = scalePoint<Column>().domain(columns).range([84, width - 50]);
  const y = (axis: ParallelAxis) => scaleLinear().domain(axis.domain).range([height - bottom, top]);
  const shade = axes.find((axis) => axis.column === color);
  const tint = (i: number) => {
    const position = shade?.positions[i];
    if (!shade || position === undefined) return "var(--accent)";
    const [low, high] = shade.domain;
    const part = high > low ? (position - low) / (high - low) : 0.5;
    return `color-mix(in oklab, #e8902a ${Math.round(part * 100)}%, #2f6fd0)`;
  };
  const kept = runs.map((_, i) => axes.every((axis) => keeps(axis.positions[i], ranges[axis.column])));
  const at = (event: PointerEvent) => ((event.clientY - svg.current!.getBoundingClientRect().top) / svg.current!.clientHeight) * height;
  const move = (event: PointerEvent) => {
    const active = drag.current;
    const axis = active && axes.find((one) => one.column === active.column);
    if (!active || !axis) return;
    const values = [y(axis).invert(active.from), y(axis).invert(at(event))].sort((a, b) => a - b) as [number, number];
    setRanges({ ...ranges, [axis.column]: values });
  };
  const save = () => {
    const copy = svg.current!.cloneNode(true) as SVGSVGElement;
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    const text = new XMLSerializer().serializeToString(copy).replaceAll(/var\((--[\w-]+)\)/g, (_, name: string) => css(name));
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      canvas.width = width * 2;
      canvas.height = height * 2;
      const context = canvas.getContext("2d")!;
      context.fillStyle = css("--surface");
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => blob && download("parallel.png", blob), "image/png");
    };
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  };
  const shown = kept.filter(Boolean).length;
  return (
    <div class="card">
      <div class="bar">
        <span role="status">{t("parallel.shown", { n: shown, all: runs.length })}</span>
        <span class="muted small">{hover ?? t("parallel.hint")}</span>
        <span class="grow" />
        {Object.keys(ranges).length > 0 && <button type="button" onClick={() => setRanges({})}>{t("parallel.clear")}</button>}
        <button type="button" onClick={save}>PNG</button>
      </div>
      <div class="scroll">
        <svg ref={svg} viewBox={`0 0 ${width} ${height}`} width="100%" style={{ minWidth: "640px", touchAction: "none" }} role="img"
          aria-label={t("parallel.label", { n: runs.length, columns: columns.map(columnKey).join(", ") })}
          onPointerMove={move} onPointerUp={() => (drag.current = undefined)} onPointerLeave={() => (drag.current = undefined)}>
          {[false, true].map((front) => runs.map((run, i) => kept[i] === front && (
            <polyline key={`${front}${run.info.run_id}`} fill="none" stroke={front ? tint(i) : "var(--line)"} stroke-width={front ? 1.5 : 1} stroke-opacity={front ? 0.75 : 0.6}
              points={axes.filter((axis) => axis.positions[i] !== undefined).map((axis) => `${x(axis.column)},${y(axis)(axis.positions[i]!)}`).join(" ")}
              onPointerEnter={() => setHover(runName(run))} onPointerLeave={() => setHover(undefined)} />
          )))}
          {axes.map((axis) => {
            const range = ranges[axis.column];
            const scale = y(axis);
            return (
              <g key={axis.column} transform={`translate(${x(axis.column)} 0)`}>
                <line y1={top} y2={height - bottom} stroke="var(--strong-line)" />
                <text y={18} text-anchor="middle" fill="var(--text)" font-size="12" font-weight="600">{columnKey(axis.column).slice(0, 22)}</text>
                {axis.ticks.map(([position, name]) => <text key={name} x={-7} y={scale(position) + 4} text-anchor="end" fill="var(--muted)" font-size="11">{name.slice(0, 14)}</text>)}
                {range && <rect x={-7} width={14} y={scale(range[1])} height={Math.max(2, scale(range[0]) - scale(range[1]))} fill="var(--accent)" fill-opacity="0.35" />}
                <rect x={-14} width={28} y={top} height={height - bottom - top} fill="transparent" style={{ cursor: "ns-resize" }}
                  onPointerDown={(event) => (drag.current = { column: axis.column, from: at(event) })} />
              </g>
            );
          })}
        </svg>
      </div>
      <details>
        <summary>{t("parallel.ranges")}</summary>
        <div class="bar" style={{ marginTop: "8px" }}>
          {axes.filter((axis) => !axis.names).map((axis) => {
            const [low, high] = ranges[axis.column] ?? axis.domain;
            const set = (which: 0 | 1, text: string) => {
              const value = Number(text);
              if (text === "" || Number.isNaN(value)) return;
              setRanges({ ...ranges, [axis.column]: which === 0 ? [value, high] : [low, value] });
            };
            return (
              <span class="field" key={axis.column}>
                <span class="mono">{columnKey(axis.column)}</span>
                <input type="number" step="any" aria-label={t("parallel.from", { name: columnKey(axis.column) })} value={number(low)} onChange={(event) => set(0, event.currentTarget.value)} style={{ width: "110px" }} />
                <input type="number" step="any" aria-label={t("parallel.to", { name: columnKey(axis.column) })} value={number(high)} onChange={(event) => set(1, event.currentTarget.value)} style={{ width: "110px" }} />
              </span>
            );
          })}
        </div>
      </details>
    </div>
  );
}

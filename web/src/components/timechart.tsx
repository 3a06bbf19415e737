// Numbers over time: lines, or bars for counts.
import { useMemo } from "preact/hooks";
import uPlot from "uplot";
import { number } from "../lib/format";
import { seriesColor } from "../lib/theme";
import { axisStyle, useUplot } from "./uplot";

export interface TimeLine {
  name: string;
  values: (number | undefined)[];
  bars?: boolean;
}

export function TimeChart({ label, times, lines, height = 170 }: { label: string; times: number[]; lines: TimeLine[]; height?: number }) {
  const data = useMemo(() => [times.map((ms) => ms / 1000), ...lines.map((line) => line.values.map((value) => value ?? null))] as uPlot.AlignedData, [times, lines]);
  const shape = lines.map((line) => line.name + (line.bars ?? "")).join("\n");
  const { host } = useUplot(shape, data, height, () => ({
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] } },
    axes: [axisStyle(), { ...axisStyle(), size: 58, values: (_plot, ticks) => ticks.map((tick) => number(tick)) }],
    series: [{}, ...lines.map((line, i) => ({
      label: line.name, stroke: seriesColor(i), width: 1.6, spanGaps: false, ...(line.bars ? { paths: uPlot.paths.bars!({ size: [0.8, 40] }), fill: `${seriesColor(i)}88`, points: { show: false } } : {}),
      value: (_plot: uPlot, value: number | null) => (value === null ? "" : number(value)),
    }))],
  }));
  return <div ref={host} role="img" aria-label={label} />;
}

// Numbers over time: lines, or bars for counts.
import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import { number } from "../lib/format";
import { css, onTheme, seriesColor } from "../lib/theme";

export interface TimeLine {
  name: string;
  values: (number | undefined)[];
  bars?: boolean;
}

export function TimeChart({ label, times, lines, height = 170 }: { label: string; times: number[]; lines: TimeLine[]; height?: number }) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>();
  const data = useMemo(() => [times.map((ms) => ms / 1000), ...lines.map((line) => line.values.map((value) => value ?? null))] as uPlot.AlignedData, [times, lines]);
  const shape = lines.map((line) => line.name + (line.bars ?? "")).join("\n");
  useEffect(() => {
    const element = host.current!;
    const draw = () => {
      plot.current?.destroy();
      const axis = { stroke: css("--muted"), grid: { stroke: css("--grid"), width: 1 }, ticks: { stroke: css("--grid") }, font: "12px system-ui" };
      plot.current = new uPlot({
        width: element.clientWidth, height, cursor: { drag: { x: false, y: false } },
        scales: { y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] } },
        axes: [axis, { ...axis, size: 58, values: (_plot, ticks) => ticks.map((tick) => number(tick)) }],
        series: [{}, ...lines.map((line, i) => ({
          label: line.name, stroke: seriesColor(i), width: 1.6, spanGaps: false, ...(line.bars ? { paths: uPlot.paths.bars!({ size: [0.8, 40] }), fill: `${seriesColor(i)}88`, points: { show: false } } : {}),
          value: (_plot: uPlot, value: number | null) => (value === null ? "" : number(value)),
        }))],
      }, data, element);
    };
    draw();
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    const stop = onTheme(draw);
    return () => {
      resize.disconnect();
      stop();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(data), [data]);
  return <div ref={host} role="img" aria-label={label} />;
}

// The life of a uPlot chart in its element: made when its shape is new, given new data, made again when the theme changes (it
// is drawn with the page's colours), as wide as its element, removed with it.
import { useEffect, useRef } from "preact/hooks";
import type { RefObject } from "preact";
import uPlot from "uplot";
import { css, onTheme } from "../lib/theme";

// `shape` names all that needs a new chart; `options` is asked when one is made.
export function useUplot(shape: string, data: uPlot.AlignedData, height: number, options: () => Omit<uPlot.Options, "width" | "height">): { host: RefObject<HTMLDivElement>; plot: RefObject<uPlot> } {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const latest = useRef({ data, options }); // a change of the theme comes long after the chart was made
  latest.current = { data, options };
  useEffect(() => {
    const element = host.current!;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot({ ...latest.current.options(), width: element.clientWidth, height }, latest.current.data, element);
    };
    draw();
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    const stop = onTheme(draw);
    return () => {
      resize.disconnect();
      stop();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape, height]);
  useEffect(() => plot.current?.setData(data), [data]);
  return { host, plot };
}

// What all axes of the pages have in common.
export const axisStyle = (): uPlot.Axis => ({ stroke: css("--muted"), grid: { stroke: css("--grid"), width: 1 }, ticks: { stroke: css("--grid") }, font: "12px system-ui" });

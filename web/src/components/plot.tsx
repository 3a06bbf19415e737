// Curves of one metric, one line a run, drawn by uPlot; a table of the same for those who cannot see it.
import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import type { Curve } from "../lib/api";
import { download } from "../lib/csv";
import { number } from "../lib/format";
import { t } from "../lib/i18n";
import { type Axis, aligned, smoothed } from "../lib/series";
import { css, seriesColor, seriesDash } from "../lib/theme";
import { Icon } from "./basic";
import { axisStyle, useUplot } from "./uplot";

export interface Line {
  curve: Curve;
  name: string;
  color: number; // index of the series' colour
}

interface Props {
  title: string;
  lines: Line[];
  axis: Axis;
  log: boolean;
  smooth: number;
  height?: number;
}

function options(props: Props): Omit<uPlot.Options, "width" | "height"> {
  return {
    legend: { show: true, live: true },
    cursor: { sync: { key: "slipway" }, drag: { x: true, y: false } },
    scales: { x: { time: props.axis === "wall" }, y: props.log ? { distr: 3 } : {} },
    axes: [axisStyle(), { ...axisStyle(), size: 62, values: (_plot, ticks) => ticks.map((tick) => (tick === null ? "" : number(tick))) }],
    series: [
      { label: t(`axis.${props.axis}`) },
      ...props.lines.map((line) => ({
        label: line.name, stroke: seriesColor(line.color), width: 1.6, dash: seriesDash(line.color), spanGaps: true,
        points: { show: line.curve.values.length < 3 },
        // Under the pointer; without one, the last.
        value: (_plot: uPlot, value: number | null, _series: number, index: number | null) =>
          index === null ? number(line.curve.values.at(-1)) : value === null ? "" : number(value),
      })),
    ],
  };
}

export function Plot(props: Props) {
  const data = useMemo(
    () => aligned(props.lines.map((line) => smoothed(line.curve.values, props.smooth)), props.lines.map((line) => line.curve), props.axis),
    [props.lines, props.axis, props.smooth],
  );
  const shape = JSON.stringify([props.axis, props.log, props.lines.map((line) => [line.name, line.color, line.curve.values.length < 3])]);
  const { host, plot } = useUplot(shape, data as uPlot.AlignedData, props.height ?? 190, () => options(props));
  const bad = props.lines.reduce((sum, line) => sum + line.curve.not_finite, 0);
  const save = () => {
    const canvas = plot.current?.ctx.canvas;
    if (!canvas) return;
    const copy = document.createElement("canvas");
    copy.width = canvas.width;
    copy.height = canvas.height;
    const context = copy.getContext("2d")!;
    context.fillStyle = css("--surface");
    context.fillRect(0, 0, copy.width, copy.height);
    context.drawImage(canvas, 0, 0);
    copy.toBlob((blob) => blob && download(`${props.title.replace(/[^\w.-]+/g, "_")}.png`, blob), "image/png");
  };
  return (
    <section class="card plot" aria-label={props.title}>
      <div class="bar">
        <h2 class="mono">{props.title}</h2>
        {bad > 0 && <span class="small warn">{t("curves.notFinite", { n: bad })}</span>}
        <span class="grow" />
        <button type="button" class="plain" aria-label={t("action.png", { name: props.title })} title="PNG" onClick={save}><Icon name="save" /></button>
      </div>
      <div ref={host} aria-hidden="true" />
      <table class="hidden">
        <caption>{props.title}</caption>
        <thead><tr><th scope="col">{t("runs.run")}</th><th scope="col">{t("curves.points")}</th><th scope="col">{t("curves.last")}</th><th scope="col">{t("curves.least")}</th><th scope="col">{t("curves.greatest")}</th></tr></thead>
        <tbody>
          {props.lines.map((line) => (
            <tr key={line.curve.run_id}>
              <th scope="row">{line.name}</th><td>{line.curve.total}</td><td>{number(line.curve.values.at(-1))}</td>
              <td>{number(Math.min(...line.curve.values))}</td><td>{number(Math.max(...line.curve.values))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

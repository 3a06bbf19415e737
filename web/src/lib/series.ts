// Curves made ready to draw: one rising row of x for all of them, gaps where one has no point, smoothing.

export type Axis = "step" | "relative" | "wall";
export interface Points {
  steps: number[];
  times: number[]; // milliseconds
}

// A metric that was logged without steps is drawn over its order.
export function xOf(points: Points, axis: Axis): number[] {
  const { steps, times } = points;
  if (axis === "wall") return times.map((ms) => ms / 1000);
  if (axis === "relative") return times.map((ms) => (ms - (times[0] ?? 0)) / 1000);
  return steps.length > 1 && steps[0] === steps.at(-1) ? steps.map((_, i) => i) : steps;
}

// Rows for uPlot: x, then one of y for each curve. Where a curve has two points at one x, the last counts.
export function aligned(values: number[][], points: Points[], axis: Axis): (number | null)[][] {
  const maps = points.map((one, i) => {
    const map = new Map<number, number>();
    xOf(one, axis).forEach((x, j) => map.set(x, values[i]![j]!));
    return map;
  });
  const all = [...new Set(maps.flatMap((map) => [...map.keys()]))].sort((a, b) => a - b);
  return [all, ...maps.map((map) => all.map((x) => map.get(x) ?? null))];
}

// Exponential moving average, its first values not drawn to zero (as Adam corrects its moments). weight 0: as it is.
export function smoothed(values: number[], weight: number): number[] {
  if (weight <= 0) return values;
  let last = 0;
  let trust = 0;
  return values.map((value) => {
    last = last * weight + value * (1 - weight);
    trust = trust * weight + (1 - weight);
    return last / trust;
  });
}

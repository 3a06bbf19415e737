// Axes of parallel coordinates: numbers where all values are numbers, else one place for each text.
import type { Column } from "./filter";
import { number } from "./format";

export interface ParallelAxis {
  column: Column;
  names: boolean; // places for texts
  domain: [number, number];
  positions: (number | undefined)[]; // of each run; undefined: it has no value
  ticks: [number, string][];
}

export function axisOf(column: Column, values: (number | string | undefined)[]): ParallelAxis {
  const given = values.filter((value) => value !== undefined && value !== "");
  const numbers = values.map((value) => (value === undefined || value === "" ? undefined : Number(value)));
  if (given.length > 0 && numbers.every((value, i) => value === undefined || Number.isFinite(value) || values[i] === "NaN")) {
    const finite = numbers.map((value) => (value !== undefined && Number.isFinite(value) ? value : undefined));
    const present = finite.filter((value) => value !== undefined);
    const low = present.reduce((a, b) => Math.min(a, b), Infinity);
    const high = present.reduce((a, b) => Math.max(a, b), -Infinity);
    const domain: [number, number] = present.length === 0 ? [0, 1] : low < high ? [low, high] : [low - 1, high + 1];
    const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => domain[0] + part * (domain[1] - domain[0]));
    return { column, names: false, domain, positions: finite, ticks: ticks.map((tick) => [tick, number(Number(tick.toPrecision(3)))]) };
  }
  const names = [...new Set(given.map(String))].sort();
  const positions = values.map((value) => (value === undefined || value === "" ? undefined : names.indexOf(String(value))));
  const every = Math.max(1, Math.ceil(names.length / 12));
  return { column, names: true, domain: [-0.5, Math.max(0.5, names.length - 0.5)], positions,
    ticks: names.flatMap((name, i): [number, string][] => (i % every === 0 ? [[i, name]] : [])) };
}

// Is the position within the range? Without a range all are, with one only runs that have a value.
export const keeps = (position: number | undefined, range: [number, number] | undefined) =>
  range === undefined || (position !== undefined && position >= range[0] && position <= range[1]);

// What is read of a run.
import type { Run } from "./api";
import { type Column, columnKey, columnKind } from "./filter";
import { type Value, duration, number, time } from "./format";

export const runName = (run: Run) => run.info.run_name || run.info.run_id.slice(0, 8);

export const attributes = ["start_time", "duration", "user_id", "status", "end_time", "run_id"] as const;

// The value of a column: numbers for metrics and times, texts for the rest.
export function cell(run: Run, column: Column): Value | undefined {
  const key = columnKey(column);
  switch (columnKind(column)) {
    case "m": return run.data.metrics?.find((one) => one.key === key)?.value;
    case "p": return run.data.params?.find((one) => one.key === key)?.value;
    case "t": return run.data.tags?.find((one) => one.key === key)?.value;
    default:
      if (key === "duration") return run.info.start_time ? (run.info.end_time || Date.now()) - run.info.start_time : undefined;
      return (run.info as Record<string, Value | undefined>)[key];
  }
}

// The same as it is shown.
export function cellText(run: Run, column: Column): string {
  const value = cell(run, column);
  if (value === undefined) return "";
  if (column === "a:start_time" || column === "a:end_time") return time(Number(value));
  if (column === "a:duration") return duration(Number(value));
  return columnKind(column) === "m" ? number(value) : String(value);
}

// Columns that these runs have, those of most runs first.
export function columnsOf(runs: Run[]): Column[] {
  const counts = new Map<Column, number>();
  const add = (kind: string, list: { key?: string }[] | undefined) => {
    for (const { key } of list ?? []) if (key && !(kind === "t" && key.startsWith("mlflow."))) counts.set(`${kind}:${key}`, (counts.get(`${kind}:${key}`) ?? 0) + 1);
  };
  for (const run of runs) {
    add("m", run.data.metrics);
    add("p", run.data.params);
    add("t", run.data.tags);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([column]) => column);
}

export function defaultColumns(runs: Run[]): Column[] {
  const known = columnsOf(runs);
  const some = (kind: string, most: number) => known.filter((column) => column.startsWith(kind)).slice(0, most);
  return ["a:start_time", "a:duration", ...some("m:", 6), ...some("p:", 6)];
}

export const columnWidth = (column: Column) => (column === "a:run_id" ? 270 : column === "a:start_time" || column === "a:end_time" ? 150 : column.startsWith("m:") ? 120 : 130);
export const alignRight = (column: Column) => column.startsWith("m:") || column === "a:duration";

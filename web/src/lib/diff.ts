// Runs side by side: a row for each parameter or metric, and which rows differ.
import type { Run } from "./api";
import { type Column, columnKind } from "./filter";
import { cell, cellText } from "./runs";

export interface DiffRow {
  column: Column;
  texts: string[];
  differs: boolean;
}

export function diffRows(runs: Run[], columns: Column[]): DiffRow[] {
  return columns.map((column) => {
    const raw = runs.map((run) => cell(run, column));
    return { column, texts: runs.map((run) => cellText(run, column)), differs: raw.some((value) => value !== raw[0]) };
  }).sort((a, b) => rank(a.column) - rank(b.column) || (a.column < b.column ? -1 : 1));
}

const rank = (column: Column) => "pmta".indexOf(columnKind(column));

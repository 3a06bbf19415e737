// The runs page's state, all of it in the address.
import type { RunsSpec } from "../../lib/api";
import type { Column } from "../../lib/filter";
import { setQuery, usePlace } from "../../lib/router";

export const kMostSelected = 100;

export type View = "table" | "curves" | "parallel" | "diff";

export interface RunsState {
  spec: RunsSpec;
  columns: Column[] | undefined; // undefined: those that the first runs have
  group: Column | undefined;
  open: string[]; // groups whose runs are shown, by value; "=" and the value, "-" for runs without one
  selected: string[];
  view: View;
}

const list = (text: string | null) => (text ? text.split(",").filter(Boolean).map(decodeURIComponent) : []);
const joined = (items: string[]) => items.map((item) => item.replace(/[%,]/g, encodeURIComponent)).join(",");

export function useRunsState(fallback: string[]): RunsState {
  const { query } = usePlace();
  const view = query.get("view");
  return {
    spec: {
      experiments: query.has("e") ? list(query.get("e")) : fallback,
      filter: query.get("q") ?? "",
      order: query.get("order") ?? "",
      view: query.get("deleted") ? "DELETED_ONLY" : "ACTIVE_ONLY",
    },
    columns: query.has("cols") ? list(query.get("cols")) : undefined,
    group: query.get("group") ?? undefined,
    open: list(query.get("open")),
    selected: list(query.get("sel")),
    view: view === "curves" || view === "parallel" || view === "diff" ? view : "table",
  };
}

export const setColumns = (columns: Column[]) => setQuery({ cols: joined(columns) }, true);
export const setSelected = (ids: string[]) => setQuery({ sel: joined(ids.slice(0, kMostSelected)) }, true);
export const setExperiments = (ids: string[]) => setQuery({ e: joined(ids), sel: undefined, open: undefined });
export const setOpen = (values: string[]) => setQuery({ open: joined(values) }, true);

export function toggled(list: string[], item: string): string[] {
  return list.includes(item) ? list.filter((one) => one !== item) : [...list, item];
}

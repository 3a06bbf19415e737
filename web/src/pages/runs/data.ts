// The rows of the table: sections (groups, or all runs), and the windows of them that are on the screen.
import { useQueries, useQuery } from "@tanstack/preact-query";
import { useMemo } from "preact/hooks";
import { type Run, type RunGroup, type RunsSpec, countRuns, groupRuns, keys, runWindow } from "../../lib/api";
import { both, fieldOf, groupFilter } from "../../lib/filter";
import { type Section, type Slot, slotAt, totalLength } from "../../lib/window";
import type { RunsState } from "./state";

export const kPage = 100;
const kLive = 5000; // milliseconds between looks at what is on the screen

export interface Part extends Section {
  spec: RunsSpec;
  group: RunGroup | undefined;
  id: string; // of the group, for the address
  askable: boolean; // its runs can be asked for
}

export interface Rows {
  parts: Part[];
  length: number;
  total: number | undefined;
  moreGroups: boolean;
  error: unknown;
  loading: boolean;
  retry: () => void;
}

export const groupId = (group: RunGroup) => (group.value === undefined ? "-" : `=${group.value}`);

export function useRows(state: RunsState): Rows {
  const { spec, group } = state;
  const enabled = spec.experiments.length > 0;
  const count = useQuery({ queryKey: keys.count(spec), queryFn: ({ signal }) => countRuns(spec, signal), enabled, refetchInterval: kLive, placeholderData: (old) => old });
  const by = group ? fieldOf(group) : "";
  const groups = useQuery({ queryKey: keys.groups(spec, by), queryFn: ({ signal }) => groupRuns(spec, by, signal), enabled: enabled && by !== "", refetchInterval: kLive });
  const parts = useMemo<Part[]>(() => {
    if (!group) return [{ count: count.data ?? 0, open: true, head: false, spec, group: undefined, id: "", askable: true }];
    return (groups.data?.groups ?? []).map((one) => {
      const filter = groupFilter(group, one.value);
      const id = groupId(one);
      return { count: one.runs, open: filter !== undefined && state.open.includes(id), head: true, group: one, id, askable: filter !== undefined,
        spec: { ...spec, filter: both(spec.filter, filter ?? "") } };
    });
  }, [spec.filter, spec.order, spec.view, spec.experiments.join(), group, state.open.join(), count.data, groups.data]);
  return {
    parts, length: totalLength(parts), total: enabled ? count.data : 0, moreGroups: groups.data?.more ?? false,
    error: count.error ?? groups.error, loading: enabled && (count.isPending || (by !== "" && groups.isPending)),
    retry: () => void (count.refetch(), by && groups.refetch()),
  };
}

// The runs at these rows, as far as they are there: slot and run for each row from `first` to `end`.
export function useWindow(rows: Rows, first: number, end: number): (index: number) => { slot: Slot; run: Run | undefined } | undefined {
  const wanted = new Map<string, { part: Part; offset: number }>();
  for (let index = first; index < Math.min(end, rows.length); index++) {
    const slot = slotAt(rows.parts, index);
    if (!slot || slot.row < 0) continue;
    const offset = slot.row - (slot.row % kPage);
    wanted.set(`${slot.section}:${offset}`, { part: rows.parts[slot.section]!, offset });
  }
  const list = [...wanted];
  const pages = useQueries({
    queries: list.map(([, { part, offset }]) => ({
      queryKey: keys.window(part.spec, offset, kPage),
      queryFn: ({ signal }: { signal: AbortSignal }) => runWindow(part.spec, offset, kPage, signal),
      refetchInterval: kLive,
      placeholderData: (old: Run[] | undefined) => old,
    })),
  });
  const found = new Map(list.map(([id], i) => [id, pages[i]?.data]));
  return (index) => {
    const slot = slotAt(rows.parts, index);
    if (!slot) return undefined;
    const offset = slot.row - (slot.row % kPage);
    return { slot, run: slot.row < 0 ? undefined : found.get(`${slot.section}:${offset}`)?.[slot.row - offset] };
  };
}

// The first runs that match, for columns, charts and exports.
export function useFirstRuns(spec: RunsSpec, limit: number, enabled = true) {
  return useQuery({ queryKey: keys.window(spec, 0, limit), queryFn: ({ signal }) => runWindow(spec, 0, limit, signal), enabled: enabled && spec.experiments.length > 0, placeholderData: (old) => old, refetchInterval: kLive });
}

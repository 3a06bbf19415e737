// What can be taken back: the states of one answer, and before those the answers that were saved.

const kMost = 500; // states kept of one answer

export interface Undo<T> {
  past: readonly T[];
  now: T;
  future: readonly T[];
}

export const begin = <T>(now: T): Undo<T> => ({ past: [], now, future: [] });

// A new state; what had been taken back is forgotten. The same state again changes nothing.
export function push<T>(undo: Undo<T>, now: T): Undo<T> {
  if (now === undo.now) return undo;
  return { past: [...undo.past.slice(-(kMost - 1)), undo.now], now, future: [] };
}

export function back<T>(undo: Undo<T>): Undo<T> | undefined {
  if (undo.past.length === 0) return undefined;
  return { past: undo.past.slice(0, -1), now: undo.past[undo.past.length - 1]!, future: [undo.now, ...undo.future] };
}

export function forth<T>(undo: Undo<T>): Undo<T> | undefined {
  if (undo.future.length === 0) return undefined;
  return { past: [...undo.past, undo.now], now: undo.future[0]!, future: undo.future.slice(1) };
}

// Which key means what on the page where one answers. Labels have their own or get one; commands are the same everywhere. Keys are
// KeyboardEvent.key, with "Ctrl+", "Alt+", "Shift+" before those that no character says.
import { type Question, type Scheme, type Task, asks } from "./answer";

// Letters that are commands (docs/guide/annotate-keys.md): g begins the ways to other pages. With Shift a letter is another key.
export const reserved = "aeghinorstzARZ";
const digits = "1234567890";
const letters = "bcdfjklmpquvwxyBCDEFGHIJKLMNOPQSTUVWXY";

export type Target =
  | { kind: "class"; name: string }
  | { kind: "span"; name: string }
  | { kind: "rating"; value: number }
  | { kind: "preferred"; value: number }
  | { kind: "message"; value: number };

export interface Hotkey {
  key: string; // "" where all are taken
  target: Target;
}

const usable = (key: string) => [...key].length === 1 && key.trim() !== "" && !reserved.includes(key) && !"?/,.[]<>".includes(key);

// The keys of everything that is chosen: first what labels ask for, each key once and none of a command; then, in the order of the
// questions, digits and letters. Ratings and candidates have their own digit where it is free.
export function assign(scheme: Scheme, task: Pick<Task, "candidates"> = {}): Hotkey[] {
  const wanted: { target: Target; wish: string }[] = [];
  const add = (question: Question, list: () => { target: Target; wish: string }[]) => {
    if (asks(scheme, question)) wanted.push(...list());
  };
  const ratings = (kind: "rating" | "message") => Array.from({ length: scheme.rating_max }, (_, i): { target: Target; wish: string } => ({ target: { kind, value: i + 1 }, wish: i < 9 ? String(i + 1) : "" }));
  if (asks(scheme, "classification", "multi-label")) wanted.push(...scheme.classes.map((one) => ({ target: { kind: "class" as const, name: one.name }, wish: one.hotkey ?? "" })));
  if (asks(scheme, "spans", "relations")) wanted.push(...scheme.spans.map((one) => ({ target: { kind: "span" as const, name: one.name }, wish: one.hotkey ?? "" })));
  add("rating", () => ratings("rating"));
  add("preference", () => [...(task.candidates ?? []).map((_, i) => ({ target: { kind: "preferred" as const, value: i }, wish: i < 9 ? String(i + 1) : "" })), { target: { kind: "preferred" as const, value: -1 }, wish: "0" }]);
  add("chat-review", () => ratings("message"));
  return given(wanted);
}

// The same for the labels of relations: they are asked for only when two spans were picked, so they have all keys.
export const assignRelations = (scheme: Scheme) => given(scheme.relations.map((one) => ({ target: { kind: "span" as const, name: one.name }, wish: one.hotkey ?? "" })));

function given(wanted: { target: Target; wish: string }[]): Hotkey[] {
  const taken = new Set<string>();
  const keys = wanted.map(({ wish }) => {
    if (!usable(wish) || taken.has(wish)) return "";
    taken.add(wish);
    return wish;
  });
  const pool = [...digits, ...letters].filter((key) => !taken.has(key));
  return wanted.map(({ target }, i) => ({ target, key: keys[i] || (pool.shift() ?? "") }));
}

// Labels whose wish cannot be: their key is a command, or another's.
export function refused(scheme: Scheme): string[] {
  const assigned = [...assign(scheme), ...(asks(scheme, "relations") ? assignRelations(scheme) : [])];
  const labels = [...(asks(scheme, "classification", "multi-label") ? scheme.classes : []), ...(asks(scheme, "spans", "relations") ? scheme.spans : []), ...(asks(scheme, "relations") ? scheme.relations : [])];
  return labels.filter((label) => label.hotkey && !assigned.some((one) => one.key === label.hotkey && "name" in one.target && one.target.name === label.name)).map((label) => label.name);
}

// The name of the key that was pressed: "z", "Shift+Z" as "Z", "Ctrl+ArrowRight", "Shift+ArrowLeft".
export function pressed(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">): string {
  const character = [...event.key].length === 1;
  const key = character ? (event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase()) : event.key; // whatever Caps Lock says
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${event.shiftKey && !character ? "Shift+" : ""}${key}`;
}

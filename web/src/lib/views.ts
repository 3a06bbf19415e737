// Saved views of the runs page: names for addresses, kept in this browser, and which of them an experiment begins with.

export interface View {
  name: string;
  address: string; // "/ui/runs?e=1&q=…"
}

export interface Views {
  views: View[];
  defaults: Record<string, string>; // the experiment's id → the view's name
}

export const noViews: Views = { views: [], defaults: {} };

const kKey = "slipway.views";
const kMost = 500;
const kFormat = "slipway-views";

// An address of the runs page; what else a file may hold is none.
const isAddress = (text: unknown): text is string => typeof text === "string" && text.length < 8000 && /^\/ui\/runs\?[^#\s\\]*$/.test(text);
const isName = (text: unknown): text is string => typeof text === "string" && text.trim() !== "" && text.length <= 200;

// What a file or the storage holds, as far as it makes sense; undefined when it holds no views.
export function parseViews(text: string): Views | undefined {
  let json: { format?: unknown; views?: unknown; defaults?: unknown };
  try {
    json = JSON.parse(text) as typeof json;
  } catch {
    return undefined;
  }
  if (typeof json !== "object" || json === null || json.format !== kFormat || !Array.isArray(json.views)) return undefined;
  const views = (json.views as Partial<View>[]).flatMap((one) => (one && isName(one.name) && isAddress(one.address) ? [{ name: one.name, address: one.address }] : [])).slice(0, kMost);
  const names = new Set(views.map((one) => one.name));
  const defaults = typeof json.defaults === "object" && json.defaults !== null ? Object.entries(json.defaults).filter(([, name]) => typeof name === "string" && names.has(name)) : [];
  return { views, defaults: Object.fromEntries(defaults) as Record<string, string> };
}

export const viewsText = (all: Views) => JSON.stringify({ format: kFormat, ...all }, null, 2);

// Those of `more` replace those of the same name.
export function merged(all: Views, more: Views): Views {
  const names = new Set(more.views.map((one) => one.name));
  return { views: [...all.views.filter((one) => !names.has(one.name)), ...more.views].sort((a, b) => (a.name < b.name ? -1 : 1)), defaults: { ...all.defaults, ...more.defaults } };
}

export function without(all: Views, name: string): Views {
  return { views: all.views.filter((one) => one.name !== name), defaults: Object.fromEntries(Object.entries(all.defaults).filter(([, one]) => one !== name)) };
}

export function withDefault(all: Views, experiment: string, name: string | undefined): Views {
  const { [experiment]: _, ...rest } = all.defaults;
  return { ...all, defaults: name === undefined ? rest : { ...rest, [experiment]: name } };
}

// Where an experiment begins; undefined: at the plain table.
export function firstView(all: Views, experiment: string): string | undefined {
  return all.views.find((one) => one.name === all.defaults[experiment])?.address;
}

export function loadViews(): Views {
  try {
    return parseViews(localStorage.getItem(kKey) ?? "") ?? noViews;
  } catch {
    return noViews;
  }
}

// Whether they could be kept.
export function storeViews(all: Views): boolean {
  try {
    localStorage.setItem(kKey, viewsText(all));
    return true;
  } catch {
    return false;
  }
}

// The address is the state: a page is its path and its query, so that every view can be linked to and gone back to.
import { useEffect, useState } from "preact/hooks";

const listeners = new Set<() => void>();
const notify = () => listeners.forEach((listener) => listener());
addEventListener("popstate", notify);

export interface Place {
  path: string;
  query: URLSearchParams;
}

export function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

export function go(url: string, replace = false): void {
  if (url === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", url);
  notify();
}

export function usePlace(): Place {
  const [place, set] = useState(here);
  useEffect(() => {
    const listener = () => set(here());
    listeners.add(listener);
    if (place.path !== location.pathname || `?${place.query}` !== (location.search || "?")) listener(); // it was changed before this effect ran
    return () => void listeners.delete(listener);
  }, []);
  return place;
}

// "/ui/runs" with these parameters; empty ones are left out.
export function link(path: string, query: Record<string, string | undefined> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) search.set(name, value);
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

// This address with some parameters changed; undefined removes one.
export function patched(patch: Record<string, string | undefined>): string {
  const { path, query } = here();
  for (const [name, value] of Object.entries(patch)) value ? query.set(name, value) : query.delete(name);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

export const setQuery = (patch: Record<string, string | undefined>, replace = false) => go(patched(patch), replace);

// Plain clicks on links within the pages change the address without loading anything.
export function onLinkClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const anchor = (event.target as Element).closest?.("a[href]");
  if (!(anchor instanceof HTMLAnchorElement) || anchor.target || anchor.hasAttribute("download")) return;
  const url = new URL(anchor.href);
  if (url.origin !== location.origin || !(url.pathname === "/ui" || url.pathname.startsWith("/ui/"))) return;
  if (url.pathname.startsWith("/ui/assets/")) return;
  event.preventDefault();
  go(url.pathname + url.search);
}

// MLflow's clients print addresses of its own pages ("/#/experiments/0/runs/ID"): the page of ours that shows the same.
export function fromMlflow(hash: string): string | undefined {
  const parts = hash.replace(/^#\/?/, "").split(/[/?]/).map(decodeURIComponent);
  if (parts[0] === "experiments" && parts[2] === "runs" && parts[3]) return `/ui/runs/${encodeURIComponent(parts[3])}`;
  if (parts[0] === "experiments" && parts[1]) return link("/ui/runs", { e: parts[1] });
  if (parts[0] === "models" && parts[1]) {
    return link(`/ui/models/${encodeURIComponent(parts[1])}`, { v: parts[2] === "versions" ? parts[3] : undefined });
  }
  if (parts[0] === "models") return "/ui/models";
  return undefined;
}

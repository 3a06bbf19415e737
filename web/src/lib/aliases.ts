// What an alias pointed to over time, from the history of its changes.
import type { ModelPage } from "./api";

export interface Span {
  alias: string;
  version: number;
  from: number;
  to: number | undefined; // undefined: it still points there
  who: string | undefined; // who moved it
  override: string | undefined; // why an admin moved it against the policy
}

// The newest span first. A change to the version that it was already is none.
export function spans(aliases: ModelPage["aliases"]): Span[] {
  return aliases.flatMap(({ alias, history }) => {
    const list: Span[] = [];
    for (const step of [...history].reverse()) {
      const last = list.at(-1);
      if (last?.version === step.version) continue;
      if (last) last.to = step.changed_ms;
      list.push({ alias, version: step.version, from: step.changed_ms, to: undefined, who: step.who ?? undefined, override: step.override ?? undefined });
    }
    return list;
  }).sort((a, b) => b.from - a.from);
}

// The version that the alias meant at that moment.
export const servedAt = (all: Span[], alias: string, ms: number) => all.find((span) => span.alias === alias && span.from <= ms && (span.to === undefined || ms < span.to))?.version;

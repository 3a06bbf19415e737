// What a dataset's manifest tells (docs/formats/dataset.md), read with care: older versions may lack parts.

type Json = Record<string, unknown>;
const object = (value: unknown): Json => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {});
const count = (value: unknown) => (typeof value === "number" ? value : 0);

export interface Balance {
  label: string;
  counts: number[]; // in each split
}

export const splits = ["train", "validation", "test"] as const;

// Rows of each label in each split, the most frequent label first.
export function balance(manifest: Json): Balance[] {
  const all = object(manifest.splits);
  const labels = [...new Set(splits.flatMap((split) => Object.keys(object(object(all[split]).labels))))];
  return labels.map((label) => ({ label, counts: splits.map((split) => count(object(object(all[split]).labels)[label])) }))
    .sort((a, b) => b.counts.reduce((x, y) => x + y, 0) - a.counts.reduce((x, y) => x + y, 0));
}

export interface Words {
  facts: [string, number][];
  bins: { low: number; high: number; count: number }[];
  top: [string, number][];
  languages: [string, number][];
}

export function words(manifest: Json): Words {
  const statistics = object(manifest.statistics);
  const given = object(statistics.words);
  const bins = (Array.isArray(given.histogram) ? given.histogram : []).map(object).map((bin) => ({ low: count(bin.low), high: count(bin.high), count: count(bin.count) }));
  const pairs = (value: unknown): [string, number][] => Array.isArray(value)
    ? value.map((one) => (Array.isArray(one) ? [String(one[0]), count(one[1])] : [String(object(one).word ?? ""), count(object(one).count)]))
    : Object.entries(object(value)).map(([name, n]) => [name, count(n)]);
  return {
    facts: ["mean", "min", "p5", "p25", "p50", "p75", "p95", "p99", "max"].filter((name) => typeof given[name] === "number").map((name) => [name, count(given[name])]),
    bins, top: pairs(statistics.top_words), languages: pairs(statistics.languages).sort((a, b) => b[1] - a[1]),
  };
}

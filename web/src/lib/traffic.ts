// Numbers of a deployment's traffic from the predictions that its page was given.

// The smallest of these numbers that at least a share p of them do not exceed (nearest rank); undefined without numbers.
export function quantile(values: number[], p: number): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
}

export interface Bucket {
  begin: number; // milliseconds
  count: number;
  p50: number | undefined; // milliseconds
  p95: number | undefined;
}

const widths = [1, 5, 15, 60, 300, 900, 3600, 7200].map((seconds) => seconds * 1000);

// Predictions over time: at most `most` spans of equal length, those without predictions among them.
export function buckets(times: number[], latenciesUs: number[], most = 60): Bucket[] {
  if (times.length === 0) return [];
  const first = times.reduce((a, b) => Math.min(a, b));
  const last = times.reduce((a, b) => Math.max(a, b));
  const width = widths.find((one) => (last - first) / one < most - 1) ?? Math.ceil((last - first) / (most - 1));
  const start = Math.floor(first / width) * width;
  const parts: number[][] = Array.from({ length: Math.floor((last - start) / width) + 1 }, () => []);
  times.forEach((time, i) => parts[Math.floor((time - start) / width)]!.push(latenciesUs[i]! / 1000));
  return parts.map((part, i) => ({ begin: start + i * width, count: part.length, p50: quantile(part, 0.5), p95: quantile(part, 0.95) }));
}

export const bucketWidth = (list: Bucket[]) => (list.length > 1 ? list[1]!.begin - list[0]!.begin : 1000);

export interface Token {
  begin: number; // code points
  end: number;
  value: number;
}

// A text cut into its explained words and what lies between them, by offsets in code points.
export function pieces(text: string, tokens: Token[]): { text: string; value: number | undefined }[] {
  const points = [...text];
  const list: { text: string; value: number | undefined }[] = [];
  let at = 0;
  for (const token of [...tokens].sort((a, b) => a.begin - b.begin)) {
    if (token.begin < at || token.end > points.length) continue;
    if (token.begin > at) list.push({ text: points.slice(at, token.begin).join(""), value: undefined });
    list.push({ text: points.slice(token.begin, token.end).join(""), value: token.value });
    at = token.end;
  }
  if (at < points.length) list.push({ text: points.slice(at).join(""), value: undefined });
  return list;
}

// "models:/NAME@ALIAS" → its parts.
export function followed(reference: string): { model: string; alias: string } | undefined {
  const match = /^models:\/(.+)@([^@/]+)$/.exec(reference);
  return match ? { model: match[1]!, alias: match[2]! } : undefined;
}

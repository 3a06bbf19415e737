// How a file is shown, by its name.
export type Kind = "text" | "table" | "lines" | "json" | "image" | "page" | "none";

export const kMostPreview = 2_000_000; // bytes that are fetched to be shown as text

export function kindOf(path: string): Kind {
  const name = path.toLowerCase().split("/").at(-1)!;
  const ending = name.includes(".") ? name.slice(name.lastIndexOf(".") + 1) : "";
  if (["png", "jpg", "jpeg", "gif", "webp", "svg"].includes(ending)) return "image";
  if (["html", "htm"].includes(ending)) return "page";
  if (["csv", "tsv"].includes(ending)) return "table";
  if (["jsonl", "ndjson"].includes(ending)) return "lines";
  if (ending === "json") return "json";
  if (["txt", "log", "md", "py", "yaml", "yml", "toml", "cfg", "ini", "sh", "cc", "h", "js", "ts", "tex", "bib", "vocab", "merges"].includes(ending) || ["mlmodel", "requirements", "license", "readme"].includes(name)) return "text";
  return "none";
}

// JSON lines as a table: the keys of all of them, in the order they come.
export function tableOfLines(text: string, limit: number): { head: string[]; rows: string[][] } {
  const records: Record<string, unknown>[] = [];
  for (const line of text.split("\n")) {
    if (records.length >= limit) break;
    if (line.trim() === "") continue;
    try {
      const value: unknown = JSON.parse(line);
      records.push(typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : { value });
    } catch {
      records.push({ line });
    }
  }
  const head = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return { head, rows: records.map((record) => head.map((key) => textOf(record[key]))) };
}

const textOf = (value: unknown) => (value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));

export interface Confusion {
  labels: string[];
  counts: number[][]; // rows are the truth
}

// A matrix of counts in the forms that evaluations are logged in: {confusion, labels} (slipway evaluate), {matrix | confusion_matrix,
// labels | classes}, or a bare square of numbers.
export function confusionOf(json: unknown): Confusion | undefined {
  const object = (typeof json === "object" && json !== null ? json : {}) as Record<string, unknown>;
  const matrix = Array.isArray(json) ? json : object.confusion ?? object.confusion_matrix ?? object.matrix;
  if (!Array.isArray(matrix) || matrix.length < 2 || matrix.length > 200) return undefined;
  const square = matrix.every((row) => Array.isArray(row) && row.length === matrix.length && row.every((count) => typeof count === "number" && Number.isFinite(count) && count >= 0));
  if (!square) return undefined;
  const names = object.labels ?? object.classes;
  const labels = Array.isArray(names) && names.length === matrix.length ? names.map(String) : matrix.map((_, i) => String(i));
  return { labels, counts: matrix as number[][] };
}

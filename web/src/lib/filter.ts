// Pieces of MLflow's search language, written so that any key and nearly any value is safe in them.

const entities: Record<string, string> = { m: "metrics", p: "params", t: "tags", a: "attributes" };

// A column is "m:loss", "p:lr", "t:team" or "a:start_time".
export type Column = string;
export const columnKey = (column: Column) => column.slice(2);
export const columnKind = (column: Column) => column.slice(0, 1) as "m" | "p" | "t" | "a";

// The column's name in a filter or an order: "metrics.`top 1`".
export function fieldOf(column: Column): string {
  const entity = entities[columnKind(column)];
  const key = columnKey(column);
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return `${entity}.${key}`;
  return key.includes("`") ? `${entity}."${key}"` : `${entity}.\`${key}\``;
}

// "params.lr" as a column; undefined for what is none.
export function columnOf(field: string): Column | undefined {
  const match = /^(metrics|params|tags|attributes)\.(.+)$/s.exec(field.trim());
  if (!match) return undefined;
  const kind = Object.keys(entities).find((key) => entities[key] === match[1]);
  return `${kind}:${match[2]!.replace(/^([`"])(.*)\1$/s, "$2")}`;
}

// A text as a literal; undefined when it has both kinds of quotes, for which the language has no form.
export function literal(value: string): string | undefined {
  if (!value.includes("'")) return `'${value}'`;
  return value.includes('"') ? undefined : `"${value}"`;
}

export const both = (a: string, b: string) => [a, b].map((text) => text.trim()).filter(Boolean).join(" AND ");

// The runs of one group; undefined when they cannot be asked for.
export function groupFilter(by: Column, value: string | undefined): string | undefined {
  if (value === undefined) return `${fieldOf(by)} IS NULL`;
  const text = literal(value);
  return text === undefined ? undefined : `${fieldOf(by)} = ${text}`;
}

// "metrics.acc DESC" → the column and its direction.
export function parseOrder(order: string): { column: Column; descending: boolean } | undefined {
  const match = /^(.*?)(?:\s+(ASC|DESC))?$/is.exec(order.trim());
  const column = match?.[1] ? columnOf(match[1]) : undefined;
  return column ? { column, descending: match?.[2]?.toUpperCase() === "DESC" } : undefined;
}

// What a click on a column's head makes of the order: falling, rising, none; texts rise first.
export function nextOrder(order: string, column: Column): string {
  const now = parseOrder(order);
  const first = columnKind(column) === "m" || column === "a:start_time" || column === "a:end_time" ? " DESC" : " ASC";
  const second = first === " DESC" ? " ASC" : " DESC";
  if (now?.column !== column) return fieldOf(column) + first;
  return (now.descending ? " DESC" : " ASC") === first ? fieldOf(column) + second : "";
}

// Measures as Slipway records them: a value with its 95 % interval and sample size, or a bare number.
import { number } from "./format";

export interface Estimate {
  value: number | null;
  low?: number | null;
  high?: number | null;
  n?: number;
}

export function estimateOf(value: unknown): Estimate | undefined {
  if (typeof value === "number") return { value };
  if (typeof value !== "object" || value === null || !("value" in value)) return undefined;
  return value as Estimate;
}

export function estimateText(one: Estimate | undefined): string {
  if (!one || one.value === null) return "";
  const interval = typeof one.low === "number" && typeof one.high === "number" ? ` [${number(one.low)}, ${number(one.high)}]` : "";
  return number(one.value) + interval;
}

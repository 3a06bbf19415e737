// Numbers, times and sizes as people read them, in the language of the pages.
import { lang } from "./i18n";

// Metrics as numbers, or the texts that JSON has no numbers for.
export type Value = number | string;

export function number(value: Value | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "string") return value;
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return integer(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(3);
  return new Intl.NumberFormat("en", { maximumSignificantDigits: 5, useGrouping: false }).format(value);
}

export const integer = (value: number) => new Intl.NumberFormat(lang() === "zh" ? "zh-CN" : "en").format(value);
export const percent = (value: number) => `${(value * 100).toFixed(1)} %`;

export function time(ms: number | undefined): string {
  if (!ms) return "";
  const date = new Date(ms);
  const sameYear = date.getFullYear() === new Date().getFullYear();
  return new Intl.DateTimeFormat(lang() === "zh" ? "zh-CN" : "en-GB", {
    ...(sameYear ? {} : { year: "numeric" }), month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
    hour12: false,
  }).format(date);
}

export function duration(ms: number): string {
  if (ms > 0 && ms < 10) return `${number(Number(ms.toPrecision(2)))} ms`;
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

export function bytes(size: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = size;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

// The texts of the pages in English and Chinese. English is the list of keys: a text that Chinese lacks does not compile.
import { useEffect, useState } from "preact/hooks";
import { en } from "./en";
import { zh } from "./zh";

export type Lang = "en" | "zh";
export type Key = keyof typeof en;

const tables: Record<Lang, Record<Key, string>> = { en, zh };
const listeners = new Set<() => void>();

export const lang = (): Lang => (typeof document !== "undefined" && document.documentElement.lang.startsWith("zh") ? "zh" : "en");

export function setLang(chosen: Lang): void {
  document.documentElement.lang = chosen;
  try {
    localStorage.setItem("slipway.lang", chosen);
  } catch {
    // No storage: for this visit only.
  }
  listeners.forEach((listener) => listener());
}

// "{n} runs" with n filled in.
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return tables[lang()][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

// Draws again when the language changes.
export function useLang(): Lang {
  const [now, set] = useState(lang);
  useEffect(() => {
    const listener = () => set(lang());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return now;
}

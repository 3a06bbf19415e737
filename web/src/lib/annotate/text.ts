// The texts of the annotation pages, apart from the others: they come with these pages.
import { type Lang, lang } from "../i18n";
import { en } from "./en";
import { zh } from "./zh";

export type Key = keyof typeof en;
const tables: Record<Lang, Record<Key, string>> = { en, zh };

export const t = (key: Key, values: Record<string, string | number> = {}): string => tables[lang()][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

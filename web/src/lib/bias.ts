// The bias suite of an evaluation (docs/formats/artifacts.md, evaluation.json), read with care, and group rates of windows.
import { type Estimate, estimateOf } from "./estimate";
import type { DeploymentPage } from "./api";

type Json = Record<string, unknown>;
const object = (value: unknown): Json => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {});
const list = (value: unknown): Json[] => (Array.isArray(value) ? value.map(object) : []);

export interface BiasSuite {
  suite: string;
  flipRate: Estimate | undefined;
  maxShift: number | undefined;
  groups: { group: string; shift: Estimate | undefined; flipRate: Estimate | undefined }[]; // the largest shift first
  examples: { text: string; counterfactual: string; group: string; from: string; to: string }[];
}

// undefined when the evaluation had no suite.
export function biasOf(evaluation: unknown): BiasSuite | undefined {
  const bias = object(evaluation).bias;
  if (typeof bias !== "object" || bias === null) return undefined;
  const given = object(bias);
  const size = (one: { shift: Estimate | undefined }) => Math.abs(one.shift?.value ?? 0);
  return {
    suite: String(given.suite ?? ""), flipRate: estimateOf(given.flip_rate), maxShift: typeof given.max_shift === "number" ? given.max_shift : undefined,
    groups: list(given.groups).map((one) => ({ group: String(one.group), shift: estimateOf(one.shift), flipRate: estimateOf(one.flip_rate) })).sort((a, b) => size(b) - size(a)),
    examples: list(given.examples).map((one) => ({ text: String(one.text ?? ""), counterfactual: String(one.counterfactual ?? ""), group: String(one.group ?? ""), from: String(one.label ?? ""), to: String(one.counterfactual_label ?? "") })),
  };
}

type Windows = DeploymentPage["windows"];
export type GroupRate = NonNullable<Windows[number]["data"]["groups"]>[number];

// The newest window that has rates of groups.
export function newestGroups(windows: Windows): { window: number; groups: GroupRate[] } | undefined {
  const last = [...windows].reverse().find((one) => (one.data.groups ?? []).length > 0);
  return last && { window: last.data.window, groups: last.data.groups! };
}

// Of each group and class, how far its rate is from the reference in each window; the farthest first.
export function groupDistances(windows: Windows, most = 8): { name: string; values: (number | undefined)[] }[] {
  const names = [...new Set(windows.flatMap((one) => (one.data.groups ?? []).map((group) => `${group.group} → ${group.label}`)))];
  const lines = names.map((name) => ({ name, values: windows.map((one) => {
    const group = one.data.groups?.find((item) => `${item.group} → ${item.label}` === name);
    return typeof group?.rate.value === "number" && typeof group.reference.value === "number" ? Math.abs(group.rate.value - group.reference.value) : undefined;
  }) }));
  const largest = (values: (number | undefined)[]) => Math.max(0, ...values.map((value) => value ?? 0));
  return lines.sort((a, b) => largest(b.values) - largest(a.values)).slice(0, most);
}

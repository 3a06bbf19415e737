// Light, dark, or as the system has it.
export type Theme = "light" | "dark" | "system";

const listeners = new Set<() => void>();
const dark = matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", () => listeners.forEach((listener) => listener()));

export const theme = (): Theme => (document.documentElement.dataset.theme as Theme | undefined) ?? "system";

export function setTheme(chosen: Theme): void {
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  try {
    localStorage.setItem("slipway.theme", chosen);
  } catch {
    // No storage: for this visit only.
  }
  listeners.forEach((listener) => listener());
}

// Charts are drawn with the colours of the page at that moment; they draw again when these change.
export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Ten colours that differ for colour-blind eyes too (Observable's, 2023), then the same with dashes.
const series = ["#4269d0", "#e8a210", "#f4634f", "#38a89d", "#3ca951", "#e8719c", "#9b5de5", "#6f9df1", "#9c6b4e", "#8a8f98"];
export const seriesColor = (index: number) => series[index % series.length]!;
export const seriesDash = (index: number): number[] | undefined => {
  const round = Math.floor(index / series.length) % 4;
  return [undefined, [6, 4], [2, 3], [10, 3, 2, 3]][round];
};

// Colours of labels: their own, or one of ten by their place.
import type { Label } from "./answer";

const palette = ["#4269d0", "#e8a210", "#f4634f", "#38a89d", "#3ca951", "#e8719c", "#9b5de5", "#6f9df1", "#9c6b4e", "#8a8f98"];

export const colorAt = (place: number) => palette[place % palette.length]!;

export function colorOf(labels: readonly Label[], name: string): string {
  const place = labels.findIndex((one) => one.name === name);
  const own = labels[place]?.color;
  return own && /^#[0-9a-f]{6}$/i.test(own) ? own : colorAt(Math.max(0, place));
}

// Black or white, whichever is read better on the colour (WCAG's relative luminance).
export function inkOn(color: string): string {
  const part = (at: number) => {
    const value = parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) > 0.179 ? "#000000" : "#ffffff"; // where both contrasts are equal
}

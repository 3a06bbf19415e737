// Which rows of a long list are on the screen. Browsers draw no element higher than some 17 million pixels (Firefox) or 33
// (Chrome), and a million rows are 32 million: past kMaxHeight the scroll bar moves over fewer pixels than rows would take.

export const kMaxHeight = 8_000_000;

export interface Shown {
  height: number; // of the whole list, for the scroll bar
  first: number;  // row
  end: number;    // after the last row
  top: number;    // where the first of these rows is drawn, in pixels of the list
}

export function shownRows(count: number, rowHeight: number, scrollTop: number, viewport: number, extra = 8): Shown {
  const real = count * rowHeight;
  const height = Math.min(real, kMaxHeight);
  const fit = Math.ceil(viewport / rowHeight) + 1;
  if (real <= kMaxHeight) {
    const at = Math.max(0, Math.floor(scrollTop / rowHeight));
    const first = Math.max(0, Math.min(at, Math.max(0, count - fit)) - extra);
    return { height, first, end: Math.min(count, at + fit + extra), top: first * rowHeight };
  }
  const part = Math.min(1, Math.max(0, scrollTop / Math.max(1, height - viewport)));
  const offset = part * (real - viewport); // the pixel of the real list that is at the top of the screen
  const at = Math.floor(offset / rowHeight);
  const first = Math.max(0, at - extra);
  return { height, first, end: Math.min(count, at + fit + extra), top: scrollTop - (offset - first * rowHeight) };
}

// Where to scroll to so that the row is wholly visible; undefined when it is.
export function scrollFor(row: number, count: number, rowHeight: number, scrollTop: number, viewport: number): number | undefined {
  const real = count * rowHeight;
  const scale = real <= kMaxHeight ? 1 : (kMaxHeight - viewport) / (real - viewport);
  const offset = scrollTop / scale;
  if (row * rowHeight < offset) return row * rowHeight * scale;
  if ((row + 1) * rowHeight > offset + viewport) return ((row + 1) * rowHeight - viewport) * scale;
  return undefined;
}

export interface Section {
  count: number; // rows without its head
  open: boolean;
  head: boolean; // it has a head row
}

export type Slot = { section: number; row: number }; // row -1: the head

// What lies at a row of the list that the sections make together, and how long that list is.
export function sectionLength(section: Section): number {
  return (section.head ? 1 : 0) + (section.open ? section.count : 0);
}
export function totalLength(sections: Section[]): number {
  return sections.reduce((sum, section) => sum + sectionLength(section), 0);
}
export function slotAt(sections: Section[], index: number): Slot | undefined {
  let rest = index;
  for (let i = 0; i < sections.length; i++) {
    const section = sections[i]!;
    const length = sectionLength(section);
    if (rest < length) return { section: i, row: section.head ? rest - 1 : rest };
    rest -= length;
  }
  return undefined;
}

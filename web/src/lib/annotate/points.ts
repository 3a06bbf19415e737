// Positions of a text: the record counts code points, browsers UTF-16 units. A character beyond U+FFFF (emoji, rare Chinese) is one
// point and two units. The places of those are kept once, so that a text without any costs nothing and others a binary search.

export class Points {
  private readonly wide: number[] = []; // units at which a pair of surrogates begins, rising
  readonly length: number;              // in points

  constructor(readonly text: string) {
    for (let i = 0; i + 1 < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit < 0xd800 || unit > 0xdbff) continue;
      const low = text.charCodeAt(i + 1);
      if (low < 0xdc00 || low > 0xdfff) continue;
      this.wide.push(i);
      i++;
    }
    this.length = text.length - this.wide.length;
  }

  // The point that holds the unit (the second half of a pair belongs to its character); past the end: the end.
  point(unit: number): number {
    const at = this.snap(Math.max(0, Math.min(unit, this.text.length)));
    return at - countBelow(this.wide, (start) => start < at);
  }

  // The unit at which the point begins; past the end: the end.
  unit(point: number): number {
    const at = Math.max(0, Math.min(point, this.length));
    return at + countBelow(this.wide, (start, index) => start - index < at);
  }

  // The text between two points.
  slice(start: number, end: number): string {
    return this.text.slice(this.unit(start), this.unit(end));
  }

  // The nearest unit at or before this one that is no second half of a pair.
  snap(unit: number): number {
    const before = countBelow(this.wide, (start) => start < unit);
    return before > 0 && this.wide[before - 1]! + 1 === unit ? unit - 1 : unit;
  }
}

// How many items from the front satisfy what holds for a first part of the list.
export function countBelow<T>(list: readonly T[], holds: (item: T, index: number) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(list[middle]!, middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

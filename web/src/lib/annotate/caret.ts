// Where a caret goes: by what people see as one character (an emoji with its joiners, a letter with its accents) or by words, which
// Chinese has too. Positions are UTF-16 units.

export type Step = "character" | "word";

export class Caret {
  private readonly characters: Intl.Segments;
  private readonly words: Intl.Segments;

  constructor(readonly text: string, language?: string) {
    this.characters = new Intl.Segmenter(language, { granularity: "grapheme" }).segment(text);
    this.words = new Intl.Segmenter(language, { granularity: "word" }).segment(text);
  }

  next(at: number, step: Step): number {
    if (at >= this.text.length) return this.text.length;
    if (step === "character") return end(this.characters.containing(at)!);
    let segment = this.words.containing(at);
    while (segment && !segment.isWordLike) segment = this.words.containing(end(segment)); // over spaces to the end of the next word
    return segment ? end(segment) : this.text.length;
  }

  previous(at: number, step: Step): number {
    if (at <= 0) return 0;
    if (step === "character") return this.characters.containing(at - 1)!.index;
    let segment = this.words.containing(at - 1);
    while (segment && !segment.isWordLike && segment.index > 0) segment = this.words.containing(segment.index - 1);
    return segment?.isWordLike ? segment.index : 0;
  }

  // The word at the caret, or that which ends there; undefined where there is none.
  word(at: number): [number, number] | undefined {
    for (const place of [at, at - 1]) {
      const segment = place >= 0 && place < this.text.length ? this.words.containing(place) : undefined;
      if (segment?.isWordLike) return [segment.index, end(segment)];
    }
    return undefined;
  }
}

const end = (segment: Intl.SegmentData) => segment.index + segment.segment.length;

// A selection without the blanks at its ends, which nobody means to label; all blanks: nothing.
export function trimmed(text: string, start: number, end: number): [number, number] | undefined {
  const part = text.slice(start, end);
  const body = part.trim();
  if (!body) return undefined;
  const first = start + part.indexOf(body);
  return [first, first + body.length];
}

// A text as pieces between which spans begin and end, in blocks that are drawn one by one: a browser lays out only the blocks on the
// screen (content-visibility), and only blocks whose pieces changed are made again. Positions are UTF-16 units.

export interface Mark {
  id: string;
  start: number;
  end: number;
  color: string;
  label: string;
  ghost?: boolean; // suggested, not answered
  on?: boolean;    // chosen
}

export interface Laid extends Mark {
  lane: number; // marks that overlap lie in different lanes; the longest of those that begin together in the lowest
}

export interface Piece {
  start: number;
  end: number;
  marks: Laid[];  // those over it, the widest first
  ending: Laid[]; // those that end with it
}

export interface Block {
  start: number;
  end: number;
}

// Greedy interval partitioning: as few lanes as overlap at most.
export function lanes(marks: readonly Mark[]): Laid[] {
  const free: number[] = []; // end of the last mark of each lane
  return [...marks].sort((a, b) => a.start - b.start || b.end - a.end || (a.id < b.id ? -1 : 1)).map((mark) => {
    let lane = free.findIndex((end) => end <= mark.start);
    if (lane < 0) lane = free.length;
    free[lane] = mark.end;
    return { ...mark, lane };
  });
}

const kBlock = 1200;   // units after which a block ends with its line
const kLongest = 3000; // a line longer than this is cut at a blank or sentence end, which shows as a new line

export function blocks(text: string): Block[] {
  const list: Block[] = [];
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf("\n", Math.min(text.length, start + kBlock)) + 1;
    if (end === 0) end = text.length;
    if (end - start > kLongest) end = cut(text, start, start + kLongest, text.lastIndexOf("\n", start + kLongest) + 1);
    list.push({ start, end });
    start = end;
  }
  return list.length > 0 ? list : [{ start: 0, end: 0 }];
}

function cut(text: string, start: number, most: number, line: number): number {
  if (line > start) return line;
  for (let at = most; at > start + kLongest / 2; at--) if (/[\s。！？；，、]/.test(text[at - 1]!)) return at;
  const low = text.charCodeAt(most); // never between the halves of a pair
  return low >= 0xdc00 && low <= 0xdfff ? most - 1 : most;
}

// The pieces of each block. Marks that are empty or outside are left out.
export function pieces(parts: readonly Block[], marks: readonly Laid[]): Piece[][] {
  const last = parts[parts.length - 1]!.end;
  const valid = marks.filter((mark) => mark.end > mark.start && mark.start >= 0 && mark.end <= last);
  const starting = [...valid].sort((a, b) => a.start - b.start);
  const edges = [...new Set(valid.flatMap((mark) => [mark.start, mark.end]))].sort((a, b) => a - b);
  let edge = 0;
  let begun = 0;
  let open: Laid[] = [];
  return parts.map((block) => {
    const list: Piece[] = [];
    let at = block.start;
    while (at < block.end) {
      while (edge < edges.length && edges[edge]! <= at) edge++;
      const end = Math.min(edges[edge] ?? block.end, block.end);
      open = open.filter((mark) => mark.end > at);
      while (begun < starting.length && starting[begun]!.start <= at) {
        open.push(starting[begun]!);
        begun++;
      }
      const over = [...open].sort((a, b) => b.end - b.start - (a.end - a.start) || a.lane - b.lane);
      list.push({ start: at, end, marks: over, ending: over.filter((mark) => mark.end === end).reverse() });
      at = end;
    }
    return list;
  });
}

// Two lists of pieces that look the same have the same signature.
export const signature = (list: readonly Piece[]) =>
  list.map((piece) => `${piece.start}:${piece.marks.map((mark) => `${mark.id},${mark.label},${mark.color},${mark.lane}${mark.ghost ? "?" : ""}${mark.on ? "!" : ""}`).join(";")}`).join("|");

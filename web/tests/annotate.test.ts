// Annotation: positions, pieces of a text, answers, keys, undo: what the pages are made of.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, type Scheme, accept, addRelation, addSpan, changeSpan, disputed, isEmpty, missing, removeSpan, tidy, toggleClass } from "../src/lib/annotate/answer";
import { Caret, trimmed } from "../src/lib/annotate/caret";
import { inkOn } from "../src/lib/annotate/colors";
import { Editor } from "../src/lib/annotate/editor";
import { en } from "../src/lib/annotate/en";
import { assign, assignRelations, pressed, refused, reserved } from "../src/lib/annotate/hotkeys";
import { Points } from "../src/lib/annotate/points";
import { blocks, lanes, pieces, signature } from "../src/lib/annotate/segments";
import { back, begin, forth, push } from "../src/lib/annotate/undo";
import { zh } from "../src/lib/annotate/zh";

const scheme = (more: Partial<Scheme> = {}): Scheme => ({ questions: ["spans"], classes: [], spans: [{ name: "PER" }, { name: "ORG" }], relations: [], rating_max: 5, overlapping: true, ...more });
const task = (text: string, more = {}) => ({ id: 1, key: "k", text, ...more });

test("points and units of texts with emoji and rare Chinese", () => {
  for (const text of ["plain", "", "😀", "a😀b", "𠮷野家是𠮷", "👩‍👩‍👧 family", "é e\u0301", "😀😀😀"]) {
    const points = new Points(text);
    const list = [...text];
    assert.equal(points.length, list.length, text);
    let unit = 0;
    list.forEach((character, point) => {
      assert.equal(points.unit(point), unit, `${text} ${point}`);
      assert.equal(points.point(unit), point, `${text} ${unit}`);
      if (character.length === 2) assert.equal(points.point(unit + 1), point, "the second half belongs to its character");
      assert.equal(points.snap(unit + character.length - 1), unit);
      unit += character.length;
    });
    assert.equal(points.unit(list.length), text.length);
    assert.equal(points.point(text.length), list.length);
    assert.equal(points.unit(99), text.length);
    assert.equal(points.point(-3), 0);
  }
  assert.equal(new Points("x😀y").slice(1, 2), "😀");
});

test("positions of random texts go there and back", () => {
  let seed = 7;
  const next = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
  const alphabet = ["a", "é", "中", "𠮷", "😀", "\n", " "];
  for (let round = 0; round < 50; round++) {
    const list = Array.from({ length: next(200) }, () => alphabet[next(alphabet.length)]!);
    const points = new Points(list.join(""));
    for (let point = 0; point <= list.length; point++) assert.equal(points.point(points.unit(point)), point, `seed 7, round ${round}`);
    const start = next(list.length + 1);
    assert.equal(points.slice(start, list.length), list.slice(start).join(""));
  }
});

test("a caret goes by what people see, and by words", () => {
  const family = "a👩‍👩‍👧b";
  const caret = new Caret(family);
  assert.equal(caret.next(1, "character"), family.length - 1);
  assert.equal(caret.previous(family.length - 1, "character"), 1);
  assert.equal(caret.next(family.length, "character"), family.length);
  assert.equal(caret.previous(0, "word"), 0);
  const words = new Caret("Larry Page, of Google.");
  assert.deepEqual([words.next(0, "word"), words.next(5, "word"), words.next(10, "word"), words.next(14, "word"), words.next(21, "word")], [5, 10, 14, 21, 22]);
  assert.deepEqual([words.previous(22, "word"), words.previous(15, "word"), words.previous(3, "word")], [15, 12, 0]);
  assert.deepEqual(words.word(5), [0, 5], "the word that ends there");
  assert.deepEqual(words.word(7), [6, 10]);
  assert.equal(new Caret("a  b").word(2), undefined);
  const chinese = new Caret("我爱北京天安门");
  assert.ok(chinese.next(2, "word") > 2 && chinese.next(2, "word") <= 7);
  assert.deepEqual(trimmed("ab  cd ", 1, 7), [1, 6]);
  assert.deepEqual(trimmed("ab  cd ", 2, 7), [4, 6]);
  assert.equal(trimmed("a   b", 1, 4), undefined);
});

const mark = (id: string, start: number, end: number) => ({ id, start, end, label: "L", color: "#123456" });

test("marks that overlap lie in lanes of their own", () => {
  const laid = lanes([mark("inner", 2, 4), mark("outer", 0, 10), mark("next", 10, 12), mark("crossing", 3, 11)]);
  assert.deepEqual(laid.map((one) => [one.id, one.lane]), [["outer", 0], ["inner", 1], ["crossing", 2], ["next", 0]]);
});

test("pieces cover the text once and know what is over them", () => {
  const text = "0123456789\n".repeat(400);
  const parts = blocks(text);
  assert.ok(parts.length > 1 && parts.every((one) => text[one.end - 1] === "\n"));
  const marks = lanes([mark("a", 0, 10), mark("b", 2, 4), mark("c", 1000, 3000), mark("empty", 5, 5), mark("outside", 4000, 99999)]);
  const list = pieces(parts, marks);
  const flat = list.flat();
  assert.equal(flat.map((one) => text.slice(one.start, one.end)).join(""), text);
  assert.deepEqual(flat.slice(0, 4).map((one) => [one.start, one.end, one.marks.map((over) => over.id).join(), one.ending.map((over) => over.id).join()]), [[0, 2, "a", ""], [2, 4, "a,b", "b"], [4, 10, "a", "a"], [10, 1000, "", ""]]);
  for (const piece of flat) {
    const over = marks.filter((one) => one.end > one.start && one.end <= text.length && one.start < piece.end && piece.start < one.end).map((one) => one.id).sort();
    assert.deepEqual(piece.marks.map((one) => one.id).sort(), over);
  }
  assert.equal(flat.filter((one) => one.ending.some((over) => over.id === "c")).length, 1, "a label is shown once");
  const other = pieces(parts, lanes([mark("a", 0, 10), mark("b", 2, 5)]));
  assert.notEqual(signature(list[0]!), signature(other[0]!));
  assert.equal(signature(pieces(parts, marks)[1]!), signature(list[1]!), "an unchanged block is not drawn again");
});

test("long lines are cut between words, never within a character", () => {
  const spaced = "word ".repeat(5000);
  for (const one of blocks(spaced)) assert.ok(one.end === spaced.length || spaced[one.end - 1] === " ");
  const emoji = `x${"😀".repeat(5000)}`;
  const parts = blocks(emoji);
  assert.ok(parts.length > 2);
  for (const one of parts) assert.ok(!(emoji.charCodeAt(one.end) >= 0xdc00 && emoji.charCodeAt(one.end) <= 0xdfff));
  assert.deepEqual(blocks(""), [{ start: 0, end: 0 }]);
  assert.equal(parts.map((one) => emoji.slice(one.start, one.end)).join(""), emoji);
});

test("100,000 characters with 5,000 spans are cut in a moment's work", () => {
  const text = "lorem ipsum dolor sit amet\n".repeat(3704);
  const marks = Array.from({ length: 5000 }, (_, i) => mark(String(i), (i * 19) % 99_000, ((i * 19) % 99_000) + 11));
  assert.equal(pieces(blocks(text), lanes(marks)).flat().reduce((sum, one) => sum + one.end - one.start, 0), text.length);
});

test("undo goes back and forth, and a new state forgets what was undone", () => {
  let undo = begin("a");
  assert.equal(back(undo), undefined);
  undo = push(push(undo, "b"), "c");
  assert.equal(push(undo, "c"), undo);
  undo = back(back(undo)!)!;
  assert.equal(undo.now, "a");
  assert.equal(forth(undo)!.now, "b");
  const other = push(undo, "d");
  assert.deepEqual([other.past, other.now, other.future], [["a"], "d", []]);
  let long = begin(0);
  for (let i = 1; i < 2000; i++) long = push(long, i);
  assert.equal(long.past.length, 500);
});

test("one class replaces another, several are in the scheme's order", () => {
  const classes = [{ name: "good" }, { name: "bad" }, { name: "odd" }];
  const one = scheme({ questions: ["classification"], classes });
  assert.deepEqual(toggleClass(toggleClass({}, one, "bad"), one, "good").classes, ["good"]);
  assert.deepEqual(toggleClass({ classes: ["good"] }, one, "good").classes, []);
  const many = scheme({ questions: ["multi-label"], classes });
  assert.deepEqual(toggleClass(toggleClass({}, many, "odd"), many, "good").classes, ["good", "odd"]);
});

test("spans overlap where they may, and their relations go with them", () => {
  const first = addSpan({}, scheme(), 0, 5, "PER");
  assert.ok("answer" in first);
  const second = addSpan(first.answer, scheme(), 2, 8, "ORG");
  assert.ok("answer" in second);
  assert.deepEqual(second.answer.spans!.map((one) => [one.start, one.end, one.label]), [[0, 5, "PER"], [2, 8, "ORG"]]);
  const again = addSpan(second.answer, scheme(), 0, 5, "PER");
  assert.ok("answer" in again && again.answer === second.answer && again.id === first.id, "the same span is one");
  const clash = addSpan(first.answer, scheme({ overlapping: false }), 4, 6, "ORG");
  assert.ok("clash" in clash && clash.clash.label === "PER");
  assert.ok("answer" in addSpan(first.answer, scheme({ overlapping: false }), 5, 6, "ORG"), "neighbours do not overlap");
  assert.ok("clash" in changeSpan(second.answer, scheme({ overlapping: false }), second.id, { start: 3 }));
  const related = addRelation(second.answer, first.id, second.id, "r");
  assert.equal(addRelation(related, first.id, second.id, "r"), related);
  assert.deepEqual(removeSpan(related, first.id).relations, []);
  assert.equal(removeSpan(related, "none"), related);
});

test("an accepted suggestion is added to spans and replaces classes", () => {
  const both = scheme({ questions: ["classification", "spans", "relations"], classes: [{ name: "x" }, { name: "y" }], relations: [{ name: "r" }] });
  const mine: Answer = { classes: ["x"], spans: [{ id: "s1", start: 0, end: 5, label: "PER" }] };
  const next = accept(mine, both, { classes: ["y"], spans: [{ id: "s1", start: 9, end: 12, label: "ORG" }, { id: "b", start: 0, end: 5, label: "PER" }], relations: [{ from: "b", to: "s1", label: "r" }] });
  assert.deepEqual(next.classes, ["y"]);
  assert.deepEqual(next.spans!.map((one) => one.start), [0, 9]);
  assert.deepEqual(next.relations, [{ from: "s1", to: next.spans![1]!.id, label: "r" }], "ends are the answer's own spans");
  assert.equal(new Set(next.spans!.map((one) => one.id)).size, 2);
});

test("what is sent is tidy, what is missing is told", () => {
  assert.deepEqual(tidy({ classes: [], spans: [], texts: [" ", "x"], message_ratings: [0, 0], rating: undefined }), { texts: ["x"] });
  assert.ok(isEmpty({ texts: [""], classes: [] }) && !isEmpty({ preferred: -1 }));
  const all = scheme({ questions: ["classification", "multi-label", "spans", "rating", "preference", "text", "chat-review"], classes: [{ name: "x" }] });
  assert.deepEqual(missing({}, all, task("t", { candidates: ["a", "b"], messages: [{ role: "assistant", content: "x" }] })), ["classification", "rating", "preference", "text", "chat-review"]);
  assert.deepEqual(missing({ classes: ["x"], rating: 1, preferred: -1, texts: ["t"], message_ratings: [3] }, all, task("t", { candidates: ["a", "b"], messages: [{ role: "assistant", content: "x" }] })), []);
});

test("what answers disagree on is what only some say", () => {
  const a: Answer = { classes: ["x"], spans: [{ id: "1", start: 0, end: 5, label: "PER" }, { id: "2", start: 7, end: 9, label: "ORG" }], relations: [{ from: "1", to: "2", label: "r" }] };
  const b: Answer = { classes: ["y"], spans: [{ id: "9", start: 0, end: 5, label: "PER" }, { id: "8", start: 7, end: 10, label: "ORG" }], relations: [{ from: "9", to: "8", label: "r" }] };
  assert.deepEqual([...disputed([a, b])].sort(), ["class x", "class y", "relation 0-5 7-10 r", "relation 0-5 7-9 r", "span 7 10 ORG", "span 7 9 ORG"]);
  assert.equal(disputed([a, a]).size, 0, "ids do not matter");
});

test("each label has a key of its own that is no command", () => {
  const many = scheme({ questions: ["classification", "spans", "rating"], classes: [{ name: "a", hotkey: "z" }, { name: "b", hotkey: "p" }, { name: "c" }], spans: [{ name: "d", hotkey: "p" }, { name: "e", hotkey: "3" }] });
  const list = assign(many);
  const used = list.map((one) => one.key);
  assert.equal(new Set(used).size, used.length);
  assert.ok(used.every((key) => key && !reserved.includes(key)));
  assert.equal(list[1]!.key, "p");
  assert.equal(list[4]!.key, "3");
  assert.deepEqual(refused(many), ["a", "d"]);
  const ratings = assign(scheme({ questions: ["rating"] }));
  assert.deepEqual(ratings.map((one) => one.key), ["1", "2", "3", "4", "5"]);
  assert.deepEqual(assign(scheme({ questions: ["preference"] }), { candidates: ["a", "b"] }).map((one) => one.key), ["1", "2", "0"]);
  const fifty = assign(scheme({ spans: Array.from({ length: 50 }, (_, i) => ({ name: String(i) })) }));
  assert.equal(fifty.filter((one) => one.key === "").length, 50 - 10 - 15 - 23, "there are no more keys: these are clicked");
  assert.deepEqual(assignRelations(scheme({ relations: [{ name: "r" }, { name: "q", hotkey: "1" }] })).map((one) => one.key), ["2", "1"]);
  const shifted = scheme({ spans: [{ name: "big", hotkey: "E" }, { name: "taken", hotkey: "Z" }, { name: "small", hotkey: "e" }] });
  assert.equal(assign(shifted)[0]!.key, "E", "with Shift a letter is another key");
  assert.deepEqual(refused(shifted), ["taken", "small"]);
  const event = { key: "ArrowLeft", ctrlKey: true, metaKey: false, altKey: false, shiftKey: true };
  assert.equal(pressed(event), "Ctrl+Shift+ArrowLeft");
  assert.equal(pressed({ ...event, key: "Z", ctrlKey: false }), "Z");
  assert.equal(pressed({ ...event, key: "Z", ctrlKey: false, shiftKey: false }), "z", "Caps Lock does not redo");
});

function typed(editor: Editor, ...keys: string[]) {
  for (const key of keys) assert.ok(editor.press(key), `${key} means nothing`);
  return editor;
}

test("spans and a relation by keys alone", () => {
  const editor = new Editor(scheme({ questions: ["spans", "relations"], relations: [{ name: "founded" }, { name: "left" }] }), task("😀 Larry Page founded Google."), {}, []);
  typed(editor, "Ctrl+ArrowRight", "Ctrl+ArrowLeft", "Ctrl+Shift+ArrowRight", "Ctrl+Shift+ArrowRight", "1");
  assert.deepEqual(editor.answer.spans, [{ id: "s1", start: 2, end: 12, label: "PER" }], "code points: the emoji is one");
  typed(editor, "ArrowRight", "Ctrl+ArrowRight", "Ctrl+ArrowRight", "2");
  assert.deepEqual(editor.answer.spans![1], { id: "s2", start: 21, end: 27, label: "ORG" }, "the word at the caret");
  typed(editor, "[", "r", "]", "r", "2");
  assert.deepEqual(editor.answer.relations, [{ from: "s1", to: "s2", label: "left" }]);
  typed(editor, "z", "z");
  assert.equal(editor.answer.spans!.length, 1);
  typed(editor, "Z", "Z");
  assert.equal(editor.answer.relations!.length, 1);
  typed(editor, "[", "[", "1");
  assert.equal(editor.answer.spans![0]!.label, "PER");
  typed(editor, "2");
  assert.equal(editor.answer.spans![0]!.label, "ORG", "a chosen span gets the label");
  typed(editor, "Ctrl+Shift+ArrowLeft", "e");
  assert.deepEqual([editor.answer.spans![0]!.start, editor.answer.spans![0]!.end], [2, 7]);
  typed(editor, "Delete");
  assert.deepEqual([editor.answer.spans!.length, editor.answer.relations!.length], [1, 0]);
});

test("relations are gone through and removed by keys", () => {
  const editor = new Editor(scheme({ questions: ["spans", "relations"], relations: [{ name: "knows" }, { name: "left" }] }), task("Ann Bob Cid"), {
    spans: [{ id: "a", start: 0, end: 3, label: "PER" }, { id: "b", start: 4, end: 7, label: "PER" }, { id: "c", start: 8, end: 11, label: "PER" }],
    relations: [{ from: "a", to: "b", label: "knows" }, { from: "b", to: "c", label: "knows" }, { from: "a", to: "c", label: "left" }],
  }, []);
  const left = () => editor.answer.relations!.map((one) => `${one.from}${one.to}`);
  editor.press("R");
  editor.press("R");
  assert.deepEqual(editor.chosenRelation, { from: "b", to: "c", label: "knows" });
  editor.press("Delete");
  assert.deepEqual(left(), ["ab", "ac"]);
  assert.equal(editor.chosenRelation, undefined);
  editor.press("z");
  assert.deepEqual(left(), ["ab", "bc", "ac"], "and it comes back");
  editor.activate("c"); // now those of this span alone
  editor.press("R");
  editor.press("R");
  assert.deepEqual(editor.chosenRelation, { from: "a", to: "c", label: "left" });
  editor.press("Escape");
  assert.equal(editor.active, "c", "the relation is let go first");
  editor.press("R");
  editor.press("Delete");
  assert.deepEqual(left(), ["ab", "ac"]);
  editor.press("Delete");
  assert.deepEqual(left(), ["ab"], "then the span goes, with its relations");
});

test("nested spans: after Esc a label makes another one", () => {
  const editor = new Editor(scheme(), task("New York Times"), {}, []);
  typed(editor, "Ctrl+Shift+End", "2", "Ctrl+Home", "Ctrl+Shift+ArrowRight", "Ctrl+Shift+ArrowRight", "1");
  assert.deepEqual(editor.spans.map((one) => [one.start, one.end, one.label]), [[0, 14, "ORG"], [0, 8, "PER"]]);
  typed(editor, "Escape", "2");
  assert.equal(editor.spans.length, 3);
  editor.click(2);
  const inner = editor.active;
  editor.click(2);
  assert.notEqual(editor.active, inner, "a second click chooses the span around");
});

test("suggestions are accepted by one key, the next by the same", () => {
  const suggestions = [{ source: "m@1", score: 0.9, answer: { classes: ["good"] } }, { source: "dictionary", score: 1, answer: { classes: ["bad"] } }];
  const editor = new Editor(scheme({ questions: ["classification"], classes: [{ name: "good" }, { name: "bad" }] }), task("t"), {}, suggestions);
  typed(editor, "a");
  assert.deepEqual(editor.answer.classes, ["good"]);
  assert.equal(editor.told?.key, "say.accepted");
  typed(editor, "a");
  assert.deepEqual(editor.answer.classes, ["bad"]);
  typed(editor, "z", "z", "A");
  assert.deepEqual(editor.answer.classes, ["good"], "of all, the first stays");
  assert.ok(!new Editor(scheme(), task("t"), {}, []).press("z"), "nothing to undo: the page goes on with what was saved");
});

test("replies of a chat are rated one after another; typing is one step of undo", () => {
  const messages = [{ role: "user", content: "a" }, { role: "assistant", content: "b" }, { role: "user", content: "c" }, { role: "assistant", content: "d" }];
  const chat = new Editor(scheme({ questions: ["chat-review"] }), task("", { messages }), {}, []);
  typed(chat, "4", "ArrowDown", "2");
  assert.deepEqual(chat.answer.message_ratings, [0, 4, 0, 2]);
  typed(chat, "ArrowUp", "4");
  assert.deepEqual(chat.answer.message_ratings, [0, 0, 0, 2]);
  const text = new Editor(scheme({ questions: ["text"] }), task("t"), {}, []);
  for (const now of ["h", "ha", "hal"]) text.type(0, now);
  typed(text, "z");
  assert.deepEqual(text.answer, {});
});

test("labels are readable on their colours, and both languages say the same", () => {
  assert.equal(inkOn("#ffffff"), "#000000");
  assert.equal(inkOn("#14212b"), "#ffffff");
  const holes = (text: string) => [...text.matchAll(/\{\w+\}/g)].map((match) => match[0]).sort().join();
  for (const key of Object.keys(en) as (keyof typeof en)[]) assert.equal(holes(zh[key]), holes(en[key]), key);
  assert.equal(Object.keys(zh).length, Object.keys(en).length);
});

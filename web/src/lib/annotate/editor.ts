// One answer while it is made: what is selected, which span is active, what a key does. No browser in it: the pages draw it and tell it
// keys (pages/annotate), unit tests too. Selections are UTF-16 units, answers code points.
import { type Answer, type Relation, type Scheme, type Span, type Suggestion, type Task, accept, addRelation, addSpan, asks, changeSpan, ordered, rateMessage, removeRelation, removeSpan, sameRelation, toggleClass } from "./answer";
import { Caret, type Step, trimmed } from "./caret";
import { type Hotkey, type Target, assign, assignRelations } from "./hotkeys";
import { Points } from "./points";
import type { Key } from "./text";
import { type Undo, back, begin, forth, push } from "./undo";

export interface Selection {
  anchor: number;
  focus: number;
}

export interface Told {
  key: Key;
  values: Record<string, string | number>;
}

export class Editor {
  readonly points: Points;
  readonly keys: Hotkey[];
  readonly relationKeys: Hotkey[];
  readonly marking: boolean; // spans are asked for
  undo: Undo<Answer>;
  selection: Selection = { anchor: 0, focus: 0 };
  active: string | undefined;                             // a span's id
  relation: { from: string; to?: string } | undefined;    // that is being made
  chosenRelation: Relation | undefined;                   // that Delete removes
  message: number;                                        // of a chat, that keys rate
  told: Told | undefined;
  ghosts = true; // suggested spans are shown
  changed: () => void = () => undefined;
  private suggestion = 0; // that "a" takes over
  private typing: string | undefined; // the field that the last change was typed into
  private lazyCaret: Caret | undefined;
  private readonly byKey: Map<string, Target>;
  private readonly relationByKey: Map<string, Target>;

  constructor(readonly scheme: Scheme, readonly task: Task, answer: Answer, public suggestions: readonly Suggestion[]) {
    this.points = new Points(task.text);
    this.undo = begin(answer);
    this.marking = asks(scheme, "spans", "relations");
    this.keys = assign(scheme, task);
    this.relationKeys = asks(scheme, "relations") ? assignRelations(scheme) : [];
    this.byKey = new Map(this.keys.filter((one) => one.key).map((one) => [one.key, one.target]));
    this.relationByKey = new Map(this.relationKeys.filter((one) => one.key).map((one) => [one.key, one.target]));
    this.message = this.rated()[0] ?? 0;
  }

  get answer(): Answer {
    return this.undo.now;
  }
  get caret(): Caret {
    return (this.lazyCaret ??= new Caret(this.task.text));
  }
  get spans(): Span[] {
    return ordered(this.answer.spans ?? []);
  }
  get start(): number {
    return Math.min(this.selection.anchor, this.selection.focus);
  }
  get end(): number {
    return Math.max(this.selection.anchor, this.selection.focus);
  }
  // The messages that are rated: replies, or all where there are none.
  rated(): number[] {
    const all = (this.task.messages ?? []).map((one, i) => ({ one, i }));
    const replies = all.filter(({ one }) => one.role === "assistant");
    return (replies.length > 0 ? replies : all).map(({ i }) => i);
  }
  keyOf(target: Target): string {
    return this.keys.find((one) => one.target.kind === target.kind && ("name" in target ? "name" in one.target && one.target.name === target.name : "value" in one.target && one.target.value === target.value))?.key ?? "";
  }

  suggest(list: readonly Suggestion[]): void {
    this.suggestions = list;
    this.suggestion = 0;
    this.changed();
  }

  set(answer: Answer, typed?: string): void {
    this.undo = typed !== undefined && typed === this.typing ? { ...this.undo, now: answer } : push(this.undo, answer);
    this.typing = typed;
    this.forget(answer);
    this.told = undefined;
    this.changed();
  }

  // What was chosen and is not in the answer any more.
  private forget(answer: Answer): void {
    if (this.active && !answer.spans?.some((one) => one.id === this.active)) this.active = undefined;
    if (this.chosenRelation && !answer.relations?.some((one) => sameRelation(one, this.chosenRelation!))) this.chosenRelation = undefined;
  }

  say(key: Key, values: Told["values"] = {}): void {
    this.told = { key, values };
    this.changed();
  }

  select(anchor: number, focus: number): void {
    this.selection = { anchor: this.points.snap(anchor), focus: this.points.snap(focus) };
    this.changed();
  }

  // The mouse was pressed at a place: the narrowest span there, and at the next click the one around it.
  click(unit: number): void {
    const at = this.points.point(unit);
    const there = (this.answer.spans ?? []).filter((one) => one.start <= at && at < one.end).sort((a, b) => a.end - a.start - (b.end - b.start));
    const now = there.findIndex((one) => one.id === this.active);
    this.active = there.length > 0 ? there[(now + 1) % there.length]!.id : undefined;
    this.select(unit, unit);
  }

  activate(id: string): void {
    const span = this.answer.spans?.find((one) => one.id === id);
    if (!span) return;
    this.active = id;
    this.chosenRelation = undefined;
    this.told = undefined;
    this.select(this.points.unit(span.start), this.points.unit(span.end));
  }

  private cycle(by: 1 | -1): void {
    const spans = this.spans;
    if (spans.length === 0) return this.say("say.noSpans");
    const now = spans.findIndex((one) => one.id === this.active);
    const caret = this.points.point(this.selection.focus);
    const near = by > 0 ? spans.findIndex((one) => one.start >= caret) : spans.findLastIndex((one) => one.end <= caret);
    const next = now >= 0 ? now + by : near >= 0 ? near : by > 0 ? 0 : spans.length - 1;
    this.activate(spans[(next + spans.length) % spans.length]!.id);
  }

  private move(step: Step | "text", by: 1 | -1, extend: boolean): void {
    const { anchor, focus } = this.selection;
    if (!extend && anchor !== focus && step === "character") {
      this.active = undefined;
      return this.select(by > 0 ? this.end : this.start, by > 0 ? this.end : this.start);
    }
    const to = step === "text" ? (by > 0 ? this.task.text.length : 0) : by > 0 ? this.caret.next(focus, step) : this.caret.previous(focus, step);
    if (!extend) this.active = undefined;
    this.select(extend ? anchor : to, to);
  }

  // What is selected, else the word at the caret.
  private chosen(): [number, number] | undefined {
    const range = this.start < this.end ? trimmed(this.task.text, this.start, this.end) : this.caret.word(this.selection.focus);
    return range && [this.points.point(range[0]), this.points.point(range[1])];
  }

  private clash(span: Span): void {
    this.say("say.clash", { text: this.points.slice(span.start, span.end).slice(0, 60), label: span.label });
  }

  label(name: string): void {
    const active = this.answer.spans?.find((one) => one.id === this.active);
    const range = this.chosen();
    const onActive = active && (!range || this.start === this.end || (range[0] === active.start && range[1] === active.end));
    if (onActive) {
      const changed = changeSpan(this.answer, this.scheme, active.id, { label: name });
      if ("clash" in changed) return this.clash(changed.clash);
      return this.set(changed.answer);
    }
    if (!range) return this.say("say.selectFirst");
    const added = addSpan(this.answer, this.scheme, range[0], range[1], name);
    if ("clash" in added) return this.clash(added.clash);
    this.set(added.answer);
    this.activate(added.id);
  }

  // The active span gets the borders of the selection.
  private border(): void {
    const range = this.start < this.end ? trimmed(this.task.text, this.start, this.end) : undefined;
    if (!this.active || !range) return this.say("say.pickSpan");
    const changed = changeSpan(this.answer, this.scheme, this.active, { start: this.points.point(range[0]), end: this.points.point(range[1]) });
    if ("clash" in changed) return this.clash(changed.clash);
    this.set(changed.answer);
  }

  private relate(): void {
    if (!asks(this.scheme, "relations")) return;
    if (!this.active) return this.say("say.pickSpan");
    const text = (id: string) => this.spanText(id);
    if (!this.relation) {
      this.relation = { from: this.active };
      return this.say("say.relateFrom", { text: text(this.active) });
    }
    if (this.relation.from === this.active) {
      this.relation = undefined;
      return this.say("say.relateNot");
    }
    this.relation = { from: this.relation.from, to: this.active };
    if (this.scheme.relations.length === 1) return this.finishRelation(this.scheme.relations[0]!.name);
    this.say("say.relateLabel", { from: text(this.relation.from), to: text(this.active) });
  }

  finishRelation(name: string): void {
    if (!this.relation?.to) return;
    const { from, to } = this.relation;
    this.relation = undefined;
    this.set(addRelation(this.answer, from, to, name));
    this.say("say.related", { label: name });
  }

  removeRelation(relation: Relation): void {
    this.set(removeRelation(this.answer, relation));
  }

  // The next relation: of the chosen span, where one is chosen, else of all.
  private cycleRelations(): void {
    const all = this.answer.relations ?? [];
    const own = this.active ? all.filter((one) => one.from === this.active || one.to === this.active) : all;
    if (own.length === 0) return this.say("say.noRelations");
    const now = own.findIndex((one) => this.chosenRelation !== undefined && sameRelation(one, this.chosenRelation));
    this.chosenRelation = own[(now + 1) % own.length]!;
    const text = (id: string) => this.spanText(id);
    this.say("say.relationChosen", { from: text(this.chosenRelation.from), to: text(this.chosenRelation.to), label: this.chosenRelation.label });
  }

  private spanText(id: string): string {
    const span = this.answer.spans?.find((one) => one.id === id);
    return span ? this.points.slice(span.start, span.end).slice(0, 60) : "";
  }

  remove(id: string): void {
    this.set(removeSpan(this.answer, id));
  }

  choose(target: Target): void {
    switch (target.kind) {
      case "class": return this.set(toggleClass(this.answer, this.scheme, target.name));
      case "span": return this.label(target.name);
      case "rating": return this.set({ ...this.answer, rating: this.answer.rating === target.value ? undefined : target.value });
      case "preferred": return this.set({ ...this.answer, preferred: this.answer.preferred === target.value ? undefined : target.value });
      case "message": return this.set(rateMessage(this.answer, this.task, this.message, target.value));
    }
  }

  type(place: number, text: string): void {
    const texts = [...(this.answer.texts ?? [])];
    while (texts.length <= place) texts.push("");
    texts[place] = text;
    this.set({ ...this.answer, texts }, `text ${place}`);
  }

  take(suggestion: Suggestion): void {
    this.set(accept(this.answer, this.scheme, suggestion.answer));
    this.say("say.accepted", { source: suggestion.source });
  }

  private takeNext(): void {
    const next = this.suggestions[this.suggestion % Math.max(1, this.suggestions.length)];
    if (!next) return this.say("say.noSuggestion");
    this.take(next);
    this.suggestion++;
  }

  private takeAll(): void {
    if (this.suggestions.length === 0) return this.say("say.noSuggestion");
    // The most certain last, so that its classes stay.
    this.set([...this.suggestions].reverse().reduce((answer, one) => accept(answer, this.scheme, one.answer), this.answer));
    this.say("say.acceptedAll", { n: this.suggestions.length });
  }

  private step(to: Undo<Answer> | undefined): boolean {
    if (!to) return false;
    this.undo = to;
    this.typing = undefined;
    this.forget(to.now);
    this.relation = undefined;
    this.changed();
    return true;
  }

  private escape(): void {
    if (this.relation) this.relation = undefined;
    else if (this.chosenRelation) this.chosenRelation = undefined;
    else if (this.active) this.active = undefined;
    else this.selection = { anchor: this.selection.focus, focus: this.selection.focus };
    this.told = undefined;
    this.changed();
  }

  private moveMessage(by: 1 | -1): void {
    const rated = this.rated();
    this.message = rated[Math.max(0, Math.min(rated.length - 1, rated.indexOf(this.message) + by))] ?? 0;
    this.changed();
  }

  // Whether the key meant something. Undo with nothing to take back does not: the page goes on with what was saved.
  press(key: string): boolean {
    const found = this.relation?.to ? this.relationByKey.get(key) : this.byKey.get(key);
    if (found) {
      if (this.relation?.to && "name" in found) this.finishRelation(found.name);
      else this.choose(found);
      return true;
    }
    switch (key) {
      case "z": return this.step(back(this.undo));
      case "Z": return this.step(forth(this.undo));
      case "a": return this.takeNext(), true;
      case "A": return this.takeAll(), true;
      case "h":
        this.ghosts = !this.ghosts;
        return this.changed(), true;
      case "Escape": return this.escape(), true;
    }
    if (asks(this.scheme, "chat-review") && (key === "ArrowUp" || key === "ArrowDown")) return this.moveMessage(key === "ArrowUp" ? -1 : 1), true;
    return this.marking && this.pressMarking(key);
  }

  private pressMarking(key: string): boolean {
    const arrow = /^(Ctrl\+|Alt\+)?(Shift\+)?(ArrowLeft|ArrowRight|Home|End)$/.exec(key);
    if (arrow) {
      const [, far, shift, name] = arrow;
      if ((name === "Home" || name === "End") && !far) return false; // of a line: the page knows where lines end
      this.move(name === "Home" || name === "End" ? "text" : far ? "word" : "character", name === "ArrowRight" || name === "End" ? 1 : -1, shift !== undefined);
      return true;
    }
    switch (key) {
      case "]": return this.cycle(1), true;
      case "[": return this.cycle(-1), true;
      case "e": return this.border(), true;
      case "o": return this.select(this.selection.focus, this.selection.anchor), true;
      case "r": return this.relate(), true;
      case "R": return asks(this.scheme, "relations") && this.cycleRelations(), true;
      case "Delete":
      case "Backspace":
        if (this.chosenRelation) this.removeRelation(this.chosenRelation);
        else if (this.active) this.remove(this.active);
        else this.say("say.pickSpan");
        return true;
      default: return false;
    }
  }
}

// An answer, and what a person does to it. Answers are never changed, only replaced: the states that undo goes back to.
// Positions are code points (lib/annotate/points.ts).
import type { components } from "../../gen/api";

type Schemas = components["schemas"];
export type Scheme = Schemas["AnnotationScheme"];
export type Question = Scheme["questions"][number];
export type Label = Schemas["AnnotationLabel"];
export type Answer = Schemas["AnnotationAnswer"];
export type Span = Schemas["AnnotationSpan"];
export type Relation = Schemas["AnnotationRelation"];
export type Task = Schemas["AnnotationTask"];
export type Suggestion = Schemas["AnnotationSuggestion"];
export type Annotation = Schemas["Annotation"];

export const asks = (scheme: Scheme, ...questions: Question[]) => scheme.questions.some((one) => questions.includes(one));

const spansOf = (answer: Answer) => answer.spans ?? [];
const relationsOf = (answer: Answer) => answer.relations ?? [];
const same = (a: Span, b: Span) => a.start === b.start && a.end === b.end && a.label === b.label;

// Positions first, as people read; the wider of those that begin together first.
export const ordered = (spans: readonly Span[]) => [...spans].sort((a, b) => a.start - b.start || b.end - a.end || (a.label < b.label ? -1 : a.label > b.label ? 1 : 0));

// One class is replaced by another where one is asked for, else classes are switched on and off, in the scheme's order.
export function toggleClass(answer: Answer, scheme: Scheme, name: string): Answer {
  const now = answer.classes ?? [];
  if (!asks(scheme, "multi-label")) return { ...answer, classes: now.includes(name) ? [] : [name] };
  const on = new Set(now.includes(name) ? now.filter((one) => one !== name) : [...now, name]);
  return { ...answer, classes: scheme.classes.map((one) => one.name).filter((one) => on.has(one)) };
}

// "s1", "s2", …: the first that is free.
export function freeId(spans: readonly Span[]): string {
  const taken = new Set(spans.map((one) => one.id));
  let n = spans.length + 1;
  while (taken.has(`s${n}`)) n++;
  return `s${n}`;
}

// A new span, unless there is that one already, or it would overlap where spans may not: the fault says which.
export function addSpan(answer: Answer, scheme: Scheme, start: number, end: number, label: string): { answer: Answer; id: string } | { clash: Span } {
  const spans = spansOf(answer);
  const there = spans.find((one) => same(one, { id: "", start, end, label }));
  if (there) return { answer, id: there.id };
  const clash = scheme.overlapping ? undefined : spans.find((one) => one.start < end && start < one.end);
  if (clash) return { clash };
  const id = freeId(spans);
  return { answer: { ...answer, spans: ordered([...spans, { id, start, end, label }]) }, id };
}

export function changeSpan(answer: Answer, scheme: Scheme, id: string, to: Partial<Omit<Span, "id">>): { answer: Answer } | { clash: Span } {
  const spans = spansOf(answer);
  const old = spans.find((one) => one.id === id);
  if (!old) return { answer };
  const next = { ...old, ...to };
  if (same(old, next)) return { answer };
  const clash = spans.find((one) => one.id !== id && (same(one, next) || (!scheme.overlapping && one.start < next.end && next.start < one.end)));
  if (clash) return { clash };
  return { answer: { ...answer, spans: ordered(spans.map((one) => (one.id === id ? next : one))) } };
}

// With its relations.
export function removeSpan(answer: Answer, id: string): Answer {
  if (!spansOf(answer).some((one) => one.id === id)) return answer;
  return { ...answer, spans: spansOf(answer).filter((one) => one.id !== id), ...(answer.relations ? { relations: answer.relations.filter((one) => one.from !== id && one.to !== id) } : {}) };
}

export const sameRelation = (a: Relation, b: Relation) => a.from === b.from && a.to === b.to && a.label === b.label;

export function addRelation(answer: Answer, from: string, to: string, label: string): Answer {
  const relation = { from, to, label };
  if (relationsOf(answer).some((one) => sameRelation(one, relation))) return answer;
  return { ...answer, relations: [...relationsOf(answer), relation] };
}

export const removeRelation = (answer: Answer, relation: Relation): Answer => ({ ...answer, relations: relationsOf(answer).filter((one) => !sameRelation(one, relation)) });

export function rateMessage(answer: Answer, task: Task, place: number, rating: number): Answer {
  const ratings = (task.messages ?? []).map((_, i) => answer.message_ratings?.[i] ?? 0);
  ratings[place] = ratings[place] === rating ? 0 : rating;
  return { ...answer, message_ratings: ratings };
}

// What was suggested is taken over: it replaces classes, texts and ratings, and spans and relations are added to those there are.
export function accept(answer: Answer, scheme: Scheme, suggested: Answer): Answer {
  const { spans = [], relations = [], ...rest } = suggested;
  let next: Answer = { ...answer, ...rest };
  const ids = new Map<string, string>();
  for (const span of spans) {
    const added = addSpan(next, scheme, span.start, span.end, span.label);
    if ("clash" in added) continue;
    next = added.answer;
    ids.set(span.id, added.id);
  }
  for (const relation of relations) {
    const from = ids.get(relation.from);
    const to = ids.get(relation.to);
    if (from !== undefined && to !== undefined) next = addRelation(next, from, to, relation.label);
  }
  return next;
}

// Nothing was said yet.
export const isEmpty = (answer: Answer) =>
  !answer.classes?.length && !answer.spans?.length && !answer.relations?.length && !answer.texts?.some((text) => text) && answer.rating === undefined && answer.preferred === undefined && !answer.message_ratings?.some((rating) => rating > 0);

// As it is sent: without what is empty, so that equal answers are equal texts.
export function tidy(answer: Answer): Answer {
  const texts = (answer.texts ?? []).filter((text) => text.trim());
  return {
    ...(answer.classes?.length ? { classes: answer.classes } : {}), ...(answer.spans?.length ? { spans: answer.spans } : {}), ...(answer.relations?.length ? { relations: answer.relations } : {}),
    ...(texts.length ? { texts } : {}), ...(answer.rating === undefined ? {} : { rating: answer.rating }), ...(answer.preferred === undefined ? {} : { preferred: answer.preferred }),
    ...(answer.message_ratings?.some((rating) => rating > 0) ? { message_ratings: answer.message_ratings } : {}),
  };
}

// The questions that still lack an answer. Spans and relations may be none: a text without names is answered so.
export function missing(answer: Answer, scheme: Scheme, task: Task): Question[] {
  return scheme.questions.filter((question) => {
    switch (question) {
      case "classification": return !answer.classes?.length;
      case "text": return !answer.texts?.some((text) => text.trim());
      case "rating": return answer.rating === undefined;
      case "preference": return answer.preferred === undefined && (task.candidates ?? []).length > 1;
      case "chat-review": return (task.messages ?? []).some((one) => one.role === "assistant") && !answer.message_ratings?.some((rating) => rating > 0);
      default: return false;
    }
  });
}

// What an answer says, one key for each thing that can be agreed on: two answers differ in the keys that only one has.
export function claims(answer: Answer): Map<string, string> {
  const all = new Map<string, string>();
  for (const name of answer.classes ?? []) all.set(`class ${name}`, name);
  const spans = new Map(spansOf(answer).map((span) => [span.id, span]));
  for (const span of spans.values()) all.set(spanKey(span), span.label);
  for (const relation of relationsOf(answer)) all.set(relationKey(answer, relation), relation.label);
  (answer.texts ?? []).forEach((text) => all.set(`text ${text}`, text));
  if (answer.rating !== undefined) all.set(`rating ${answer.rating}`, String(answer.rating));
  if (answer.preferred !== undefined) all.set(`preferred ${answer.preferred}`, String(answer.preferred));
  (answer.message_ratings ?? []).forEach((rating, i) => rating > 0 && all.set(`message ${i} ${rating}`, String(rating)));
  return all;
}
export const spanKey = (span: Pick<Span, "start" | "end" | "label">) => `span ${span.start} ${span.end} ${span.label}`;
export function relationKey(answer: Answer, relation: Relation): string {
  const end = (id: string) => {
    const span = spansOf(answer).find((one) => one.id === id);
    return span ? `${span.start}-${span.end}` : "?";
  };
  return `relation ${end(relation.from)} ${end(relation.to)} ${relation.label}`;
}

// The keys on which not all of these answers agree.
export function disputed(answers: readonly Answer[]): Set<string> {
  const counts = new Map<string, number>();
  for (const answer of answers) for (const key of claims(answer).keys()) counts.set(key, (counts.get(key) ?? 0) + 1);
  return new Set([...counts].filter(([, n]) => n < answers.length).map(([key]) => key));
}

// The queue of tasks: what is fetched when, what a failed save does, what undo takes back. Against a server of a few lines.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Annotator, Saved, Work } from "../src/lib/annotate/api";
import { Queue } from "../src/lib/annotate/queue";
import { Fault } from "../src/lib/http";

const scheme = { questions: ["classification" as const], classes: [{ name: "good" }, { name: "bad" }], spans: [], relations: [], rating_max: 5, overlapping: true };

function server(count: number, waits = 0) {
  const answers = new Map<number, { revision: number; answer: unknown }>();
  const order: number[] = Array.from({ length: count }, (_, i) => i + 1);
  const log: string[] = [];
  const done: number[] = [];
  let broken: Fault | undefined;
  let slow = waits; // times that models are still asked
  const work = (id: number): Work => {
    const mine = answers.get(id);
    return { task: { id, key: String(id), text: `text ${id}` }, state: "new", agreement: null, annotations: [], suggestions: [], pending: slow > 0,
      mine: mine ? { id, task: id, annotator: "ann", answer: mine.answer as object, skipped: false, ground_truth: false, note: "", seconds: 1, created_ms: 1, updated_ms: 1, revision: mine.revision } : null };
  };
  const api: Annotator = {
    next: async (except) => {
      log.push(`next ${except ?? ""}`);
      const left = order.filter((id) => !answers.has(id));
      const id = left.find((one) => one !== except) ?? left[0];
      return id === undefined ? undefined : work(id);
    },
    task: async (id) => work(id),
    suggestions: async (id) => {
      log.push(`suggestions ${id}`);
      slow--;
      return { suggestions: slow > 0 ? [] : [{ source: "model", score: 0.9, answer: { classes: ["good"] } }], pending: slow > 0 };
    },
    undo: async () => {
      log.push("undo");
      const id = done.pop();
      if (id === undefined) return undefined;
      answers.delete(id);
      return work(id);
    },
    save: async (id, answer) => {
      log.push(`save ${id} ${answer.revision}`);
      if (broken) throw broken;
      if ((answers.get(id)?.revision ?? 0) !== answer.revision) throw new Fault(400, "RESOURCE_ALREADY_EXISTS", "changed");
      answers.set(id, { revision: answer.revision + 1, answer: answer.answer ?? {} });
      done.push(id);
      return { annotation: work(id).mine!, state: "answered", counts: {} } as unknown as Saved;
    },
  };
  return { api, answers, log, break: (fault: Fault | undefined) => (broken = fault) };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

test("what models suggest comes when it is there, and nobody asks before they are", async () => {
  const fake = server(1, 3);
  const queue = new Queue(scheme, fake.api, () => undefined);
  await queue.start(undefined);
  assert.deepEqual(queue.current!.editor.suggestions, []);
  await settle();
  assert.deepEqual(fake.log.filter((one) => one.startsWith("suggestions")), ["suggestions 1", "suggestions 1", "suggestions 1"]);
  queue.current!.editor.press("a");
  assert.deepEqual(queue.current!.editor.answer.classes, ["good"]);
  const none = server(1);
  await new Queue(scheme, none.api, () => undefined).start(undefined);
  await settle();
  assert.ok(!none.log.some((one) => one.startsWith("suggestions")));
});

test("the next task is there before the answer is, and none comes twice", async () => {
  const fake = server(3);
  const queue = new Queue(scheme, fake.api, () => undefined);
  await queue.start(undefined);
  await settle();
  assert.deepEqual(fake.log, ["next ", "next 1"]);
  const seen: number[] = [];
  while (queue.state === "working") {
    seen.push(queue.current!.work.task.id);
    queue.current!.editor.press("1");
    await queue.save(false);
    await settle();
  }
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(queue.state, "done");
  assert.deepEqual([...fake.answers.values()].map((one) => one.answer), [{ classes: ["good"] }, { classes: ["good"] }, { classes: ["good"] }]);
});

test("undo takes saved answers back, redo saves them again", async () => {
  const fake = server(3);
  const queue = new Queue(scheme, fake.api, () => undefined);
  await queue.start(undefined);
  for (let i = 0; i < 3; i++) {
    queue.current!.editor.press(String(1 + (i % 2)));
    await queue.save(false);
    await settle();
  }
  assert.equal(queue.state, "done");
  assert.ok(await queue.takeBack());
  assert.equal(queue.current!.work.task.id, 3);
  assert.deepEqual(queue.current!.editor.answer.classes, ["good"], "the answer is as it was when it was saved");
  assert.ok(await queue.takeBack());
  assert.equal(queue.current!.work.task.id, 2);
  assert.equal(fake.answers.size, 1);
  assert.ok(await queue.again());
  await settle();
  assert.equal(fake.answers.size, 2);
  assert.equal(queue.current!.work.task.id, 3);
  await queue.takeBack();
  await queue.takeBack();
  assert.equal(await queue.takeBack(), false, "nothing is left to take back");
});

test("what could not be saved comes back, with the reason", async () => {
  const fake = server(2);
  const queue = new Queue(scheme, fake.api, () => undefined);
  await queue.start(undefined);
  await settle();
  fake.break(new Fault(0, "UNREACHABLE", ""));
  queue.current!.editor.press("2");
  await queue.save(false);
  assert.equal(queue.current!.work.task.id, 1);
  assert.deepEqual(queue.current!.editor.answer.classes, ["bad"]);
  assert.ok(queue.fault instanceof Fault && queue.dirty());
  fake.break(undefined);
  await queue.save(false);
  await settle();
  assert.ok(fake.answers.has(1));
  assert.equal(queue.current!.work.task.id, 2);
});

test("an answer that another window changed is replaced at the second try", async () => {
  const fake = server(2);
  const queue = new Queue(scheme, fake.api, () => undefined);
  await queue.start(1);
  await settle();
  fake.answers.set(1, { revision: 4, answer: { classes: ["good"] } });
  queue.current!.editor.press("2");
  await queue.save(false);
  assert.equal((queue.fault as Fault).code, "RESOURCE_ALREADY_EXISTS");
  assert.equal(queue.current!.revision, 4);
  await queue.save(false);
  assert.deepEqual(fake.answers.get(1), { revision: 5, answer: { classes: ["bad"] } });
});

test("tasks that were put off come again; the way back leads through what was seen", async () => {
  const fake = server(3);
  const queue = new Queue(scheme, fake.api, () => undefined);
  await queue.start(undefined);
  await settle();
  await queue.forward();
  await settle();
  assert.equal(queue.current!.work.task.id, 2);
  assert.ok(queue.backward());
  assert.equal(queue.current!.work.task.id, 1);
  assert.ok(!queue.backward());
  await queue.forward();
  await settle();
  await queue.save(true);
  await settle();
  assert.ok(fake.answers.has(2) && !fake.answers.has(1));
  assert.notEqual(queue.current!.work.task.id, 2);
});

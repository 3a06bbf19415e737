// The tasks that one annotator goes through: the one on the screen, those before it, and the next, which is fetched while one
// thinks, so that it is there at once. What is saved goes to the server one after another; what could not be saved comes back.
import { Fault } from "../http";
import { type Annotator, type Counts, type NewAnswer, type Work } from "./api";
import { type Scheme, tidy } from "./answer";
import { Editor } from "./editor";

export interface Item {
  work: Work;
  editor: Editor;
  note: string;
  seconds: number;
  revision: number; // of the own answer on the server, 0 without one
  saved: boolean;
  skipped: boolean;
}

type Asks = Annotator;
const kAsked = 300; // times that models are waited for: two minutes

export class Queue {
  current: Item | undefined;
  state: "loading" | "working" | "done" = "loading";
  fault: unknown;
  counts: Counts | undefined; // the newest that a save told
  private items: Item[] = [];
  private taken: Item[] = []; // saves that were taken back, the newest last
  private ahead: Promise<Item | undefined> | undefined;
  private tail: Promise<unknown> = Promise.resolve();

  constructor(private readonly scheme: Scheme, private readonly server: Asks, private readonly changed: () => void) {}

  async start(task: number | undefined): Promise<void> {
    await this.guarded(async () => {
      const work = task === undefined ? await this.server.next(undefined) : await this.server.task(task);
      this.show(work && this.item(work));
    });
  }

  // Saves what is on the screen and shows the next task.
  async save(skipped: boolean): Promise<void> {
    const item = this.current;
    if (!item) return;
    this.taken = [];
    await this.send(item, skipped);
  }

  private async send(item: Item, skipped: boolean): Promise<void> {
    const answer: NewAnswer = { revision: item.revision, skipped, note: item.note, seconds: Math.round(item.seconds * 10) / 10, ...(skipped ? {} : { answer: tidy(item.editor.answer) }) };
    item.saved = true;
    item.skipped = skipped;
    const ahead = this.ahead;
    const later = this.unsavedAfter(item);
    const saving = this.serial(() => this.server.save(item.work.task.id, answer).then((saved) => {
      item.revision = saved.annotation.revision;
      this.counts = saved.counts;
    }));
    const failed = saving.then(() => undefined, async (fault: unknown) => {
      item.saved = false;
      if (fault instanceof Fault && (fault.status === 409 || fault.code === "RESOURCE_ALREADY_EXISTS")) {
        // Another window of the same person was faster: its revision is taken, so that saving again replaces that answer.
        const now = await this.server.task(item.work.task.id).catch(() => undefined);
        if (now) item.revision = now.mine?.revision ?? 0;
      }
      this.show(item);
      this.fault = fault;
      this.changed();
    });
    if (later) this.show(later);
    else {
      const next = await ahead?.catch(() => undefined);
      if (next && next !== item) this.show(next);
      else {
        await failed;
        if (this.current === item && item.saved) await this.fresh();
      }
    }
    await failed;
  }

  // Nothing was fetched ahead: asked again, for what was put off comes back.
  private async fresh(): Promise<void> {
    this.state = "loading";
    this.changed();
    await this.guarded(async () => {
      const work = await this.server.next(undefined);
      this.show(work && this.item(work));
    });
  }

  // To the next task without an answer to this one, which comes again later.
  async forward(): Promise<void> {
    const item = this.current;
    if (!item) return;
    const later = this.items[this.items.indexOf(item) + 1];
    if (later) this.show(later);
    else {
      const next = await (this.ahead ?? this.fetchAhead(item)).catch(() => undefined);
      if (next && next !== item && this.current === item) this.show(next);
    }
  }

  backward(): boolean {
    const before = this.current ? this.items[this.items.indexOf(this.current) - 1] : this.items[this.items.length - 1];
    if (before) this.show(before);
    return before !== undefined;
  }

  // Takes back the newest save; false when there is none.
  async takeBack(): Promise<boolean> {
    let done = false;
    await this.guarded(async () => {
      const work = await this.serial(() => this.server.undo());
      if (!work) return;
      done = true;
      const item = this.item(work);
      item.revision = work.mine?.revision ?? 0;
      item.saved = work.mine !== null;
      this.taken.push(item);
      this.show(item);
    });
    return done;
  }

  // Saves again what was taken back last; false when there is none.
  async again(): Promise<boolean> {
    const item = this.taken.pop();
    if (!item || item !== this.current) return false;
    await this.send(item, item.skipped);
    return true;
  }

  dirty(): boolean {
    return this.items.some((item) => !item.saved && item.editor.undo.past.length > 0);
  }

  private show(item: Item | undefined): void {
    this.current = item;
    this.fault = undefined;
    this.state = item ? "working" : "done";
    this.ahead = item && !this.unsavedAfter(item) ? this.fetchAhead(item) : undefined;
    this.ahead?.catch(() => undefined); // told when it is waited for
    this.changed();
  }

  private fetchAhead(item: Item): Promise<Item | undefined> {
    return this.serial(() => this.server.next(item.work.task.id)).then((work) => {
      if (!work || work.task.id === item.work.task.id) return undefined;
      const known = this.find(work.task.id);
      return known ?? this.item(work);
    });
  }

  private unsavedAfter(item: Item): Item | undefined {
    return this.items.slice(this.items.indexOf(item) + 1).find((one) => !one.saved);
  }

  private find(task: number): Item | undefined {
    return this.items.find((item) => item.work.task.id === task);
  }

  private item(work: Work): Item {
    const known = this.find(work.task.id);
    if (known) return known;
    const item: Item = {
      work, note: work.mine?.note ?? "", seconds: work.mine?.seconds ?? 0, revision: work.mine?.revision ?? 0, saved: work.mine !== null, skipped: work.mine?.skipped ?? false,
      editor: new Editor(this.scheme, work.task, work.mine?.answer ?? {}, work.suggestions),
    };
    item.editor.changed = this.changed;
    this.items.push(item);
    if (work.pending) void this.follow(item);
    return item;
  }

  // Models take their time: what they say comes when it is there. The server waits a moment itself before it answers.
  private async follow(item: Item): Promise<void> {
    for (let asked = 0; asked < kAsked && !item.saved; asked++) {
      const said = await this.server.suggestions(item.work.task.id).catch(() => undefined);
      if (!said) return;
      item.editor.suggest(said.suggestions);
      if (!said.pending) return;
    }
  }

  // One request after another: a task that is being saved must not be handed out again.
  private serial<T>(work: () => Promise<T>): Promise<T> {
    const result = this.tail.then(work, work);
    this.tail = result.catch(() => undefined);
    return result;
  }

  private async guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (fault) {
      this.fault = fault;
      if (this.state === "loading") this.state = "working";
      this.changed();
    }
  }
}

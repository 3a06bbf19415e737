// Where one answers: a task at a time, by keys alone or by the mouse.
import { useQueryClient } from "@tanstack/preact-query";
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { Act } from "../../components/act";
import { Dialog, ErrorNote, Loading } from "../../components/basic";
import { missing } from "../../lib/annotate/answer";
import { type Project, asAnnotator, keys } from "../../lib/annotate/api";
import type { Editor } from "../../lib/annotate/editor";
import { pressed } from "../../lib/annotate/hotkeys";
import { type Item, Queue } from "../../lib/annotate/queue";
import { t } from "../../lib/annotate/text";
import { integer } from "../../lib/format";
import { setQuery, usePlace } from "../../lib/router";
import { useRefusal } from "../../lib/session";
import { Guidelines } from "./guidelines";
import { KeysDialog } from "./keys";
import { Below, Questions } from "./questions";
import { TextView, lineKey } from "./textview";

const kIdle = 60; // seconds without a key or the mouse after which the clock stops

const seconds = (value: number) => `${Math.floor(value / 60)}:${String(Math.floor(value % 60)).padStart(2, "0")}`;
const typing = (target: EventTarget | null) => target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);

// Counts the seconds that somebody looks at the task.
function Clock({ item }: { item: Item }) {
  const [, tick] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    let last = Date.now();
    let moved = last;
    const active = () => (moved = Date.now());
    const timer = setInterval(() => {
      const now = Date.now();
      if (!document.hidden && now - moved < kIdle * 1000) item.seconds += Math.min(2, (now - last) / 1000);
      last = now;
      tick(0);
    }, 1000);
    addEventListener("keydown", active, true);
    addEventListener("pointermove", active);
    return () => {
      item.seconds += document.hidden ? 0 : Math.min(2, (Date.now() - last) / 1000);
      clearInterval(timer);
      removeEventListener("keydown", active, true);
      removeEventListener("pointermove", active);
    };
  }, [item]);
  return <span class="num muted" title={t("label.clock")}>{seconds(item.seconds)}</span>;
}

function Note({ item, close }: { item: Item; close: () => void }) {
  const [text, setText] = useState(item.note);
  return (
    <Dialog title={t("label.note")} close={close}>
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        item.note = text.trim();
        close();
      }}>
        <label>{t("label.noteText")}<textarea rows={4} autofocus value={text} onInput={(event) => setText(event.currentTarget.value)} onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form!.requestSubmit();
        }} /></label>
        <div><button type="submit" class="primary">{t("label.keepNote")}</button></div>
      </form>
    </Dialog>
  );
}

export function LabelPage({ project, annotator }: { project: Project; annotator: string | undefined }) {
  const { name, settings } = project;
  const asked = usePlace().query.get("task");
  const why = useRefusal("editor", name);
  const queries = useQueryClient();
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const [dialog, setDialog] = useState<"keys" | "note" | "guidelines">();
  const [told, setTold] = useState("");
  const root = useRef<HTMLDivElement>(null);
  const side = useRef<HTMLDivElement>(null);
  // The scheme that one began with stays while one works: what others change of it comes with the next visit.
  const queue = useMemo(() => new Queue(settings.scheme, asAnnotator(name, annotator), () => redraw(0)), [name, annotator]);
  const item = queue.current;
  const editor = item?.editor;
  const shown = useRef(asked);

  useEffect(() => {
    void queue.start(asked ? Number(asked) : undefined);
    const leave = (event: BeforeUnloadEvent) => queue.dirty() && event.preventDefault();
    addEventListener("beforeunload", leave);
    return () => {
      removeEventListener("beforeunload", leave);
      void queries.invalidateQueries({ queryKey: keys.project(name) });
    };
  }, [queue]);
  useEffect(() => {
    if (!item) return;
    root.current?.parentElement?.scrollTo(0, 0);
    const id = String(item.work.task.id);
    if (shown.current !== null && shown.current !== id) setQuery({ task: undefined }, true); // the address named another
    shown.current = null;
  }, [item]);

  // Keys may come faster than pages are drawn: they mean the queue's task, not the one that was drawn.
  const save = (skipped: boolean) => {
    const now = queue.current;
    if (!now || why !== undefined) return;
    const lacking = skipped ? [] : missing(now.editor.answer, settings.scheme, now.work.task);
    if (lacking.length > 0) return setTold(t("label.missing", { what: lacking.map((one) => t(`question.${one}`)).join(", ") }));
    setTold("");
    void queue.save(skipped);
  };
  const undo = async (forth: boolean) => {
    if (why !== undefined) return;
    const done = await (forth ? queue.again() : queue.takeBack());
    if (!done && queue.fault === undefined) setTold(t(forth ? "label.nothingForth" : "label.nothingBack"));
    else if (!forth && done) setTold(t("label.takenBack"));
  };
  const commands: Record<string, () => void> = {
    Enter: () => save(false), "Ctrl+Enter": () => save(false), s: () => save(true), ".": () => void queue.forward(), ",": () => void (queue.backward() || setTold(t("label.first"))),
    n: () => setDialog("note"), i: () => setDialog("guidelines"), "?": () => setDialog("keys"), z: () => void undo(false), Z: () => void undo(true),
    t: () => side.current?.querySelector<HTMLElement>("textarea")?.focus(),
  };

  const gone = useRef(0);         // until when "g" waits for the letter of a page (app.tsx)
  const clicked = useRef(false);  // the focus came by the mouse, not by Tab
  useEffect(() => {
    const down = () => void (clicked.current = true);
    addEventListener("pointerdown", down, true);
    return () => removeEventListener("pointerdown", down, true);
  }, []);
  useLayoutEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if (event.key === "Tab") clicked.current = false;
      const editor = queue.current?.editor;
      if (document.querySelector("dialog[open]") || event.isComposing) return;
      const key = pressed(event);
      const now = Date.now();
      if (typing(event.target)) {
        if (key === "Ctrl+Enter") save(false);
        else if (key === "Escape") (event.target as HTMLElement).blur();
        else return;
      } else if (key === "g" || now < gone.current) {
        gone.current = key === "g" ? now + 1500 : 0;
        return;
      } else if ((key === "Enter" || key === " ") && event.target instanceof HTMLElement && event.target.closest("button, a") && !clicked.current) {
        return; // of a button that was gone to by keys
      } else if (!why && editor && before(editor, key)) {
        if (key !== "z" && key !== "Z") setTold("");
      } else if (commands[key] && (editor || key === "z" || key === "," || key === "?")) {
        commands[key]!();
      } else return;
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    const before = (editor: Editor, key: string) => editor.press(key) || (editor.marking && root.current !== null && lineKey(editor, root.current, key));
    addEventListener("keydown", listener, true);
    return () => removeEventListener("keydown", listener, true);
  });

  if (queue.state === "loading" && !item) return <Loading />;
  const counts = queue.counts ?? project.counts;
  const status = told || (editor?.told ? t(editor.told.key, editor.told.values) : "");
  return (
    <div class="labelling">
      <div class="bar">
        <button type="button" aria-keyshortcuts="," onClick={() => commands[","]!()} aria-label={t("label.previous")}>‹ <kbd>,</kbd></button>
        <button type="button" aria-keyshortcuts="." disabled={!item} onClick={() => commands["."]!()} aria-label={t("label.next")}><kbd>.</kbd> ›</button>
        {item && <span class="muted">{t("label.task", { key: item.work.task.key })}</span>}
        {item?.saved && <span class="tag">{t(item.skipped ? "label.skipped" : "label.saved")}</span>}
        {item?.note && <span class="tag" title={item.note}>{t("label.note")}</span>}
        <span class="grow" />
        {item && <Clock key={item.work.task.id} item={item} />}
        <span class="muted num">{t("label.done", { n: integer(counts.answered + counts.reviewed), all: integer(counts.tasks) })}</span>
        <button type="button" onClick={() => setDialog("guidelines")}>{t("label.guidelines")} <kbd>i</kbd></button>
        <button type="button" disabled={!item} onClick={() => setDialog("note")}>{t("label.note")} <kbd>n</kbd></button>
        <button type="button" aria-label={t("key.title")} onClick={() => setDialog("keys")}><kbd>?</kbd></button>
      </div>
      {queue.fault !== undefined && <ErrorNote error={queue.fault} retry={item ? undefined : () => void queue.start(undefined)} />}
      {!item && queue.state === "done" && <AllDone name={name} />}
      {item && editor && (
        <div class="work">
          <div class="reading">
            {editor.task.text && <TextView key={item.work.task.id} editor={editor} root={root} />}
            <Below editor={editor} />
          </div>
          <div class="side-panel" ref={side}>
            <Questions editor={editor} />
            <p role="status" class="small status-line">{status}</p>
            <div class="bar">
              <Act why={why} class="primary" onClick={() => save(false)}>{t("label.save")} <kbd>↵</kbd></Act>
              <Act why={why} onClick={() => save(true)}>{t("label.skip")} <kbd>s</kbd></Act>
              <button type="button" onClick={() => void (editor.press("z") || undo(false))}>{t("label.undo")} <kbd>z</kbd></button>
              <button type="button" onClick={() => void (editor.press("Z") || undo(true))}>{t("label.redo")} <kbd>⇧z</kbd></button>
            </div>
          </div>
        </div>
      )}
      {!item && status && <p role="status">{status}</p>}
      {dialog === "keys" && <KeysDialog editor={editor} close={() => setDialog(undefined)} />}
      {dialog === "note" && item && <Note item={item} close={() => setDialog(undefined)} />}
      {dialog === "guidelines" && <Dialog title={t("label.guidelines")} close={() => setDialog(undefined)}><Guidelines text={settings.guidelines} /></Dialog>}
    </div>
  );
}

function AllDone({ name }: { name: string }) {
  return (
    <div class="empty">
      <p role="status">{t("label.none")}</p>
      <p><a href={`/ui/annotate/${encodeURIComponent(name)}`}>{t("label.toProject")}</a> · <span>{t("label.undoHint")}</span> <kbd>z</kbd></p>
    </div>
  );
}

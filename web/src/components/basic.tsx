// Small parts of every page.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Fault } from "../lib/http";
import { type Key, t } from "../lib/i18n";

const shapes = {
  traces: "M2 3h9M4 7h9M6 11h5M3 3v8M5 7v4",
  runs: "M3 4h10M3 8h10M3 12h6", models: "M8 2l5 3v6l-5 3-5-3V5zM8 8l5-3M8 8v6M8 8L3 5", deploy: "M8 13V4M4.5 7.5L8 4l3.5 3.5M3 14h10",
  explain: "M7 11a4 4 0 1 1 0-8 4 4 0 0 1 0 8zM10 10l4 4", data: "M3 4c0-1 2-2 5-2s5 1 5 2v8c0 1-2 2-5 2s-5-1-5-2zM3 4c0 1 2 2 5 2s5-1 5-2M3 8c0 1 2 2 5 2s5-1 5-2",
  annotate: "M3 13l1-3.5L11 2.5l2.5 2.5-7 7zM9 4.5L11.5 7M9 13.5h4",
  search: "M7 12A5 5 0 1 1 7 2a5 5 0 0 1 0 10zM11 11l3 3", folder: "M2 4h4l1.5 2H14v7H2z", file: "M4 2h5l3 3v9H4zM9 2v3h3",
  open: "M4 6l4 4 4-4", closed: "M6 4l4 4-4 4", up: "M8 12V4M5 7l3-3 3 3", down: "M8 4v8M5 9l3 3 3-3", close: "M4 4l8 8M12 4l-8 8", save: "M8 3v7M5 7l3 3 3-3M3 13h10",
};
export function Icon({ name }: { name: keyof typeof shapes }) {
  return <svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d={shapes[name]} /></svg>;
}

const statusKeys: Record<string, Key> = {
  RUNNING: "status.RUNNING", FINISHED: "status.FINISHED", FAILED: "status.FAILED", KILLED: "status.KILLED", SCHEDULED: "status.SCHEDULED",
  ready: "status.ready", starting: "status.starting", draining: "status.draining", stopped: "status.stopped",
  OK: "trace.state.OK", ERROR: "trace.state.ERROR", IN_PROGRESS: "trace.state.IN_PROGRESS", STATE_UNSPECIFIED: "trace.state.STATE_UNSPECIFIED",
};
export function Status({ value, short = false }: { value: string; short?: boolean }) {
  const name = statusKeys[value] ? t(statusKeys[value]) : value;
  return (
    <span class="status" title={name}>
      <span class={`dot ${value}`} aria-hidden="true" />
      <span class={short ? "hidden" : undefined}>{name}</span>
    </span>
  );
}

// What went wrong, in the server's words, and what to do.
export function ErrorNote({ error, retry }: { error: unknown; retry?: () => void }) {
  const text = error instanceof Fault ? (error.status === 0 ? t("error.unreachable") : error.message) : String(error);
  return (
    <div class="note error" role="alert">
      {text} {retry && <button type="button" onClick={retry}>{t("action.retry")}</button>}
    </div>
  );
}

export const Loading = () => <p class="muted" role="status">{t("state.loading")}</p>;

// A dialog of the browser: it keeps the focus inside, closes with Escape and gives the focus back.
export function Dialog({ title, close, children }: { title: string; close: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current!;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog ref={ref} aria-label={title} onClose={close} onClick={(event) => event.target === ref.current && close()}>
      <div class="head">
        <h2>{title}</h2>
        <span class="grow" />
        <button type="button" class="plain" aria-label={t("action.close")} onClick={close}><Icon name="close" /></button>
      </div>
      {children}
    </dialog>
  );
}

export function Tabs({ label, items }: { label: string; items: { name: string; href: string; on: boolean }[] }) {
  return (
    <nav class="tabs" aria-label={label}>
      {items.map((item) => <a key={item.href} href={item.href} aria-current={item.on ? "page" : undefined}>{item.name}</a>)}
    </nav>
  );
}

export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return <dl class="facts">{rows.flatMap(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name}:`}>{value}</dd>])}</dl>;
}

// What is asked of a task, each question with the keys that answer it.
import type { ComponentChildren } from "preact";
import { asks, ordered, sameRelation } from "../../lib/annotate/answer";
import { colorOf } from "../../lib/annotate/colors";
import type { Editor } from "../../lib/annotate/editor";
import type { Target } from "../../lib/annotate/hotkeys";
import { t } from "../../lib/annotate/text";
import { Icon } from "../../components/basic";
import { integer, number } from "../../lib/format";

const kListed = 200; // spans in the list beside the text

export function Choice({ hotkey, on, color, pick, children }: { hotkey: string; on?: boolean | undefined; color?: string | undefined; pick: () => void; children: ComponentChildren }) {
  return (
    <button type="button" class="choice" aria-pressed={on} aria-keyshortcuts={hotkey || undefined} onClick={pick}>
      {color && <span class="swatch" style={{ background: color }} aria-hidden="true" />}
      <span>{children}</span>
      {hotkey && <kbd>{hotkey}</kbd>}
    </button>
  );
}

export function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return <section class="part" aria-label={title}><h2>{title}</h2>{children}</section>;
}

function Classes({ editor }: { editor: Editor }) {
  const { scheme } = editor;
  return (
    <Part title={t(asks(scheme, "multi-label") ? "ask.classes" : "ask.class")}>
      <div class="choices">
        {scheme.classes.map((one) => <Choice key={one.name} hotkey={editor.keyOf({ kind: "class", name: one.name })} color={colorOf(scheme.classes, one.name)} on={editor.answer.classes?.includes(one.name) ?? false} pick={() => editor.choose({ kind: "class", name: one.name })}>{one.name}</Choice>)}
      </div>
    </Part>
  );
}

function SpanList({ editor }: { editor: Editor }) {
  const spans = editor.spans;
  const at = Math.max(0, spans.findIndex((one) => one.id === editor.active));
  const first = Math.max(0, Math.min(at - kListed / 2, spans.length - kListed));
  return (
    <Part title={t("spans.title", { n: integer(spans.length) })}>
      {spans.length === 0 ? <p class="muted small">{t("spans.none")}</p> : (
        <ul class="said">
          {spans.slice(first, first + kListed).map((one) => {
            const text = editor.points.slice(one.start, Math.min(one.end, one.start + 80));
            return (
              <li key={one.id}>
                <button type="button" class="plain" aria-pressed={one.id === editor.active} onClick={() => editor.activate(one.id)}>
                  <span class="swatch" style={{ background: colorOf(editor.scheme.spans, one.label) }} aria-hidden="true" /><span class="cut">{text}</span> <b>{one.label}</b> <span class="muted num">{one.start}–{one.end}</span>
                </button>
                <button type="button" class="plain" aria-label={t("spans.remove", { text, label: one.label })} onClick={() => editor.remove(one.id)}><Icon name="close" /></button>
              </li>
            );
          })}
        </ul>
      )}
      {spans.length > kListed && <p class="muted small">{t("spans.cut", { n: kListed, all: integer(spans.length) })}</p>}
    </Part>
  );
}

function Relations({ editor }: { editor: Editor }) {
  const { relation, answer, scheme } = editor;
  const text = (id: string) => {
    const span = answer.spans?.find((one) => one.id === id);
    return span ? editor.points.slice(span.start, Math.min(span.end, span.start + 60)) : "?";
  };
  const list = answer.relations ?? [];
  return (
    <Part title={t("relations.title", { n: integer(list.length) })}>
      {relation?.to && <div class="choices">{editor.relationKeys.map(({ key, target }) => "name" in target && <Choice key={target.name} hotkey={key} color={colorOf(scheme.relations, target.name)} pick={() => editor.finishRelation(target.name)}>{target.name}</Choice>)}</div>}
      {list.length === 0 ? <p class="muted small">{t("relations.none")}</p> : (
        <ul class="said">
          {list.slice(0, kListed).map((one) => (
            <li key={`${one.from} ${one.to} ${one.label}`} aria-current={editor.chosenRelation !== undefined && sameRelation(one, editor.chosenRelation) ? "true" : undefined}>
              <span class="cut">{text(one.from)} <b>→ {one.label} →</b> {text(one.to)}</span>
              <button type="button" class="plain" aria-label={t("relations.remove", { from: text(one.from), to: text(one.to), label: one.label })} onClick={() => editor.removeRelation(one)}><Icon name="close" /></button>
            </li>
          ))}
        </ul>
      )}
    </Part>
  );
}

function SpanLabels({ editor }: { editor: Editor }) {
  return (
    <Part title={t("ask.spans")}>
      <div class="choices">
        {editor.scheme.spans.map((one) => <Choice key={one.name} hotkey={editor.keyOf({ kind: "span", name: one.name })} color={colorOf(editor.scheme.spans, one.name)} pick={() => editor.label(one.name)}>{one.name}</Choice>)}
      </div>
    </Part>
  );
}

function Rating({ editor, target, value, label }: { editor: Editor; target: (value: number) => Target; value: number | undefined; label: string }) {
  return (
    <div class="choices" role="group" aria-label={label}>
      {Array.from({ length: editor.scheme.rating_max }, (_, i) => i + 1).map((one) => {
        const hotkey = editor.keyOf(target(one));
        return <Choice key={one} hotkey={hotkey === String(one) ? "" : hotkey} on={value === one} pick={() => editor.choose(target(one))}>{one}</Choice>;
      })}
    </div>
  );
}

function Texts({ editor }: { editor: Editor }) {
  const texts = editor.answer.texts?.length ? editor.answer.texts : [""];
  return (
    <Part title={t("ask.text")}>
      {texts.map((text, i) => (
        <textarea key={i} rows={Math.min(12, Math.max(3, Math.ceil(text.length / 60)))} value={text} aria-label={t("ask.textNth", { n: i + 1 })} data-answer={i} onInput={(event) => editor.type(i, event.currentTarget.value)} />
      ))}
      <p class="muted small">{t("ask.textHint")}</p>
      <div><button type="button" class="plain" onClick={() => editor.set({ ...editor.answer, texts: [...texts, ""] })}>{t("ask.textMore")}</button></div>
    </Part>
  );
}

function Candidates({ editor }: { editor: Editor }) {
  const list = editor.task.candidates ?? [];
  const choice = (value: number, text: string) => <Choice hotkey={editor.keyOf({ kind: "preferred", value })} on={editor.answer.preferred === value} pick={() => editor.choose({ kind: "preferred", value })}>{text}</Choice>;
  return (
    <section class="candidates" aria-label={t("ask.preference")}>
      {list.map((text, i) => (
        <article key={i} class={`card${editor.answer.preferred === i ? " chosen" : ""}`} aria-label={t("ask.candidate", { n: i + 1 })}>
          <div class="said-text">{text}</div>
          {choice(i, t("ask.better", { n: i + 1 }))}
        </article>
      ))}
      <div class="tie">{choice(-1, t("ask.tie"))}</div>
    </section>
  );
}

function Chat({ editor }: { editor: Editor }) {
  const rated = editor.rated();
  const asked = asks(editor.scheme, "chat-review");
  return (
    <section class="chat" aria-label={t("ask.chat")}>
      {(editor.task.messages ?? []).map((one, i) => {
        const rates = asked && rated.includes(i);
        return (
          <article key={i} class={`message ${one.role === "assistant" ? "reply" : ""}${rates && i === editor.message ? " on" : ""}`} aria-label={t("ask.message", { n: i + 1, role: one.role })} aria-current={rates && i === editor.message ? "true" : undefined}>
            <b class="small muted">{one.role}</b>
            <div class="said-text">{one.content}</div>
            {rates && <Stars editor={editor} place={i} />}
          </article>
        );
      })}
    </section>
  );
}

function Stars({ editor, place }: { editor: Editor; place: number }) {
  const value = editor.answer.message_ratings?.[place] ?? 0;
  return (
    <div class="choices" role="group" aria-label={t("ask.ratingOf", { n: place + 1 })}>
      {Array.from({ length: editor.scheme.rating_max }, (_, i) => i + 1).map((one) => (
        <Choice key={one} hotkey={place === editor.message && editor.keyOf({ kind: "message", value: one }) !== String(one) ? editor.keyOf({ kind: "message", value: one }) : ""} on={value === one} pick={() => {
          editor.message = place;
          editor.choose({ kind: "message", value: one });
        }}>{one}</Choice>
      ))}
    </div>
  );
}

// What goes below the text: it is read, not picked from a list.
export function Below({ editor }: { editor: Editor }) {
  return (
    <>
      {(editor.task.messages ?? []).length > 0 && <Chat editor={editor} />}
      {asks(editor.scheme, "preference") && <Candidates editor={editor} />}
    </>
  );
}

export function Questions({ editor }: { editor: Editor }) {
  const { scheme } = editor;
  return (
    <>
      {asks(scheme, "classification", "multi-label") && <Classes editor={editor} />}
      {editor.marking && <SpanLabels editor={editor} />}
      {asks(scheme, "rating") && <Part title={t("ask.rating")}><Rating editor={editor} label={t("ask.rating")} value={editor.answer.rating} target={(value) => ({ kind: "rating", value })} /></Part>}
      {asks(scheme, "text") && <Texts editor={editor} />}
      <Suggestions editor={editor} />
      {editor.marking && <SpanList editor={editor} />}
      {asks(scheme, "relations") && <Relations editor={editor} />}
    </>
  );
}

// What an answer says in one line.
export function summary(editor: Pick<Editor, "points">, answer: Editor["answer"]): string {
  const spans = ordered(answer.spans ?? []);
  const text = (one: { start: number; end: number; label: string }) => `${editor.points.slice(one.start, Math.min(one.end, one.start + 40))} ${one.label}`;
  return [
    ...(answer.classes ?? []), ...spans.slice(0, 4).map(text), ...(spans.length > 4 ? [`+${spans.length - 4}`] : []), ...(answer.relations ?? []).slice(0, 2).map((one) => one.label),
    ...(answer.texts ?? []).map((one) => `“${one.slice(0, 80)}”`), ...(answer.rating === undefined ? [] : [t("say.rating", { n: answer.rating })]),
    ...(answer.preferred === undefined ? [] : [answer.preferred < 0 ? t("ask.tie") : t("ask.better", { n: answer.preferred + 1 })]),
    ...(answer.message_ratings?.some((one) => one > 0) ? [answer.message_ratings.map((one) => one || "–").join(" ")] : []),
  ].join(" · ");
}

function Suggestions({ editor }: { editor: Editor }) {
  if (editor.suggestions.length === 0) return null;
  return (
    <Part title={t("suggestions.title")}>
      <ul class="said">
        {editor.suggestions.slice(0, 20).map((one, i) => (
          <li key={i}>
            <button type="button" class="plain" onClick={() => editor.take(one)}>
              <span class="hidden">{t("suggestions.take")} </span><span class="cut">{summary(editor, one.answer) || t("suggestions.nothing")}</span> <span class="tag">{one.source}</span> <span class="num muted">{number(Math.round(one.score * 1000) / 1000)}</span>{i === 0 && <kbd>a</kbd>}
            </button>
          </li>
        ))}
      </ul>
    </Part>
  );
}

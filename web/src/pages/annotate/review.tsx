// Answers side by side, and the decision: one of them by its key, or the right one written.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/preact-query";
import { useLayoutEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { Act } from "../../components/act";
import { ErrorNote, Loading } from "../../components/basic";
import { type Answer, disputed, tidy } from "../../lib/annotate/answer";
import { type Project, type TaskRow, type Work, getHistory, getReview, getTask, keys, review } from "../../lib/annotate/api";
import { Editor } from "../../lib/annotate/editor";
import { pressed } from "../../lib/annotate/hotkeys";
import { Points } from "../../lib/annotate/points";
import { t } from "../../lib/annotate/text";
import { integer, percent, time } from "../../lib/format";
import { go, link, setQuery, usePlace } from "../../lib/router";
import { useRefusal } from "../../lib/session";
import { AnswerView, answersOf } from "./answers";
import { Below, Questions } from "./questions";
import { TextView, lineKey } from "./textview";

function History({ project, work }: { project: Project; work: Work }) {
  const points = useMemo(() => new Points(work.task.text), [work.task.text]);
  const query = useQuery({ queryKey: keys.history(project.name, work.task.id), queryFn: ({ signal }) => getHistory(project.name, work.task.id, signal) });
  return (
    <section class="card" aria-label={t("history.title")}>
      <h2>{t("history.title")}</h2>
      {query.isError && <ErrorNote error={query.error} />}
      {query.data?.length === 0 && <p class="muted">{t("history.none")}</p>}
      <ol class="timeline">
        {(query.data ?? []).map((one) => (
          <li key={one.id}>
            <span class="num muted">{time(one.time_ms)}</span> <b>{one.who}</b> {t(`history.${one.action}`)}{one.annotator !== one.who && ` (${one.annotator})`} {one.seconds > 0 && <span class="muted">{t("history.seconds", { n: Math.round(one.seconds * 10) / 10 })}</span>} {one.note && <i>{one.note}</i>}
            {one.answer && <AnswerView answer={one.answer} skipped={one.skipped} scheme={project.settings.scheme} points={points} disputed={new Set()} />}
          </li>
        ))}
      </ol>
    </section>
  );
}

// The right answer, made as annotators make theirs.
function Write({ project, work, from, save, cancel }: { project: Project; work: Work; from: Answer; save: (answer: Answer) => void; cancel: () => void }) {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const root = useRef<HTMLDivElement>(null);
  const editor = useMemo(() => {
    const made = new Editor(project.settings.scheme, work.task, from, work.suggestions);
    made.changed = () => redraw(0);
    return made;
  }, [work.task.id]);
  useLayoutEffect(() => {
    const listener = (event: KeyboardEvent) => {
      const key = pressed(event);
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test((event.target as HTMLElement).tagName);
      if (document.querySelector("dialog[open]")) return;
      if (key === "Ctrl+Enter" || (key === "Enter" && !typing && !(event.target as HTMLElement).closest("button, a"))) save(tidy(editor.answer));
      else if (typing || !(editor.press(key) || (editor.marking && root.current !== null && lineKey(editor, root.current, key)))) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    addEventListener("keydown", listener, true);
    return () => removeEventListener("keydown", listener, true);
  });
  return (
    <section aria-label={t("review.write")}>
      <div class="work">
        <div class="reading">{work.task.text && <TextView editor={editor} root={root} />}<Below editor={editor} /></div>
        <div class="side-panel">
          <Questions editor={editor} />
          <p role="status" class="small status-line">{editor.told ? t(editor.told.key, editor.told.values) : ""}</p>
          <div class="bar"><button type="button" class="primary" onClick={() => save(tidy(editor.answer))}>{t("review.save")} <kbd>↵</kbd></button><button type="button" onClick={cancel}>{t("review.cancel")}</button></div>
        </div>
      </div>
    </section>
  );
}

function One({ project, task, annotator, after }: { project: Project; task: number; annotator: string | undefined; after: () => void }) {
  const { name, settings } = project;
  const queries = useQueryClient();
  const why = useRefusal("approver", name);
  const [writing, setWriting] = useState<Answer>();
  const query = useQuery({ queryKey: keys.task(name, task), queryFn: ({ signal }) => getTask(name, task, annotator, signal) });
  const work = query.data;
  const points = useMemo(() => new Points(work?.task.text ?? ""), [work?.task.text]);
  const truth = work?.annotations.find((one) => one.ground_truth);
  const answers = answersOf(work?.annotations ?? []);
  const decide = useMutation({
    mutationFn: (decision: { accept?: number; answer?: Answer }) => review(name, task, { revision: truth?.revision ?? 0, ...(annotator ? { annotator } : {}), ...decision }),
    onSuccess: async () => {
      setWriting(undefined);
      await queries.invalidateQueries({ queryKey: keys.project(name) });
      after();
    },
  });
  const list = truth ? [truth, ...answers] : answers;
  const open = (answer: Answer) => why === undefined && setWriting(answer);
  useLayoutEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if (writing || !work || document.querySelector("dialog[open]") || /^(INPUT|TEXTAREA|SELECT)$/.test((event.target as HTMLElement).tagName)) return;
      const key = pressed(event);
      const chosen = /^[1-9]$/.test(key) ? answers[Number(key) - 1] : undefined;
      if (chosen && why === undefined && !decide.isPending) decide.mutate({ accept: chosen.id });
      else if (key === "w") open((truth ?? answers[0])?.answer ?? {});
      else if (key === ".") after();
      else return;
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    addEventListener("keydown", listener, true);
    return () => removeEventListener("keydown", listener, true);
  });
  if (query.isError) return <ErrorNote error={query.error} retry={() => void query.refetch()} />;
  if (!work) return <Loading />;
  const differences = disputed(answers.filter((one) => !one.skipped).map((one) => one.answer));
  return (
    <>
      <div class="bar">
        <h2>{t("label.task", { key: work.task.key })}</h2><span class="tag">{t(`state.${work.state}`)}</span>{work.agreement !== null && <span class="tag">{t("review.agreement", { value: percent(work.agreement) })}</span>}
        <span class="grow" />
        <a class="button" href={link(`/ui/annotate/${encodeURIComponent(name)}`, { tab: "label", task: String(task) })}>{t("review.answer")}</a>
        <Act why={why} onClick={() => open((truth ?? answers[0])?.answer ?? {})}>{t("review.write")} <kbd>w</kbd></Act>
        <button type="button" onClick={after}>{t("review.next")} <kbd>.</kbd></button>
      </div>
      {decide.isError && <ErrorNote error={decide.error} />}
      {writing ? <Write project={project} work={work} from={writing} save={(answer) => decide.mutate({ answer })} cancel={() => setWriting(undefined)} /> : (
        <>
          {work.task.text && <div class="card said-text reviewed" tabIndex={0} role="group" aria-label={t("text.label")}>{work.task.text}</div>}
          {(work.task.messages ?? []).map((one, i) => <div key={i} class="card said-text"><b class="small muted">{i + 1} {one.role}</b><br />{one.content}</div>)}
          {(work.task.candidates ?? []).map((one, i) => <div key={i} class="card said-text"><b class="small muted">{t("ask.candidate", { n: i + 1 })}</b><br />{one}</div>)}
          {list.length === 0 && <p class="muted">{t("review.noAnswers")}</p>}
          <div class="side-by-side">
            {list.map((one) => (
              <section key={one.id} class={`card${one.ground_truth ? " truth" : ""}`} aria-label={one.ground_truth ? t("review.truth", { name: one.annotator }) : one.annotator}>
                <div class="bar"><h3>{one.ground_truth ? t("review.truth", { name: one.annotator }) : one.annotator}</h3><span class="grow" />
                  {!one.ground_truth && <Act why={why} disabled={decide.isPending} onClick={() => decide.mutate({ accept: one.id })}>{t("review.accept")} {answers.indexOf(one) < 9 && <kbd>{answers.indexOf(one) + 1}</kbd>}</Act>}
                </div>
                <AnswerView answer={one.answer} skipped={one.skipped} scheme={settings.scheme} points={points} disputed={one.ground_truth ? new Set() : differences} />
                {one.note && <p class="note small">{one.note}</p>}
              </section>
            ))}
          </div>
          {answers.length > 1 && <p class="muted small">{t(differences.size > 0 ? "review.marked" : "review.same")}</p>}
          <History project={project} work={work} />
        </>
      )}
    </>
  );
}

export function ReviewTab({ project, annotator }: { project: Project; annotator: string | undefined }) {
  const { name } = project;
  const asked = Number(usePlace().query.get("task")) || undefined;
  const query = useInfiniteQuery({
    queryKey: keys.review(name), queryFn: ({ pageParam, signal }) => getReview(name, pageParam, signal),
    initialPageParam: undefined as string | undefined, getNextPageParam: (page) => page.next_page_token,
  });
  const rows: TaskRow[] = query.data?.pages.flatMap((page) => page.tasks) ?? [];
  const task = asked ?? rows[0]?.id;
  const address = (id: number) => link(`/ui/annotate/${encodeURIComponent(name)}`, { tab: "review", task: String(id) });
  // To the one below in the queue; a decided one is no longer in it.
  const after = () => {
    const place = rows.findIndex((one) => one.id === task);
    const next = rows[place + 1] ?? rows.find((one) => one.id !== task);
    if (next) go(address(next.id));
    else setQuery({ task: undefined }, true);
  };
  return (
    <div class="reviewing">
      <section class="queue" aria-label={t("review.queue")}>
        <h2>{t("review.queue")}</h2>
        {query.isError && <ErrorNote error={query.error} />}
        {query.isSuccess && rows.length === 0 && <p class="muted small">{t("review.none")}</p>}
        <ul>{rows.slice(0, 500).map((one) => <li key={one.id} class={one.id === task ? "on" : undefined}><a href={address(one.id)} aria-current={one.id === task ? "true" : undefined}><span class="num muted">{one.agreement === null ? "–" : percent(one.agreement)}</span> {one.text.slice(0, 80) || one.key}</a></li>)}</ul>
        {query.hasNextPage && <button type="button" onClick={() => void query.fetchNextPage()}>{t("review.more", { n: integer(rows.length) })}</button>}
      </section>
      <div class="decision">{task !== undefined && <One key={task} project={project} task={task} annotator={annotator} after={after} />}</div>
    </div>
  );
}

// An answer to be read: what others disagree on is marked.
import { ordered, relationKey, spanKey, type Annotation, type Answer, type Scheme } from "../../lib/annotate/answer";
import { colorOf } from "../../lib/annotate/colors";
import type { Points } from "../../lib/annotate/points";
import { t } from "../../lib/annotate/text";

const kContext = 40; // characters shown beside a span

export function AnswerView({ answer, skipped, scheme, points, disputed }: { answer: Answer; skipped: boolean; scheme: Scheme; points: Points; disputed: ReadonlySet<string> }) {
  if (skipped) return <p class="muted">{t("label.skipped")}</p>;
  const mark = (key: string) => (disputed.has(key) ? "differs" : "agrees");
  const spans = ordered(answer.spans ?? []);
  const text = (id: string) => {
    const span = spans.find((one) => one.id === id);
    return span ? points.slice(span.start, Math.min(span.end, span.start + 60)) : "?";
  };
  const said = (key: string, what: string) => <li key={key} class={mark(key)}>{what}{disputed.has(key) && <span class="hidden"> ({t("review.differs")})</span>}</li>;
  return (
    <ul class="answer">
      {(answer.classes ?? []).map((one) => <li key={`c${one}`} class={mark(`class ${one}`)}><span class="swatch" aria-hidden="true" style={{ background: colorOf(scheme.classes, one) }} /> {one}{disputed.has(`class ${one}`) && <span class="hidden"> ({t("review.differs")})</span>}</li>)}
      {spans.slice(0, 300).map((one) => {
        const key = spanKey(one);
        return (
          <li key={key} class={mark(key)}>
            <span class="swatch" aria-hidden="true" style={{ background: colorOf(scheme.spans, one.label) }} /> <b>{one.label}</b> <span class="muted">{points.slice(Math.max(0, one.start - kContext), one.start)}</span><mark>{points.slice(one.start, Math.min(one.end, one.start + 200))}</mark><span class="muted">{points.slice(one.end, one.end + kContext)}</span> <span class="num muted small">{one.start}–{one.end}</span>
            {disputed.has(key) && <span class="hidden"> ({t("review.differs")})</span>}
          </li>
        );
      })}
      {(answer.relations ?? []).map((one) => said(relationKey(answer, one), `${text(one.from)} → ${one.label} → ${text(one.to)}`))}
      {(answer.texts ?? []).map((one) => said(`text ${one}`, one))}
      {answer.rating !== undefined && said(`rating ${answer.rating}`, t("say.rating", { n: answer.rating }))}
      {answer.preferred !== undefined && said(`preferred ${answer.preferred}`, answer.preferred < 0 ? t("ask.tie") : t("ask.better", { n: answer.preferred + 1 }))}
      {(answer.message_ratings ?? []).map((rating, i) => rating > 0 && said(`message ${i} ${rating}`, t("say.messageRating", { n: i + 1, rating })))}
    </ul>
  );
}

export const answersOf = (list: readonly Annotation[]) => list.filter((one) => !one.ground_truth);

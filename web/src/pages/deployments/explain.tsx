// A text and another wording of it, what the served model says to each, and how much each word had a share in it.
import { useMutation } from "@tanstack/preact-query";
import { useEffect, useState } from "preact/hooks";
import { ErrorNote } from "../../components/basic";
import { type Explanation, explain } from "../../lib/api";
import { number, percent } from "../../lib/format";
import { t } from "../../lib/i18n";
import { setQuery, usePlace } from "../../lib/router";
import { pieces } from "../../lib/traffic";

type Method = "shap" | "lime";

function Words({ one, scale }: { one: Explanation; scale: number }) {
  return (
    <p style={{ lineHeight: 2, fontSize: "16px", margin: "8px 0", overflowWrap: "anywhere" }} aria-label={t("explain.words")}>
      {pieces(one.text, one.tokens).map((piece, i) => {
        if (piece.value === undefined) return <span key={i}>{piece.text}</span>;
        const share = Math.round(Math.min(1, Math.abs(piece.value) / scale) * 55);
        const name = piece.value >= 0 ? "#2f6fd0" : "#e8702a";
        return <span key={i} class="word" title={`${piece.value >= 0 ? "+" : ""}${number(piece.value)}`} style={{ background: `color-mix(in srgb, ${name} ${share}%, transparent)` }}>{piece.text}</span>;
      })}
    </p>
  );
}

function Answer({ one, scale }: { one: Explanation; scale: number }) {
  const words = [...one.tokens].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 12);
  return (
    <>
      <p style={{ margin: "10px 0 0" }}><strong>{one.label}</strong> {one.output === "probability" ? percent(one.prediction) : number(one.prediction)} <span class="muted small">{t("explain.base", { value: one.output === "probability" ? percent(one.base_value) : number(one.base_value) })}</span></p>
      <Words one={one} scale={scale} />
      <table class="data" style={{ width: "auto" }}>
        <thead><tr><th scope="col">{t("explain.word")}</th><th scope="col" class="right">{t("explain.value")}</th></tr></thead>
        <tbody>{words.map((token, i) => <tr key={i}><th scope="row">{token.word}</th><td class="right">{token.value >= 0 ? "+" : ""}{number(token.value)}</td></tr>)}</tbody>
      </table>
      {one.faithfulness && (
        <p class="muted small">{t("explain.faith", { comprehensiveness: number(one.faithfulness.comprehensiveness ?? undefined), sufficiency: number(one.faithfulness.sufficiency ?? undefined) })}</p>
      )}
    </>
  );
}

function Pane({ id, name, label, method, result, onResult, scale, take }: { id: string; name: "text" | "text2"; label: string; method: Method; result: Explanation | undefined; onResult: (one: Explanation | undefined) => void; scale: number; take?: string }) {
  const asked = usePlace().query.get(name) ?? "";
  const [text, setText] = useState(asked);
  const ask = useMutation({ mutationFn: (given: string) => explain(id, given, method), onSuccess: onResult });
  const run = () => {
    if (text.trim() === "") return;
    setQuery({ [name]: text }, true);
    ask.mutate(text);
  };
  useEffect(() => {
    if (asked) ask.mutate(asked); // a link to an explanation shows it
  }, [method]);
  return (
    <section class="card" aria-label={label}>
      <form onSubmit={(event) => {
        event.preventDefault();
        run();
      }}>
        <label>{label}
          <textarea rows={3} value={text} style={{ width: "100%", marginTop: "4px" }} onInput={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
            }} />
        </label>
        <div class="bar"><button type="submit" class="primary" disabled={ask.isPending || text.trim() === ""}>{t("explain.do")}</button>{take && take !== text && <button type="button" onClick={() => setText(take)}>{t("explain.take")}</button>}<span class="muted small">{ask.isPending ? t("explain.working") : t("explain.hint")}</span></div>
      </form>
      <div aria-live="polite">
        {ask.isError && <div style={{ marginTop: "10px" }}><ErrorNote error={ask.error} /></div>}
        {result && !ask.isError && <Answer one={result} scale={scale} />}
      </div>
    </section>
  );
}

export function Explain({ id }: { id: string }) {
  const { query } = usePlace();
  const method: Method = query.get("method") === "lime" ? "lime" : "shap";
  const [first, setFirst] = useState<Explanation>();
  const [second, setSecond] = useState<Explanation>();
  // One scale for both, so that equal colours mean equal values.
  const scale = Math.max(1e-9, ...[first, second].flatMap((one) => one?.tokens.map((token) => Math.abs(token.value)) ?? []));
  return (
    <>
      <div class="bar">
        <label class="field">{t("explain.method")}
          <select value={method} onChange={(event) => setQuery({ method: event.currentTarget.value === "lime" ? "lime" : undefined }, true)}><option value="shap">SHAP</option><option value="lime">LIME</option></select>
        </label>
        <span class="legend"><span><span class="swatch" style={{ background: "#2f6fd0" }} /> {t("explain.for")}</span> <span><span class="swatch" style={{ background: "#e8702a" }} /> {t("explain.against")}</span></span>
      </div>
      <div class="grid2">
        <Pane id={id} name="text" label={t("explain.text")} method={method} result={first} onResult={setFirst} scale={scale} />
        <Pane id={id} name="text2" label={t("explain.other")} method={method} result={second} onResult={setSecond} scale={scale} take={query.get("text") ?? ""} />
      </div>
      {first && second && (
        <p role="status">{first.label === second.label
          ? t("explain.same", { label: first.label, change: `${second.prediction >= first.prediction ? "+" : ""}${number(second.prediction - first.prediction)}` })
          : t("explain.flipped", { from: first.label, to: second.label })}</p>
      )}
    </>
  );
}

// What a model's aliases served when.
import { useState } from "preact/hooks";
import type { ModelPage as Model } from "../../lib/api";
import { servedAt, spans } from "../../lib/aliases";
import { duration, time } from "../../lib/format";
import { t } from "../../lib/i18n";
import { patched } from "../../lib/router";

export function History({ model }: { model: Model }) {
  const all = spans(model.aliases);
  const [moment, setMoment] = useState("");
  const ms = moment ? new Date(moment).getTime() : undefined;
  return (
    <section class="card" aria-label={t("models.history")}>
      <h2>{t("models.history")}</h2>
      {all.length === 0 ? <p class="muted">{t("models.noAliases")}</p> : (
        <>
          <ul class="timeline">
            {all.slice(0, 50).map((span) => (
              <li key={`${span.alias}${span.from}`}>
                <strong>{span.alias}</strong> → <a href={patched({ v: String(span.version) })}>{t("models.version", { n: span.version })}</a>{" "}
                <span class="muted num">{time(span.from)} – {span.to === undefined ? t("models.now") : `${time(span.to)} (${duration(span.to - span.from)})`}{span.who ? ` · ${span.who}` : ""}</span>
                {span.override && <div class="small warn">{t("override.was", { reason: span.override })}</div>}
              </li>
            ))}
          </ul>
          <div class="bar" style={{ marginTop: "12px" }}>
            <label class="field">{t("models.when")} <input type="datetime-local" value={moment} onInput={(event) => setMoment(event.currentTarget.value)} /></label>
            {ms !== undefined && !Number.isNaN(ms) && (
              <span role="status">
                {model.aliases.map(({ alias }) => {
                  const version = servedAt(all, alias, ms);
                  return <span key={alias} class="tag" style={{ marginRight: "6px" }}>{alias} → {version ?? t("models.nothing")}</span>;
                })}
              </span>
            )}
          </div>
        </>
      )}
    </section>
  );
}

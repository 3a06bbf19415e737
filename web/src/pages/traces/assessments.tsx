// What people and programs judged of a trace, and adding to it.
import { useMutation, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Act } from "../../components/act";
import { Dialog, ErrorNote } from "../../components/basic";
import { type Assessment, addAssessment, keys } from "../../lib/api";
import { time } from "../../lib/format";
import { t } from "../../lib/i18n";
import { useRefusal, useSession } from "../../lib/session";
import { type Span, assessmentKind, assessmentText, typedValue } from "../../lib/trace";

function Form({ trace, span, close }: { trace: string; span: Span | undefined; close: () => void }) {
  const queries = useQueryClient();
  const account = useSession()?.account;
  const [kind, setKind] = useState<"feedback" | "expectation">("feedback");
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const [rationale, setRationale] = useState("");
  const [whole, setWhole] = useState(true);
  const add = useMutation({
    mutationFn: () => addAssessment(trace, {
      assessment_name: name.trim(), source: { source_type: "HUMAN", source_id: account ?? "default" }, [kind]: { value: typedValue(value) },
      ...(rationale.trim() ? { rationale: rationale.trim() } : {}), ...(whole || !span ? {} : { span_id: span.id }),
    }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: keys.trace(trace) });
      close();
    },
  });
  return (
    <Dialog title={t("assess.add")} close={close}>
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        add.mutate();
      }}>
        <label>{t("assess.kind")}<select value={kind} onChange={(event) => setKind(event.currentTarget.value as "feedback" | "expectation")}><option value="feedback">{t("assess.feedback")}</option><option value="expectation">{t("assess.expectation")}</option></select></label>
        <label>{t("assess.name")}<input type="text" required value={name} placeholder="correctness" onInput={(event) => setName(event.currentTarget.value)} /></label>
        <label>{t("assess.value")}<input type="text" required value={value} placeholder={t("assess.valueHint")} onInput={(event) => setValue(event.currentTarget.value)} /></label>
        <label>{t("assess.rationale")}<textarea rows={3} value={rationale} onInput={(event) => setRationale(event.currentTarget.value)} /></label>
        {span && <label>{t("assess.of")}<select value={whole ? "trace" : "span"} onChange={(event) => setWhole(event.currentTarget.value === "trace")}><option value="trace">{t("assess.whole")}</option><option value="span">{span.name}</option></select></label>}
        {add.isError && <ErrorNote error={add.error} />}
        <div><button type="submit" class="primary" disabled={add.isPending}>{t("assess.save")}</button></div>
      </form>
    </Dialog>
  );
}

export function Assessments({ trace, list, spans, chosen }: { trace: string; list: Assessment[]; spans: Span[]; chosen: Span | undefined }) {
  const [adding, setAdding] = useState(false);
  const why = useRefusal("editor", undefined);
  const of = (one: Assessment) => (one.span_id ? spans.find((span) => span.id === one.span_id)?.name ?? one.span_id : t("assess.whole"));
  return (
    <section class="card" aria-label={t("assess.title")}>
      <div class="bar" style={{ marginBottom: "8px" }}><h2>{t("assess.title")}</h2><span class="grow" /><Act why={why} onClick={() => setAdding(true)}>{t("assess.add")}</Act></div>
      {list.length === 0 ? <p class="muted" style={{ margin: 0 }}>{t("assess.none")}</p> : (
        <div class="scroll" tabIndex={0} role="group" aria-label={t("assess.title")}>
          <table class="data">
            <thead><tr><th scope="col">{t("assess.name")}</th><th scope="col">{t("assess.kind")}</th><th scope="col">{t("assess.value")}</th><th scope="col">{t("assess.rationale")}</th><th scope="col">{t("assess.of")}</th><th scope="col">{t("assess.source")}</th><th scope="col">{t("traces.time")}</th></tr></thead>
            <tbody>{list.map((one) => (
              <tr key={one.assessment_id} class={one.valid ? undefined : "muted"}>
                <th scope="row">{one.assessment_name}</th><td>{t(`assess.${assessmentKind(one)}`)}</td><td>{assessmentText(one)}{one.valid ? "" : ` (${t("assess.replaced")})`}</td><td>{one.rationale ?? ""}</td><td>{of(one)}</td>
                <td>{one.source.source_id || one.source.source_type}</td><td class="num">{time(Date.parse(one.create_time))}</td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
      {adding && <Form trace={trace} span={chosen} close={() => setAdding(false)} />}
    </section>
  );
}

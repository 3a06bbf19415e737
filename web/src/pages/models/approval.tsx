// The gates of a version, who approved or rejected it, and deciding oneself.
import { useMutation, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Act } from "../../components/act";
import { ErrorNote } from "../../components/basic";
import { type Approval, type ModelVersion, decide } from "../../lib/api";
import { number, time } from "../../lib/format";
import { t } from "../../lib/i18n";
import { useRefusal, useSession } from "../../lib/session";

const tones: Record<string, string> = { passed: "good", approved: "good", failed: "bad", rejected: "bad", unknown: "warn", pending: "warn", not_required: "muted" };

export const GateState = ({ status }: { status: "passed" | "failed" | "unknown" }) => <strong class={`state ${tones[status]}`}>{t(`gates.${status}`)}</strong>;
export const ApprovalState = ({ state }: { state: Approval["state"] }) => <strong class={`state ${tones[state]}`}>{t(`approval.${state}`)}</strong>;

export function Gates({ version }: { version: ModelVersion }) {
  const gates = version.gates ?? [];
  return (
    <section class="card" aria-label={t("gates.title")}>
      <h2>{t("gates.title")}</h2>
      {gates.length === 0 ? <p class="muted" style={{ margin: 0 }}>{t("gates.none")}</p> : (
        <div class="scroll" tabIndex={0} role="group" aria-label={t("gates.title")}>
          <table class="data">
            <thead><tr><th scope="col">{t("gates.gate")}</th><th scope="col">{t("gates.status")}</th><th scope="col" class="right">{t("gates.measured")}</th><th scope="col" class="right">{t("gates.threshold")}</th><th scope="col">{t("gates.reason")}</th></tr></thead>
            <tbody>{gates.map((one) => <tr key={one.gate}><th scope="row" class="mono">{one.gate}</th><td><GateState status={one.status} /></td><td class="right">{number(one.measured ?? undefined)}</td><td class="right">{number(one.threshold ?? undefined)}</td><td>{one.reason}</td></tr>)}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}

export function ApprovalCard({ model, version }: { model: string; version: ModelVersion }) {
  const queries = useQueryClient();
  const session = useSession();
  const why = useRefusal("approver", model);
  const [comment, setComment] = useState("");
  const [who, setWho] = useState("");
  const approval = version.approval ?? { state: "not_required", required: 0, decisions: [] };
  const asks = session !== undefined && !session.accounts; // nobody is known: the name is typed
  const say = useMutation({
    mutationFn: (decision: "approve" | "reject" | "withdraw") => decide(model, version.version, { decision, comment: comment.trim(), ...(asks && who.trim() ? { who: who.trim() } : {}) }),
    onSuccess: async () => {
      setComment("");
      await queries.invalidateQueries();
    },
  });
  const mine = approval.decisions.some((one) => one.who === (asks ? who.trim() : session?.account));
  return (
    <section class="card" aria-label={t("approval.title")}>
      <h2>{t("approval.title")} <ApprovalState state={approval.state} /> {approval.required > 0 && <span class="muted small">{t("approval.of", { n: approval.decisions.filter((one) => one.decision === "approve").length, required: approval.required })}</span>}</h2>
      {approval.decisions.length === 0 ? <p class="muted">{t("approval.none")}</p> : (
        <div class="scroll" tabIndex={0} role="group" aria-label={t("approval.title")}>
          <table class="data">
            <thead><tr><th scope="col">{t("approval.who")}</th><th scope="col">{t("approval.decision")}</th><th scope="col">{t("approval.comment")}</th><th scope="col">{t("approval.when")}</th></tr></thead>
            <tbody>{approval.decisions.map((one) => <tr key={one.who}><th scope="row">{one.who}</th><td class={one.decision === "approve" ? "good" : "bad"}>{t(`approval.said.${one.decision}`)}</td><td>{one.comment}</td><td class="num">{time(one.time_ms)}</td></tr>)}</tbody>
          </table>
        </div>
      )}
      <div class="form" style={{ marginTop: "12px" }}>
        {asks && <label>{t("approval.who")}<input type="text" value={who} onInput={(event) => setWho(event.currentTarget.value)} /></label>}
        <label>{t("approval.comment")}<textarea rows={2} value={comment} onInput={(event) => setComment(event.currentTarget.value)} /></label>
        {say.isError && <ErrorNote error={say.error} />}
        <div class="bar">
          <Act why={why} disabled={say.isPending} onClick={() => say.mutate("approve")}>{t("approval.approve")}</Act>
          <Act why={why} disabled={say.isPending} onClick={() => say.mutate("reject")}>{t("approval.reject")}</Act>
          {mine && <Act why={why} disabled={say.isPending} onClick={() => say.mutate("withdraw")}>{t("approval.withdraw")}</Act>}
        </div>
      </div>
    </section>
  );
}

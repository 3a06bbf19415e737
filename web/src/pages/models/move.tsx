// Pointing an alias at a version; where the model's policy forbids it, an admin may do it nevertheless, with a reason.
import { useMutation, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Dialog, ErrorNote } from "../../components/basic";
import { type ModelPage as Model, setAlias } from "../../lib/api";
import { Fault } from "../../lib/http";
import { t } from "../../lib/i18n";
import { useRefusal } from "../../lib/session";

// The refusal in the server's words, and for admins the way past it.
export function Override({ model, error, pending, move }: { model: string; error: unknown; pending: boolean; move: (reason: string) => void }) {
  const [reason, setReason] = useState("");
  const mayNot = useRefusal("admin", model);
  return (
    <>
      <ErrorNote error={error} />
      {error instanceof Fault && error.status === 409 && mayNot === undefined && (
        <div class="form">
          <p class="muted small">{t("override.hint")}</p>
          <label>{t("override.reason")}<input type="text" value={reason} onInput={(event) => setReason(event.currentTarget.value)} /></label>
          <div><button type="button" disabled={pending || reason.trim() === ""} onClick={() => move(reason.trim())}>{t("override.do")}</button></div>
        </div>
      )}
    </>
  );
}

export function MoveAlias({ model, version, close }: { model: Model; version: number; close: () => void }) {
  const queries = useQueryClient();
  const [alias, setName] = useState(model.aliases[0]?.alias ?? "champion");
  const move = useMutation({
    mutationFn: (reason: string | undefined) => setAlias(model.name, alias, version, reason),
    onSuccess: async () => {
      await queries.invalidateQueries();
      close();
    },
  });
  const now = model.aliases.find((one) => one.alias === alias)?.version;
  return (
    <Dialog title={t("models.move")} close={close}>
      <form onSubmit={(event) => {
        event.preventDefault();
        move.mutate(undefined);
      }} style={{ display: "grid", gap: "12px" }}>
        <label class="field">{t("models.alias")} <input type="text" value={alias} list="aliases" required onInput={(event) => setName(event.currentTarget.value)} /></label>
        <datalist id="aliases">{model.aliases.map((one) => <option key={one.alias} value={one.alias} />)}</datalist>
        <p style={{ margin: 0 }}>{now === undefined ? t("models.willPoint", { alias, version }) : t("models.willMove", { alias, from: now, to: version })}</p>
        <div><button type="submit" class="primary" disabled={move.isPending || now === version}>{t("models.move")}</button></div>
      </form>
      {move.isError && <Override model={model.name} error={move.error} pending={move.isPending} move={(reason) => move.mutate(reason)} />}
    </Dialog>
  );
}

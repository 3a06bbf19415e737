// Who is signed in, what they may, and the way out.
import { useMutation } from "@tanstack/preact-query";
import { t } from "../lib/i18n";
import { type Session, signOut } from "../lib/http";
import { useSession } from "../lib/session";
import { ErrorNote } from "./basic";

const roleTexts = (session: Session) => session.roles.map(({ role, project }) => t(project === "*" ? "session.everywhere" : "session.in", { role: t(`role.${role}`), project }));

export function Account() {
  const session = useSession();
  const out = useMutation({ mutationFn: signOut });
  if (!session?.accounts || session.account === null) return null;
  return (
    <section class="account" aria-label={t("session.title")}>
      <strong>{session.account}</strong>
      <ul>{session.roles.length === 0 ? <li>{t("session.noRoles")}</li> : roleTexts(session).map((text) => <li key={text}>{text}</li>)}</ul>
      {session.csrf_token !== null && <button type="button" disabled={out.isPending} onClick={() => out.mutate()}>{t("session.signOut")}</button>}
      {out.isError && <ErrorNote error={out.error} />}
    </section>
  );
}

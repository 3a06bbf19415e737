// Signing in: by a password, or by the issuer that the server knows; then back to the address that was asked for.
import { useMutation } from "@tanstack/preact-query";
import { ErrorNote, Loading } from "../components/basic";
import { oidcPath, signIn } from "../lib/http";
import { t } from "../lib/i18n";
import { go, usePlace } from "../lib/router";
import { rememberReturn, safeTarget, useSession } from "../lib/session";

function Form({ oidc, to }: { oidc: boolean; to: string }) {
  // What is in the fields when the form is sent: a state would be that of the last rendering, which Enter may come before.
  const enter = useMutation({
    mutationFn: (form: FormData) => signIn(String(form.get("username")), String(form.get("password"))),
    onSuccess: () => go(to, true),
  });
  return (
    <>
      <p class="muted">{t("signin.needed")}</p>
      <form onSubmit={(event) => {
        event.preventDefault();
        enter.mutate(new FormData(event.currentTarget));
      }}>
        <label>{t("signin.name")}<input type="text" name="username" autocomplete="username" required autofocus /></label>
        <label>{t("signin.password")}<input type="password" name="password" autocomplete="current-password" required /></label>
        {enter.isError && <ErrorNote error={enter.error} />}
        <button type="submit" class="primary" disabled={enter.isPending}>{t("signin.do")}</button>
      </form>
      {oidc && <a class="button" href={oidcPath} onClick={() => rememberReturn(to)}>{t("signin.oidc")}</a>}
    </>
  );
}

export function SignInPage() {
  const session = useSession();
  const to = safeTarget(usePlace().query.get("to"));
  return (
    <div class="page signin">
      <section class="card" aria-labelledby="signin">
        <h1 id="signin">{t("signin.title")}</h1>
        {!session ? <Loading /> : session.accounts && session.account === null ? <Form oidc={session.oidc} to={to} />
          : <p>{session.account === null ? t("signin.none") : t("signin.already", { name: session.account })} <a href={to}>{t("signin.go")}</a></p>}
      </section>
    </div>
  );
}

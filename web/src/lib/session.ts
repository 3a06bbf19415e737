// Who asks, and what they may. docs/guide/security.md has the roles; the server decides, the pages only say beforehand what it
// would refuse.
import { useQuery } from "@tanstack/preact-query";
import { keys } from "./api";
import { type Session, getSession } from "./http";
import { t } from "./i18n";

export const roles = ["viewer", "editor", "approver", "admin"] as const;
export type Role = (typeof roles)[number];

const rank = (role: Role | undefined) => (role === undefined ? -1 : roles.indexOf(role));

// A project covers its own name, and names that begin with it and '/' or '.'; "*" covers all.
export const covers = (project: string, name: string) => project === "*" || name === project || name.startsWith(`${project}/`) || name.startsWith(`${project}.`);

// The highest role in the project of a record of that name; without a name, the one that holds everywhere.
export function roleIn(session: Session, name: string | undefined): Role | undefined {
  return session.roles.filter((grant) => (name === undefined ? grant.project === "*" : covers(grant.project, name)))
    .reduce<Role | undefined>((best, grant) => (rank(grant.role) > rank(best) ? grant.role : best), undefined);
}

// Why the caller may not do what needs the role, or undefined when they may (or nobody knows yet: the server will say).
export function refusal(session: Session | undefined, role: Role, name: string | undefined): string | undefined {
  if (!session?.accounts) return undefined;
  const has = roleIn(session, name);
  if (rank(has) >= rank(role)) return undefined;
  const values = { needs: t(`role.${role}`), has: has ? t(`role.${has}`) : t("role.none"), name: name ?? "" };
  return name === undefined ? t("may.everywhere", values) : t("may.in", values);
}

export const useSession = () => useQuery({ queryKey: keys.session, queryFn: ({ signal }) => getSession(signal), staleTime: 60_000, refetchOnWindowFocus: true }).data;

export const useRefusal = (role: Role, name: string | undefined) => refusal(useSession(), role, name);

export const signInPath = "/ui/signin";

// Where to go after signing in: an address of these pages, whatever the link says.
export const safeTarget = (to: string | null | undefined) => (to && /^\/ui(\/(?!signin)|\?|$)/.test(to) && !/[\\\s]/.test(to) ? to : "/ui/runs");

const kReturn = "slipway.return"; // an issuer brings the browser back to "/" (api/routes_oidc.cc)
export function rememberReturn(to: string): void {
  try {
    sessionStorage.setItem(kReturn, to);
  } catch {
    // No storage: the runs it is.
  }
}
export function takeReturn(): string | undefined {
  try {
    const to = sessionStorage.getItem(kReturn);
    sessionStorage.removeItem(kReturn);
    return to === null ? undefined : safeTarget(to);
  } catch {
    return undefined;
  }
}

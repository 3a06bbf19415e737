// The frame of all pages: where one can go, the language, the theme, the keys; and which page an address means.
import { type ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Account } from "./components/account";
import { Dialog, Icon } from "./components/basic";
import { type Key, setLang, t, useLang } from "./lib/i18n";
import { go, link, onLinkClick, usePlace } from "./lib/router";
import { signInPath, useSession } from "./lib/session";
import { type Theme, setTheme, theme } from "./lib/theme";
import { DatasetsPage } from "./pages/datasets/list";
import { DeploymentsPage } from "./pages/deployments/list";
import { ModelsPage } from "./pages/models/list";
import { RunsPage } from "./pages/runs";
import { SignInPage } from "./pages/signin";
import { TracesPage } from "./pages/traces/list";

type Page = ComponentType<{ id: string }>;

interface Entry {
  path: string;
  name: Key;
  icon: Parameters<typeof Icon>[0]["name"];
  key: string; // after "g"
  list: Page;
  one?: () => Promise<Page>; // fetched when it is first opened
}

const annotations = () => import("./pages/annotate/list").then((module) => module.ProjectsPage);

const entries: Entry[] = [
  { path: "/ui/runs", name: "nav.runs", icon: "runs", key: "r", list: RunsPage, one: () => import("./pages/run").then((module) => module.RunPage) },
  { path: "/ui/traces", name: "nav.traces", icon: "traces", key: "t", list: TracesPage, one: () => import("./pages/traces/one").then((module) => module.TracePage) },
  { path: "/ui/models", name: "nav.models", icon: "models", key: "m", list: ModelsPage, one: () => import("./pages/models/model").then((module) => module.ModelPage) },
  { path: "/ui/deployments", name: "nav.deployments", icon: "deploy", key: "d", list: DeploymentsPage, one: () => import("./pages/deployments/one").then((module) => module.DeploymentPage) },
  { path: "/ui/annotate", name: "nav.annotate", icon: "annotate", key: "a", list: () => <Later load={annotations} id="" />, one: () => import("./pages/annotate").then((module) => module.ProjectPage) },
  { path: "/ui/datasets", name: "nav.datasets", icon: "data", key: "s", list: DatasetsPage, one: () => import("./pages/datasets/one").then((module) => module.DatasetPage) },
];

function Later({ load, id }: { load: () => Promise<Page>; id: string }) {
  const [page, setPage] = useState<{ load: () => Promise<Page>; Page: Page }>();
  useEffect(() => {
    void load().then((Page) => setPage({ load, Page }));
  }, [load]);
  return page?.load === load ? <page.Page id={id} key={id} /> : <p class="page muted" role="status">{t("state.loading")}</p>;
}

function Prefs() {
  const [, redraw] = useState(0);
  const language = useLang();
  return (
    <div class="prefs">
      <label>{t("nav.language")}
        <select value={language} onChange={(event) => setLang(event.currentTarget.value === "zh" ? "zh" : "en")}>
          <option value="en" lang="en">English</option>
          <option value="zh" lang="zh">中文</option>
        </select>
      </label>
      <label>{t("nav.theme")}
        <select value={theme()} onChange={(event) => {
          setTheme(event.currentTarget.value as Theme);
          redraw((n) => n + 1);
        }}>
          {(["system", "light", "dark"] as const).map((name) => <option key={name} value={name}>{t(`theme.${name}`)}</option>)}
        </select>
      </label>
    </div>
  );
}

function Keys({ close }: { close: () => void }) {
  const rows: [string, Key][] = [["/", "keys.filter"], ["?", "keys.help"], ["↑ ↓ PgUp PgDn Home End", "keys.rows"], ["Space", "keys.pick"], ["Enter", "keys.open"], ["Alt ← →", "keys.columns"], ["Esc", "keys.close"]];
  if (entries.length > 1) rows.splice(2, 0, [entries.map((entry) => `g ${entry.key}`).join("  "), "keys.go"]);
  const licences = document.querySelector<HTMLMetaElement>('meta[name="slipway-licences"]')?.content;
  return (
    <Dialog title={t("keys.title")} close={close}>
      <table class="data"><tbody>{rows.map(([key, text]) => <tr key={key}><th scope="row"><kbd>{key}</kbd></th><td>{t(text)}</td></tr>)}</tbody></table>
      {licences && <p class="small"><a href={licences} target="_blank">{t("keys.licences")}</a></p>}
    </Dialog>
  );
}

function useKeys(help: () => void): void {
  useEffect(() => {
    let waiting = 0; // until when "g" waits for its second key
    const listener = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || document.querySelector("dialog[open]")) return;
      if (event.key === "?") {
        event.preventDefault();
        help();
      } else if (event.key === "/") {
        const box = document.querySelector<HTMLElement>("#filter") ?? document.querySelector<HTMLElement>("main input[type=search]");
        if (box) event.preventDefault();
        box?.focus();
      } else if (event.key === "g") {
        waiting = Date.now() + 1500;
      } else if (Date.now() < waiting) {
        waiting = 0;
        const entry = entries.find((one) => one.key === event.key);
        if (entry) go(entry.path);
      }
    };
    addEventListener("keydown", listener);
    return () => removeEventListener("keydown", listener);
  }, []);
}

// Nobody is signed in where accounts are asked for: to the sign-in, and back here afterwards.
function useSignIn(path: string, query: URLSearchParams): void {
  const session = useSession();
  const needed = session !== undefined && session.accounts && session.account === null && path !== signInPath;
  useEffect(() => {
    if (needed) go(link(signInPath, { to: path + (query.size > 0 ? `?${query}` : "") }), true);
  }, [needed]);
}

function Content({ path, entry, id }: { path: string; entry: Entry | undefined; id: string }) {
  if (path === signInPath) return <SignInPage />;
  if (!entry || (id && !entry.one)) return <div class="page"><p>{t("state.notFound")} <a href="/ui/runs">{t("state.home")}</a></p></div>;
  return id ? <Later load={entry.one!} id={id} /> : <entry.list id="" />;
}

export function App() {
  useLang();
  const { path, query } = usePlace();
  useSignIn(path, query);
  const [help, setHelp] = useState(false);
  const main = useRef<HTMLElement>(null);
  const last = useRef(path);
  useKeys(() => setHelp(true));
  const entry = entries.find((one) => path === one.path || path.startsWith(`${one.path}/`));
  const id = entry && path.length > entry.path.length ? decodeURIComponent(path.slice(entry.path.length + 1)) : "";
  useEffect(() => {
    document.title = `${path === signInPath ? t("signin.title") : id || (entry ? t(entry.name) : "")} · Slipway`;
    if (last.current !== path) main.current?.focus(); // a new page is read from its beginning
    last.current = path;
  }, [path]);
  return (
    <div class="shell" onClick={onLinkClick}>
      <nav class="side" aria-label={t("nav.label")}>
        <a class="skip" href="#main" onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}>{t("nav.skip")}</a>
        <a class="brand" href="/ui/runs">
          <svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="7" fill="#0b5f7e" /><path d="M5 23 27 11v4L9 25z" fill="#9fe0f2" /><path d="M11 17V7l9 5z" fill="#fff" /></svg>
          Slipway
        </a>
        {entries.map((one) => <a key={one.path} class="item" href={one.path} aria-current={one === entry ? "page" : undefined}><Icon name={one.icon} />{t(one.name)}</a>)}
        <span class="grow" />
        <button type="button" class="plain" onClick={() => setHelp(true)}><kbd>?</kbd> {t("nav.keys")}</button>
        <Account />
        <Prefs />
      </nav>
      <main id="main" ref={main} tabIndex={-1}>
        <Content path={path} entry={entry} id={id} />
      </main>
      {help && <Keys close={() => setHelp(false)} />}
    </div>
  );
}

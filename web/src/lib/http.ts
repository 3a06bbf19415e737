// Requests to this server: what is wrong in its words, the session that they are sent in, and what is kept of the answers.
import { QueryClient } from "@tanstack/preact-query";
import type { components } from "../gen/api";

export type Session = components["schemas"]["Session"];
export const sessionKey = ["session"] as const;

// What the server said was wrong, in its words.
export class Fault extends Error {
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
  }
}

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      gcTime: 60_000,
      // What the server refuses it refuses again; only what did not reach it is tried once more.
      retry: (count, error) => error instanceof Fault && (error.status === 0 || error.status === 503) && count < 2,
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

const sessionPath = "/api/slipway/session";

// What a session by cookie must send with each change; null without one.
let csrf: string | null = null;

async function send(method: string, path: string, body: unknown, signal: AbortSignal | undefined): Promise<Response> {
  const headers: Record<string, string> = {};
  if (csrf !== null && method !== "GET") headers["X-CSRF-Token"] = csrf;
  const init: RequestInit = { method, credentials: "same-origin", headers };
  if (signal) init.signal = signal;
  if (body instanceof Blob) {
    headers["Content-Type"] = "application/octet-stream"; // a file as it is
    init.body = body;
  } else if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  try {
    return await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Fault(0, "UNREACHABLE", "");
  }
}

async function faultOf(response: Response): Promise<Fault> {
  let json: unknown;
  try {
    json = JSON.parse(await response.text());
  } catch {
    json = undefined;
  }
  const fault = (json ?? {}) as { error_code?: string; message?: string; error?: unknown };
  const message = fault.message ?? (typeof fault.error === "string" ? fault.error : `${response.status} ${response.statusText}`);
  return new Fault(response.status, fault.error_code ?? String(response.status), message);
}

// Nobody is signed in any more: the frame of the pages leads to the sign-in, and back to this address.
function signedOut(): void {
  csrf = null;
  const old = client.getQueryData<Session>(sessionKey);
  client.setQueryData<Session>(sessionKey, { accounts: true, account: null, roles: [], csrf_token: null, oidc: old?.oidc ?? false });
  if (!old) void client.invalidateQueries({ queryKey: sessionKey });
}

export async function ask<T>(method: "GET" | "POST" | "PUT" | "DELETE" | "PATCH", path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  let response = await send(method, path, body, signal);
  if (response.status === 403 && method !== "GET") {
    // The cookie may be of a session that began in another window: its token is asked for, and used.
    const fault = await faultOf(response);
    const before = csrf;
    if (!fault.message.includes("X-CSRF-Token")) throw fault;
    await getSession(signal);
    if (csrf === null || csrf === before) throw fault;
    response = await send(method, path, body, signal);
  }
  if (!response.ok) {
    const fault = await faultOf(response);
    if (fault.status === 401 && !path.startsWith("/api/slipway/")) signedOut();
    throw fault;
  }
  return JSON.parse(await response.text()) as T;
}

// A file's text, or its first bytes.
export async function fetchText(url: string, first: number | undefined, signal?: AbortSignal): Promise<string> {
  const init: RequestInit = { headers: first === undefined ? {} : { Range: `bytes=0-${first - 1}` } };
  if (signal) init.signal = signal;
  const response = await fetch(url, init);
  if (response.status === 401) signedOut();
  if (!response.ok) throw await faultOf(response);
  return response.text();
}

export async function getSession(signal?: AbortSignal): Promise<Session> {
  const session = await ask<Session>("GET", sessionPath, undefined, signal);
  csrf = session.csrf_token;
  return session;
}
export async function signIn(username: string, password: string): Promise<void> {
  await ask("POST", "/api/slipway/login", { username, password });
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== sessionKey[0] }); // what another account was shown
  await client.fetchQuery({ queryKey: sessionKey, queryFn: () => getSession(), staleTime: 0 });
}
export async function signOut(): Promise<void> {
  await ask("POST", "/api/slipway/logout");
  signedOut();
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== sessionKey[0] });
}
export const oidcPath = "/api/slipway/oidc/login";

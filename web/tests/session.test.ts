// What an account may, said beforehand as the server would decide it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Session } from "../src/lib/http";

Object.assign(globalThis, { addEventListener: () => {}, location: { pathname: "/", search: "" } });
const { covers, refusal, roleIn, safeTarget } = await import("../src/lib/session");

const session = (...roles: Session["roles"]): Session => ({ accounts: true, account: "ann", roles, csrf_token: "x", oidc: false });

test("a project covers its name and what goes on with a slash or a point", () => {
  for (const name of ["sentiment", "sentiment/large", "sentiment.zh"]) assert.ok(covers("sentiment", name), name);
  for (const name of ["sentiments", "senti", "x/sentiment", ""]) assert.ok(!covers("sentiment", name), name);
  assert.ok(covers("*", "anything"));
});

test("the highest role of a name counts; without a name, the one that holds everywhere", () => {
  const one = session({ project: "*", role: "viewer" }, { project: "a", role: "editor" }, { project: "a/b", role: "admin" });
  assert.deepEqual([roleIn(one, "a"), roleIn(one, "a/b"), roleIn(one, "c"), roleIn(one, undefined)], ["editor", "admin", "viewer", "viewer"]);
  assert.equal(roleIn(session(), "a"), undefined);
});

test("what is refused comes with its reason; what nobody asks is allowed", () => {
  const one = session({ project: "a", role: "editor" });
  assert.equal(refusal(one, "editor", "a/b"), undefined);
  assert.equal(refusal(one, "approver", "a"), "Needs the role approver for a; you have editor.");
  assert.equal(refusal(one, "viewer", undefined), "Needs the role viewer in every project; you have none.");
  assert.equal(refusal({ ...one, accounts: false }, "admin", "z"), undefined);
  assert.equal(refusal(undefined, "admin", "z"), undefined);
});

test("the way back from signing in stays within the pages", () => {
  for (const to of ["/ui/runs?e=1&q=a%20%3D%201", "/ui", "/ui/models/a%2Fb?v=2"]) assert.equal(safeTarget(to), to);
  for (const to of [null, "", "https://elsewhere.example/ui/runs", "//elsewhere.example", "/api/slipway/logout", "/ui/signin?to=/ui/signin", "/uix", "/ui/\\elsewhere", "javascript:alert(1)", "/\\elsewhere"]) assert.equal(safeTarget(to), "/ui/runs", String(to));
});

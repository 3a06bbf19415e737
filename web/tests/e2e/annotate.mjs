// Annotation by the keyboard alone, against the real server: classes, spans and relations, undo, skipping, suggestions, review, export.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { accessible, noFaults, openPage, reachable } from "./support.mjs";

const api = "/api/ui/annotation";
const label = (name, hotkey = "", color = "") => ({ name, hotkey, color });
const schemes = {
  films: { questions: ["classification"], classes: [label("good"), label("bad")], spans: [], relations: [], rating_max: 5, overlapping: true },
  people: { questions: ["spans", "relations"], classes: [], spans: [label("PER", "p"), label("ORG", "q")], relations: [label("founded"), label("left")], rating_max: 5, overlapping: true },
  replies: { questions: ["preference", "rating", "text", "chat-review"], classes: [], spans: [], relations: [], rating_max: 5, overlapping: true },
};
const rows = {
  films: [{ key: "f1", text: "A wonderful film." }, { key: "f2", text: "A dull evening." }, { key: "f3", text: "What was that?" }, { key: "f4", text: "一部好电影。" }],
  people: [{ key: "p1", text: "😀 Larry Page founded Google.\nThen he left." }, { key: "p2", text: "Ada Lovelace wrote." }],
  replies: [{ key: "r1", text: "Which reply is better?", candidates: ["Yes, gladly.", "No."], messages: [{ role: "user", content: "Can you help?" }, { role: "assistant", content: "Yes, gladly." }, { role: "user", content: "Thanks" }, { role: "assistant", content: "You're welcome." }] }],
};

export async function seedProject(server, name, kind, settings = {}, tasks = rows[kind]) {
  await server.send("POST", api, { name, settings: { scheme: schemes[kind], ...settings } });
  if (tasks.length === 0) return;
  const answer = await fetch(`${server.url}${api}/${name}/import?format=jsonl`, { method: "POST", headers: { "Content-Type": "application/octet-stream", ...server.headers }, body: tasks.map((one) => JSON.stringify(one)).join("\n") });
  assert.equal(answer.status, 200, answer.status === 200 ? "" : await answer.text());
  assert.equal((await answer.json()).tasks, tasks.length);
}

const all = async (server, name) => {
  const { tasks } = await (await fetch(`${server.url}${api}/${name}/tasks`)).json();
  return Promise.all(tasks.map(async (one) => (await fetch(`${server.url}${api}/${name}/tasks/${one.id}`)).json()));
};
const answers = async (server, name) => Object.fromEntries((await all(server, name)).map((one) => [one.task.key, one.annotations.filter((said) => !said.ground_truth)]));

// Who answers says their name once; then the keys work.
async function begin(page, server, name, who = "ann") {
  await page.addInitScript((text) => localStorage.setItem("slipway.annotator", text), who);
  await page.goto(`${server.url}/ui/annotate/${name}?tab=label`);
  await page.locator(".work").waitFor();
}
const onTask = (page, key) => page.getByText(`Task ${key}`, { exact: true }).waitFor();
const press = async (page, ...keys) => {
  for (const key of keys) await page.keyboard.press(key);
};
const done = (page) => page.getByText("No task is left for you.").waitFor();

export const tests = {
  async "annotation: classes by keys, undo before and after saving, skip, note"({ browser, server }) {
    await seedProject(server, "films", "films");
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/annotate/films?tab=label`);
    await page.getByRole("textbox", { name: "Your name" }).fill("ann");
    await page.keyboard.press("Enter");
    await onTask(page, "f1");
    await press(page, "Enter");
    await page.getByText("Still asked for: one class.").waitFor();
    await press(page, "2", "z", "1", "n");
    await page.getByRole("dialog").getByRole("textbox").fill("liked it");
    await press(page, "Control+Enter", "Enter");
    await onTask(page, "f2");
    await press(page, "2", "Enter");
    await onTask(page, "f3");
    await press(page, "z"); // f3 has nothing to take back: what was saved of f2 is
    await onTask(page, "f2");
    assert.equal(await page.getByRole("button", { name: "bad" }).getAttribute("aria-pressed"), "true");
    await page.waitForFunction(() => document.querySelector(".status-line").textContent.includes("taken back"));
    assert.equal((await answers(server, "films")).f2.length, 0);
    await press(page, "Shift+z"); // and saved again
    await onTask(page, "f3");
    await press(page, "z");
    await onTask(page, "f2");
    await press(page, "1", "Enter");
    await onTask(page, "f3");
    await press(page, "s");
    await onTask(page, "f4");
    await press(page, ",");
    await onTask(page, "f3");
    await press(page, ".");
    await onTask(page, "f4");
    await press(page, "1", "Enter");
    await done(page);
    const said = await answers(server, "films");
    assert.deepEqual(said.f1.map((one) => [one.annotator, one.answer, one.note, one.skipped]), [["ann", { classes: ["good"] }, "liked it", false]]);
    assert.deepEqual(said.f2[0].answer, { classes: ["good"] });
    assert.deepEqual([said.f3[0].skipped, said.f4[0].answer], [true, { classes: ["good"] }]);
    noFaults(page);
    await page.context().close();
  },
  async "annotation: spans and a relation by keys, counted in code points"({ browser, server }) {
    await seedProject(server, "people", "people");
    const page = await openPage(browser, server);
    await begin(page, server, "people");
    await onTask(page, "p1");
    await press(page, "Control+ArrowRight", "Control+ArrowLeft", "Control+Shift+ArrowRight", "Control+Shift+ArrowRight", "p");
    await page.getByRole("region", { name: "Spans (1)" }).getByText("Larry Page").waitFor();
    await press(page, "ArrowRight", "Control+ArrowRight", "Control+ArrowRight", "q", "[", "r", "]", "r", "1");
    await page.getByRole("region", { name: "Relations (1)" }).getByText("founded").waitFor();
    await accessible(page, "spans and a relation");
    // A nested span over a line's end, its border moved, taken away and back again.
    await press(page, "Escape", "ArrowDown", "Home", "Control+Shift+ArrowRight", "p", "Control+Shift+ArrowRight", "e");
    await page.getByRole("region", { name: "Spans (3)" }).getByText("Then he").waitFor();
    await press(page, "Delete", "z", "Enter");
    await onTask(page, "p2");
    // The mouse does the same.
    const box = await page.locator(".block").boundingBox();
    await page.mouse.dblclick(box.x + 8, box.y + 15);
    assert.equal(await page.evaluate(() => getSelection().toString().trim()), "Ada");
    await press(page, "p", "Enter");
    await done(page);
    const said = await answers(server, "people");
    const { spans, relations } = said.p1[0].answer;
    assert.deepEqual(spans.map((one) => [one.start, one.end, one.label]), [[2, 12, "PER"], [21, 27, "ORG"], [29, 36, "PER"]]);
    assert.deepEqual(relations, [{ from: spans[0].id, to: spans[1].id, label: "founded" }]);
    assert.deepEqual(said.p2[0].answer.spans.map((one) => [one.start, one.end, one.label]), [[0, 3, "PER"]]);
    assert.ok(said.p1[0].seconds >= 0);
    noFaults(page);
    await page.context().close();
  },
  async "annotation: suggestions of a dictionary are accepted by one key"({ browser, server }) {
    await seedProject(server, "hints", "people", { rules: [{ label: "ORG", terms: ["Google"] }] });
    const page = await openPage(browser, server);
    await begin(page, server, "hints");
    await page.getByRole("region", { name: "Suggestions" }).getByText("dictionary").waitFor();
    await page.locator(".mark.hinted").getByText("Google").waitFor();
    await accessible(page, "a suggestion");
    await press(page, "h");
    await page.locator(".mark.hinted").waitFor({ state: "detached" });
    await press(page, "a");
    await page.locator(".mark:not(.hinted)").getByText("Google").waitFor();
    await press(page, "Enter");
    await onTask(page, "p2");
    const said = await answers(server, "hints");
    assert.deepEqual(said.p1[0].answer.spans.map((one) => [one.start, one.end, one.label]), [[21, 27, "ORG"]]);
    noFaults(page);
    await page.context().close();
  },
  async "annotation: preference, rating, text and a chat"({ browser, server }) {
    await seedProject(server, "replies", "replies");
    const page = await openPage(browser, server);
    await begin(page, server, "replies");
    await accessible(page, "replies");
    await reachable(page, "replies");
    await page.evaluate(() => document.activeElement.blur());
    await press(page, "?");
    const dialog = page.getByRole("dialog", { name: "Keys of this page" });
    await dialog.waitFor();
    await accessible(page, "its keys");
    const key = async (name) => dialog.getByRole("row", { name }).first().getByRole("rowheader").textContent();
    const [better, four] = [await key("reply 1 is better"), await key("rating 4")];
    await press(page, "Escape", better, four, "t");
    await page.keyboard.type("The first");
    await press(page, "Escape", "Enter");
    await page.getByText("Still asked for: replies of a chat.").waitFor();
    await page.getByRole("group", { name: "Rating of message 4" }).getByRole("button", { name: "5" }).click();
    await press(page, "Enter"); // the button was clicked, so Enter is not its
    await done(page);
    const said = await answers(server, "replies");
    assert.deepEqual(said.r1[0].answer, { texts: ["The first"], rating: 4, preferred: 0, message_ratings: [0, 0, 0, 5] });
    noFaults(page);
    await page.context().close();
  },
  async "annotation: differences are reviewed by keys, history and export tell it"({ browser, server }) {
    await seedProject(server, "twice", "films", { overlap: 2 });
    for (const [who, keys] of [["ann", ["1", "2", "1", "1"]], ["bob", ["1", "1", "1", "2"]]]) {
      const page = await openPage(browser, server);
      await begin(page, server, "twice", who);
      for (const [i, key] of keys.entries()) {
        await onTask(page, `f${i + 1}`);
        await press(page, key, "Enter");
      }
      await done(page);
      noFaults(page);
      await page.context().close();
    }
    const page = await openPage(browser, server);
    await page.addInitScript(() => localStorage.setItem("slipway.annotator", "eve"));
    await page.goto(`${server.url}/ui/annotate/twice`);
    await page.getByRole("region", { name: "Agreement" }).getByText("Krippendorff").first().waitFor();
    await page.getByRole("region", { name: "By annotator" }).getByRole("rowheader", { name: "bob" }).waitFor();
    await accessible(page, "a project");
    await reachable(page, "a project");
    await page.getByRole("link", { name: "Review", exact: true }).click();
    const first = (await page.getByRole("region", { name: "To be decided" }).getByRole("link").first().textContent()).includes("dull") ? "f2" : undefined;
    await page.goto(`${server.url}/ui/annotate/twice?tab=review&task=${(await all(server, "twice")).find((one) => one.task.key === "f2").task.id}`);
    await page.getByRole("region", { name: "bob", exact: true }).locator(".differs").waitFor();
    await accessible(page, "a review");
    await reachable(page, "a review");
    const chosen = await page.locator(".side-by-side section").first().getAttribute("aria-label");
    await page.evaluate(() => document.activeElement.blur());
    await press(page, "1");
    await page.waitForFunction(() => !document.querySelector(".decision h2")?.textContent.includes("f2"));
    await page.goto(`${server.url}/ui/annotate/twice?tab=review&task=${(await all(server, "twice")).find((one) => one.task.key === "f4").task.id}`);
    await page.locator(".side-by-side").waitFor();
    await press(page, "w");
    await page.getByRole("button", { name: "Save the decision" }).waitFor();
    await press(page, "2", "Enter");
    await page.waitForFunction(() => !document.querySelector(".decision h2")?.textContent.includes("f4"));
    const decided = Object.fromEntries((await all(server, "twice")).map((one) => [one.task.key, one]));
    const truth = (key) => decided[key].annotations.find((one) => one.ground_truth);
    assert.deepEqual(truth("f2").answer, decided.f2.annotations.find((one) => one.annotator === chosen && !one.ground_truth).answer);
    assert.deepEqual([truth("f4").answer, truth("f4").annotator, decided.f4.state], [{ classes: ["bad"] }, "eve", "reviewed"]);
    await page.goto(`${server.url}/ui/annotate/twice?tab=review&task=${decided.f4.task.id}`);
    await page.getByRole("region", { name: "History" }).getByText("decided").waitFor();
    await page.getByRole("link", { name: "Import and export" }).click();
    await accessible(page, "files");
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export", exact: true }).click()]);
    const text = await (await fetch(`${server.url}${new URL(file.url()).pathname}${new URL(file.url()).search}`)).text();
    for (const one of ["f1", "f4", "ann", "bob"]) assert.ok(text.includes(one), `${one} is not in the file: ${text.slice(0, 300)}`);
    assert.ok(first === undefined || first === "f2");
    noFaults(page);
    await page.context().close();
  },
  async "annotation: a project is made, filled, set and searched in the browser"({ browser, server }) {
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/runs`);
    await page.getByRole("link", { name: "Annotation" }).waitFor();
    await press(page, "g", "a");
    await page.getByRole("button", { name: "New project" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("made here");
    await page.getByRole("textbox", { name: "Classes" }).fill("yes, no");
    await accessible(page, "a new project");
    await page.getByRole("button", { name: "Make it" }).click();
    await page.locator("input[type=file]").setInputFiles({ name: "texts.jsonl", mimeType: "application/jsonl", buffer: Buffer.from(Array.from({ length: 450 }, (_, i) => JSON.stringify({ key: `t${i}`, text: `text number ${i}` })).join("\n")) });
    await page.getByRole("button", { name: "Import", exact: true }).click();
    await page.getByText("450 new tasks").waitFor();
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByRole("spinbutton", { name: "Annotators of each task" }).fill("2");
    await page.getByRole("group", { name: "yes" }).getByRole("textbox", { name: "Key" }).fill("z");
    await page.getByText("These keys are taken").waitFor();
    await page.getByRole("group", { name: "yes" }).getByRole("textbox", { name: "Key" }).fill("y");
    await page.getByRole("textbox", { name: "Guidelines" }).fill("# Say yes\n- to **all**");
    await accessible(page, "settings");
    await reachable(page, "settings");
    await page.getByRole("button", { name: "Save the settings" }).click();
    await page.getByText("Saved.").waitFor();
    const project = await (await fetch(`${server.url}${api}/${encodeURIComponent("made here")}`)).json();
    assert.equal(project.settings.overlap, 2);
    assert.equal(project.settings.scheme.classes[0].hotkey, "y");
    await page.getByRole("link", { name: "Tasks", exact: true }).click();
    const grid = page.getByRole("grid", { name: "Tasks" });
    await grid.getByText("text number 0").first().waitFor();
    await accessible(page, "tasks");
    await page.getByRole("searchbox").fill("number 44");
    await press(page, "Enter");
    await page.getByText("11 tasks.").waitFor();
    await grid.focus();
    await press(page, "ArrowDown", " ");
    await page.getByRole("textbox", { name: "Your name" }).fill("ann");
    await press(page, "Enter");
    await onTask(page, "t440");
    await press(page, "y", "Enter");
    await page.waitForFunction(() => !document.querySelector(".labelling").textContent.includes("Task t440"));
    await page.getByLabel("Language").selectOption("zh");
    await page.getByRole("link", { name: "概览" }).click();
    await page.getByRole("heading", { name: "一致性" }).waitFor();
    await accessible(page, "a project in Chinese");
    noFaults(page);
    await page.context().close();
  },
  async "annotation: relations are removed by keys, a label has a key with Shift"({ browser, server }) {
    await server.send("POST", api, { name: "links", settings: { scheme: { ...schemes.people, spans: [label("PER", "E"), label("ORG", "q")] } } });
    await fetch(`${server.url}${api}/links/import?format=jsonl`, { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: JSON.stringify(rows.people[0]) });
    const page = await openPage(browser, server);
    await begin(page, server, "links");
    await onTask(page, "p1");
    await press(page, "Control+Shift+ArrowRight", "Control+Shift+ArrowRight", "Shift+E", "ArrowRight", "Control+ArrowRight", "Control+ArrowRight", "q");
    await page.getByRole("region", { name: "Spans (2)" }).waitFor();
    await press(page, "[", "r", "]", "r", "1", "[", "r", "]", "r", "2");
    await page.getByRole("region", { name: "Relations (2)" }).waitFor();
    await press(page, "Escape", "Shift+R");
    await page.locator("li[aria-current=true]").getByText("founded").waitFor();
    await accessible(page, "a chosen relation");
    await press(page, "Delete");
    await page.getByRole("region", { name: "Relations (1)" }).getByText("left").waitFor();
    await press(page, "z", "Shift+R", "Shift+R", "Backspace", "Enter");
    await done(page);
    const said = (await answers(server, "links")).p1[0].answer;
    assert.deepEqual(said.spans.map((one) => one.label), ["PER", "ORG"]);
    assert.deepEqual(said.relations.map((one) => one.label), ["founded"]);
    noFaults(page);
    await page.context().close();
  },
  async "annotation: a served model set on the page suggests, one that fails is told and nobody waits"({ browser, server }) {
    const model = createServer((request, answer) => {
      let body = "";
      request.on("data", (piece) => (body += piece));
      request.on("end", () => {
        const text = [...JSON.parse(body).inputs];
        const start = text.join("").indexOf("Google") - 1; // an emoji is one code point, two units
        answer.writeHead(request.url === "/ner" ? 200 : 503, { "Content-Type": "application/json" });
        answer.end(request.url === "/ner" ? JSON.stringify([{ entity_group: "COMPANY", score: 0.83, start, end: start + 6 }]) : "the model is loading");
      });
    });
    await new Promise((resolve) => model.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${model.address().port}`;
    try {
      await seedProject(server, "served", "people", {}, rows.people.slice(0, 1));
      const page = await openPage(browser, server);
      await page.goto(`${server.url}/ui/annotate/served?tab=settings`);
      const services = page.getByRole("group", { name: "Served models" });
      for (const [place, path] of [[1, "/ner"], [2, "/down"]]) {
        await services.getByRole("button", { name: "Add" }).click();
        const one = page.getByRole("group", { name: `Service ${place}` });
        await one.getByRole("textbox", { name: "Address" }).fill(url + path);
        await one.getByRole("textbox", { name: "Name", exact: true }).fill(path.slice(1));
        await one.getByRole("textbox", { name: "Labels of the model" }).fill("COMPANY = ORG");
      }
      await accessible(page, "settings of served models");
      await page.getByRole("button", { name: "Save the settings" }).click();
      await page.getByText("Saved.").waitFor();
      await begin(page, server, "served");
      const list = page.getByRole("region", { name: "Suggestions" });
      await list.getByText("0.83").waitFor();
      await list.getByText("ner", { exact: true }).waitFor();
      await press(page, "a", "Enter");
      await done(page);
      assert.deepEqual((await answers(server, "served")).p1[0].answer.spans.map((one) => [one.start, one.end, one.label]), [[21, 27, "ORG"]]);
      await page.goto(`${server.url}/ui/annotate/served`);
      const card = page.getByRole("region", { name: "Suggestions" });
      await card.getByRole("row", { name: /down fails/ }).getByText("503: the model is loading").waitFor();
      await card.getByRole("row", { name: /ner answers/ }).waitFor();
      await accessible(page, "how models do");
      await reachable(page, "how models do");
      noFaults(page);
      await page.context().close();
    } finally {
      model.close();
      model.closeAllConnections();
    }
  },
  async "annotation: rules are joined by a label model, several answers come to one at export"({ browser, server }) {
    await seedProject(server, "joined", "films", { overlap: 3, label_model: "generative", rules: [{ label: "good", terms: ["wonderful"] }, { label: "bad", terms: ["dull"] }, { label: "bad", pattern: "evening" }] });
    for (const [who, name] of [["ann", "good"], ["bob", "bad"], ["eve", "bad"]]) {
      const { tasks } = await (await fetch(`${server.url}${api}/joined/tasks`)).json();
      await server.send("PUT", `${api}/joined/tasks/${tasks[0].id}/answer`, { revision: 0, annotator: who, answer: { classes: [name] } });
    }
    const page = await openPage(browser, server);
    await page.goto(`${server.url}/ui/annotate/joined`);
    await page.getByRole("region", { name: "Suggestions" }).getByRole("rowheader", { name: "bad (rule 2)" }).waitFor();
    await accessible(page, "rules of a project");
    await begin(page, server, "joined", "fay");
    await page.getByRole("region", { name: "Suggestions" }).getByText("weak:generative").waitFor();
    await page.goto(`${server.url}/ui/annotate/joined?tab=files`);
    await page.getByRole("combobox", { name: "Where several answered and nobody decided" }).selectOption("majority");
    const address = await page.getByRole("link", { name: "Export", exact: true }).getAttribute("href");
    const text = await (await fetch(`${server.url}${address}`)).text();
    assert.ok(text.includes("consensus:majority"), text.slice(0, 300));
    await accessible(page, "export of a consensus");
    noFaults(page);
    await page.context().close();
  },
  async "annotation: a text of 100,000 characters"({ browser, server }) {
    const text = `${"The quick brown fox 😀 jumps over the lazy dog. ".repeat(2100)}\n`.repeat(1);
    await seedProject(server, "long", "people", {}, [{ key: "long", text }, { key: "next", text: "short" }]);
    const page = await openPage(browser, server);
    await begin(page, server, "long");
    await press(page, "Control+End", "Control+Shift+ArrowLeft", "p");
    await page.getByRole("region", { name: "Spans (1)" }).getByText("dog").waitFor();
    await press(page, "Control+Home", "Control+Shift+ArrowRight", "q", "Enter");
    await onTask(page, "next");
    const said = await answers(server, "long");
    const points = [...text];
    assert.deepEqual(said.long[0].answer.spans.map((one) => points.slice(one.start, one.end).join("")), ["The", "dog."]);
    noFaults(page);
    await page.context().close();
  },
};

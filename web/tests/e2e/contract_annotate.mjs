// What the contract's check asks the annotation routes: [parameters or body, expected status] of each. A conflict is MLflow's
// RESOURCE_ALREADY_EXISTS, whose status is 400.
import { seedProject } from "./annotate.mjs";

export async function annotationQuestions(server) {
  await seedProject(server, "contract", "films", { overlap: 2, rules: [{ label: "good", terms: ["wonderful"] }] });
  await seedProject(server, "gone", "films", {}, []);
  const base = "/api/ui/annotation";
  const { settings, revision } = await (await fetch(`${server.url}${base}/contract`)).json();
  const { tasks } = await (await fetch(`${server.url}${base}/contract/tasks`)).json();
  const of = (more = {}) => ({ name: "contract", ...more });
  const task = (more = {}, place = 0) => of({ task: tasks[place].id, ...more });
  for (const [annotator, name] of [["ann", "good"], ["bob", "bad"]]) await server.send("PUT", `${base}/contract/tasks/${tasks[1].id}/answer`, { revision: 0, annotator, answer: { classes: [name] } });
  const none = of({ task: 987_654_321 });
  return {
    [`get ${base}`]: [[{}, 200]],
    [`post ${base}`]: [[{ name: "contract-new", settings: { scheme: settings.scheme } }, 200], [{ name: "contract", settings: { scheme: settings.scheme } }, 400], [{ name: "contract-bad", settings: { scheme: { questions: ["guess"] } } }, 400]],
    [`get ${base}/{name}`]: [[of(), 200], [{ name: "none" }, 404]],
    [`put ${base}/{name}`]: [[of({ revision: revision + 7, settings }), 400], [of({ revision, settings: { ...settings, overlap: 0 } }), 400], [of({ revision, settings }), 200]],
    [`delete ${base}/{name}`]: [[{ name: "gone" }, 200], [{ name: "none" }, 404]],
    [`${base}/{name}/next`]: [[of({ annotator: "ann" }), 200], [{ name: "none" }, 404]],
    [`${base}/{name}/undo`]: [[of({ annotator: "nobody" }), 200]],
    [`${base}/{name}/tasks`]: [[of({ state: "answered", max_results: 2 }), 200], [of({ state: "perhaps" }), 400]],
    [`${base}/{name}/tasks/{task}`]: [[task({ annotator: "ann" }, 1), 200], [none, 404]],
    [`${base}/{name}/tasks/{task}/answer`]: [[task({ revision: 0, annotator: "ann", answer: { classes: ["good"] }, seconds: 1.5 }), 200], [task({ revision: 0, annotator: "ann", answer: { classes: ["bad"] } }), 400], [task({ revision: 1, annotator: "ann", answer: { classes: ["ugly"] } }), 400]],
    [`${base}/{name}/tasks/{task}/review`]: [[task({ revision: 0, annotator: "eve", answer: { classes: ["good"] } }, 1), 200], [task({ revision: 0, annotator: "eve", answer: { classes: ["bad"] } }, 1), 400]],
    [`${base}/{name}/tasks/{task}/suggestions`]: [[task(), 200], [none, 404]],
    [`${base}/{name}/tasks/{task}/history`]: [[task({}, 1), 200]],
    [`${base}/{name}/review`]: [[of({ max_results: 5 }), 200]],
    [`${base}/{name}/agreement`]: [[of(), 200]],
    [`${base}/{name}/progress`]: [[of(), 200]],
    [`${base}/{name}/import`]: [[of({ text: "one more" }), 200]],
    [`${base}/{name}/export`]: [[of({ format: "jsonl" }), 200], [of({ format: "none" }), 400]],
  };
}

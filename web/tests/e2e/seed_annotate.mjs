// An annotation project that two people have begun, for pictures.
import { seedProject } from "./annotate.mjs";

const texts = ["Larry Page and Sergey Brin founded Google in Menlo Park in 1998.\nThe company moved to Mountain View, where it opened the Googleplex.", "Ada Lovelace wrote to Charles Babbage from London.", "李彦宏与徐勇于2000年在北京创立了百度。", "Tim Berners-Lee left CERN for MIT.", "Grace Hopper joined Eckert–Mauchly in Philadelphia."];
const span = (id, text, part, label) => {
  const start = [...text.slice(0, text.indexOf(part))].length;
  return { id, start, end: start + [...part].length, label };
};

export async function seedAnnotation(server) {
  const label = (name, hotkey, color = "") => ({ name, hotkey, color });
  await seedProject(server, "founders", "people", {
    scheme: { questions: ["spans", "relations"], classes: [], spans: [label("PER", "p"), label("ORG", "q"), label("LOC", "l")], relations: [label("founded", ""), label("located in", "")], rating_max: 5, overlapping: true },
    overlap: 2, rules: [{ label: "LOC", terms: ["Menlo Park", "Mountain View", "London", "北京"] }],
    guidelines: "# People, organisations, places\n- Label **whole** names, without titles.\n- A place within a name may be labelled, too.\n- `founded` goes from a person to an organisation.",
  }, texts.map((text, i) => ({ key: `t${i + 1}`, text })));
  const { tasks } = await (await fetch(`${server.url}/api/ui/annotation/founders/tasks`)).json();
  const say = (place, annotator, spans, relations = []) => server.send("PUT", `/api/ui/annotation/founders/tasks/${tasks[place].id}/answer`, { revision: 0, annotator, skipped: false, note: "", seconds: 7 + 3 * place, answer: { spans, ...(relations.length ? { relations } : {}) } });
  const [, ada, li, tim, grace] = texts;
  for (const who of ["lin", "bob"]) {
    await say(1, who, [span("s1", ada, "Ada Lovelace", "PER"), span("s2", ada, "Charles Babbage", "PER"), ...(who === "lin" ? [span("s3", ada, "London", "LOC")] : [])]);
    await say(2, who, [span("s1", li, "李彦宏", "PER"), span("s2", li, "徐勇", "PER"), span("s3", li, "百度", "ORG"), span("s4", li, "北京", "LOC")], [{ from: "s1", to: "s3", label: "founded" }]);
    await say(3, who, [span("s1", tim, "Tim Berners-Lee", "PER"), span("s2", tim, "CERN", "ORG"), ...(who === "lin" ? [span("s3", tim, "MIT", "ORG")] : [span("s3", tim, "MIT", "LOC")])]);
  }
  await say(4, "lin", [span("s1", grace, "Grace Hopper", "PER"), span("s2", grace, "Eckert–Mauchly", "ORG"), span("s3", grace, "Philadelphia", "LOC")]);
  return tasks.map((one) => one.id);
}

// Name of the picture: address, theme, what must be there, what is done before.
export const annotationViews = (ids) => ({
  "ui-annotate": [`annotate/founders?tab=label&task=${ids[0]}`, "light", ".work", async (page) => {
    for (const key of ["Control+Shift+ArrowRight", "Control+Shift+ArrowRight", "p", "ArrowRight", "Control+ArrowRight", "Control+ArrowRight", "Control+ArrowRight", "Control+Shift+ArrowLeft", "Control+Shift+ArrowLeft", "p", "ArrowRight", "Control+ArrowRight", "Control+ArrowRight", "q", "[", "r", "]", "r", "1", "["]) await page.keyboard.press(key);
  }],
  "ui-annotate-review": [`annotate/founders?tab=review&task=${ids[3]}`, "dark", ".side-by-side .differs"],
  "ui-annotate-project": ["annotate/founders", "light", "tbody tr"],
});

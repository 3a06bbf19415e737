// Guidelines as people write them: Markdown's headings, lists, paragraphs, emphasis, code. Anything else stays as it was typed; no HTML.
import type { ComponentChildren } from "preact";
import { t } from "../../lib/annotate/text";

function inline(text: string): ComponentChildren[] {
  return text.split(/(\*\*[^*]+\*\*|\*[^*]+\*|`[^`]+`)/).map((part, i) => {
    if (part.startsWith("**") && part.length > 4) return <b key={i}>{part.slice(2, -2)}</b>;
    if (part.startsWith("`") && part.length > 2) return <code key={i}>{part.slice(1, -1)}</code>;
    if (part.startsWith("*") && part.length > 2) return <i key={i}>{part.slice(1, -1)}</i>;
    return part;
  });
}

export function Guidelines({ text }: { text: string }) {
  if (!text.trim()) return <p class="muted">{t("guidelines.none")}</p>;
  return (
    <div class="guidelines">
      {text.trim().split(/\n\s*\n/).map((paragraph, i) => {
        const lines = paragraph.split("\n");
        const heading = /^#{1,6}\s+(.*)$/.exec(lines[0]!);
        if (heading) return <div key={i}><h3>{inline(heading[1]!)}</h3>{lines.length > 1 && <Guidelines text={lines.slice(1).join("\n")} />}</div>;
        if (lines.every((line) => /^\s*[-*]\s+/.test(line))) return <ul key={i}>{lines.map((line, j) => <li key={j}>{inline(line.replace(/^\s*[-*]\s+/, ""))}</li>)}</ul>;
        if (lines.every((line) => /^\s*\d+[.)]\s+/.test(line))) return <ol key={i}>{lines.map((line, j) => <li key={j}>{inline(line.replace(/^\s*\d+[.)]\s+/, ""))}</li>)}</ol>;
        return <p key={i}>{inline(paragraph)}</p>;
      })}
    </div>
  );
}

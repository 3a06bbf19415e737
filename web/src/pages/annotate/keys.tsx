// All keys of the page where one answers, those of this project's labels too.
import { Dialog } from "../../components/basic";
import type { Editor } from "../../lib/annotate/editor";
import { asks } from "../../lib/annotate/answer";
import type { Target } from "../../lib/annotate/hotkeys";
import { type Key, t } from "../../lib/annotate/text";

const everywhere: [string, Key][] = [["Enter", "key.save"], ["Ctrl Enter", "key.saveTyping"], ["s", "key.skip"], ["z", "key.undo"], ["Shift z", "key.redo"], [",  .", "key.move"], ["n", "key.note"], ["i", "key.guidelines"], ["a", "key.accept"], ["Shift a", "key.acceptAll"], ["h", "key.ghosts"], ["Esc", "key.escape"], ["?", "key.help"]];
const marking: [string, Key][] = [["← →", "key.character"], ["Ctrl ← →", "key.word"], ["↑ ↓ Home End", "key.line"], ["Shift …", "key.extend"], ["[  ]", "key.cycle"], ["e", "key.border"], ["o", "key.other"], ["Del", "key.remove"]];

const named = (target: Target): string => {
  switch (target.kind) {
    case "class": case "span": return target.name;
    case "preferred": return target.value < 0 ? t("ask.tie") : t("ask.better", { n: target.value + 1 });
    default: return t("say.rating", { n: target.value });
  }
};

export function KeysDialog({ editor, close }: { editor: Editor | undefined; close: () => void }) {
  const scheme = editor?.scheme;
  const rows: [string, string][] = [
    ...everywhere.map(([key, text]): [string, string] => [key, t(text)]),
    ...(editor?.marking ? marking.map(([key, text]): [string, string] => [key, t(text)]) : []),
    ...(scheme && asks(scheme, "relations") ? [["r", t("key.relate")], ["Shift r", t("key.relations")]] as [string, string][] : []),
    ...(scheme && asks(scheme, "text") ? [["t", t("key.text")] as [string, string]] : []),
    ...(scheme && asks(scheme, "chat-review") ? [["↑ ↓", t("key.message")] as [string, string]] : []),
  ];
  const labels = (editor?.keys ?? []).filter((one) => one.key);
  const relations = (editor?.relationKeys ?? []).filter((one) => one.key);
  return (
    <Dialog title={t("key.title")} close={close}>
      <div class="grid2">
        <table class="data"><tbody>{rows.map(([key, text]) => <tr key={key}><th scope="row"><kbd>{key}</kbd></th><td>{text}</td></tr>)}</tbody></table>
        <table class="data"><tbody>
          {labels.map(({ key, target }) => <tr key={`${target.kind}${key}`}><th scope="row"><kbd>{key}</kbd></th><td>{named(target)}</td></tr>)}
          {relations.map(({ key, target }) => <tr key={`r${key}`}><th scope="row"><kbd>r … r {key}</kbd></th><td>{named(target)}</td></tr>)}
        </tbody></table>
      </div>
    </Dialog>
  );
}

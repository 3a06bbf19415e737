// What is in a file: text, tables, pictures, pages, confusion matrices. What cannot be shown can be downloaded.
import { useQuery } from "@tanstack/preact-query";
import { keys } from "../lib/api";
import { fetchText } from "../lib/http";
import { parseCsv } from "../lib/csv";
import { bytes, integer } from "../lib/format";
import { t } from "../lib/i18n";
import { confusionOf, kMostPreview, kindOf, tableOfLines } from "../lib/preview";
import { ErrorNote, Loading } from "./basic";
import { ConfusionMatrix } from "./confusion";

const kRows = 1000;

function DataTable({ head, rows, cut }: { head: string[]; rows: string[][]; cut: boolean }) {
  return (
    <>
      <p class="muted small">{cut ? t("preview.firstRows", { n: integer(rows.length) }) : t("preview.rows", { n: integer(rows.length) })}</p>
      <div class="scroll" style={{ maxHeight: "66vh" }} tabIndex={0} role="group" aria-label={t("preview.table")}>
        <table class="data">
          <thead><tr>{head.map((name, i) => <th key={i} scope="col">{name}</th>)}</tr></thead>
          <tbody>{rows.map((row, i) => <tr key={i}>{head.map((_, j) => <td key={j}>{row[j] ?? ""}</td>)}</tr>)}</tbody>
        </table>
      </div>
    </>
  );
}

function TextPreview({ text, kind, name, cut }: { text: string; kind: ReturnType<typeof kindOf>; name: string; cut: boolean }) {
  if (kind === "table") {
    const [head = [], ...rows] = parseCsv(text, name.toLowerCase().endsWith(".tsv") ? "\t" : ",", kRows + 2);
    return <DataTable head={head} rows={rows.slice(0, kRows)} cut={cut || rows.length > kRows} />;
  }
  if (kind === "lines") {
    const table = tableOfLines(text, kRows + 1);
    return <DataTable head={table.head} rows={table.rows.slice(0, kRows)} cut={cut || table.rows.length > kRows} />;
  }
  let shown = text;
  let matrix;
  if (kind === "json" && !cut) {
    try {
      const json: unknown = JSON.parse(text);
      matrix = confusionOf(json);
      shown = JSON.stringify(json, null, 2);
    } catch {
      // Not JSON, whatever its name says: shown as it is.
    }
  }
  return (
    <>
      {matrix && <ConfusionMatrix {...matrix} />}
      {cut && <p class="muted small">{t("preview.cut", { size: bytes(kMostPreview) })}</p>}
      <pre tabIndex={0} aria-label={name}>{shown}</pre>
    </>
  );
}

export function Preview({ name, url, save, size }: { name: string; url: string; save: string; size: number | undefined }) {
  const kind = kindOf(name);
  const small = (size ?? 0) <= kMostPreview;
  const textual = kind !== "image" && kind !== "page" && kind !== "none";
  const query = useQuery({
    queryKey: keys.file(url),
    queryFn: ({ signal }) => fetchText(url, small ? undefined : kMostPreview, signal),
    enabled: textual,
  });
  return (
    <section class="preview" aria-label={name}>
      <div class="bar" style={{ marginBottom: "10px" }}>
        <h2 class="mono">{name}</h2>
        {size !== undefined && <span class="muted small">{bytes(size)}</span>}
        <span class="grow" />
        {kind === "page" && <a class="button" href={url} target="_blank" rel="noreferrer">{t("preview.window")}</a>}
        <a class="button" href={save} download={name.split("/").at(-1)}>{t("action.download")}</a>
      </div>
      {kind === "image" && <img src={url} alt={name} />}
      {kind === "page" && <iframe src={url} sandbox="" title={name} />}
      {kind === "none" && <p class="muted">{t("preview.none")}</p>}
      {textual && query.isPending && <Loading />}
      {textual && query.isError && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {textual && query.data !== undefined && <TextPreview text={query.data} kind={kind} name={name} cut={!small} />}
    </section>
  );
}

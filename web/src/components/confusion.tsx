// A confusion matrix: rows are the truth, shaded by their share of the row.
import { integer, percent } from "../lib/format";
import { t } from "../lib/i18n";
import type { Confusion } from "../lib/preview";

export function ConfusionMatrix({ labels, counts }: Confusion) {
  const all = counts.flat().reduce((a, b) => a + b, 0);
  const right = counts.reduce((sum, row, i) => sum + row[i]!, 0);
  return (
    <figure style={{ margin: 0 }}>
      <figcaption>{t("confusion.title")} · {t("confusion.accuracy", { value: percent(right / Math.max(1, all)), n: integer(all) })}</figcaption>
      <div class="scroll" tabIndex={0} role="group" aria-label={t("confusion.title")}>
        <table class="data" style={{ width: "auto" }}>
          <thead><tr><th scope="col">{t("confusion.corner")}</th>{labels.map((label) => <th key={label} scope="col" class="right">{label}</th>)}<th scope="col" class="right">{t("confusion.recall")}</th></tr></thead>
          <tbody>
            {counts.map((row, i) => {
              const sum = row.reduce((a, b) => a + b, 0);
              return (
                <tr key={labels[i]}>
                  <th scope="row">{labels[i]}</th>
                  {row.map((count, j) => (
                    <td key={j} class="right" style={{ background: count > 0 ? `color-mix(in srgb, var(${i === j ? "--added" : "--removed"}) ${Math.round(20 + 80 * (count / Math.max(1, sum)))}%, transparent)` : undefined }}>
                      {integer(count)}
                    </td>
                  ))}
                  <td class="right muted">{sum > 0 ? percent(row[i]! / sum) : ""}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

// The lineage of one thing as a graph, and as a list for those who cannot see it.
import { useQuery } from "@tanstack/preact-query";
import { useMemo } from "preact/hooks";
import { getLineage, keys } from "../lib/api";
import { folded, layered, shortName, type GraphNode, withoutReturns } from "../lib/graph";
import { type Key, t } from "../lib/i18n";
import { ErrorNote, Loading } from "./basic";

const kinds: Record<string, [Key, string]> = {
  run: ["lineage.run", "#4269d0"], dataset: ["lineage.dataset", "#38a89d"], file: ["lineage.file", "#8a8f98"], artifact: ["lineage.artifact", "#9c6b4e"],
  model: ["lineage.model", "#9b5de5"], deployment: ["lineage.deployment", "#e8a210"], prediction: ["lineage.prediction", "#e8719c"], alert: ["lineage.alert", "#f4634f"],
};
const kindName = (kind: string) => (kinds[kind] ? t(kinds[kind][0]) : kind);

// The page that shows a node, where there is one.
export function hrefOf(node: { id: string }): string | undefined {
  const [kind, rest = ""] = [node.id.slice(0, node.id.indexOf(":")), node.id.slice(node.id.indexOf(":") + 1)];
  if (kind === "run") return `/ui/runs/${rest}`;
  if (kind === "dataset") return `/ui/datasets/${rest}`;
  if (kind === "deployment") return `/ui/deployments/${rest}`;
  if (kind !== "model") return undefined;
  const slash = rest.lastIndexOf("/");
  return `/ui/models/${encodeURIComponent(rest.slice(0, slash))}?v=${rest.slice(slash + 1)}`;
}

const columnWidth = 228;
const rowHeight = 52;
const box = { width: 182, height: 38 };

export function LineageGraph({ node }: { node: string }) {
  const query = useQuery({ queryKey: keys.lineage(node), queryFn: ({ signal }) => getLineage(node, signal) });
  const graph = useMemo(() => {
    if (!query.data) return undefined;
    const small = folded(query.data.nodes, withoutReturns(query.data.edges), node);
    return { ...small, ...layered(small.nodes, small.edges) };
  }, [query.data, node]);
  if (query.isError) return <ErrorNote error={query.error} retry={() => void query.refetch()} />;
  if (!graph) return <Loading />;
  if (graph.edges.length === 0) return <p class="muted">{t("lineage.none")}</p>;
  const at = new Map(graph.placed.map((one) => [one.id, { x: one.layer * columnWidth + 10, y: one.row * rowHeight + 10 }]));
  const width = graph.layers * columnWidth;
  const height = graph.rows * rowHeight + 14;
  const byId = new Map<string, GraphNode>(graph.placed.map((one) => [one.id, one]));
  return (
    <>
      {query.data?.cut && <p class="muted small">{t("lineage.cut")}</p>}
      <div class="card scroll" tabIndex={0} role="group" aria-label={t("lineage.title")}>
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="group" aria-label={t("lineage.title")}>
          {graph.edges.map((edge) => {
            const from = at.get(edge.from)!;
            const to = at.get(edge.to)!;
            const [x1, y1, x2, y2] = [from.x + box.width, from.y + box.height / 2, to.x, to.y + box.height / 2];
            const bend = Math.max(24, Math.abs(x2 - x1) / 2);
            return <path key={`${edge.from}\n${edge.to}`} d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`} fill="none" stroke="var(--strong-line)" stroke-opacity=".6"><title>{edge.kind}</title></path>;
          })}
          {graph.placed.map((one) => {
            const { x, y } = at.get(one.id)!;
            const href = hrefOf(one);
            const inner = (
              <g transform={`translate(${x} ${y})`}>
                <title>{one.id}</title>
                <rect width={box.width} height={box.height} rx="7" fill="var(--surface)" stroke={one.id === node ? "var(--accent)" : "var(--line)"} stroke-width={one.id === node ? 2.5 : 1.2} />
                <rect width="4" height={box.height - 12} x="6" y="6" rx="2" fill={kinds[one.kind]?.[1] ?? "var(--muted)"} />
                <text x="17" y="16" font-size="10.5" fill="var(--muted)">{kindName(one.kind)}{one.detail && one.detail !== one.kind ? ` · ${one.detail}` : ""}</text>
                <text x="17" y="30" font-size="12" font-weight="600">{shortName(one.name)}</text>
              </g>
            );
            return href ? <a key={one.id} href={href}>{inner}</a> : <g key={one.id}>{inner}</g>;
          })}
        </svg>
      </div>
      <details>
        <summary>{t("lineage.list", { n: query.data!.edges.length })}</summary>
        <div class="card scroll" style={{ marginTop: "8px" }}>
          <table class="data">
            <thead><tr><th scope="col">{t("lineage.from")}</th><th scope="col">{t("lineage.how")}</th><th scope="col">{t("lineage.to")}</th></tr></thead>
            <tbody>
              {query.data!.edges.map((edge, i) => (
                <tr key={i}>{[edge.from, edge.kind, edge.to].map((id, j) => {
                  const known = j === 1 ? undefined : byId.get(id) ?? { id, kind: id.split(":")[0]!, name: id };
                  const href = known && hrefOf(known);
                  return <td key={j}>{known ? <>{kindName(known.kind)} {href ? <a href={href}>{known.name}</a> : known.name}</> : id}</td>;
                })}</tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
}

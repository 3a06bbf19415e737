// A lineage graph laid out in layers: what came first to the left, each node right of all that it was made of.

export interface GraphNode {
  id: string;
  kind: string;
  name: string;
  detail?: string;
}
export interface GraphEdge {
  from: string;
  to: string;
  kind: string;
}
export interface Placed extends GraphNode {
  layer: number;
  row: number;
}

// Nodes of one layer are ordered by the mean row of their neighbours to the left, which keeps lines short (Sugiyama's barycentre,
// one pass). Edges that would close a ring do not count for the layers.
export function layered(nodes: GraphNode[], edges: GraphEdge[]): { placed: Placed[]; layers: number; rows: number } {
  const layer = new Map<string, number>();
  const before = new Map<string, string[]>(nodes.map((node) => [node.id, []]));
  for (const edge of edges) if (edge.from !== edge.to) before.get(edge.to)?.push(edge.from);
  const visiting = new Set<string>();
  const depth = (id: string): number => {
    const known = layer.get(id);
    if (known !== undefined) return known;
    visiting.add(id);
    let deepest = 0;
    for (const from of before.get(id) ?? []) if (!visiting.has(from) && before.has(from)) deepest = Math.max(deepest, depth(from) + 1);
    visiting.delete(id);
    layer.set(id, deepest);
    return deepest;
  };
  nodes.forEach((node) => depth(node.id));
  const layers = Math.max(0, ...nodes.map((node) => layer.get(node.id)! + 1));
  const row = new Map<string, number>();
  let rows = 0;
  for (let i = 0; i < layers; i++) {
    const here = nodes.filter((node) => layer.get(node.id) === i);
    const mean = (id: string) => {
      const known = (before.get(id) ?? []).map((from) => row.get(from)).filter((value) => value !== undefined);
      return known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : Infinity;
    };
    const order = here.map((node) => ({ node, at: mean(node.id) })).sort((a, b) => (a.at === b.at ? 0 : a.at - b.at) || (a.node.kind + a.node.name < b.node.kind + b.node.name ? -1 : 1));
    order.forEach(({ node }, index) => row.set(node.id, index));
    rows = Math.max(rows, here.length);
  }
  return { placed: nodes.map((node) => ({ ...node, layer: layer.get(node.id)!, row: row.get(node.id)! })), layers, rows };
}

// A pipeline's run uses what its own earlier steps made: beside "run → artifact" the way back would only make a ring.
export function withoutReturns(edges: GraphEdge[]): GraphEdge[] {
  const there = new Set(edges.map((edge) => `${edge.from}\n${edge.to}`));
  return edges.filter((edge) => !(edge.to.startsWith("run:") && there.has(`${edge.to}\n${edge.from}`)));
}

// Large layers say little: past `most` nodes of a kind in one layer, the rest become one. Predictions, which are many and lead
// nowhere, are one at once.
export function folded(nodes: GraphNode[], edges: GraphEdge[], keep: string, most = 12): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const layers = new Map(layered(nodes, edges).placed.map((node) => [node.id, node.layer]));
  const counts = new Map<string, number>();
  const into = new Map<string, string>();
  for (const node of nodes) {
    const group = `${layers.get(node.id)}:${node.kind}`;
    const count = (counts.get(group) ?? 0) + 1;
    counts.set(group, count);
    if (count > (node.kind === "prediction" ? 0 : most) && node.id !== keep) into.set(node.id, `more:${group}`);
  }
  const extra = new Map<string, number>();
  for (const target of into.values()) extra.set(target, (extra.get(target) ?? 0) + 1);
  const kept = nodes.filter((node) => !into.has(node.id));
  const more = [...extra].map(([id, count]) => ({ id, kind: id.split(":")[2]!, name: `+${count}` }));
  const seen = new Set<string>();
  const links = edges.map((edge) => ({ ...edge, from: into.get(edge.from) ?? edge.from, to: into.get(edge.to) ?? edge.to }))
    .filter((edge) => edge.from !== edge.to && !seen.has(edge.from + "\n" + edge.to) && Boolean(seen.add(edge.from + "\n" + edge.to)));
  return { nodes: [...kept, ...more], edges: links };
}

// A name that fits a box: digests by their first digits, the rest cut.
export function shortName(name: string, most = 20): string {
  const digest = /^sha256:([0-9a-f]{12})[0-9a-f]{52}$/.exec(name);
  if (digest) return `sha256:${digest[1]!.slice(0, 10)}…`;
  return name.length > most ? `${name.slice(0, most - 1)}…` : name;
}

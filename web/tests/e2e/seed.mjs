// Runs that look like a small sweep, the same every time.

// Park and Miller's minimal standard generator: the same numbers everywhere.
export function random(seed) {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

export async function seedRuns(server, { runs = 40, steps = 400 } = {}) {
  const next = random(7);
  const { experiment_id: experiment } = await server.post("experiments/create", { name: "movie-sentiment", tags: [{ key: "team", value: "nlp" }] });
  const ids = [];
  const begin = Date.UTC(2026, 9, 5, 8);
  for (let i = 0; i < runs; i++) {
    const lr = [1e-5, 3e-5, 1e-4, 3e-4][i % 4];
    const optimizer = ["adamw", "sgd", "lion"][i % 3];
    const layers = [2, 4, 6][Math.floor(next() * 3)];
    const start = begin + i * 900_000;
    const { run } = await server.post("runs/create", { experiment_id: experiment, run_name: `sweep-${String(i + 1).padStart(2, "0")}`, start_time: start, user_id: i % 2 ? "ada" : "lin",
      tags: [{ key: "mlflow.source.name", value: "train.py" }, { key: "team", value: i % 5 ? "nlp" : "search" }] });
    const id = run.info.run_id;
    ids.push(id);
    const floor = 0.18 + 0.4 * Math.abs(Math.log10(lr / 4e-5)) * 0.3 + (optimizer === "sgd" ? 0.12 : 0) + next() * 0.05;
    const metrics = [];
    for (let step = 0; step < steps; step++) {
      const time = start + step * 1500;
      const loss = floor + (0.95 - floor) * Math.exp(-step / (60 + 40 * next())) + (next() - 0.5) * 0.03;
      metrics.push({ key: "train/loss", value: loss, step, timestamp: time });
      if (step % 20 === 19) {
        metrics.push({ key: "accuracy", value: 1 - loss * 0.55 - 0.02 * next(), step, timestamp: time });
        metrics.push({ key: "f1", value: 1 - loss * 0.6 - 0.02 * next(), step, timestamp: time });
      }
    }
    for (let j = 0; j < metrics.length; j += 1000) await server.post("runs/log-batch", { run_id: id, metrics: metrics.slice(j, j + 1000) });
    await server.post("runs/log-batch", { run_id: id, params: [{ key: "lr", value: String(lr) }, { key: "optimizer", value: optimizer }, { key: "layers", value: String(layers) }, { key: "batch_size", value: "32" }] });
    const status = i === runs - 1 ? "RUNNING" : i % 11 === 5 ? "FAILED" : "FINISHED";
    if (status !== "RUNNING") await server.post("runs/update", { run_id: id, status, end_time: start + steps * 1500 });
  }
  return { experiment, ids };
}

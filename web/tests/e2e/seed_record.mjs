// A record that has everything: two runs of a pipeline (models, dataset, lineage), its model served, and files that a client logged.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateSync, crc32 as zlibCrc } from "node:zlib";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");

function ran(command, args, options) {
  const done = spawnSync(command, args, { encoding: "utf8", ...options });
  assert.equal(done.status, 0, `${command} ${args.join(" ")}: ${done.stderr}`);
  return done.stdout;
}

// Before the server: a small project through `slipway run`, twice, into `record`: the second has more rows. SLIPWAY_E2E_KEEP=FOLDER
// keeps what came of it there, and takes it from there the next time.
export function runPipelines(program, folder, record) {
  const kept = process.env.SLIPWAY_E2E_KEEP;
  if (kept && existsSync(kept)) return cpSync(kept, folder, { recursive: true });
  runTwice(program, folder, record);
  if (kept) cpSync(folder, kept, { recursive: true });
}

function runTwice(program, folder, record) {
  for (const rows of ["400", "420"]) {
    for (const old of ["reviews.csv", "base"]) rmSync(join(folder, old), { recursive: true, force: true }); // it keeps what is there
    ran("python3", [join(root, "tests/support/tiny_project.py"), folder, `rows=${rows}`]);
    ran(program, ["run", "slipway.yaml", "--store", record], { cwd: folder });
  }
}

// The model behind a port; stop() ends it.
export async function serveModel(program, folder, record) {
  const ready = join(folder, "serve.json");
  const child = spawn(program, ["serve", "models:/tiny-reviews@champion", "--store", record, "--endpoint", "tiny-reviews", "--port", "0", "--ready-file", ready], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  for (let i = 0; ; i++) {
    try {
      const { url } = JSON.parse(readFileSync(ready, "utf8"));
      return { url, async stop() {
        child.kill("SIGTERM");
        await ended;
      } };
    } catch (error) {
      if (child.exitCode !== null || i > 600) throw new Error(`the model was not served: ${error}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export async function askModel(url, count) {
  const words = ["wonderful", "boring", "charming", "tedious", "gripping", "stale", "a", "the", "film", "plot"];
  const inputs = Array.from({ length: count }, (_, i) => [0, 1, 2, 3, 4].map((j) => words[(i * 7 + j * 3) % words.length]).join(" "));
  for (const text of inputs) {
    const answer = await fetch(`${url}/v1/classify`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ inputs: text }) });
    assert.equal(answer.status, 200);
  }
}

// A PNG of one colour that fades (RFC 2083): grey, 8 bits.
function png(width, height) {
  const crc = zlibCrc ?? ((bytes) => {
    let c = ~0;
    for (const byte of bytes) {
      c ^= byte;
      for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    }
    return ~c >>> 0;
  });
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), body.length + 4);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head[8] = 8;
  const rows = Buffer.concat(Array.from({ length: height }, () => Buffer.from([0, ...Array.from({ length: width }, (_, x) => Math.round((x * 255) / width))])));
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

const hostile = `<!doctype html><title>Report</title><style>h1{color:#0b6486}</style><h1>Report</h1><p id=out>as written</p>
<script>document.getElementById("out").textContent = "ran"; fetch("/api/2.0/mlflow/experiments/search")</script><img src=x onerror="document.title='ran'">`;

export async function logFiles(server, experiment, run) {
  const files = {
    "notes.txt": "it went well\n", "eval/confusion.json": JSON.stringify({ labels: ["negative", "positive"], confusion: [[412, 38], [51, 499]] }),
    "eval/errors.csv": "text,label,predicted\n\"good, not great\",positive,negative\nfine,positive,negative\n", "eval/rows.jsonl": '{"id": 1, "text": "a joy"}\n{"id": 2, "score": 0.5}\n',
    "plots/ramp.png": png(160, 60), "report.html": hostile, "model/weights.bin": Buffer.from([0, 1, 2, 255]),
  };
  for (const [path, content] of Object.entries(files)) {
    const answer = await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/${experiment}/${run}/artifacts/${path}`, { method: "PUT", body: content });
    assert.equal(answer.status, 200, path);
  }
}

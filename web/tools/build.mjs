// Bundles web/src into files under names that carry their hash, compresses them and writes them as one C++ source file.
//   node web/tools/build.mjs OUT.cc          for the program
//   node web/tools/build.mjs --dir FOLDER    as plain files, to look at
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import esbuild from "esbuild";

const web = join(dirname(fileURLToPath(import.meta.url)), "..");
const types = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8",
  txt: "text/plain; charset=utf-8", svg: "image/svg+xml" };

// What the licences of the bundled packages ask to be passed on.
function licences() {
  const lock = JSON.parse(readFileSync(join(web, "package-lock.json"), "utf8"));
  const texts = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path === "" || entry.dev) continue;
    const folder = join(web, path);
    if (!existsSync(folder)) continue;
    const file = readdirSync(folder).find((name) => /^licen[sc]e/i.test(name));
    const head = `${path.slice("node_modules/".length)} ${entry.version} (${entry.license})`;
    texts.push(`${head}\n${"=".repeat(head.length)}\n\n${file ? readFileSync(join(folder, file), "utf8").trim() : ""}\n`);
  }
  return texts.join("\n\n");
}

async function bundle() {
  const result = await esbuild.build({
    absWorkingDir: web,
    entryPoints: { app: "src/main.tsx", boot: "src/boot.ts" },
    bundle: true, minify: true, splitting: true, format: "esm", target: "es2022", charset: "utf8",
    entryNames: "[name]-[hash]", chunkNames: "[name]-[hash]", outdir: "/assets", write: false, metafile: true,
    jsx: "automatic", jsxImportSource: "preact", legalComments: "none", logLevel: "warning",
  });
  const files = new Map(result.outputFiles.map((file) => [file.path.split("/").pop(), Buffer.from(file.contents)]));
  const named = (start, end) => [...files.keys()].find((name) => name.startsWith(start) && name.endsWith(end));
  const notices = Buffer.from(licences());
  const noticesName = `licences-${createHash("sha256").update(notices).digest("hex").slice(0, 8)}.txt`;
  files.set(noticesName, notices);
  const icon = readFileSync(join(web, "src/icon.svg"));
  const iconName = `icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8)}.svg`;
  files.set(iconName, icon);
  // What app.js imports at once is fetched beside it, not after it.
  const outputs = result.metafile.outputs;
  const entry = Object.keys(outputs).find((path) => outputs[path].entryPoint === "src/main.tsx");
  const preload = outputs[entry].imports.filter((one) => one.kind === "import-statement")
    .map((one) => `<link rel="modulepreload" href="/ui/assets/${one.path.split("/").pop()}">`).join("\n");
  const page = readFileSync(join(web, "src/index.html"), "utf8")
    .replace("{{boot}}", named("boot-", ".js")).replace("{{app}}", named("app-", ".js"))
    .replace("{{css}}", named("app-", ".css")).replace("{{icon}}", iconName).replace("{{preload}}", preload)
    .replace("{{licences}}", noticesName);
  files.set("index.html", Buffer.from(page));
  return files;
}

function literal(bytes) {
  const lines = [];
  for (let i = 0; i < bytes.length; i += 4096) {
    let line = "";
    for (const byte of bytes.subarray(i, i + 4096)) line += "\\" + byte.toString(8).padStart(3, "0");
    lines.push(`"${line}"`);
  }
  return lines.join("\n");
}

function source(files) {
  const rows = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, bytes]) => {
    const packed = gzipSync(bytes, { level: 9 });
    const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 32);
    return `    {"${name}", "${types[name.split(".").pop()]}", "${hash}",\n     std::string_view(${literal(packed)}, ${packed.length}), ${bytes.length}},`;
  });
  return `// Written by web/tools/build.mjs.\n#include "api/ui_assets.h"\n\n#include <array>\n\nnamespace slipway::api {\nnamespace {\n\n` +
    `constexpr std::array<UiAsset, ${files.size}> kAssets = {{\n${rows.join("\n")}\n}};\n\n}  // namespace\n\n` +
    `std::span<const UiAsset> ui_assets() noexcept { return kAssets; }\n\n}  // namespace slipway::api\n`;
}

const files = await bundle();
if (process.argv[2] === "--dir") {
  mkdirSync(process.argv[3], { recursive: true });
  for (const [name, bytes] of files) {
    writeFileSync(join(process.argv[3], name), bytes);
    console.log(`${String(bytes.length).padStart(8)} ${String(gzipSync(bytes, { level: 9 }).length).padStart(8)}  ${name}`);
  }
} else {
  writeFileSync(process.argv[2], source(files));
}

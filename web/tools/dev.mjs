// The pages as they are in web/src before a running server, for work on them: node web/tools/dev.mjs http://127.0.0.1:5000 [PORT]
// Bundles anew whenever the page is asked for.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const types = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", svg: "image/svg+xml", txt: "text/plain" };
const build = join(dirname(fileURLToPath(import.meta.url)), "build.mjs");

export function startDev(target, port = 0, rebuild = true) {
  const out = mkdtempSync(join(tmpdir(), "slipway-dev-"));
  const bundle = () => execFileSync(process.execPath, [build, "--dir", out], { stdio: "pipe" });
  bundle();
  const server = createServer((asked, answer) => {
    const path = asked.url.split("?")[0];
    const page = path === "/" || path === "/ui" || path.startsWith("/ui/");
    if (!page) {
      const { hostname, port: to } = new URL(target);
      const passed = request({ hostname, port: to, path: asked.url, method: asked.method, headers: { ...asked.headers, host: `${hostname}:${to}` } }, (got) => {
        answer.writeHead(got.statusCode, got.headers);
        got.pipe(answer);
      });
      passed.on("error", () => answer.destroy());
      asked.pipe(passed);
      return;
    }
    const file = path.startsWith("/ui/assets/") ? path.slice("/ui/assets/".length) : "index.html";
    if (file === "index.html" && rebuild) bundle();
    try {
      const bytes = readFileSync(join(out, file.replaceAll("/", "")));
      answer.writeHead(200, { "Content-Type": types[file.split(".").pop()], "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'" });
      answer.end(bytes);
    } catch {
      answer.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve({
    url: `http://127.0.0.1:${server.address().port}`,
    stop() {
      server.closeAllConnections();
      server.close();
      rmSync(out, { recursive: true, force: true });
    },
  })));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const dev = await startDev(process.argv[2], Number(process.argv[3] ?? 0));
  console.log(dev.url);
}

// OpenAI's client from npm against `slipway serve`: openai_npm_check.mjs PROGRAM. A tiny decoder whose greedy text
// transformers computed, and, when tools/setup decoder has brought it, a real vocabulary for schemas and tools. Exit code
// 77: the client is not there (tools/setup node).
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const cache = process.env.SLIPWAY_CACHE ?? path.join(homedir(), ".cache/slipway");
const modules = path.join(cache, "node");
if (!existsSync(path.join(modules, "node_modules/openai"))) {
  console.log("skipped: no openai from npm (tools/setup node)");
  process.exit(77);
}
const { OpenAI } = createRequire(path.join(modules, "x.js"))("openai");
const program = process.argv[2];
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const GREEDY = "w126 w118 w8 w76 w120 w138 w115 w45 w154 w77 w49 w151 w115 w157 w77 w23";
const folder = mkdtempSync(path.join(tmpdir(), "slipway-npm-"));

async function serve(model, name, check) {
  const ready = path.join(folder, `${name}.json`);
  const server = spawn(program, ["serve", model, "--endpoint", name, "--port", "0", "--ready-file", ready], { stdio: "ignore" });
  const ended = new Promise((resolve) => server.on("exit", resolve));
  try {
    for (let i = 0; !existsSync(ready); ++i) {
      assert(i < 3000 && server.exitCode === null, "the server did not start");
      await sleep(20);
    }
    await check(new OpenAI({ baseURL: `${JSON.parse(readFileSync(ready, "utf8")).url}/v1`, apiKey: "none" }));
    server.kill("SIGTERM");
    assert.equal(await ended, 0, "the server did not drain");
  } finally {
    server.kill("SIGKILL");
  }
}

async function refused(kind, param, call) {
  await assert.rejects(call, (error) => {
    assert(error instanceof kind, `${error}`);
    assert.equal(error.param, param);
    return true;
  });
}

async function tiny(client, prompt) {
  const models = await client.models.list();
  assert.deepEqual(models.data.map((m) => m.id), ["tiny"]);
  const whole = await client.completions.create({ model: "tiny", prompt, max_tokens: 16, temperature: 0 });
  assert.equal(whole.choices[0].text, GREEDY);
  assert.equal(whole.usage.completion_tokens, 16);
  const messages = [{ role: "user", content: "w6" }];
  const chat = await client.chat.completions.create({ model: "tiny", messages, max_tokens: 8, temperature: 0, logprobs: true, top_logprobs: 2 });
  assert.equal(chat.object, "chat.completion");
  assert.equal(chat.choices[0].logprobs.content.length, 8);
  const stream = client.chat.completions.stream({ model: "tiny", messages, max_tokens: 8, temperature: 0 });
  const final = await stream.finalChatCompletion();
  assert.equal(final.choices[0].message.content, chat.choices[0].message.content);
  const held = await client.chat.completions.create({ model: "tiny", messages, guided_choice: ["w5", "w7 w9"] });
  assert(["w5", "w7 w9"].includes(held.choices[0].message.content));
  await refused(OpenAI.NotFoundError, "model", () => client.chat.completions.create({ model: "x", messages }));
  await refused(OpenAI.BadRequestError, "temperature", () => client.chat.completions.create({ model: "tiny", messages, temperature: -1 }));
  await refused(OpenAI.BadRequestError, "guided_regex", () => client.chat.completions.create({ model: "tiny", messages, guided_regex: "(" }));
}

const schema = {
  type: "object", additionalProperties: false, required: ["port", "days"],
  properties: { port: { enum: ["Oslo", "Lagos"] }, days: { type: "integer", minimum: 1, maximum: 9 } },
};
function fits(text) {
  const trip = JSON.parse(text);
  assert.deepEqual(Object.keys(trip), ["port", "days"]);
  assert(["Oslo", "Lagos"].includes(trip.port) && Number.isInteger(trip.days) && trip.days >= 1 && trip.days <= 9);
}

async function structured(client) {
  const messages = [{ role: "user", content: "Plan a trip by sea." }];
  const response_format = { type: "json_schema", json_schema: { name: "trip", strict: true, schema } };
  const answer = await client.chat.completions.parse({ model: "smol", messages, response_format, max_tokens: 60 });
  fits(answer.choices[0].message.content);
  assert.deepEqual(answer.choices[0].message.parsed, JSON.parse(answer.choices[0].message.content));
  const tools = [{ type: "function", function: { name: "book", description: "Books a trip.", parameters: schema } }];
  const called = await client.chat.completions.create({ model: "smol", messages, tools, tool_choice: "required", max_tokens: 100 });
  assert.equal(called.choices[0].finish_reason, "tool_calls");
  fits(called.choices[0].message.tool_calls[0].function.arguments);
  const streamed = await client.chat.completions.stream({ model: "smol", messages, tools, tool_choice: "required", max_tokens: 100 }).finalChatCompletion();
  assert.equal(streamed.choices[0].message.tool_calls[0].function.name, "book");
  fits(streamed.choices[0].message.tool_calls[0].function.arguments);
  await refused(OpenAI.BadRequestError, "response_format",
                () => client.chat.completions.create({ model: "smol", messages, response_format: { type: "json_schema", json_schema: { name: "n", schema: { not: {} } } } }));
}

try {
  const model = path.join(folder, "tiny");
  const prompt = execFileSync("python3", [path.join(root, "tests/support/tiny_decoder.py"), model], { encoding: "utf8" }).trim();
  await serve(model, "tiny", (client) => tiny(client, prompt));
  const smol = path.join(cache, "smollm2");
  const file = existsSync(smol) ? readdirSync(smol).find((name) => name.endsWith(".gguf")) : undefined;
  if (file) {
    await serve(path.join(smol, file), "smol", structured);
  }
  const version = JSON.parse(readFileSync(path.join(modules, "node_modules/openai/package.json"), "utf8")).version;
  console.log(`openai ${version} (npm): models, completions, chat, streams, errors${file ? ", schemas, tools" : "; schemas and tools skipped: no decoder (tools/setup decoder)"}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

// Writes src/gen/api.d.ts from api/openapi.yaml.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const web = join(dirname(fileURLToPath(import.meta.url)), "..");
mkdirSync(join(web, "src/gen"), { recursive: true });
const ast = await openapiTS(new URL(`file://${join(web, "../api/openapi.yaml")}`));
writeFileSync(join(web, "src/gen/api.d.ts"), astToString(ast));

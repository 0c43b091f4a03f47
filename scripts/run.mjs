// Runs one of this project's programs. It is plain JavaScript, because before `npm ci` there may be no Node that reads TypeScript.
import { existsSync } from "node:fs";
import module from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

function findObstacle() {
  if (!existsSync(new URL("../node_modules/wrangler", import.meta.url)))
    return "node_modules is missing or incomplete: run npm ci first.";
  // The package `node` brings a newer Node, by an install script.
  if (!process.features.typescript)
    return `Node ${process.version} can't read TypeScript, and npm ci installed no newer one: run it with install scripts allowed.`;
  return null;
}

const obstacle = findObstacle();
if (obstacle !== null) {
  console.error(obstacle);
  process.exit(1);
}
// wrangler is many megabytes of JavaScript: a second start reads them compiled.
module.enableCompileCache(resolve("node_modules/.cache/compile"));
const [, , program = ""] = process.argv;
process.argv.splice(1, 1);
await import(pathToFileURL(resolve(program)).href);

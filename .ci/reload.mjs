// Reloads the open pages of a development server. After each line on standard input, it waits until the server answers,
// and then sends Leptos's reload message to every page.
//   node .ci/reload.mjs HEALTH_URL
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const { WebSocketServer } = createRequire(new URL("../frontend/package.json", import.meta.url))("ws");
const RELOAD_PORT = 3001; // The default of LeptosOptions, also in the metadata of Cargo.toml.
const [url] = process.argv.slice(2);
const pages = new WebSocketServer({ host: "127.0.0.1", port: RELOAD_PORT });

for await (const _ of createInterface({ input: process.stdin })) {
  while (!(await fetch(url).then((answer) => answer.ok, () => false))) await sleep(200);
  for (const page of pages.clients) page.send(JSON.stringify({ all: true }));
}

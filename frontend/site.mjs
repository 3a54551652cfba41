// Builds the site from compiled WebAssembly: optimised, named by content, precompressed.
//
//   node site.mjs WASM_BINDGEN_FOLDER STYLE_FOLDER SITE_FOLDER
//
// The last line of the output is the size of the files that a browser loads, compressed with Brotli.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const BUDGET = 300_000;
const [bound, style, site] = process.argv.slice(2);
const pkg = join(site, "pkg");

// An explicit list, because browsers do not support all features of wasm-opt.
const FEATURES = [
  "bulk-memory",
  "mutable-globals",
  "multivalue",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
];

function optimised(wasm) {
  const binaryen = dirname(createRequire(import.meta.url).resolve("binaryen/package.json"));
  const out = join(bound, "optimised.wasm");
  const features = FEATURES.map((feature) => `--enable-${feature}`);
  execFileSync(process.execPath, [join(binaryen, "bin/wasm-opt"), "-Oz", ...features, wasm, "-o", out], {
    stdio: "inherit",
  });
  return readFileSync(out);
}

async function bundled(entry, loader) {
  const fromSite = {
    name: "from-site",
    setup(builder) {
      // During development the parts of the style sheet are served from the root of the site.
      builder.onResolve({ filter: /^\/css\// }, ({ path }) => ({ path: resolve(style, "assets", `.${path}`) }));
    },
  };
  const result = await build({
    entryPoints: [entry],
    bundle: loader === "css",
    minify: true,
    write: false,
    format: loader === "js" ? "esm" : undefined,
    plugins: loader === "css" ? [fromSite] : [],
    target: ["chrome123", "firefox120", "safari17.5"],
  });
  return Buffer.from(result.outputFiles[0].contents);
}

const files = {
  js: await bundled(join(bound, "lethe.js"), "js"),
  wasm: optimised(join(bound, "lethe_bg.wasm")),
  css: await bundled(join(style, "main.css"), "css"),
};

rmSync(site, { recursive: true, force: true });
mkdirSync(pkg, { recursive: true });
cpSync(join(style, "assets"), site, { recursive: true });

// One hash for all: Leptos then names the files without reading a list of hashes for each page.
const sum = createHash("sha256");
for (const content of Object.values(files)) sum.update(content);
const hash = sum.digest("base64url").replace(/[-_]/g, "").slice(0, 20);

let loaded = 0;
for (const [kind, content] of Object.entries(files)) {
  const name = join(pkg, kind === "wasm" ? `lethe.${hash}_bg.wasm` : `lethe.${hash}.${kind}`);
  const brotli = brotliCompressSync(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  });
  writeFileSync(name, content);
  writeFileSync(`${name}.br`, brotli);
  writeFileSync(`${name}.gz`, gzipSync(content, { level: 9 }));
  if (kind !== "css") loaded += brotli.length;
  console.log(`${kind}: ${content.length} bytes, ${brotli.length} with Brotli`);
}
writeFileSync(join(site, "hash.txt"), `${hash}\n`);
console.log(`WebAssembly and its JavaScript with Brotli: ${loaded} bytes of at most ${BUDGET}`);
if (loaded > BUDGET) process.exit(1);

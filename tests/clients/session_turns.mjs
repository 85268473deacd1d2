// What an agent and its model say to each other, made from a seed; nothing of any API is in it. A turn:
//
//   { user: { results: [{ id, text, isError, image }], texts, image, isMarked }, isStream, trouble,
//     said: { thought: { text, signature }, redacted, text, calls: [{ id, name, args }], reason, usage } }
//
// trouble: "cancelled" (the agent goes in the middle), "retried" (an error that the client repeats), "cut" (a stream that
// dies, and is asked for again), "refused" (an error for good, then asked for again).

// mulberry32
export function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const WORDS = ["file", "main.c", "\"quoted\"", "line\nbreak", "\\path\\to", "🦊", "größe", "日本語", "tab\there", "</tag>", "{\"a\":1}", "e\u0301", "x".repeat(30), "done"];
export const TOOLS = ["read_file", "edit_file", "run"];
// One white pixel.
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==";

class Talk {
  constructor(name, seed, can) {
    Object.assign(this, { name, can, next: random(seed), calls: [], count: 0 });
  }
  below(n) { return Math.floor(this.next() * n); }
  chance(share) { return this.next() < share; }
  words(most) { return Array.from({ length: 1 + this.below(most) }, () => WORDS[this.below(WORDS.length)]).join(" "); }

  result(call) {
    return { id: call.id, text: `${call.name}: ${this.words(4)}`, isError: this.chance(0.1),
             image: this.can.showsResults && this.chance(0.05) ? PIXEL : undefined };
  }
  user(mark) {
    const results = this.calls.map((call) => this.result(call));
    const texts = results.length && this.chance(0.7) ? [] : [`${mark} ${this.words(4)}`];
    if (!texts.length) results[0].text += ` ${mark}`;
    if (texts.length && this.chance(0.2)) texts.push(this.words(3));
    return { results, texts, image: texts.length && this.chance(0.06) ? PIXEL : undefined, isMarked: this.chance(0.3) };
  }
  call(i) {
    const args = { path: this.words(2), nested: { list: [1, 2.5, -3e10, null, true], text: this.words(2) } };
    return { id: `call_${this.count}_${i}`, name: TOOLS[this.below(TOOLS.length)], args: this.chance(0.15) ? {} : args };
  }
  said() {
    const calls = this.chance(0.6) ? Array.from({ length: 1 + this.below(3) }, (_, i) => this.call(i)) : [];
    const thought = this.chance(0.4) ? { text: this.words(6), signature: this.can.signs ? `Eq${this.below(1e9)}+/=` : undefined } : undefined;
    return { thought, redacted: this.can.signs && this.chance(0.04) ? `R${this.below(1e9)}` : undefined, calls,
             text: !calls.length || this.chance(0.6) ? this.words(8) : "",
             reason: calls.length ? "calls" : this.chance(0.05) ? "length" : "stop",
             usage: { input: 100 + this.below(9000), read: this.below(5000), written: this.can.writesCache ? this.below(700) : 0, output: 1 + this.below(900) } };
  }
  trouble() {
    const drawn = this.next();
    return drawn < 0.06 ? "cancelled" : drawn < 0.1 ? "retried" : drawn < 0.13 ? "cut" : drawn < 0.16 ? "refused" : undefined;
  }
  turn() {
    const mark = `turn ${this.count++} of ${this.name};`;
    const turn = { mark, user: this.user(mark), said: this.said(), trouble: this.trouble(), isStream: this.chance(0.7) };
    if (["cancelled", "cut"].includes(turn.trouble)) turn.isStream = true;
    if (turn.trouble === "cancelled") Object.assign(turn.said, { thought: undefined, redacted: undefined, calls: [], text: `so it begins ${this.words(12)}`, reason: "stop" });
    this.calls = turn.said.calls;
    return turn;
  }
}

// can: { signs, writesCache } of the provider's API, { showsResults } of the client's.
export function talk(name, seed, count, can) {
  const one = new Talk(name, seed, can);
  return Array.from({ length: count }, () => one.turn());
}

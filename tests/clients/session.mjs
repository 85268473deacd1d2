// An agent's day: 200 turns through a client of npm with a model of another API (tools several at once, thoughts that are
// signed, cache marks, pictures, clients that go in the middle, errors and repetitions). After each turn the provider has
// heard what the client holds, but for what x-moongate-dropped lists, and the client what the provider said; in the end
// the ledger has the provider's sums. run.lua gives MOONGATE, CONFIG and what the gateway runs with.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { BASE_URL, MOCK_CONTROL, mockScript, refusal, run, until } from "./kit.mjs";
import { TOOLS, talk } from "./session_turns.mjs";
import * as dialects from "./session_dialects.mjs";
import { assertListed, lost } from "./session_compare.mjs";

const { MOONGATE, CONFIG } = process.env;
const moongate = (...words) => JSON.parse(execFileSync(MOONGATE, [...words, "--json", "-c", CONFIG], { maxBuffer: 1 << 28 }));

// A row each: whose client, whose provider, how many turns; the model, where it is not session-PROVIDER; and all that may
// be missed, and is, by what x-moongate-dropped calls it.
const MARKS = ["messages[].content[].cache_control", "system[].cache_control", "tools[].cache_control"];
const ROWS = [
  { client: "anthropic", provider: "chat", turns: 200, missed: ["messages[].content[]", "messages[].content[].is_error", ...MARKS] },
  { client: "anthropic", provider: "chat", turns: 60, model: "session-thinking", missed: ["messages[].content[].is_error", ...MARKS] },
  { client: "chat", provider: "anthropic", turns: 200, missed: [] },
  { client: "responses", provider: "anthropic", turns: 200, missed: [] },
  { client: "responses", provider: "chat", turns: 60, missed: ["input[]"] },
  { client: "anthropic", provider: "gemini", turns: 200, missed: ["messages[].content[]", ...MARKS] },
  { client: "chat", provider: "gemini", turns: 200, missed: ["messages[].reasoning_content", "messages[].content[].cache_control"] },
  { client: "responses", provider: "gemini", turns: 60, missed: ["input[]"] },
  { client: "anthropic", provider: "responses", turns: 200, missed: ["messages[].content[].is_error", ...MARKS] },
  { client: "chat", provider: "responses", turns: 200, missed: ["messages[].content[].cache_control"] },
  { client: "responses", provider: "responses", turns: 60, missed: [] },
  { client: "anthropic", provider: "anthropic", turns: 60, missed: [] },
  { client: "chat", provider: "chat", turns: 60, missed: [] },
];
const PRICES = { input: 3000, read: 300, written: 3750, output: 15000 }; // nano-dollars a token, as models.lua has it
const PARTS = Object.keys(PRICES);

let seen = 0;
async function newEntries() {
  const { entries, last } = await (await fetch(`${MOCK_CONTROL}/_mock/log?since=${seen}`)).json();
  seen = last;
  return entries;
}
async function heardBy() {
  return (await newEntries()).filter((e) => e.event === "request").map((e) => JSON.parse(e.body));
}

class Session {
  constructor({ client, provider, turns, model }) {
    this.client = dialects[client];
    this.provider = dialects[provider];
    this.name = `${client}-${model ?? `session-${provider}`}`;
    const { signs, writesCache } = this.provider.can;
    this.turns = talk(this.name, turns * 31 + client.length, turns, { signs, writesCache, showsResults: this.client.can.showsResults });
    this.key = moongate("keys", "create", "--force", "--app", this.name, "--department", "tests", "--user", "ann").key;
    this.sdk = this.client.sdk({ apiKey: this.key, baseURL: BASE_URL, maxRetries: 2, fetch: (url, init) => this.fetch(url, init) });
    this.request = { model: model ?? `session-${provider}`, ...this.client.begin(TOOLS, "You are an agent.") };
    this.isSame = client === provider;
    this.sums = { count: 0, input: 0, read: 0, written: 0, output: 0 };
    this.broken = []; // what was used of streams without an end
    this.missed = new Set();
  }

  async fetch(url, init) {
    const answer = await fetch(url, init);
    this.dropped = answer.headers.get("x-moongate-dropped");
    return answer;
  }

  // What the mock is to answer, in the order in which it is asked. Returns what a client that goes has heard until then.
  async script(turn) {
    const content_type = turn.isStream ? "text/event-stream" : "application/json", parts = this.provider.answer(turn.said, turn.isStream);
    const good = { match: turn.mark, body: parts.join(""), content_type }, half = Math.ceil(parts.length / 2);
    const bytes = Buffer.byteLength(parts.slice(0, half).join(""));
    const failing = {
      cancelled: [{ ...good, cut: "stall", cut_event: 0, cut_byte: bytes }],
      cut: [{ ...good, cut: "rst", cut_event: 0, cut_byte: bytes }, good],
      retried: [{ match: turn.mark, status: [429, 503][turn.said.usage.input % 2], retry_after: 0, error_message: "busy" }, good],
      refused: [{ match: turn.mark, status: 400, error_type: "invalid_request_error", error_message: "not like this" }, good],
    };
    await mockScript(failing[turn.trouble] ?? [good]);
  }

  async assertHeld(request, dropped) {
    for (const body of await heardBy()) {
      if (this.isSame) assert.equal(dropped, null);
      const places = lost(this.client.items(request), this.provider.items(body));
      assertListed(places, dropped);
      for (const place of places) this.missed.add(place.replace(/\[\d+\]/g, "[]"));
    }
  }

  assertHeard(heard, said) {
    const sealed = this.provider.seal ?? ((own) => own);
    const thoughts = said.thought ? [{ text: said.thought.text, signature: said.thought.signature && sealed(said.thought.signature) }] : [];
    const { text, calls, reason, usage } = said;
    assert.deepEqual({ text: heard.text, calls: heard.calls, reason: heard.reason, usage: heard.usage, thoughts: heard.thoughts, redacted: heard.redacted },
      { text, calls, reason, usage, thoughts, redacted: said.redacted ? [sealed(said.redacted)] : [] });
  }

  // A reader that goes: what it has heard is all that there was.
  async leave(request, said) {
    const { text } = await this.client.ask(this.sdk, request, (heard) => heard.length >= Math.ceil(said.text.length / 4));
    assert.ok(text.length > 0 && said.text.startsWith(text), text);
    this.broken.push(said.usage);
    return { own: this.client.partly(text) };
  }

  async fail(request, turn) {
    const error = await refusal(this.client.ask(this.sdk, request));
    if (turn.trouble === "refused") assert.ok(error.status === 400 && error.message.includes("not like this"), String(error));
    if (turn.trouble === "cut") this.broken.push(turn.said.usage);
    assert.ok(error.message.length > 0);
  }

  async take(turn) {
    this.client.addUser(this.request, turn.user);
    await this.script(turn);
    const request = structuredClone({ ...this.request, ...(turn.isStream && { stream: true }) });
    if (["cut", "refused"].includes(turn.trouble)) await this.fail(request, turn);
    const heard = turn.trouble === "cancelled" ? await this.leave(request, turn.said) : await this.client.ask(this.sdk, request);
    await this.assertHeld(request, this.dropped);
    if (turn.trouble !== "cancelled") {
      this.assertHeard(heard, turn.said);
      this.sums.count++;
      for (const part of PARTS) this.sums[part] += turn.said.usage[part];
    }
    this.client.addSaid(this.request, heard);
  }

  records() {
    return moongate("requests", "--where", `app:${this.name}`, "--limit", "1000").items;
  }

  // What was told to the end is counted as the provider said it; of the rest at least what the provider had said.
  async assertCounted() {
    const all = await until("all requests are in the ledger", () => {
      const items = this.records().filter((r) => r.model !== "");
      return items.length >= this.sums.count + this.broken.length && items;
    });
    const told = all.filter((r) => r.outcome === "ok"), broken = all.filter((r) => ["client_closed", "stream_incomplete"].includes(r.outcome));
    const sum = (items, name) => items.reduce((all, r) => all + r[name], 0);
    const { count, input, read, written, output } = this.sums;
    assert.deepEqual({ count: told.length, input: sum(told, "input_tokens"), read: sum(told, "cached_tokens"), output: sum(told, "output_tokens"), nano: sum(told, "cost_nano") },
      { count, input: input + read + written, read, output, nano: PARTS.reduce((all, part) => all + this.sums[part] * PRICES[part], 0) });
    assert.equal(broken.length, this.broken.length);
    assert.ok(broken.every((r) => r.output_tokens > 0 && r.cost_nano > 0 && (r.estimated === 1) === !this.provider.can.tellsUsage));
    if (this.provider.can.tellsInputFirst)
      assert.equal(sum(broken, "input_tokens"), this.broken.reduce((all, u) => all + u.input + u.read + u.written, 0));
    const { totals } = moongate("requests", "--where", `app:${this.name}`);
    assert.equal(totals.cost_nano, sum(all, "cost_nano"));
  }
}

const tests = {};
for (const row of ROWS) {
  tests[`${row.turns} turns of ${row.client} with ${row.model ?? `a model of ${row.provider}`}`] = async () => {
    const session = new Session(row), headers = { authorization: `Bearer ${session.key}` };
    await until("the key is known", async () => (await fetch(`${BASE_URL}/v1/models`, { headers })).status === 200);
    await newEntries(); // others' requests, which may have no body
    for (const turn of session.turns) {
      await session.take(turn).catch((error) => {
        error.message = `${turn.mark} ${turn.trouble ?? ""}: ${error.message}`;
        throw error;
      });
    }
    assert.deepEqual([...session.missed].sort(), row.missed.sort());
    await session.assertCounted();
  };
}

await run("session", tests);

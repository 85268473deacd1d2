// Anthropic's client of npm against the gateway, which has an account of that dialect. run.lua gives what kit.mjs reads.
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { KEY, asked, client as make, mockLog, mockScript, refusal, requestsWith, run, until } from "./kit.mjs";

const client = (apiKey = KEY) => make(Anthropic, apiKey);
const ask = (text, more = {}) => ({ model: "good", max_tokens: 100, messages: [{ role: "user", content: text }], ...more });
const TOOL = { name: "get_weather", input_schema: { type: "object", properties: { words: { type: "string" } } } };

const tests = {
  async "text, whole"() {
    const answer = await client().messages.create(ask("echo one two  three"));
    assert.equal(answer.content[0].text, "one two  three");
    assert.equal(answer.stop_reason, "end_turn");
    assert.equal(answer.usage.output_tokens, 3);
    assert.ok(answer._request_id.startsWith("req_"), answer._request_id);
  },

  async "text, streamed"() {
    const seen = [];
    const stream = client().messages.stream(ask("echo one two  three"));
    stream.on("text", (text) => seen.push(text));
    const final = await stream.finalMessage();
    assert.equal(seen.join(""), "one two  three");
    assert.equal(final.content[0].text, "one two  three");
    assert.equal(final.usage.output_tokens, 3);
    assert.equal(final.stop_reason, "end_turn");
  },

  async "tools, whole and streamed"() {
    const more = { tools: [TOOL], tool_choice: { type: "tool", name: "get_weather" } };
    const whole = await client().messages.create(ask("Weather?", more));
    const streamed = await client().messages.stream(ask("Weather?", more)).finalMessage();
    for (const answer of [whole, streamed]) {
      assert.equal(answer.stop_reason, "tool_use");
      assert.equal(answer.content[0].name, "get_weather");
      assert.ok(answer.content[0].input.words.length > 0);
    }
    assert.deepEqual(whole.content, streamed.content);
  },

  async "what tools gave back goes along"() {
    const answer = await client().messages.create(ask("x", { system: [{ type: "text", text: "s", cache_control: { type: "ephemeral" } }], tools: [TOOL], messages: [
      { role: "user", content: "weather" },
      { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "get_weather", input: { words: "Berlin" } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "mark-result" }, { type: "text", text: "echo 21" }] },
    ] }));
    assert.equal(answer.content[0].text, "21");
    assert.equal((await requestsWith("mark-result")).length, 1);
  },

  async "betas go along"() {
    await client().beta.messages.create(ask("mark-beta", { betas: ["context-1m-2025-08-07"] }));
    const [sent] = await requestsWith("mark-beta");
    assert.ok(sent.headers.some(([n, v]) => n.toLowerCase() === "anthropic-beta" && v.includes("context-1m")));
  },

  async "counts tokens"() {
    const { model, messages } = ask("one two three");
    assert.equal((await client().messages.countTokens({ model, messages })).input_tokens, 3);
  },

  async "lists models"() {
    const ids = [];
    for await (const model of client().models.list()) ids.push(model.id);
    assert.ok(ids.includes("good"), ids.join());
    assert.equal((await client().models.retrieve("good")).id, "good");
  },

  async "401 for an unknown key"() {
    const error = await refusal(client("mgk_nobody").messages.create(ask("Hi")));
    assert.ok(error instanceof Anthropic.AuthenticationError, String(error));
    assert.equal(error.type ?? error.error.error.type, "authentication_error");
  },

  async "403 for a denial, tried once, with its words"() {
    const error = await refusal(client().messages.create(ask("refuse 403")));
    assert.ok(error instanceof Anthropic.PermissionDeniedError, String(error));
    assert.equal(error.headers.get("x-should-retry"), "false");
    assert.equal(error.requestID, error.headers.get("x-moongate-request-id"));
    assert.ok(error.message.includes("refused as it was asked for"), error.message);
    assert.equal(asked.attempts, 1);
  },

  async "a provider's 429 is repeated by the client, then answered"() {
    await mockScript({ match: "mark-limited", count: 1, status: 429, retry_after: 0 });
    assert.equal((await client().messages.create(ask("mark-limited"))).type, "message");
    assert.equal(asked.attempts, 2);
  },

  async "an abort in mid-stream reaches the provider"() {
    await mockScript({ match: "mark-abort", tokens: 5000, delay_ms: 10 });
    const stream = await client().messages.create(ask("mark-abort", { stream: true, max_tokens: 6000 }));
    let seen = 0;
    for await (const event of stream) if (event.type === "content_block_delta" && ++seen === 5) break;
    assert.equal(seen, 5);
    const [sent] = await requestsWith("mark-abort");
    const end = await until("the mock's log says client_abort",
      async () => (await mockLog()).find((e) => e.event === "end" && e.conn === sent.conn && e.request === sent.request));
    assert.equal(end.how, "client_abort");
  },

  async "a stream that dies at the provider raises, and nothing is made up"() {
    await mockScript({ match: "mark-dies", tokens: 50, delay_ms: 1, cut: "rst", cut_event: 7 });
    const types = [];
    const error = await refusal((async () => {
      for await (const event of await client().messages.create(ask("mark-dies", { stream: true }))) types.push(event.type);
    })());
    assert.ok(error instanceof Anthropic.APIError, String(error));
    assert.ok(String(error.message).includes("closed"), error.message);
    assert.ok(!types.includes("message_stop"));
  },

  async "a whole message of a cut stream is none"() {
    await mockScript({ match: "mark-halved", done: 0 });
    const error = await refusal(client().messages.stream(ask("mark-halved")).finalMessage());
    assert.ok(error instanceof Anthropic.AnthropicError, String(error));
  },
};

await run("anthropic", tests);

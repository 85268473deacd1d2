// The openai client of npm against the gateway. run.lua gives what kit.mjs reads.
import assert from "node:assert/strict";
import OpenAI, { AzureOpenAI } from "openai";
import { BASE_URL, KEY, asked, client as make, mockLog, mockScript, refusal, requestsWith, run, until } from "./kit.mjs";

const MODEL = "gpt-4o-mini";
const client = (apiKey = KEY, of = {}) => make(OpenAI, apiKey, of);
const ask = (text, more = {}) => ({ model: MODEL, messages: [{ role: "user", content: text }], ...more });

const tests = {
  async "lists only the models that the key may use"() {
    const ids = [];
    for await (const model of client().models.list()) ids.push(model.id);
    assert.ok(ids.includes(MODEL), ids.join());
    assert.ok(!ids.includes("claude-3-opus"), ids.join());
    assert.equal((await client().models.retrieve(MODEL)).id, MODEL);
  },

  async "completes, and the provider got what was asked"() {
    const answer = await client().chat.completions.create(ask("mark-complete", { temperature: 0.25, user: "mock?text=Hello+there" }));
    assert.equal(answer.object, "chat.completion");
    assert.equal(answer.choices[0].message.content, "Hello there");
    assert.ok(answer._request_id.startsWith("req_"));
    assert.ok(answer.usage.total_tokens > 0);
    const [sent] = await requestsWith("mark-complete");
    assert.equal(JSON.parse(sent.body).temperature, 0.25);
    assert.ok(!sent.headers.some(([, value]) => value.includes(KEY)), "the client's key went to the provider");
  },

  async "streams without usage when it was not asked for"() {
    let text = "";
    const stream = await client().chat.completions.create(ask("mark-stream", { stream: true, user: "mock?text=one+two+three" }));
    for await (const chunk of stream) {
      assert.equal(chunk.choices.length, 1);
      assert.ok(!chunk.usage);
      text += chunk.choices[0].delta.content ?? "";
    }
    assert.equal(text, "one two three");
    const [sent] = await requestsWith("mark-stream");
    assert.equal(JSON.parse(sent.body).stream_options.include_usage, true);
  },

  async "streams with usage when it was asked for"() {
    let usage;
    const stream = await client().chat.completions.create(
      ask("Hi", { stream: true, stream_options: { include_usage: true }, user: "mock?tokens=7" }));
    for await (const chunk of stream) usage = chunk.usage ?? usage;
    assert.equal(usage.completion_tokens, 7);
  },

  async "calls tools, at once and as a stream"() {
    const more = {
      tools: [{ type: "function", function: { name: "get_weather", parameters: { type: "object", properties: {} } } }],
      user: "mock?tool=get_weather",
    };
    const answer = await client().chat.completions.create(ask("Weather?", more));
    assert.equal(answer.choices[0].finish_reason, "tool_calls");
    const call = answer.choices[0].message.tool_calls[0].function;
    assert.equal(call.name, "get_weather");
    JSON.parse(call.arguments);
    const runner = client().chat.completions.stream(ask("Weather?", more));
    const final = await runner.finalChatCompletion();
    assert.equal(final.choices[0].message.tool_calls[0].function.name, "get_weather");
    JSON.parse(final.choices[0].message.tool_calls[0].function.arguments);
  },

  async "401 for an unknown key"() {
    const error = await refusal(client("mgk_nobody").chat.completions.create(ask("Hi")));
    assert.ok(error instanceof OpenAI.AuthenticationError, String(error));
    assert.equal(error.code, "invalid_api_key");
  },

  async "403 for a denied model, tried once"() {
    const openai = client();
    const error = await refusal(openai.chat.completions.create({ ...ask("mark-denied"), model: "claude-3-opus" }));
    assert.ok(error instanceof OpenAI.PermissionDeniedError, String(error));
    assert.equal(error.headers.get("x-should-retry"), "false");
    assert.ok(error.requestID.startsWith("req_"));
    assert.equal(error.requestID, error.headers.get("x-moongate-request-id"));
    assert.ok(error.message.length > 20, error.message);
    assert.equal(asked.attempts, 1);
    assert.equal((await requestsWith("mark-denied")).length, 0);
  },

  async "404 for a model that does not exist"() {
    const error = await refusal(client().chat.completions.create({ ...ask("Hi"), model: "no-such-model" }));
    assert.ok(error instanceof OpenAI.NotFoundError, String(error));
    assert.equal(error.code, "model_not_found");
  },

  async "400 says where the mistake is"() {
    const error = await refusal(client().chat.completions.create({ model: MODEL, messages: "not a list" }));
    assert.ok(error instanceof OpenAI.BadRequestError, String(error));
  },

  async "a provider's 429 is retried by the client, then answered"() {
    await mockScript({ match: "mark-limited", count: 1, status: 429, retry_after: 0 });
    const answer = await client().chat.completions.create(ask("mark-limited"));
    assert.equal(answer.object, "chat.completion");
    assert.equal(asked.attempts, 2);
    assert.equal((await requestsWith("mark-limited")).length, 2);
  },

  async "an abort in mid-stream reaches the provider"() {
    const stream = await client().chat.completions.create(
      ask("mark-abort", { stream: true, user: "mock?tokens=5000&delay_ms=10" }));
    let seen = 0;
    for await (const chunk of stream) if (chunk.choices[0].delta.content && ++seen === 5) break;
    assert.equal(seen, 5);
    const [sent] = await requestsWith("mark-abort");
    const end = await until("the mock's log says client_abort",
      async () => (await mockLog()).find((e) => e.event === "end" && e.conn === sent.conn && e.request === sent.request));
    assert.equal(end.how, "client_abort");
    assert.ok(end.tokens < 5000);
  },

  async "Azure's client is served alike"() {
    const azure = new AzureOpenAI({ endpoint: BASE_URL.replace(/\/v1$/, ""), apiKey: KEY, apiVersion: "2024-10-21" });
    const answer = await azure.chat.completions.create(ask("echo from a deployment"));
    assert.equal(answer.choices[0].message.content, "from a deployment");
    const chunks = [];
    for await (const chunk of await azure.chat.completions.create(ask("echo in pieces", { stream: true })))
      chunks.push(chunk.choices[0]?.delta.content ?? "");
    assert.equal(chunks.join(""), "in pieces");
    const stranger = await refusal(new AzureOpenAI({ endpoint: BASE_URL.replace(/\/v1$/, ""), apiKey: "sk-nobody",
      apiVersion: "2024-10-21" }).chat.completions.create(ask("hi")));
    assert.ok(stranger instanceof OpenAI.AuthenticationError, String(stranger));
  },

  async "a stream that dies at the provider raises, and nothing is made up"() {
    const stream = await client().chat.completions.create(
      ask("mark-dies", { stream: true, user: "mock?tokens=50&delay_ms=1&cut=rst&cut_event=5" }));
    let finish = null;
    const error = await refusal((async () => {
      for await (const chunk of stream) finish ??= chunk.choices[0].finish_reason;
    })());
    assert.ok(error instanceof OpenAI.APIError, String(error));
    assert.equal(finish, null);
  },
};

await run("npm", tests);

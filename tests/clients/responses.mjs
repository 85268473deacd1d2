// The openai client of npm asking for responses, against the gateway. run.lua gives what kit.mjs reads.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { KEY, asked, client as make, mockLog, mockScript, refusal, requestsWith, run, until } from "./kit.mjs";

const MODEL = "gpt-4o-mini";
const client = (apiKey = KEY) => make(OpenAI, apiKey);
const ask = (text, more = {}) => ({ model: MODEL, input: text, ...more });
const TOOL = { type: "function", name: "get_weather", strict: true,
  parameters: { type: "object", properties: { words: { type: "string" } }, required: ["words"], additionalProperties: false } };

const tests = {
  async "text, whole"() {
    const answer = await client().responses.create(ask("echo one two  three", { instructions: "Be brief." }));
    assert.equal(answer.output_text, "one two  three");
    assert.equal(answer.status, "completed");
    assert.equal(answer.usage.output_tokens, 3);
    assert.ok(answer._request_id.startsWith("req_"), answer._request_id);
  },

  async "text, streamed, as events and as one response"() {
    const types = [], seen = [];
    for await (const event of await client().responses.create(ask("echo one two  three", { stream: true }))) {
      types.push(event.type);
      if (event.type === "response.output_text.delta") seen.push(event.delta);
    }
    assert.equal(types[0], "response.created");
    assert.equal(types.at(-1), "response.completed");
    assert.equal(seen.join(""), "one two  three");
    const stream = client().responses.stream(ask("echo one two  three"));
    const told = [];
    stream.on("response.output_text.delta", (event) => told.push(event.delta));
    const final = await stream.finalResponse();
    assert.deepEqual(told, seen);
    assert.equal(final.output_text, "one two  three");
    assert.equal(final.usage.output_tokens, 3);
  },

  async "a text of several parts, and a picture"() {
    const answer = await client().responses.create(ask([{ role: "user", content: [
      { type: "input_image", image_url: "data:image/png;base64,iVBORw0KGgo=", detail: "low" },
      { type: "input_text", text: "echo seen" }] }]));
    assert.equal(answer.output_text, "seen");
  },

  async "tools, whole and streamed, and what they gave back"() {
    const whole = await client().responses.create(ask("call get_weather", { tools: [TOOL] }));
    assert.equal(whole.output[0].type, "function_call");
    assert.equal(whole.output[0].name, "get_weather");
    assert.ok(JSON.parse(whole.output[0].arguments).words.length > 0);
    const stream = client().responses.stream(ask("call get_weather", { tools: [TOOL] }));
    const final = await stream.finalResponse();
    assert.equal(final.output[0].arguments, whole.output[0].arguments);
    const next = await client().responses.create(ask([{ role: "user", content: "echo it rains" }, final.output[0],
      { type: "function_call_output", call_id: final.output[0].call_id, output: "rain" },
      { role: "user", content: "echo it rains" }], { tools: [TOOL] }));
    assert.equal(next.output_text, "it rains");
  },

  async "an answer that its limit ends is incomplete"() {
    const final = await client().responses.stream(ask("echo one two three four", { max_output_tokens: 2 })).finalResponse();
    assert.equal(final.status, "incomplete");
    assert.equal(final.incomplete_details.reason, "max_output_tokens");
  },

  async "counts tokens"() {
    const counted = await client().responses.inputTokens.count(ask("one two three"));
    assert.equal(counted.input_tokens, 3);
  },

  async "compacts what was said"() {
    const compacted = await client().responses.compact({ model: MODEL, input: [{ role: "user", content: "one two three" }] });
    assert.equal(compacted.output[0].type, "compaction");
    const next = await client().responses.create(ask([...compacted.output, { role: "user", content: "echo and on" }]));
    assert.equal(next.output_text, "and on");
  },

  async "what nobody here has made is refused once"() {
    const error = await refusal(client().responses.create(ask("mark-kept", { previous_response_id: "resp_1" })));
    assert.ok(error instanceof OpenAI.BadRequestError, String(error));
    assert.equal(error.code, "previous_response_not_found");
    assert.ok(error.message.includes("resp_1"), error.message);
    assert.equal(asked.attempts, 1);
    const gone = await refusal(client().responses.retrieve("resp_1"));
    assert.ok(gone instanceof OpenAI.NotFoundError, String(gone));
    assert.equal(asked.attempts, 1);
    assert.deepEqual(await requestsWith("mark-kept"), []);
  },

  async "a key that is nobody's, a model that is none: errors of the library's own"() {
    const stranger = await refusal(client("sk-nobody").responses.create(ask("hi")));
    assert.ok(stranger instanceof OpenAI.AuthenticationError, String(stranger));
    const nothing = await refusal(client().responses.create({ model: "no-such-model-here", input: "hi" }));
    assert.ok(nothing instanceof OpenAI.NotFoundError, String(nothing));
  },

  async "an abort ends the provider's work"() {
    await mockScript({ match: "mark-abort", tokens: 5000, delay_ms: 10 });
    const abort = new AbortController();
    const stream = await client().responses.create(ask("mark-abort", { stream: true }), { signal: abort.signal });
    let count = 0;
    for await (const event of stream) {
      if (event.type === "response.output_text.delta" && ++count === 3) abort.abort();
    }
    const [sent] = await requestsWith("mark-abort");
    const end = await until("the mock's log says client_abort",
      async () => (await mockLog()).find((e) => e.event === "end" && e.conn === sent.conn && e.request === sent.request));
    assert.equal(end.how, "client_abort");
  },

  async "a stream that dies at the provider raises, and nothing is made up"() {
    await mockScript({ match: "mark-dies", tokens: 50, delay_ms: 1, cut: "rst", cut_event: 9 });
    const types = [];
    const error = await refusal((async () => {
      for await (const event of await client().responses.create(ask("mark-dies", { stream: true }))) types.push(event.type);
    })());
    assert.ok(error instanceof OpenAI.APIError, String(error));
    assert.ok(String(error.message).includes("closed"), error.message);
    assert.ok(!types.includes("response.completed"));
  },

  async "what the provider keeps is gone on with, fetched, listed, cancelled and deleted"() {
    const first = await client().responses.create(ask("echo one"));
    const next = await client().responses.create(ask("mark-next", { previous_response_id: first.id }));
    assert.ok(next.id);
    const [sent] = await requestsWith("mark-next");
    assert.equal(JSON.parse(sent.body).previous_response_id, first.id);
    await mockScript({ body: JSON.stringify({ ...first, _request_id: undefined }) });
    assert.equal((await client().responses.retrieve(first.id)).id, first.id);
    await mockScript({ body: JSON.stringify({ object: "list", data: [{ id: "msg_1" }], has_more: false }) });
    assert.equal((await client().responses.inputItems.list(first.id, { limit: 1 })).data[0].id, "msg_1");
    await mockScript({ body: JSON.stringify({ ...first, status: "cancelled" }) });
    assert.equal((await client().responses.cancel(first.id)).status, "cancelled");
    await mockScript({ body: JSON.stringify({ id: first.id, object: "response.deleted", deleted: true }) });
    await client().responses.delete(first.id);
    const gone = await refusal(client().responses.retrieve(first.id));
    assert.equal(gone.status, 404);
    const unknown = await refusal(client().responses.create(ask("x", { previous_response_id: first.id })));
    assert.equal(unknown.code, "previous_response_not_found");
    assert.ok(unknown instanceof OpenAI.BadRequestError);
  },

  async "a response without its last event is none"() {
    await mockScript({ match: "mark-halved", done: 0 });
    const error = await refusal(client().responses.stream(ask("mark-halved")).finalResponse());
    assert.ok(error instanceof OpenAI.OpenAIError, String(error));
  },
};

await run("responses", tests);

// OpenAI's, Anthropic's and Google's clients of npm, chats, messages and contents, against a model that answers in the Responses
// API alone: all recordings that there are (RECORDINGS names their folder), what was thought encrypted and comes back to the very
// item, and what goes wrong.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import OpenAI from "openai";
import Anthropic from "@anthropic-ai/sdk";
import { ApiError, GoogleGenAI } from "@google/genai";
import { BASE_URL, KEY, client, requestsWith, mockScript, refusal, run } from "./kit.mjs";
import { RECORDINGS, parsed, recordingsOf } from "./recordings.mjs";

const openai = () => client(OpenAI, undefined, { baseURL: `${BASE_URL}/v1`, apiKey: KEY, maxRetries: 0 });
const anthropic = () => client(Anthropic, KEY, { maxRetries: 0 });
const google = () => new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: BASE_URL } }).models;
const model = "of-responses", user = (content) => [{ role: "user", content }];
const SCHEMA = { type: "object", properties: { key: { type: "string" } } };

// --- what a client got, in one form ---

function ofCompletion({ choices: [{ message, finish_reason }], usage }) {
  const details = message.reasoning_details ?? [];
  return {
    text: message.content ?? "", thought: message.reasoning_content ?? "", reason: finish_reason,
    seals: details.map((d) => d.signature ?? d.data).filter(Boolean),
    usage: [usage.prompt_tokens, usage.prompt_tokens_details?.cached_tokens ?? 0, usage.completion_tokens],
    calls: (message.tool_calls ?? []).map((call) => ({ name: call.function.name, args: parsed(call.function.arguments) })),
  };
}

function ofMessage({ content, stop_reason, usage: u }) {
  const joined = (type, key) => content.filter((b) => b.type === type).map((b) => b[key]).join("");
  return {
    text: joined("text", "text"), thought: joined("thinking", "thinking"), reason: stop_reason,
    seals: content.map((b) => b.signature ?? b.data).filter(Boolean),
    usage: [u.input_tokens + u.cache_read_input_tokens + u.cache_creation_input_tokens, u.cache_read_input_tokens, u.output_tokens],
    calls: content.filter((b) => b.type === "tool_use").map((b) => ({ name: b.name, args: b.input })),
  };
}

function ofContents(responses) {
  const parts = responses.flatMap((r) => r.candidates?.[0]?.content?.parts ?? []), last = responses.at(-1), u = last.usageMetadata;
  const texts = (isThought) => parts.filter((p) => (p.thought === true) === isThought).map((p) => p.text ?? "").join("");
  const seal = (p) => Buffer.from(p.thoughtSignature, "base64").toString().replace(/^moongate\.(signature|redacted)\./, "");
  return {
    text: texts(false), thought: texts(true), reason: last.candidates[0].finishReason,
    seals: parts.filter((p) => p.thoughtSignature).map(seal),
    usage: [u.promptTokenCount, u.cachedContentTokenCount ?? 0, u.candidatesTokenCount + (u.thoughtsTokenCount ?? 0)],
    calls: parts.filter((p) => p.functionCall).map((p) => ({ name: p.functionCall.name, args: p.functionCall.args })),
  };
}

async function chunksOf(request) {
  const message = { content: "", reasoning_content: "", tool_calls: [], reasoning_details: [] };
  let finish_reason, usage;
  for await (const chunk of await openai().chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } })) {
    usage = chunk.usage ?? usage;
    for (const { delta, finish_reason: why } of chunk.choices) {
      message.content += delta.content ?? "";
      message.reasoning_content += delta.reasoning_content ?? "";
      message.reasoning_details.push(...delta.reasoning_details ?? []);
      finish_reason = why ?? finish_reason;
      for (const call of delta.tool_calls ?? []) {
        message.tool_calls[call.index] ??= { function: { name: call.function.name, arguments: "" } };
        message.tool_calls[call.index].function.arguments += call.function.arguments ?? "";
      }
    }
  }
  return { choices: [{ message, finish_reason }], usage };
}

async function contentsOf(request) {
  const all = [];
  for await (const response of await google().generateContentStream(request)) all.push(response);
  return all;
}

const kinds = {
  chat: {
    ask: (text, more = {}) => ({ model, messages: user(text), ...more }),
    raw: (request) => openai().chat.completions.create(request), read: ofCompletion,
    streamed: async (request) => ofCompletion(await chunksOf(request)),
    words: { stop: "stop", length: "length", calls: "tool_calls" },
    tools: { tools: [{ type: "function", function: { name: "db_lookup", parameters: SCHEMA } }] },
    next: (request, { choices: [{ message }] }) => ({ ...request, messages: [...request.messages, message, { role: "tool", tool_call_id: message.tool_calls[0].id, content: "found" }] }),
    error: OpenAI,
  },
  messages: {
    ask: (text, more = {}) => ({ model, max_tokens: 200, messages: user(text), ...more }),
    raw: (request) => anthropic().messages.create(request), read: ofMessage,
    streamed: async (request) => ofMessage(await anthropic().messages.stream(request).finalMessage()),
    words: { stop: "end_turn", length: "max_tokens", calls: "tool_use" },
    tools: { tools: [{ name: "db_lookup", input_schema: SCHEMA }] },
    next: (request, { content }) => ({ ...request, messages: [...request.messages, { role: "assistant", content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: content.find((b) => b.type === "tool_use").id, content: "found" }] }] }),
    error: Anthropic,
  },
  contents: {
    ask: (text, more = {}) => ({ model, contents: [{ role: "user", parts: [{ text }] }], config: { thinkingConfig: { includeThoughts: true }, ...more } }),
    raw: (request) => google().generateContent(request), read: (response) => ofContents([response]),
    streamed: async (request) => ofContents(await contentsOf(request)),
    words: { stop: "STOP", length: "MAX_TOKENS", calls: "STOP" },
    tools: { tools: [{ functionDeclarations: [{ name: "db_lookup", parametersJsonSchema: SCHEMA }] }] },
    next: (request, { candidates: [{ content }] }) => ({ ...request, contents: [...request.contents, content,
      { role: "user", parts: [{ functionResponse: { ...(({ id, name }) => ({ id, name }))(content.parts.find((p) => p.functionCall).functionCall), response: { result: "found" } } }] }] }),
  },
};

// --- recordings ---

const bytesOf = (r) => readFile(`${RECORDINGS}/${r.response_file}`, "utf8");
const dataOf = (line) => (line.startsWith("data: {") ? JSON.parse(line.slice(6)) : {});

// What was thought, by items that were done; of what is encrypted, whose it is.
async function thoughtsOf(r) {
  const text = await bytesOf(r), items = r.stream
    ? text.split("\n").map(dataOf).filter((e) => e.type === "response.output_item.done").map((e) => e.item) : JSON.parse(text).output;
  const thoughts = items.filter((item) => item.type === "reasoning");
  const words = (item) => [...item.summary ?? [], ...item.content ?? []].map((part) => part.text).filter(Boolean).join("\n\n");
  return { thought: thoughts.map(words).join(""),
           seals: thoughts.filter((item) => item.encrypted_content).map((item) => `openai.${item.id}.${item.encrypted_content}`) };
}

// A text for a custom tool is the one thing that it is asked.
const argsOf = (text) => { const args = parsed(text); return typeof args === "string" ? { input: args } : args; };

async function compare(r, got, words) {
  const e = r.expected, calls = (e.tool_calls ?? []).map(({ name, args }) => ({ name, args: argsOf(args) }));
  const { thought, seals } = await thoughtsOf(r);
  const reason = e.status === "incomplete" ? words.length : calls.length ? words.calls : words.stop;
  assert.deepEqual({ ...got, usage: 0 }, { text: e.text ?? "", thought, seals, reason, calls, usage: 0 });
  assert.deepEqual(got.usage, [e.input_tokens, e.cached_input_tokens ?? 0, e.output_tokens]);
}

async function replay(r, name, kind) {
  const mark = `replay ${r.id} as ${name}`, request = kind.ask(mark);
  await mockScript({ match: `"${mark}"`, replay: r.id, count: 1 });
  if (r.status < 400 && !r.features.includes("instream_error"))
    return compare(r, r.stream ? await kind.streamed(request) : kind.read(await kind.raw(request)), kind.words);
  const error = await refusal(r.stream ? kind.streamed(request) : kind.raw(request));
  if (r.status >= 400) assert.equal(error.status, r.expected.error.code === "model_not_found" && name !== "chat" ? error.status : r.status);
  assert.ok(error.message.includes(r.expected.error?.message ?? r.expected.error_message ?? ""), error.message);
}

const tests = {};
for (const [name, kind] of RECORDINGS ? Object.entries(kinds) : []) {
  tests[`recordings of Responses APIs, for ${name}`] = async () => {
    const failures = [], list = await recordingsOf("openai.responses");
    for (const r of list) await replay(r, name, kind).catch((error) => failures.push(`${r.id}: ${error.message}`));
    assert.ok(list.length > 70, `${list.length} recordings`);
    assert.equal(failures.length, 0, failures.join("\n"));
  };
}

// Google's clients get it whether they ask for what was thought or not.
const returning = { ...kinds, "contents, unasked": { ...kinds.contents, ask: (text, more) => ({ ...kinds.contents.ask(text), config: more }) } };
for (const [name, kind] of RECORDINGS ? Object.entries(returning) : []) {
  tests[`what is encrypted goes back to its item, by ${name}`] = async () => {
    const id = "openai/097-responses-json", mark = `look up for ${name}`;
    const { output } = JSON.parse(await readFile(`${RECORDINGS}/${id}.resp.json`, "utf8"));
    await mockScript({ match: `"${mark}"`, replay: id, count: 1 });
    const request = kind.ask(mark, kind.tools), first = await kind.raw(request);
    assert.deepEqual(kind.read(first).calls, [{ name: "db_lookup", args: { key: "start" } }]);
    await kind.raw(kind.next(request, first));
    const { input, store } = JSON.parse((await requestsWith(mark)).at(-1).body), at = input.findIndex((item) => item.type === "reasoning");
    assert.equal(store, false);
    assert.deepEqual(input[at], { type: "reasoning", id: output[0].id, summary: [], encrypted_content: output[0].encrypted_content });
    assert.deepEqual([input[at + 1].type, input[at + 1].call_id, input[at + 2].type, input[at + 2].call_id],
      ["function_call", output[1].call_id, "function_call_output", output[1].call_id]);
  };
}

// --- what goes wrong ---

for (const [name, kind] of Object.entries(kinds)) Object.assign(tests, {
  async [`text, whole and streamed, for ${name}`]() {
    for (const got of [kind.read(await kind.raw(kind.ask("echo one two"))), await kind.streamed(kind.ask("echo one two"))]) {
      assert.deepEqual([got.text, got.reason, got.usage[2]], ["one two", kind.words.stop, 2]);
    }
  },

  async [`a stream that is cut is no answer for ${name}`]() {
    for (const script of [{ cut: "fin", cut_event: 5 }, { cut: "rst", cut_event: 5 }, { done: 0 }, { bad_event: 4, bad_text: '{"type":' }]) {
      const mark = `${JSON.stringify(script).replaceAll(/\W/g, "")} ${name}`;
      await mockScript({ match: mark, ...script });
      assert.ok((await refusal(kind.streamed(kind.ask(`${mark} a b c d e f g h`)))).message.length > 0);
    }
  },

  async [`errors have their class, their words and their status for ${name}`]() {
    const cases = [[400, "BadRequestError"], [404, "NotFoundError"], [429, "RateLimitError"], [503, "InternalServerError"]];
    for (const [status, Class] of cases) {
      const mark = `error ${status} of Responses for ${name}`;
      await mockScript({ match: mark, status, error_message: "so it is" });
      const error = await refusal(kind.raw(kind.ask(mark)));
      assert.ok(error.status === status || (status === 503 && error.status >= 500), `${error.status}`);
      assert.ok(error instanceof (kind.error?.[Class] ?? ApiError), error.constructor.name);
      assert.ok(error.message.includes("so it is"), error.message);
    }
  },
});

await run("translated_responder", tests);

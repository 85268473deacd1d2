// OpenAI's and Anthropic's clients of npm, chats, messages and responses, against a model of Google's: all recordings that
// there are (RECORDINGS names their folder), a call of a tool with its signature, and what goes wrong.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import OpenAI from "openai";
import Anthropic from "@anthropic-ai/sdk";
import { BASE_URL, client, requestsWith, mockScript, refusal, run } from "./kit.mjs";
import { RECORDINGS, parsed, recordingsOf } from "./recordings.mjs";

const openai = () => client(OpenAI, undefined, { baseURL: `${BASE_URL}/v1`, apiKey: process.env.KEY, maxRetries: 0 });
const anthropic = () => client(Anthropic, process.env.KEY, { maxRetries: 0 });
const model = "of-gemini", user = (content) => [{ role: "user", content }];
const SCHEMA = { type: "object", properties: { location: { type: "string" } } };

// --- what a client got, in one form ---

function ofCompletion({ choices: [{ message, finish_reason }], usage }) {
  return {
    text: message.content ?? "", thought: message.reasoning_content ?? "", reason: finish_reason,
    usage: [usage.prompt_tokens, usage.completion_tokens],
    calls: (message.tool_calls ?? []).map((call) => ({ name: call.function.name, args: parsed(call.function.arguments) })),
  };
}

function ofMessage(m) {
  const joined = (type, key) => m.content.filter((b) => b.type === type).map((b) => b[key]).join("");
  return {
    text: joined("text", "text"), thought: joined("thinking", "thinking"), reason: m.stop_reason,
    usage: [m.usage.input_tokens + (m.usage.cache_read_input_tokens ?? 0), m.usage.output_tokens],
    calls: m.content.filter((b) => b.type === "tool_use").map((b) => ({ name: b.name, args: b.input })),
  };
}

function ofResponse(r) {
  const of = (type) => r.output.filter((item) => item.type === type);
  return {
    text: r.output_text ?? "", thought: of("reasoning").flatMap((item) => item.summary).map((part) => part.text).join(""),
    reason: r.incomplete_details?.reason ?? r.status, usage: [r.usage.input_tokens, r.usage.output_tokens],
    calls: of("function_call").map((call) => ({ name: call.name, args: parsed(call.arguments) })),
  };
}

async function chunksOf(request) {
  const message = { content: "", reasoning_content: "", tool_calls: [] };
  let finish_reason, usage;
  for await (const chunk of await openai().chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } })) {
    usage = chunk.usage ?? usage;
    for (const { delta, finish_reason: why } of chunk.choices) {
      message.content += delta.content ?? "";
      message.reasoning_content += delta.reasoning_content ?? "";
      finish_reason = why ?? finish_reason;
      for (const call of delta.tool_calls ?? []) {
        message.tool_calls[call.index] ??= { function: { name: call.function.name, arguments: "" } };
        message.tool_calls[call.index].function.arguments += call.function.arguments ?? "";
      }
    }
  }
  return { choices: [{ message, finish_reason }], usage };
}

const kinds = {
  chat: {
    ask: (text, more = {}) => ({ model, messages: user(text), ...more }),
    raw: (request) => openai().chat.completions.create(request), read: ofCompletion,
    streamed: async (request) => ofCompletion(await chunksOf(request)),
    words: { STOP: "stop", MAX_TOKENS: "length", calls: "tool_calls", refused: "content_filter" },
    tools: [{ type: "function", function: { name: "weather", parameters: SCHEMA } }],
    next: (request, { choices: [{ message }] }) => ({ ...request, messages: [...request.messages, message, { role: "tool", tool_call_id: message.tool_calls[0].id, content: "rain" }] }),
    error: OpenAI,
  },
  messages: {
    ask: (text, more = {}) => ({ model, max_tokens: 200, messages: user(text), ...more }),
    raw: (request) => anthropic().messages.create(request), read: ofMessage,
    streamed: async (request) => ofMessage(await anthropic().messages.stream(request).finalMessage()),
    words: { STOP: "end_turn", MAX_TOKENS: "max_tokens", calls: "tool_use", refused: "refusal" },
    tools: [{ name: "weather", input_schema: SCHEMA }],
    next: (request, { content }) => ({ ...request, messages: [...request.messages, { role: "assistant", content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: content.find((b) => b.type === "tool_use").id, content: "rain" }] }] }),
    error: Anthropic,
  },
  responses: {
    ask: (text, more = {}) => ({ model, store: false, input: user(text), ...more }),
    raw: (request) => openai().responses.create(request), read: ofResponse,
    streamed: async (request) => ofResponse(await openai().responses.stream(request).finalResponse()),
    words: { STOP: "completed", MAX_TOKENS: "max_output_tokens", calls: "completed", refused: "content_filter" },
    tools: [{ type: "function", name: "weather", parameters: SCHEMA, strict: false }],
    next: (request, { output }) => ({ ...request, input: [...request.input, ...output,
      { type: "function_call_output", call_id: output.find((item) => item.type === "function_call").call_id, output: "rain" }] }),
    error: OpenAI,
  },
};

// --- recordings ---

const NUMBERS = { 1: "STOP", 2: "MAX_TOKENS" };
const isInPieces = (r) => r.features.includes("fc:partialArgs"); // which the manifest has not put together

function compare(r, got, words) {
  const e = r.expected, said = NUMBERS[e.finish_reason] ?? e.finish_reason, hasCalls = got.calls.length > 0;
  if (said !== "MODEL_ARMOR") assert.equal(got.text, e.text ?? "");
  assert.equal(got.thought, e.thinking_text ?? "");
  if (!isInPieces(r)) assert.deepEqual(got.calls, (e.tool_calls ?? []).map(({ name, args }) => ({ name, args })));
  assert.equal(got.reason, said === "STOP" && hasCalls ? words.calls : words[said] ?? words.refused);
  assert.deepEqual(got.usage, [(e.input_tokens ?? 0) + (e.tool_use_prompt_tokens ?? 0), (e.output_tokens ?? 0) + (e.thoughts_tokens ?? 0)]);
}

async function replay(r, name, kind) {
  const mark = `replay ${r.id} as ${name}`, request = kind.ask(mark);
  await mockScript({ match: `"${mark}"`, replay: r.id, count: 1 });
  if (r.status < 400) return compare(r, r.stream ? await kind.streamed(request) : kind.read(await kind.raw(request)), kind.words);
  const error = await refusal(kind.raw(request));
  assert.equal(error.status, r.status);
  assert.ok(error.message.includes(r.expected.error.message), error.message);
}

const tests = {};
for (const [name, kind] of RECORDINGS ? Object.entries(kinds) : []) {
  tests[`recordings of Gemini and Vertex AI, for ${name}`] = async () => {
    const failures = [], list = [...await recordingsOf("gemini.generateContent"), ...await recordingsOf("gemini.streamGenerateContent")];
    for (const r of list) await replay(r, name, kind).catch((error) => failures.push(`${r.id}: ${error.message}`));
    assert.ok(list.length > 30, `${list.length} recordings`);
    assert.equal(failures.length, 0, failures.join("\n"));
  };
  tests[`a call goes back with its signature, by ${name}`] = async () => {
    const id = "gemini/046-generateContent-json", mark = `weather for ${name}`;
    const { candidates: [{ content }] } = JSON.parse(await readFile(`${RECORDINGS}/${id}.resp.json`, "utf8"));
    await mockScript({ match: `"${mark}"`, replay: id, count: 1 });
    const request = kind.ask(mark, { tools: kind.tools }), first = await kind.raw(request);
    assert.deepEqual(kind.read(first).calls, [{ name: "weather", args: { location: "San Francisco" } }]);
    await kind.raw(kind.next(request, first));
    const { contents } = JSON.parse((await requestsWith(mark)).at(-1).body);
    assert.equal(contents[1].parts.at(-1).thoughtSignature, content.parts[0].thoughtSignature);
    assert.deepEqual(contents[2].parts[0].functionResponse.response, { result: "rain" });
  };
}

// --- what goes wrong ---

for (const [name, kind] of Object.entries(kinds)) Object.assign(tests, {
  async [`text, whole and streamed, for ${name}`]() {
    for (const got of [kind.read(await kind.raw(kind.ask("echo one two"))), await kind.streamed(kind.ask("echo one two"))]) {
      assert.deepEqual([got.text, got.reason, got.usage[1]], ["one two", kind.words.STOP, 2]);
    }
  },

  async [`a stream that is cut is no answer for ${name}`]() {
    for (const script of [{ cut: "fin", cut_event: 3 }, { cut: "rst", cut_event: 3 }, { done: 0 }, { bad_event: 2, bad_text: '{"candidates":' }]) {
      const mark = `${JSON.stringify(script).replaceAll(/\W/g, "")} ${name}`;
      await mockScript({ match: mark, ...script });
      assert.ok((await refusal(kind.streamed(kind.ask(`${mark} a b c d e f g h`)))).message.length > 0);
    }
  },

  async [`errors have their class, their words and their status for ${name}`]() {
    const cases = [[400, "BadRequestError"], [404, "NotFoundError"], [429, "RateLimitError"], [503, "InternalServerError"]];
    for (const [status, Class] of cases) {
      const mark = `error ${status} of Google for ${name}`;
      await mockScript({ match: mark, status, error_message: "so it is" });
      const error = await refusal(kind.raw(kind.ask(mark)));
      assert.ok(error.status === status || (status === 503 && error.status >= 500), `${error.status}`);
      assert.ok(error instanceof kind.error[Class], error.constructor.name);
      assert.ok(error.message.includes("so it is"), error.message);
    }
  },
});

await run("translated_gemini", tests);

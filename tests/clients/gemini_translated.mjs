// Google's client of npm on models of OpenAI's, Anthropic's and Amazon's (by Converse): all recordings that there are (RECORDINGS names their
// folder), chats that remember, functions, what was thought and goes back, and what goes wrong.
import assert from "node:assert/strict";
import { ApiError, GoogleGenAI } from "@google/genai";
import { BASE_URL, KEY, mockScript, refusal, requestsWith, run } from "./kit.mjs";
import { RECORDINGS, callsOf, recordingsOf } from "./recordings.mjs";

const models = () => new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: BASE_URL } });
const MODELS = ["of-compatible", "of-anthropic", "of-amazon"];
const ask = (model, contents, config = {}) => ({ model, contents, config: { maxOutputTokens: 200, ...config } });
const TOOL = { functionDeclarations: [{ name: "get_weather", parameters: { type: "OBJECT", properties: { words: { type: "STRING" } } } }] };
const FORCED = { tools: [TOOL], toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["get_weather"] } } };

// --- what a client got, in one form ---

const partsOf = (response) => response.candidates?.[0]?.content?.parts ?? [];

function joined(responses) {
  const parts = responses.flatMap(partsOf), texts = (isThought) =>
    parts.filter((p) => p.text !== undefined && (p.thought === true) === isThought).map((p) => p.text).join("");
  const last = responses.at(-1);
  return {
    text: texts(false), thought: texts(true), reason: last.candidates[0].finishReason, usage: last.usageMetadata,
    calls: parts.filter((p) => p.functionCall).map((p) => ({ name: p.functionCall.name, args: p.functionCall.args })),
  };
}

const whole = async (request) => joined([await models().models.generateContent(request)]);
async function streamed(request) {
  const responses = [];
  for await (const response of await models().models.generateContentStream(request)) responses.push(response);
  for (const response of responses) assert.ok(partsOf(response).length > 0, "an event that says nothing");
  return joined(responses);
}

// --- recordings ---

const REASONS = { stop: "STOP", length: "MAX_TOKENS", tool_calls: "STOP", function_call: "STOP", content_filter: "SAFETY", end_turn: "STOP",
  stop_sequence: "STOP", pause_turn: "STOP", max_tokens: "MAX_TOKENS", tool_use: "STOP", refusal: "SAFETY" };

function compare(r, got, isOfOpenAI) {
  const e = r.expected, said = (isOfOpenAI ? (e.finish_reasons ?? [])[0] : e.stop_reason) ?? "stop";
  const isRefused = REASONS[said] === "SAFETY" && !e.text; // whose words are a text here
  if (!r.features.includes("n>1") && !isRefused) assert.equal(got.text, e.text ?? "");
  assert.equal(got.thought, (isOfOpenAI ? e.reasoning_text : e.thinking_text) ?? "");
  assert.deepEqual(got.calls, callsOf(r));
  assert.equal(got.reason, REASONS[said]);
  if (e.input_tokens === undefined) return;
  const input = e.input_tokens + (isOfOpenAI ? 0 : (e.cache_read_input_tokens ?? 0) + (e.cache_creation_input_tokens ?? 0));
  const output = Math.max(e.output_tokens ?? 0, isOfOpenAI ? (e.total_tokens ?? 0) - e.input_tokens : 0);
  assert.deepEqual([got.usage.promptTokenCount, got.usage.candidatesTokenCount + (got.usage.thoughtsTokenCount ?? 0)], [input, output]);
}

async function replay(r, model, isOfOpenAI) {
  const mark = `replay ${r.id}`, request = ask(model, mark, { thinkingConfig: { includeThoughts: true } });
  await mockScript({ match: `"${mark}"`, replay: r.id, count: 1 });
  if (r.status < 400 && !r.features.includes("instream_error")) return compare(r, await (r.stream ? streamed : whole)(request), isOfOpenAI);
  const error = await refusal((r.stream ? streamed : whole)(request));
  if (r.status >= 400) assert.equal(error.status, r.status === 529 ? 503 : r.status);
  assert.ok(error instanceof ApiError, String(error));
}

async function replayAll(api, model, isOfOpenAI) {
  const failures = [], list = await recordingsOf(api);
  for (const r of list) await replay(r, model, isOfOpenAI).catch((error) => failures.push(`${r.id}: ${error.message}`));
  assert.ok(list.length > 50, `${list.length} recordings`);
  assert.equal(failures.length, 0, failures.join("\n"));
}

const tests = {};
if (RECORDINGS) {
  tests["recordings of providers that speak the OpenAI API"] = () => replayAll("openai.chat", "of-compatible", true);
  tests["recordings of Anthropic"] = () => replayAll("anthropic.messages", "of-anthropic", false);
}

const each = (test) => async () => { for (const model of MODELS) await test(model); };

Object.assign(tests, {
  "text, whole and streamed": each(async (model) => {
    for (const got of [await whole(ask(model, "echo one two")), await streamed(ask(model, "echo one two"))]) {
      assert.deepEqual([got.text, got.reason, got.usage.candidatesTokenCount], ["one two", "STOP", 2]);
    }
  }),

  "a chat remembers its turns, whole and streamed": each(async (model) => {
    const chat = models().chats.create({ model, config: { systemInstruction: "Be brief." } });
    await chat.sendMessage({ message: `echo mark-first-${model}` });
    for await (const piece of await chat.sendMessageStream({ message: "echo the second turn of it" })) assert.ok(piece.candidates);
    const answer = await chat.sendMessage({ message: `echo mark-third-${model}` });
    assert.equal(answer.text, `mark-third-${model}`);
    const [sent] = await requestsWith(`"echo mark-third-${model}"`);
    assert.ok(sent.body.includes("\"the second turn of it\""), sent.body); // in one piece, as it was said
    assert.ok(sent.body.includes(`"mark-first-${model}"`) && sent.body.includes("Be brief."), sent.body);
  }),

  "functions, and what they gave back": each(async (model) => {
    const first = await models().models.generateContent(ask(model, "Weather?", FORCED));
    const second = await streamed(ask(model, "Weather?", FORCED));
    const [call] = first.functionCalls;
    assert.equal(call.name, "get_weather");
    assert.ok(call.args.words.length > 0);
    assert.deepEqual(second.calls, [{ name: call.name, args: call.args }]);
    const mark = `mark-result-${model}`;
    const next = await whole(ask(model, [{ role: "user", parts: [{ text: "Weather?" }] }, first.candidates[0].content,
      { role: "user", parts: [{ functionResponse: { id: call.id, name: call.name, response: { output: mark } } }] },
      { role: "user", parts: [{ text: "and now?" }] }], { tools: [TOOL] }));
    assert.deepEqual([next.reason, next.text.length > 0], ["STOP", true]);
    const [sent] = await requestsWith(mark);
    assert.ok(sent.body.includes("\"type\":\"object\""), sent.body);
  }),

  "counts tokens": each(async (model) => {
    assert.ok((await models().models.countTokens({ model, contents: "one two three" })).totalTokens >= 3);
  }),

  "a stream that is cut is no answer": each(async (model) => {
    for (const cut of ["fin", "rst"]) {
      await mockScript({ match: `cut ${model} ${cut}`, cut, cut_event: 5 });
      const error = await refusal(streamed(ask(model, `cut ${model} ${cut} a b c d e f g h`)));
      assert.ok(error instanceof ApiError, String(error));
    }
  }),

  "errors have their status and their words": each(async (model) => {
    for (const [status, type] of [[400, "INVALID_ARGUMENT"], [404, "NOT_FOUND"], [429, "RESOURCE_EXHAUSTED"], [503, "UNAVAILABLE"]]) {
      const mark = `error ${model} ${status}`;
      await mockScript({ match: mark, status, error_type: "x_error", error_message: "so it is" });
      const error = await refusal(whole(ask(model, mark)));
      const { code, message, status: word } = JSON.parse(error.message).error;
      assert.deepEqual([error.status, code, message, word], [status, status, "so it is", type]);
    }
  }),
});

await run("gemini_translated", tests);

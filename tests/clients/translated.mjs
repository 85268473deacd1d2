// OpenAI's and Anthropic's clients of npm against models of the other vendor, and of Amazon's by Converse: all recordings
// that there are (RECORDINGS names their folder), and what goes wrong. What they get must be what was recorded.
import assert from "node:assert/strict";
import OpenAI from "openai";
import Anthropic from "@anthropic-ai/sdk";
import { BASE_URL, client, mockScript, refusal, run } from "./kit.mjs";
import { RECORDINGS, callsOf, parsed, recordingsOf } from "./recordings.mjs";

const openai = () => client(OpenAI, undefined, { baseURL: `${BASE_URL}/v1`, apiKey: process.env.KEY, maxRetries: 0 });
const anthropic = () => client(Anthropic, process.env.KEY, { maxRetries: 0 });

const TOOL = { type: "object", properties: { words: { type: "string" } } };
const forOpenAI = (text, more = {}) => ({ model: "of-anthropic", max_tokens: 200, messages: [{ role: "user", content: text }], ...more });
const forAnthropic = (text, more = {}) => ({ model: "of-openai", max_tokens: 200, messages: [{ role: "user", content: text }], ...more });

// --- what a client got, in one form ---

function ofCompletion(c) {
  const { message, finish_reason } = c.choices[0];
  return {
    text: message.content ?? "", thought: message.reasoning_content ?? "", reason: finish_reason, usage: c.usage,
    calls: (message.tool_calls ?? []).map((call) => ({ name: call.function.name, args: parsed(call.function.arguments) })),
  };
}

function ofMessage(m) {
  const joined = (type, key) => m.content.filter((b) => b.type === type).map((b) => b[key]).join("");
  return {
    text: joined("text", "text"), thought: joined("thinking", "thinking"), reason: m.stop_reason, usage: m.usage,
    calls: m.content.filter((b) => b.type === "tool_use").map((b) => ({ name: b.name, args: b.input })),
  };
}

async function completionOf(request) {
  const calls = [], message = { content: "", reasoning_content: "" };
  let finish_reason, usage;
  for await (const chunk of await openai().chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } })) {
    usage = chunk.usage ?? usage;
    for (const { delta, finish_reason: why } of chunk.choices) {
      message.content += delta.content ?? "";
      message.reasoning_content += delta.reasoning_content ?? "";
      finish_reason = why ?? finish_reason;
      for (const call of delta.tool_calls ?? []) {
        calls[call.index] ??= { function: { name: call.function.name, arguments: "" } };
        calls[call.index].function.arguments += call.function.arguments ?? "";
      }
    }
  }
  return { choices: [{ message: { ...message, tool_calls: calls }, finish_reason }], usage };
}

// The client's own helper puts it together too, and is stricter; reasons that it raises are left to the loop above.
async function streamedOpenAI(request, isStrict) {
  const got = ofCompletion(await completionOf(request));
  if (!isStrict) return got;
  const stream = openai().chat.completions.stream({ ...request, stream_options: { include_usage: true } });
  const helped = ofCompletion(await stream.finalChatCompletion());
  assert.deepEqual({ ...helped, thought: 0, usage: 0 }, { ...got, thought: 0, usage: 0 });
  return got;
}

const whole = { openai: async (r) => ofCompletion(await openai().chat.completions.create(r)),
                anthropic: async (r) => ofMessage(await anthropic().messages.create(r)) };
const streamed = { openai: streamedOpenAI,
                   anthropic: async (r) => ofMessage(await anthropic().messages.stream(r).finalMessage()) };

// --- recordings ---

const REASONS = { stop: "end_turn", length: "max_tokens", tool_calls: "tool_use", content_filter: "refusal" };
const BACK = { end_turn: "stop", stop_sequence: "stop", pause_turn: "stop", max_tokens: "length", tool_use: "tool_calls", refusal: "content_filter" };

function wantedUsage(e, isOfOpenAI) {
  if (e.input_tokens === undefined) return undefined;
  const output = Math.max(e.output_tokens ?? 0, (e.total_tokens ?? 0) - e.input_tokens);
  const read = e.cached_input_tokens ?? e.cache_read_input_tokens ?? 0, written = e.cache_write_tokens ?? e.cache_creation_input_tokens ?? 0;
  if (isOfOpenAI) return { input: e.input_tokens - read - written, read, written, output };
  return { input: e.input_tokens + read + written, read, written, output };
}

function gotUsage(u, isOfOpenAI) {
  if (!u) return undefined;
  if (isOfOpenAI) return { input: u.input_tokens, read: u.cache_read_input_tokens, written: u.cache_creation_input_tokens, output: u.output_tokens };
  const d = u.prompt_tokens_details;
  return { input: u.prompt_tokens, read: d.cached_tokens, written: d.cache_write_tokens, output: u.completion_tokens };
}

function compare(r, got, isOfOpenAI) {
  const e = r.expected;
  const calls = callsOf(r);
  const said = isOfOpenAI ? (e.finish_reasons ?? [])[0] : e.stop_reason;
  const isStop = said === undefined || ["stop", "end_turn"].includes(said);
  const reason = isStop && calls.length ? (isOfOpenAI ? "tool_use" : "tool_calls") : isOfOpenAI ? REASONS[said ?? "stop"] : BACK[said];
  if (!r.features.includes("n>1")) assert.equal(got.text, e.text ?? "");
  assert.equal(got.thought, (isOfOpenAI ? e.reasoning_text : e.thinking_text) ?? "");
  assert.deepEqual(got.calls, calls);
  assert.equal(got.reason, reason);
  const usage = wantedUsage(e, isOfOpenAI);
  if (usage) assert.deepEqual(gotUsage(got.usage, isOfOpenAI), usage);
}

async function replay(r, kind, isOfOpenAI) {
  const mark = `replay ${r.id}`, request = isOfOpenAI ? forAnthropic(mark) : forOpenAI(mark);
  await mockScript({ match: `"${mark}"`, replay: r.id, count: 2 });
  if (r.status >= 400 || r.features.includes("instream_error")) {
    const error = await refusal((r.stream ? streamed : whole)[kind](request));
    const text = r.expected.error?.message ?? r.expected.error_message ?? "";
    if (r.status >= 400) assert.equal(error.status, r.status === 529 ? 503 : r.status);
    assert.ok(error.message.includes(text), error.message);
    return;
  }
  const isStrict = !["max_tokens", "refusal"].includes(r.expected.stop_reason);
  compare(r, await (r.stream ? streamed : whole)[kind](request, isStrict), isOfOpenAI);
}

async function replayAll(api, kind, isOfOpenAI) {
  const failures = [], list = await recordingsOf(api);
  for (const r of list) await replay(r, kind, isOfOpenAI).catch((error) => failures.push(`${r.id}: ${error.message}`));
  assert.ok(list.length > 50, `${list.length} recordings`);
  assert.equal(failures.length, 0, failures.join("\n"));
}

const tests = {};
if (RECORDINGS) {
  tests["recordings of providers that speak the OpenAI API"] = () => replayAll("openai.chat", "anthropic", true);
  tests["recordings of Anthropic"] = () => replayAll("anthropic.messages", "openai", false);
}

// --- what goes wrong, and by Amazon's Converse ---

const scripted = async (mark, script) => mockScript({ match: mark, ...script });

// Each client's request, to the other vendor's model and to one of Amazon's.
const everywhere = (text, more = {}) => [undefined, "of-amazon"].flatMap((model) =>
  [["openai", forOpenAI(text, more.openai)], ["anthropic", forAnthropic(text, more.anthropic)]].map(([kind, request]) =>
    [kind, { ...request, model: model ?? request.model }]));

Object.assign(tests, {
  async "text, whole and streamed"() {
    for (const [kind, request] of everywhere("echo one two")) {
      assert.equal((await whole[kind](request)).text, "one two");
      const got = await streamed[kind](request, true);
      assert.equal(got.text, "one two");
      assert.ok((got.usage.output_tokens ?? got.usage.completion_tokens) === 2);
    }
  },

  async "tools, whole and streamed"() {
    const ofOpenAI = { tools: [{ type: "function", function: { name: "get_weather", parameters: TOOL } }], tool_choice: { type: "function", function: { name: "get_weather" } } };
    const ofAnthropic = { tools: [{ name: "get_weather", input_schema: TOOL }], tool_choice: { type: "tool", name: "get_weather" } };
    for (const [kind, request] of everywhere("Weather?", { openai: ofOpenAI, anthropic: ofAnthropic })) {
      const first = await whole[kind](request), second = await streamed[kind](request, true);
      assert.equal(first.calls.length, 1, kind);
      assert.deepEqual(first.calls, second.calls);
      assert.equal(first.calls[0].name, "get_weather");
      assert.ok(first.calls[0].args.words.length > 0);
      assert.equal(first.reason, second.reason);
      assert.ok(["tool_calls", "tool_use"].includes(first.reason));
    }
  },

  async "a stream that is cut is no answer"() {
    for (const [kind, request] of [["openai", forOpenAI], ["anthropic", forAnthropic]]) {
      for (const cut of ["fin", "rst"]) {
        const mark = `cut ${kind} ${cut}`;
        await scripted(mark, { cut, cut_event: 5 });
        const error = await refusal(streamed[kind](request(`${mark} a b c d e f g h`)));
        assert.ok(error.message.length > 0);
      }
    }
  },

  async "of Amazon's: whole and streamed say the same, and end for the same reason"() {
    for (const [kind, request] of everywhere("echo a b c d e f", { openai: { max_tokens: 3 }, anthropic: { max_tokens: 3 } }).slice(2)) {
      const first = await whole[kind](request), second = await streamed[kind](request);
      assert.deepEqual([first.text, first.calls], [second.text, second.calls]);
      assert.ok(["length", "max_tokens"].includes(first.reason) && first.reason === second.reason, first.reason);
      const tokens = ({ usage: u }) => [u.input_tokens ?? u.prompt_tokens, u.output_tokens ?? u.completion_tokens];
      assert.deepEqual(tokens(first), tokens(second));
      assert.equal(tokens(first)[1], 3);
    }
  },

  async "of Amazon's: a stream that is cut, broken or refused is no answer"() {
    const faults = { cut: { cut: "fin", cut_event: 5 }, torn: { cut: "fin", cut_event: 5, cut_byte: 30 }, broken: { bad_event: 4 },
      refused: { error_event: 4, error_type: "throttlingException", error_message: "too fast" } };
    for (const [fault, script] of Object.entries(faults)) {
      for (const [kind, request] of everywhere(`${fault} at Amazon's a b c d e f g h`).slice(2)) {
        await scripted(`${fault} at Amazon's`, script);
        const error = await refusal(streamed[kind](request));
        if (script.error_message) assert.ok(error.message.includes(script.error_message), error.message);
      }
    }
  },

  async "an event that is no JSON ends in an error that says so"() {
    for (const [kind, request] of [["openai", forOpenAI], ["anthropic", forAnthropic]]) {
      const mark = `bad ${kind}`;
      await scripted(mark, { bad_event: 4, bad_text: "{\"choices\":" });
      const error = await refusal(streamed[kind](request(`${mark} a b c d e f g h`)));
      assert.match(error.message, /cannot be translated/);
    }
  },

  async "errors have their class, their words and their status"() {
    const cases = [
      ["anthropic", { status: 400, error_type: "invalid_request_error", error_message: "too long" }, 400, Anthropic.BadRequestError],
      ["anthropic", { status: 404, error_type: "invalid_request_error", error_message: "no such" }, 404, Anthropic.NotFoundError],
      ["anthropic", { status: 429, error_type: "tokens", error_message: "slow down" }, 429, Anthropic.RateLimitError],
      ["anthropic", { status: 503, error_type: "server_error", error_message: "busy" }, 503, Anthropic.InternalServerError],
      ["openai", { status: 400, error_type: "invalid_request_error", error_message: "too long" }, 400, OpenAI.BadRequestError],
      ["openai", { status: 404, error_type: "not_found_error", error_message: "no such" }, 404, OpenAI.NotFoundError],
      ["openai", { status: 429, error_type: "rate_limit_error", error_message: "slow down" }, 429, OpenAI.RateLimitError],
      ["openai", { status: 529, error_type: "overloaded_error", error_message: "busy" }, 503, OpenAI.InternalServerError],
    ];
    const amazon = [
      ["openai", { status: 400, error_type: "ValidationException", error_message: "too long" }, 400, OpenAI.BadRequestError],
      ["anthropic", { status: 429, error_type: "ThrottlingException", error_message: "slow down" }, 429, Anthropic.RateLimitError],
      ["openai", { status: 424, error_type: "ModelErrorException", error_message: "it failed" }, 500, OpenAI.InternalServerError],
      ["anthropic", { status: 503, error_type: "ServiceUnavailableException", error_message: "busy" }, 503, Anthropic.InternalServerError],
    ].map((row) => [...row, { model: "of-amazon" }]);
    for (const [kind, script, status, Class, more] of [...cases, ...amazon]) {
      const mark = `error ${kind} ${script.status} ${more?.model ?? ""}.`;
      await scripted(mark, script);
      const error = await refusal(whole[kind]((kind === "openai" ? forOpenAI : forAnthropic)(mark, more)));
      assert.equal(error.status, status);
      assert.ok(error instanceof Class, error.constructor.name);
      assert.ok(error.message.includes(script.error_message), error.message);
    }
  },
});

await run("translated", tests);

// OpenAI's client of npm, by the Responses API, against models whose providers do not speak it: all recordings that there
// are (RECORDINGS names their folder), and what goes wrong. The client's own helper puts the events together.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { BASE_URL, client, mockScript, refusal, run } from "./kit.mjs";
import { RECORDINGS, callsOf, parsed, recordingsOf } from "./recordings.mjs";

const openai = () => client(OpenAI, undefined, { baseURL: `${BASE_URL}/v1`, apiKey: process.env.KEY, maxRetries: 0 });
const MODELS = { "openai.chat": "of-compatible", "anthropic.messages": "of-anthropic" };
const all = [...Object.values(MODELS), "of-amazon"]; // by Converse
const ask = (model, text, more = {}) => ({ model, max_output_tokens: 200, store: false, input: [{ role: "user", content: text }], ...more });

function got(response) {
  const of = (type) => response.output.filter((item) => item.type === type);
  const texts = of("message").flatMap((item) => item.content).filter((part) => part.type === "output_text");
  return {
    text: texts.map((part) => part.text).join(""), joined: response.output_text, usage: response.usage,
    thought: of("reasoning").flatMap((item) => item.summary).map((part) => part.text).join(""),
    reason: response.incomplete_details?.reason ?? response.status,
    calls: of("function_call").map((call) => ({ name: call.name, args: parsed(call.arguments) })),
  };
}

const whole = async (request) => got(await openai().responses.create(request));

// What the events said on their way must be what the helper makes of them.
async function streamed(request) {
  const stream = openai().responses.stream(request);
  let text = "", thought = "", number = 0;
  for await (const event of stream) {
    assert.equal(event.sequence_number, number++);
    if (event.type === "response.output_text.delta") text += event.delta;
    if (event.type === "response.reasoning_summary_text.delta") thought += event.delta;
  }
  const final = got(await stream.finalResponse());
  assert.deepEqual({ text, thought }, { text: final.text, thought: final.thought });
  assert.equal(final.text, final.joined);
  return final;
}

const REASONS = { length: "max_output_tokens", max_tokens: "max_output_tokens", content_filter: "content_filter", refusal: "content_filter" };

function compare(r, is) {
  const e = r.expected, isChat = r.api === "openai.chat";
  const cached = e.cached_input_tokens ?? e.cache_read_input_tokens ?? 0;
  if (!r.features.includes("n>1")) assert.equal(is.text, e.text ?? "");
  assert.equal(is.thought, (isChat ? e.reasoning_text : e.thinking_text) ?? "");
  assert.deepEqual(is.calls, callsOf(r));
  assert.equal(is.reason, REASONS[isChat ? (e.finish_reasons ?? [])[0] : e.stop_reason] ?? "completed");
  if (e.input_tokens === undefined) return;
  const input = e.input_tokens + (isChat ? 0 : cached + (e.cache_creation_input_tokens ?? 0));
  const output = Math.max(e.output_tokens ?? 0, (e.total_tokens ?? 0) - e.input_tokens);
  assert.deepEqual([is.usage.input_tokens, is.usage.input_tokens_details.cached_tokens, is.usage.output_tokens], [input, cached, output]);
}

async function replay(r) {
  const mark = `replay ${r.id} as a response`, request = ask(MODELS[r.api], mark);
  await mockScript({ match: `"${mark}"`, replay: r.id, count: 1 });
  const answer = (r.stream ? streamed : whole)(request);
  if (r.status < 400 && !r.features.includes("instream_error")) return compare(r, await answer);
  const error = await refusal(answer);
  if (r.status >= 400) assert.equal(error.status, r.status === 529 ? 503 : r.status);
  assert.ok(error.message.includes(r.expected.error?.message ?? r.expected.error_message ?? ""), error.message);
}

async function replayAll(api) {
  const failures = [], list = await recordingsOf(api);
  for (const r of list) await replay(r).catch((error) => failures.push(`${r.id}: ${error.message}`));
  assert.ok(list.length > 50, `${list.length} recordings`);
  assert.equal(failures.length, 0, failures.join("\n"));
}

const tests = {};
if (RECORDINGS) {
  tests["recordings of providers that speak chats alone"] = () => replayAll("openai.chat");
  tests["recordings of Anthropic"] = () => replayAll("anthropic.messages");
}

const WEATHER = { type: "function", name: "get_weather", strict: false, parameters: { type: "object", properties: { words: { type: "string" } } } };

Object.assign(tests, {
  async "text, whole and streamed"() {
    for (const model of all) {
      for (const how of [whole, streamed]) {
        const is = await how(ask(model, "echo one two"));
        assert.equal(is.text, "one two");
        assert.equal(is.usage.output_tokens, 2);
      }
    }
  },

  async "tools, and what they gave back"() {
    for (const model of all) {
      const request = ask(model, "Weather?", { tools: [WEATHER], tool_choice: { type: "function", name: "get_weather" } });
      assert.deepEqual((await streamed(request)).calls, (await whole(request)).calls);
      const { output } = await openai().responses.create(request);
      const call = output.find((item) => item.type === "function_call");
      assert.equal(call.name, "get_weather");
      const input = [...request.input, ...output, { type: "function_call_output", call_id: call.call_id, output: "rain" }, { role: "user", content: "thanks" }];
      const next = await whole({ ...request, input, tool_choice: "none" });
      assert.equal(next.reason, "completed");
      assert.ok(next.text.length > 0);
    }
  },

  async "a custom tool is asked with a text"() {
    const tools = [{ type: "custom", name: "shout", description: "d", format: { type: "text" } }];
    const event = (type, rest) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
    const piece = (partial_json) => event("content_block_delta", { index: 0, delta: { type: "input_json_delta", partial_json } });
    const body = event("message_start", { message: { id: "msg_1", type: "message", role: "assistant", model: "m", content: [], usage: { input_tokens: 1, output_tokens: 1 } } }) +
      event("content_block_start", { index: 0, content_block: { type: "tool_use", id: "toolu_1", name: "shout", input: {} } }) +
      piece('{"input": "a\\n') + piece('\\"b\\""}') + event("content_block_stop", { index: 0 }) +
      event("message_delta", { delta: { stop_reason: "tool_use" }, usage: { output_tokens: 5 } }) + event("message_stop", {});
    await mockScript({ match: "shout it", body, content_type: "text/event-stream" });
    const stream = openai().responses.stream(ask("of-anthropic", "shout it", { tools }));
    let input = "";
    for await (const { type, delta } of stream) if (type === "response.custom_tool_call_input.delta") input += delta;
    const [call] = (await stream.finalResponse()).output;
    assert.deepEqual([call.type, call.name, call.call_id, call.input, input], ["custom_tool_call", "shout", "toolu_1", 'a\n"b"', 'a\n"b"']);
  },

  async "a stream that is cut is no answer"() {
    for (const model of all) {
      for (const cut of ["fin", "rst"]) {
        const mark = `cut ${model} ${cut} of a response`;
        await mockScript({ match: mark, cut, cut_event: 5 });
        assert.ok((await refusal(streamed(ask(model, `${mark} a b c d e f g h`)))).message.length > 0);
      }
    }
  },

  async "errors have their class, their words and their status"() {
    const cases = [[400, 400, OpenAI.BadRequestError], [404, 404, OpenAI.NotFoundError], [429, 429, OpenAI.RateLimitError], [503, 503, OpenAI.InternalServerError]];
    for (const model of all) {
      for (const [said, status, Class] of cases) {
        const mark = `error ${said} of a response of ${model}`;
        await mockScript({ match: mark, status: said, error_message: "so it is" });
        const error = await refusal(whole(ask(model, mark)));
        assert.equal(error.status, status);
        assert.ok(error instanceof Class, error.constructor.name);
        assert.ok(error.message.includes("so it is"), error.message);
      }
    }
  },
});

await run("translated_responses", tests);

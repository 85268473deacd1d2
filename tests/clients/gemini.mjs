// Google's client of npm against the gateway, which has an account of its API. run.lua gives what kit.mjs reads.
import assert from "node:assert/strict";
import { ApiError, GoogleGenAI } from "@google/genai";
import { BASE_URL, KEY, mockLog, mockScript, refusal, requestsWith, run, until } from "./kit.mjs";

const client = (apiKey = KEY) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: BASE_URL } });
const ask = (contents, config = {}) => ({ model: "gems", contents, config });
const TOOL = { functionDeclarations: [{ name: "get_weather", parametersJsonSchema: { type: "object", properties: { words: { type: "string" } } } }] };

// The error that Google's client hands on has the answer's body as its message.
const error_of = (error) => JSON.parse(error.message).error;

const tests = {
  async "text, whole"() {
    const answer = await client().models.generateContent(ask("echo one two  three", { systemInstruction: "Be brief.", maxOutputTokens: 100 }));
    assert.equal(answer.text, "one two  three");
    assert.equal(answer.candidates[0].finishReason, "STOP");
    assert.equal(answer.usageMetadata.candidatesTokenCount, 3);
  },

  async "text, streamed"() {
    const seen = [];
    let last;
    for await (const piece of await client().models.generateContentStream(ask("echo one two  three"))) {
      seen.push(piece.text);
      last = piece;
    }
    assert.equal(seen.join(""), "one two  three");
    assert.ok(seen.length > 3, String(seen.length));
    assert.equal(last.candidates[0].finishReason, "STOP");
    assert.equal(last.usageMetadata.totalTokenCount, 4 + 3);
  },

  async "functions, and what they gave back"() {
    const config = { tools: [TOOL] };
    const whole = await client().models.generateContent(ask("call get_weather", config));
    assert.equal(whole.functionCalls[0].name, "get_weather");
    assert.ok(whole.functionCalls[0].args.words.length > 0);
    const next = await client().models.generateContent(ask([{ role: "user", parts: [{ text: "weather" }] }, whole.candidates[0].content,
      { role: "user", parts: [{ functionResponse: { name: "get_weather", response: { output: "mark-gem-result" } } }] },
      { role: "user", parts: [{ text: "echo it rains" }] }], config));
    assert.equal(next.text, "it rains");
    assert.equal((await requestsWith("mark-gem-result")).length, 1);
  },

  async "a chat, with a picture"() {
    const chat = client().chats.create({ model: "gems" });
    await chat.sendMessage({ message: [{ inlineData: { mimeType: "image/png", data: "iVBORw0KGgo=" } }, { text: "echo seen" }] });
    const answer = await chat.sendMessage({ message: "echo again" });
    assert.equal(answer.text, "again");
    assert.equal(chat.getHistory().length, 4);
  },

  async "counts tokens, and embeds"() {
    assert.equal((await client().models.countTokens({ model: "gems", contents: "one two three" })).totalTokens, 3);
    const { embeddings } = await client().models.embedContent({ model: "gems", contents: ["one", "two"] });
    assert.equal(embeddings.length, 2);
    assert.equal(embeddings[0].values.length, 2);
  },

  async "lists models"() {
    const names = [];
    for await (const model of await client().models.list()) names.push(model.name);
    assert.ok(names.includes("models/gems"), names.join());
    assert.equal((await client().models.get({ model: "gems" })).name, "models/gems");
  },

  async "401 for an unknown key"() {
    const error = await refusal(client("mgk_nobody").models.generateContent(ask("Hi")));
    assert.ok(error instanceof ApiError, String(error));
    assert.deepEqual([error.status, error_of(error).code, error_of(error).status], [401, 401, "UNAUTHENTICATED"]);
  },

  async "a denial, with its words, and when to come again"() {
    const denied = await refusal(client().models.generateContent(ask("refuse 403")));
    assert.deepEqual([denied.status, error_of(denied).status], [403, "PERMISSION_DENIED"]);
    assert.equal(error_of(denied).message, "refused as it was asked for");
    const later = await refusal(client().models.generateContentStream(ask("refuse 429 after 7")));
    assert.equal(error_of(later).details.find((d) => d["@type"].endsWith("RetryInfo")).retryDelay, "7s");
  },

  async "what a provider keeps is refused"() {
    const error = await refusal(client().models.generateContent(ask("Hi", { cachedContent: "cachedContents/x" })));
    assert.equal(error.status, 400);
    assert.match(error_of(error).message, /"cachedContent" must be left out/);
    assert.equal((await refusal(client().caches.create({ model: "gems", config: { contents: "x" } }))).status, 400);
  },

  async "a provider's error keeps its words"() {
    await mockScript({ match: "mark-error", count: 1, status: 400, error_type: "INVALID_ARGUMENT", error_message: "no such part" });
    const error = await refusal(client().models.generateContent(ask("mark-error")));
    assert.deepEqual([error.status, error_of(error).message], [400, "no such part"]);
  },

  async "an abort in mid-stream reaches the provider"() {
    await mockScript({ match: "mark-gem-abort", tokens: 5000, delay_ms: 10 });
    const stop = new AbortController();
    let seen = 0;
    const error = await refusal((async () => {
      for await (const piece of await client().models.generateContentStream(ask("mark-gem-abort", { abortSignal: stop.signal })))
        if (piece.text && ++seen === 5) stop.abort();
    })());
    assert.ok(seen >= 5 && error, String(error));
    const [sent] = await requestsWith("mark-gem-abort");
    const end = await until("the mock's log says client_abort",
      async () => (await mockLog()).find((e) => e.event === "end" && e.conn === sent.conn && e.request === sent.request));
    assert.equal(end.how, "client_abort");
  },

  async "a stream that dies at the provider raises, and nothing is made up"() {
    await mockScript({ match: "mark-gem-dies", tokens: 50, delay_ms: 1, cut: "rst", cut_event: 7 });
    let pieces = 0;
    const error = await refusal((async () => {
      for await (const piece of await client().models.generateContentStream(ask("mark-gem-dies"))) if (piece.text) pieces++;
    })());
    assert.ok(error instanceof ApiError, String(error));
    assert.equal(error.status, 502);
    assert.equal(pieces, 7);
  },
};

await run("gemini", tests);

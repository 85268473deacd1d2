// The openai client of npm on the APIs beside chats, through the gateway. run.lua gives what kit.mjs reads.
import assert from "node:assert/strict";
import OpenAI, { toFile } from "openai";
import { BASE_URL, KEY, client as make, mockLog, refusal, requestsWith, run } from "./kit.mjs";

const client = (apiKey = KEY, of = {}) => make(OpenAI, apiKey, { baseURL: `${BASE_URL}/v1`, ...of });
const SOUND = Buffer.from(Array.from({ length: 70000 }, (_, i) => (i * 7) % 256));
const file = (name = "talk.mp3", type = "audio/mpeg") => toFile(SOUND, name, { type });
const lastRequest = async () => (await mockLog()).filter((e) => e.event === "request").at(-1);

const tests = {
  async "moderates"() {
    const answer = await client().moderations.create({ model: "judge", input: ["mark-js-judge", "two"] });
    assert.equal(answer.results.length, 2);
    assert.equal(JSON.parse((await requestsWith("mark-js-judge"))[0].body).model, "moderation");
  },

  async "makes images, at once and streamed"() {
    const answer = await client().images.generate({ model: "paint", prompt: "a fox", n: 2 });
    assert.equal(answer.data.length, 2);
    assert.equal(answer.usage.output_tokens, 544);
    const types = [];
    for await (const event of await client().images.generate({ model: "paint", prompt: "a fox", stream: true })) types.push(event.type);
    assert.deepEqual(types, ["image_generation.partial_image", "image_generation.completed"]);
  },

  async "edits images of a form, and varies them"() {
    const images = [await toFile(SOUND, "one.png", { type: "image/png" }), await toFile(SOUND, "two.png", { type: "image/png" })];
    const answer = await client().images.edit({ model: "paint", image: images, prompt: "mark-js-edit", n: 1 });
    assert.equal(answer.data.length, 1);
    const varied = await client().images.createVariation({ model: "paint-old", image: images[0], n: 2 });
    assert.equal(varied.data.length, 2);
  },

  async "speaks"() {
    const answer = await client().audio.speech.create({ model: "say", voice: "alloy", input: "hello" });
    const bytes = Buffer.from(await answer.arrayBuffer());
    assert.equal(answer.headers.get("content-type"), "audio/mpeg");
    assert.equal(bytes.length, 4096);
    assert.equal(bytes.toString("latin1", 0, 3), "ID3");
  },

  async "transcribes a file, in each format and streamed"() {
    const answer = await client().audio.transcriptions.create({ model: "hear", file: await file(), prompt: "words" });
    assert.equal(answer.text, "What was said, in words.");
    const sent = await lastRequest();
    assert.ok(sent.body_bytes > SOUND.length && sent.body_bytes < SOUND.length + 1500);
    const srt = await client().audio.transcriptions.create({ model: "hear", file: await file(), response_format: "srt" });
    assert.ok(srt.startsWith("1\n00:00:00,000"), srt);
    const verbose = await client().audio.transcriptions.create({ model: "hear", file: await file(), response_format: "verbose_json" });
    assert.equal(verbose.duration, 70);
    let text = "", usage;
    for await (const event of await client().audio.transcriptions.create({ model: "hear-new", file: await file(), stream: true })) {
      if (event.type === "transcript.text.delta") text += event.delta;
      if (event.type === "transcript.text.done") usage = event.usage;
    }
    assert.equal(text, "What was said, in words.");
    assert.equal(usage.input_token_details.audio_tokens, 700);
  },

  async "translates a file"() {
    const answer = await client().audio.translations.create({ model: "hear", file: await file() });
    assert.equal(answer.text, "What was said, in words.");
  },

  async "keeps a file, and makes a batch of it"() {
    const line = { custom_id: "1", method: "POST", url: "/v1/moderations", body: { model: "moderation", input: "mark-js-batch" } };
    const upload = (text) => toFile(Buffer.from(text), "batch.jsonl", { type: "application/jsonl" });
    const kept = await client().files.create({ purpose: "batch", file: await upload(JSON.stringify(line) + "\n") });
    assert.equal(kept.object, "file");
    const batch = await client().batches.create({ input_file_id: kept.id, endpoint: "/v1/moderations", completion_window: "24h" });
    assert.deepEqual([batch.object, batch.input_file_id], ["batch", kept.id]);
    line.body.model = "nobody";
    const model = await refusal(client().files.create({ purpose: "batch", file: await upload(JSON.stringify(line)) }));
    assert.ok(model instanceof OpenAI.PermissionDeniedError, String(model));
    const other = await refusal(client().batches.create({ input_file_id: "file-x", endpoint: "/v1/moderations", completion_window: "24h" }));
    assert.ok(other instanceof OpenAI.NotFoundError, String(other));
    const seen = new Set();
    for (let tries = 0; tries < 200 && !seen.has(kept.id); tries++) { // it is listed when its record is written
      seen.clear();
      for await (const each of client().files.list({ limit: 1 })) {
        assert.ok(!seen.has(each.id) && each.object === "file");
        seen.add(each.id);
      }
    }
    assert.ok(seen.has(kept.id));
    const batches = await client().batches.list({ limit: 100 });
    assert.ok(batches.data.every((each) => each.object === "batch"));
  },

  async "is told in its own words what is refused"() {
    const form = await refusal(client("mgk_nobody").audio.transcriptions.create({ model: "hear", file: await file() }));
    assert.ok(form instanceof OpenAI.AuthenticationError, String(form));
    const model = await refusal(client().audio.speech.create({ model: "nobody", voice: "alloy", input: "x" }));
    assert.ok(model instanceof OpenAI.NotFoundError, String(model));
  },
};

await run("side-npm", tests);

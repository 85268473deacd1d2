// What npm's clients do with each refusal of refusals/cases.json: a JSON line each, as refusals.py writes them.
import { readFileSync } from "node:fs";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText } from "ai";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const { BASE_URL, KEY, CASES } = process.env;
const counts = new Map();

// Requests carry their mark in the body, whichever library sends them.
const counted = (url, init) => {
  for (const mark of counts.keys()) if (String(init?.body).includes(mark)) counts.set(mark, counts.get(mark) + 1);
  return fetch(url, init);
};

const clients = {
  "openai-js": (baseURL, apiKey, model, content) =>
    new OpenAI({ baseURL, apiKey, fetch: counted }).chat.completions.create({ model, messages: [{ role: "user", content }] }),
  "anthropic-js": (baseURL, apiKey, model, content) =>
    new Anthropic({ baseURL: baseURL.replace(/\/v1$/, ""), apiKey, fetch: counted }).messages.create({
      model, max_tokens: 100, messages: [{ role: "user", content }] }),
  vercel: (baseURL, apiKey, model, prompt) =>
    generateText({ model: createOpenAI({ baseURL, apiKey, fetch: counted }).chat(model), prompt }),
};

async function measure(client, ask, one) {
  const mark = `mark ${client}: ${one.name}.`;
  counts.set(mark, 0);
  const text = `${one.text} ${"x".repeat(one.bytes ?? 0)}${mark}`;
  const baseURL = one.path ? BASE_URL.replace(/\/v1$/, "") + one.path : BASE_URL;
  const said = { client, case: one.name, error: "none" };
  try {
    await ask(baseURL, one.key ?? KEY, one.model ?? "any", text);
  } catch (error) {
    said.error = error.name === "Error" ? error.constructor.name : error.name.replace(/^AI_/, "");
    said.shows = error.message.includes(one.shows);
  }
  said.attempts = counts.get(mark);
  console.log(JSON.stringify(said));
}

const cases = JSON.parse(readFileSync(CASES, "utf8"));
await Promise.all(Object.entries(clients).flatMap(([name, ask]) => cases.map((one) => measure(name, ask, one))));

// The recordings of providers' answers that clients of other APIs are to hear: RECORDINGS names their folder.
import { readFile } from "node:fs/promises";

export const { RECORDINGS } = process.env;

export const parsed = (text) => { try { return JSON.parse(text || "{}"); } catch { return text; } };

// Messages glued together by who kept them, and what the manifest's own parser does not read.
const LEFT_OUT = ["anthropic/094", "anthropic/106", "anthropic/109", "anthropic/117", "anthropic/118", "mistral/002", "mistral/010", "mistral/021", "openai/029"];

const isMessage = (r) => !(r.features.includes("stop=None") && !r.features.includes("text"));
const isOwnAccount = (r) => [401, 402, 403].includes(r.status); // the gateway's key, which its callers cannot help

export async function recordingsOf(api) {
  const { recordings } = JSON.parse(await readFile(`${RECORDINGS}/manifest.json`, "utf8"));
  return recordings.filter((r) => r.api === api && !LEFT_OUT.some((id) => r.id.startsWith(id)) && isMessage(r) && !isOwnAccount(r));
}

// What its client is to call, of the first choice.
export function callsOf(r) {
  const own = (c) => !(c.choice > 0) && (!c.type || ["function", "tool_use"].includes(c.type));
  return (r.expected.tool_calls ?? []).filter(own).map((c) => ({ name: c.name, args: parsed(c.args) }));
}

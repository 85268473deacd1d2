// What all tests of npm's clients share: the mock's control, waiting for it, and the run. run.lua gives BASE_URL, KEY,
// MOCK_CONTROL in the environment.
import assert from "node:assert/strict";

export const { BASE_URL, KEY, MOCK_CONTROL } = process.env;

// How often the client has asked since it was made.
export const asked = { attempts: 0 };

// A client of that class; of: options beside the gateway's address and the key.
export function client(Class, apiKey, of = {}) {
  asked.attempts = 0;
  return new Class({
    baseURL: BASE_URL,
    apiKey,
    fetch: (url, init) => {
      asked.attempts++;
      return fetch(url, init);
    },
    ...of,
  });
}

export const mockLog = async () => (await (await fetch(`${MOCK_CONTROL}/_mock/log`)).json()).entries;
export const mockScript = (script) =>
  fetch(`${MOCK_CONTROL}/_mock/script`, { method: "POST", body: JSON.stringify(script) }).then((r) => assert.equal(r.status, 200));

// The mock's requests whose body holds the mark.
export const requestsWith = async (mark) => (await mockLog()).filter((e) => e.event === "request" && e.body?.includes(mark));

export async function until(what, look) {
  for (let i = 0; i < 200; i++) {
    const found = await look();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 25));
  }
  assert.fail(`waited in vain: ${what}`);
}

export async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail("no error was raised");
}

// Runs them all, says what came of it, and ends the process.
export async function run(name, tests) {
  let passed = 0, failed = 0;
  for (const [test, body] of Object.entries(tests)) {
    try {
      await body();
      passed++;
    } catch (error) {
      failed++;
      console.log(`not ok: ${test}\n${error.stack}`);
    }
  }
  console.log(`clients/${name}: ${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

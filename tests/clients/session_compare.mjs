// Is the conversation that reached a provider the one that its client held, but for what x-moongate-dropped lists?
import assert from "node:assert/strict";
import { isDeepStrictEqual as same } from "node:util";

// Texts of one speaker that stand together are one: an API may have no other way.
function joined(items) {
  const out = [];
  for (const item of items) {
    const last = out.at(-1);
    if (item.text === undefined || last?.text === undefined || last.who !== item.who) out.push({ ...item });
    else Object.assign(last, { text: `${last.text}\n${item.text}`, marks: [...last.marks, ...item.marks] });
  }
  return out.map((item) => (item.text === undefined ? item : { ...item, text: item.text.replace(/\n+/g, "\n") }));
}

const kindOf = (mark) => mark.split(".").at(-1);
// Those marks of a kind of which not all arrived.
function missing(marks, there) {
  const count = (list, kind) => list.filter((mark) => kindOf(mark) === kind).length;
  for (const kind of new Set(there.map(kindOf))) assert.ok(count(there, kind) <= count(marks, kind), `a mark was made up: ${there}`);
  return marks.filter((mark) => count(there, kindOf(mark)) < count(marks, kindOf(mark)));
}

const isSame = (a, b) => a.who === b.who && a.text === b.text && same(a.is, b.is);

// The places in the client's body of which nothing arrived. Order, and that nothing was made up, is asserted.
export function lost(client, provider) {
  const there = joined(provider), places = [];
  let i = 0;
  for (const item of joined(client)) {
    const is = there[i];
    if (!is || !isSame(item, is)) {
      places.push(item.path, ...item.marks);
      continue;
    }
    places.push(...missing(item.marks, is.marks));
    i++;
  }
  assert.ok(i === there.length, `what the client never said reached the provider, or in another order: ${JSON.stringify(there[i])}`);
  return places;
}

// dropped: the header's text.
export function assertListed(places, dropped) {
  const names = dropped ? dropped.split(", ") : [], more = Number(names.at(-1)?.match(/^\+(\d+)$/)?.[1] ?? 0);
  const listed = names.slice(0, more ? -1 : undefined);
  const unlisted = places.filter((place) => !listed.includes(place)), idle = listed.filter((name) => !places.includes(name));
  assert.deepEqual(idle, [], "listed, and it arrived");
  assert.ok(unlisted.length === more, `${unlisted.length} were lost and not listed, of ${more}: ${unlisted.slice(0, 5)}`);
}

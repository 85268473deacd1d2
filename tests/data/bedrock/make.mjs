// Event streams as Amazon Bedrock sends them, by AWS's own codec: node make.mjs FOLDER, beside a node_modules that has
// @smithy/eventstream-codec and @smithy/util-utf8. What each holds stands in its .txt, an event a line.
import { EventStreamCodec, Int64 } from "@smithy/eventstream-codec";
import { fromUtf8, toUtf8 } from "@smithy/util-utf8";
import { writeFileSync } from "node:fs";

const codec = new EventStreamCodec(toUtf8, fromUtf8);
const text = (value) => ({ type: "string", value });

function frame(kind, name, payload) {
  const headers = { [`:${kind}-type`]: text(name), ":content-type": text("application/json"), ":message-type": text(kind) };
  return codec.encode({ headers, body: fromUtf8(payload) });
}

function chunk(event) {
  const bytes = Buffer.from(event).toString("base64");
  return frame("event", "chunk", JSON.stringify({ bytes, p: "abcdefghijklm".slice(0, bytes.length % 13) }));
}

// Of every type of value, with names that look like those that count.
function odd(name, payload) {
  return codec.encode({
    headers: {
      t: { type: "boolean", value: true }, f: { type: "boolean", value: false }, b: { type: "byte", value: -7 },
      s: { type: "short", value: 300 }, i: { type: "integer", value: 70000 },
      l: { type: "long", value: Int64.fromNumber(-1) },
      y: { type: "binary", value: new Uint8Array([0, 255, 10, 13]) }, ":event-typ": text("none"),
      w: { type: "timestamp", value: new Date(1440938160000) }, u: { type: "uuid", value: "01234567-89ab-cdef-0123-456789abcdef" },
      ":message-type": text("event"), ":event-type": text(name),
    },
    body: fromUtf8(payload),
  });
}

const message = '{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":1}}}';
const invoked = [
  message,
  '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
  '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Gr\u00fc\u00dfe, \ud83c\udf0d!"}}',
  '{"type":"ping"}',
  '{"index":0,"type":"content_block_stop"}',
  '{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":4}}',
  '{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":9,"outputTokenCount":4,"invocationLatency":500,"firstByteLatency":300}}',
];
const conversed = [
  ["messageStart", '{"p":"abc","role":"assistant"}'],
  ["contentBlockDelta", '{"contentBlockIndex":0,"delta":{"text":"Gr\u00fc\u00dfe"},"p":"abcd"}'],
  ["contentBlockStop", '{"contentBlockIndex":0}'],
  ["messageStop", '{"stopReason":"end_turn"}'],
  ["metadata", '{"metrics":{"latencyMs":5},"usage":{"inputTokens":9,"outputTokens":4,"totalTokens":13}}'],
];

const folder = process.argv[2];
function write(name, frames, lines) {
  writeFileSync(`${folder}/${name}.bin`, Buffer.concat(frames));
  writeFileSync(`${folder}/${name}.txt`, lines.map((line) => line + "\n").join(""));
}

write("invoke", invoked.map(chunk), invoked.map((e) => `${JSON.parse(e).type} ${e}`));
write("converse", conversed.map(([name, payload]) => frame("event", name, payload)), conversed.map((e) => e.join(" ")));
write("odd", [odd("oneEvent", "{}"), odd("other.Event", "")], ["oneEvent {}", "other.Event "]);
write("failing", [chunk(message), frame("exception", "throttlingException", '{"message":"Too many tokens, please wait."}')],
  [`message_start ${message}`, 'error {"type":"error","error":{"type":"rate_limit_error","message":"Too many tokens, please wait."}}']);

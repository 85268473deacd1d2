// Four APIs, each as an agent's client asks by it, as a provider answers in it, and as a conversation in it reads in
// one normal form; Google's has no client here. Another API is one more of these.
//
//   client  begin(tools, system)            the request's fixed part
//           addUser(request, user), addSaid(request, heard)
//           ask(sdk, request, stop)         → heard: { text, thoughts, calls, reason, usage, own }; stop(text): enough
//   said    answer(said, isStream)          → events or one body, as texts
//   normal  items(body)                     → [{ who, path, … }], in the order in which a model reads them
import OpenAI from "openai";
import Anthropic from "@anthropic-ai/sdk";

const IMAGE = "image/png";
const event = (data, name) => `${name ? `event: ${name}\n` : ""}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
// In pieces that no character is cut in.
function pieces(text) {
  const all = [...text], out = [];
  for (let i = 0, n = 1; i < all.length; i += n, n = (n % 7) + 1) out.push(all.slice(i, i + n).join(""));
  return out;
}
const parsed = (text) => JSON.parse(text || "{}");
const dataUrl = (data) => `data:${IMAGE};base64,${data}`;
const texts = (content) => (typeof content === "string" ? [{ type: "text", text: content }] : content ?? []);

// --- Anthropic's messages ---

const MARK = { type: "ephemeral" };
const picture = (data) => ({ type: "image", source: { type: "base64", media_type: IMAGE, data } });
const STOPS = { stop: "end_turn", length: "max_tokens", calls: "tool_use" };
const back = (table, word) => Object.keys(table).find((key) => table[key] === word) ?? word;

function blocksOf(said) {
  const blocks = [];
  if (said.thought) blocks.push({ type: "thinking", thinking: said.thought.text, signature: said.thought.signature });
  if (said.redacted) blocks.push({ type: "redacted_thinking", data: said.redacted });
  if (said.text) blocks.push({ type: "text", text: said.text });
  for (const call of said.calls) blocks.push({ type: "tool_use", id: call.id, name: call.name, input: call.args });
  return blocks;
}

function* blockEvents(block, index) {
  const delta = (delta) => event({ type: "content_block_delta", index, delta }, "content_block_delta");
  const empty = { thinking: { ...block, thinking: "", signature: "" }, text: { ...block, text: "" }, tool_use: { ...block, input: {} } }[block.type] ?? block;
  yield event({ type: "content_block_start", index, content_block: empty }, "content_block_start");
  for (const thinking of pieces(block.thinking ?? "")) yield delta({ type: "thinking_delta", thinking });
  if (block.signature) yield delta({ type: "signature_delta", signature: block.signature });
  for (const text of pieces(block.text ?? "")) yield delta({ type: "text_delta", text });
  if (block.input) for (const partial_json of pieces(JSON.stringify(block.input))) yield delta({ type: "input_json_delta", partial_json });
  yield event({ type: "content_block_stop", index }, "content_block_stop");
}

const heardUsage = (u) => ({ input: u.input_tokens, read: u.cache_read_input_tokens ?? 0, written: u.cache_creation_input_tokens ?? 0, output: u.output_tokens });

export const anthropic = {
  can: { signs: true, writesCache: true, showsResults: true, tellsInputFirst: true },
  sdk: (of) => new Anthropic(of),
  begin: (tools, system) => ({
    max_tokens: 8000, system: [{ type: "text", text: system }, { type: "text", text: "Be brief.", cache_control: MARK }], messages: [],
    tools: tools.map((name, i) => ({ name, description: `It can ${name}.`, input_schema: { type: "object", properties: { path: { type: "string" } } }, ...(i === tools.length - 1 && { cache_control: MARK }) })),
  }),
  addUser(request, { results, texts, image, isMarked }) {
    const content = results.map((r) => ({ type: "tool_result", tool_use_id: r.id, ...(r.isError && { is_error: true }),
      content: r.image ? [{ type: "text", text: r.text }, picture(r.image)] : r.text }));
    for (const text of texts) content.push({ type: "text", text });
    if (image) content.push(picture(image));
    if (isMarked) content.at(-1).cache_control = MARK;
    request.messages.push({ role: "user", content });
  },
  addSaid(request, heard) { request.messages.push({ role: "assistant", content: heard.own }); },
  async ask(sdk, request, stop) {
    if (stop) return { text: await textOf(await sdk.messages.create(request), stop, (e) => e.delta?.text), own: undefined };
    const m = request.stream ? await sdk.messages.stream(request).finalMessage() : await sdk.messages.create(request);
    const of = (type) => m.content.filter((b) => b.type === type);
    return {
      text: of("text").map((b) => b.text).join(""), own: m.content, reason: back(STOPS, m.stop_reason), usage: heardUsage(m.usage),
      thoughts: of("thinking").map((b) => ({ text: b.thinking, signature: b.signature || undefined })), redacted: of("redacted_thinking").map((b) => b.data),
      calls: of("tool_use").map((b) => ({ id: b.id, name: b.name, args: b.input })),
    };
  },
  partly: (text) => [{ type: "text", text }],
  answer(said, isStream) {
    const { input, read, written, output } = said.usage, content = blocksOf(said);
    const usage = { input_tokens: input, cache_read_input_tokens: read, cache_creation_input_tokens: written, output_tokens: output };
    const message = { id: "msg_1", type: "message", role: "assistant", model: "m", content, stop_reason: STOPS[said.reason], stop_sequence: null, usage };
    if (!isStream) return [JSON.stringify(message)];
    return [event({ type: "message_start", message: { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } } }, "message_start"),
      ...content.flatMap((block, i) => [...blockEvents(block, i)]),
      event({ type: "message_delta", delta: { stop_reason: STOPS[said.reason], stop_sequence: null }, usage: { output_tokens: output } }, "message_delta"),
      event({ type: "message_stop" }, "message_stop")];
  },
  items(body) {
    const items = [], mark = (node, path) => (node.cache_control ? [`${path}.cache_control`] : []);
    for (const [i, t] of (body.tools ?? []).entries())
      items.push({ who: "tools", is: [t.name, t.description, t.input_schema], path: `tools[${i}]`, marks: mark(t, `tools[${i}]`) });
    for (const [i, b] of texts(body.system).entries())
      items.push({ who: "system", text: b.text, path: `system[${i}]`, marks: mark(b, `system[${i}]`) });
    for (const [i, m] of body.messages.entries()) {
      const behind = [];
      for (const [j, b] of texts(m.content).entries()) {
        const path = `messages[${i}].content[${j}]`, at = { who: m.role, path, marks: mark(b, path) };
        if (b.type === "text") items.push(...behind.splice(0), { ...at, text: b.text });
        if (b.type === "image") items.push(...behind.splice(0), { ...at, is: ["image", b.source.data] });
        if (b.type === "thinking") items.push({ ...at, is: ["thought", b.thinking, b.signature ?? ""] });
        if (b.type === "redacted_thinking") items.push({ ...at, is: ["redacted", b.data] });
        if (b.type === "tool_use") items.push({ ...at, is: ["call", b.id, b.name, b.input] });
        if (b.type !== "tool_result") continue;
        const inner = texts(b.content), text = inner.filter((x) => x.type === "text").map((x) => x.text).join("\n");
        items.push({ ...at, is: ["result", b.tool_use_id, text], marks: [...at.marks, ...(b.is_error ? [`${path}.is_error`] : [])] });
        for (const x of inner) if (x.type === "image") behind.push({ ...at, marks: [], is: ["image", x.source.data] });
      }
      items.push(...behind);
    }
    return items;
  },
};

// Of a stream that its reader leaves when it has heard enough.
async function textOf(stream, stop, deltaOf) {
  let text = "";
  for await (const e of stream) {
    text += deltaOf(e) ?? "";
    if (stop(text)) break;
  }
  return text;
}

// --- OpenAI's chats ---

const FINISHES = { stop: "stop", length: "length", calls: "tool_calls" };
const chatUsage = (u) => {
  const d = u.prompt_tokens_details ?? {}, read = d.cached_tokens ?? 0, written = d.cache_write_tokens ?? 0;
  return { input: u.prompt_tokens - read - written, read, written, output: u.completion_tokens };
};

function addDelta(message, delta) {
  if (delta.content) message.content = (message.content ?? "") + delta.content;
  if (delta.reasoning_content) message.reasoning_content = (message.reasoning_content ?? "") + delta.reasoning_content;
  for (const { index, type, text, signature, data } of delta.reasoning_details ?? []) {
    message.reasoning_details ??= [];
    const d = (message.reasoning_details[index] ??= { type });
    if (text) d.text = (d.text ?? "") + text;
    if (signature) d.signature = (d.signature ?? "") + signature;
    if (data) d.data = (d.data ?? "") + data;
  }
  for (const { index, id, function: f } of delta.tool_calls ?? []) {
    message.tool_calls ??= [];
    const call = (message.tool_calls[index] ??= { id, type: "function", function: { name: f.name, arguments: "" } });
    call.function.arguments += f.arguments ?? "";
  }
}

async function chatStreamed(sdk, request) {
  const message = { role: "assistant", content: null };
  let finish_reason, usage;
  for await (const chunk of await sdk.chat.completions.create(request)) {
    usage = chunk.usage ?? usage;
    for (const choice of chunk.choices) {
      addDelta(message, choice.delta);
      finish_reason = choice.finish_reason ?? finish_reason;
    }
  }
  return { choices: [{ message, finish_reason }], usage };
}

function thoughtsOf(message, path) {
  if (message.reasoning_details)
    return message.reasoning_details.map((d) => ({ path: `${path}.reasoning_content`, is: d.data ? ["redacted", d.data] : ["thought", d.text ?? "", d.signature ?? ""] }));
  return message.reasoning_content ? [{ path: `${path}.reasoning_content`, is: ["thought", message.reasoning_content, ""] }] : [];
}

export const chat = {
  can: { signs: false, writesCache: false, showsResults: false },
  sdk: (of) => new OpenAI({ ...of, baseURL: `${of.baseURL}/v1` }),
  begin: (tools, system) => ({
    max_completion_tokens: 8000, messages: [{ role: "system", content: `${system}\nBe brief.` }],
    tools: tools.map((name) => ({ type: "function", function: { name, description: `It can ${name}.`, parameters: { type: "object", properties: { path: { type: "string" } } } } })),
  }),
  addUser(request, { results, texts, image, isMarked }) {
    for (const r of results) request.messages.push({ role: "tool", tool_call_id: r.id, content: r.text });
    const content = texts.map((text) => ({ type: "text", text }));
    if (image) content.push({ type: "image_url", image_url: { url: dataUrl(image) } });
    if (isMarked && content.length) content.at(-1).cache_control = MARK;
    if (content.length) request.messages.push({ role: "user", content });
  },
  addSaid(request, heard) { request.messages.push(heard.own); },
  async ask(sdk, request, stop) {
    const asked = { ...request, ...(request.stream && { stream_options: { include_usage: true } }) };
    if (stop) return { text: await textOf(await sdk.chat.completions.create(asked), stop, (e) => e.choices[0]?.delta.content), own: undefined };
    const c = request.stream ? await chatStreamed(sdk, asked) : await sdk.chat.completions.create(asked);
    const { message, finish_reason } = c.choices[0], thoughts = thoughtsOf(message, "").map((t) => t.is);
    return {
      text: message.content ?? "", own: message, reason: back(FINISHES, finish_reason), usage: chatUsage(c.usage),
      thoughts: thoughts.filter(([kind]) => kind === "thought").map(([, text, signature]) => ({ text, signature: signature || undefined })),
      redacted: thoughts.filter(([kind]) => kind === "redacted").map(([, data]) => data),
      calls: (message.tool_calls ?? []).map((t) => ({ id: t.id, name: t.function.name, args: parsed(t.function.arguments) })),
    };
  },
  partly: (text) => ({ role: "assistant", content: text }),
  answer(said, isStream) {
    const { input, read, written, output } = said.usage, head = { id: "chatcmpl-1", created: 1, model: "m" };
    const usage = { prompt_tokens: input + read + written, completion_tokens: output, total_tokens: input + read + written + output, prompt_tokens_details: { cached_tokens: read } };
    const calls = said.calls.map((c) => ({ id: c.id, type: "function", function: { name: c.name, arguments: JSON.stringify(c.args) } }));
    const message = { role: "assistant", content: said.text || null, ...(said.thought && { reasoning_content: said.thought.text }), ...(calls.length && { tool_calls: calls }) };
    if (!isStream) return [JSON.stringify({ ...head, object: "chat.completion", choices: [{ index: 0, message, finish_reason: FINISHES[said.reason] }], usage })];
    const chunk = (delta, finish_reason = null) => event({ ...head, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }] });
    const begun = calls.map((call, index) => chunk({ tool_calls: [{ index, ...call, function: { ...call.function, arguments: "" } }] }));
    const asked = calls.flatMap((call, index) => pieces(call.function.arguments).map((text) => chunk({ tool_calls: [{ index, function: { arguments: text } }] })));
    return [chunk({ role: "assistant", content: "" }), ...pieces(said.thought?.text ?? "").map((reasoning_content) => chunk({ reasoning_content })),
      ...pieces(said.text).map((content) => chunk({ content })), ...begun, ...asked, chunk({}, FINISHES[said.reason]),
      event({ ...head, object: "chat.completion.chunk", choices: [], usage }), event("[DONE]")];
  },
  items(body) {
    const items = (body.tools ?? []).map((t, i) => ({ who: "tools", is: [t.function.name, t.function.description, t.function.parameters], path: `tools[${i}]`, marks: [] }));
    for (const [i, m] of body.messages.entries()) {
      const path = `messages[${i}]`, who = m.role === "developer" ? "system" : m.role;
      if (m.role === "tool") {
        items.push({ who: "user", path, marks: [], is: ["result", m.tool_call_id, texts(m.content).map((p) => p.text).join("\n")] });
        continue;
      }
      for (const thought of thoughtsOf(m, path)) items.push({ who, marks: [], ...thought });
      for (const [j, p] of texts(m.content).entries()) {
        const at = { who, path: `${path}.content[${j}]`, marks: p.cache_control ? [`${path}.content[${j}].cache_control`] : [] };
        items.push(p.type === "text" ? { ...at, text: p.text } : { ...at, is: ["image", p.image_url.url.split(",")[1]] });
      }
      for (const call of m.tool_calls ?? []) items.push({ who, path, marks: [], is: ["call", call.id, call.function.name, parsed(call.function.arguments)] });
    }
    return items;
  },
};

// --- OpenAI's responses ---

const ENDS = { stop: "completed", calls: "completed", length: "max_output_tokens" };
// What the gateway keeps for other providers in what is "encrypted".
const SEALED = /^moongate\.(signature|redacted)\.(.*)$/s;

// What is given back with a thought: what the gateway keeps for others, or what this API itself has encrypted, with its item's id.
function sealOf({ id, summary, encrypted_content: own }) {
  const [, kind, rest] = own?.match(SEALED) ?? [];
  if (kind || !own) return { isRedacted: kind === "redacted", seal: rest };
  return { isRedacted: !summary.length, seal: `openai.${id}.${own}` };
}
const idOf = (own) => `rs_${Buffer.from(own).toString("hex")}`;

function itemsOf(said) {
  const items = [], thought = (own, summary) => items.push({ id: idOf(own), type: "reasoning", summary, encrypted_content: own });
  if (said.thought) thought(said.thought.signature, [{ type: "summary_text", text: said.thought.text }]);
  if (said.redacted) thought(said.redacted, []);
  const content = [{ type: "output_text", text: said.text, annotations: [], logprobs: [] }];
  if (said.text) items.push({ id: "msg_1", type: "message", role: "assistant", status: "completed", content });
  for (const { id, name, args } of said.calls)
    items.push({ id: `fc_${id}`, type: "function_call", status: "completed", call_id: id, name, arguments: JSON.stringify(args) });
  return items;
}

// Each item as it begins, grows and is done.
function* itemEvents(item, output_index) {
  const tell = (type, rest) => event({ type: `response.${type}`, item_id: item.id, output_index, ...rest }, `response.${type}`);
  const empty = { reasoning: { ...item, summary: [], encrypted_content: `not ${item.encrypted_content}` }, message: { ...item, content: [] }, function_call: { ...item, arguments: "" } };
  yield tell("output_item.added", { item: { ...empty[item.type], ...(item.status && { status: "in_progress" }) } });
  for (const [summary_index, part] of (item.summary ?? []).entries()) {
    yield tell("reasoning_summary_part.added", { summary_index, part: { ...part, text: "" } });
    for (const delta of pieces(part.text)) yield tell("reasoning_summary_text.delta", { summary_index, delta });
    yield tell("reasoning_summary_text.done", { summary_index, text: part.text });
  }
  for (const [content_index, part] of (item.content ?? []).entries()) {
    yield tell("content_part.added", { content_index, part: { ...part, text: "" } });
    for (const delta of pieces(part.text)) yield tell("output_text.delta", { content_index, delta, logprobs: [] });
    yield tell("output_text.done", { content_index, text: part.text, logprobs: [] });
    yield tell("content_part.done", { content_index, part });
  }
  for (const delta of pieces(item.arguments ?? "")) yield tell("function_call_arguments.delta", { delta });
  if (item.arguments) yield tell("function_call_arguments.done", { arguments: item.arguments });
  yield tell("output_item.done", { item });
}

function responsesHeard(r) {
  const of = (type) => r.output.filter((item) => item.type === type), u = r.usage;
  const calls = of("function_call").map((c) => ({ id: c.call_id, name: c.name, args: parsed(c.arguments) }));
  const end = r.incomplete_details?.reason ?? r.status, read = u.input_tokens_details.cached_tokens, written = u.input_tokens_details.cache_write_tokens ?? 0;
  const sealed = of("reasoning").map((item) => ({ ...sealOf(item), text: item.summary.map((p) => p.text).join("") }));
  return {
    thoughts: sealed.filter((s) => !s.isRedacted).map(({ text, seal }) => ({ text, signature: seal })),
    redacted: sealed.filter((s) => s.isRedacted).map((s) => s.seal),
    text: r.output_text, own: r.output, calls, reason: end === ENDS.length ? "length" : calls.length ? "calls" : "stop",
    usage: { input: u.input_tokens - read - written, read, written, output: u.output_tokens },
  };
}

export const responses = {
  can: { signs: true, writesCache: true, showsResults: true },
  seal: (own) => `openai.${idOf(own)}.${own}`,
  sdk: chat.sdk,
  begin: (tools, system) => ({
    max_output_tokens: 8000, store: false, include: ["reasoning.encrypted_content"], instructions: `${system}\nBe brief.`, input: [],
    tools: tools.map((name) => ({ type: "function", name, strict: false, description: `It can ${name}.`, parameters: { type: "object", properties: { path: { type: "string" } } } })),
  }),
  addUser(request, { results, texts, image }) {
    for (const r of results) {
      const output = r.image ? [{ type: "input_text", text: r.text }, { type: "input_image", image_url: dataUrl(r.image), detail: "auto" }] : r.text;
      request.input.push({ type: "function_call_output", call_id: r.id, output });
    }
    const content = texts.map((text) => ({ type: "input_text", text }));
    if (image) content.push({ type: "input_image", image_url: dataUrl(image), detail: "auto" });
    if (content.length) request.input.push({ role: "user", content });
  },
  addSaid(request, heard) { request.input.push(...heard.own); },
  async ask(sdk, request, stop) {
    if (stop) return { text: await textOf(await sdk.responses.create(request), stop, (e) => (e.type === "response.output_text.delta" ? e.delta : undefined)), own: undefined };
    return responsesHeard(request.stream ? await sdk.responses.stream(request).finalResponse() : await sdk.responses.create(request));
  },
  partly: (text) => [{ role: "assistant", content: [{ type: "output_text", text }] }],
  answer(said, isStream) {
    const { input, read, written, output: spoken } = said.usage, whole = input + read + written, output = itemsOf(said), isCut = said.reason === "length";
    const usage = { input_tokens: whole, input_tokens_details: { cached_tokens: read, cache_write_tokens: written }, output_tokens: spoken,
      output_tokens_details: { reasoning_tokens: 0 }, total_tokens: whole + spoken };
    const begun = { id: "resp_1", object: "response", created_at: 1, model: "m", status: "in_progress", error: null, incomplete_details: null, output: [], usage: null };
    const end = isCut ? "incomplete" : "completed", done = { ...begun, status: end, incomplete_details: isCut ? { reason: ENDS.length } : null, output, usage };
    if (!isStream) return [JSON.stringify(done)];
    const tell = (type, response) => event({ type: `response.${type}`, response }, `response.${type}`);
    return [tell("created", begun), tell("in_progress", begun), ...output.flatMap((item, i) => [...itemEvents(item, i)]), tell(end, done)];
  },
  items(body) {
    const items = (body.tools ?? []).map((t, i) => ({ who: "tools", is: [t.name, t.description, t.parameters], path: `tools[${i}]`, marks: [] }));
    if (body.instructions) items.push({ who: "system", text: body.instructions, path: "instructions", marks: [] });
    const behind = [];
    for (const [i, m] of body.input.entries()) {
      const path = `input[${i}]`, at = { path, marks: [] };
      if (m.type !== "function_call_output") items.push(...behind.splice(0));
      if (m.type === "reasoning") {
        const text = m.summary.map((p) => p.text).join("\n"), { isRedacted, seal } = sealOf(m);
        items.push({ ...at, who: "assistant", is: isRedacted ? ["redacted", seal] : ["thought", text, seal ?? ""] });
      } else if (m.type === "function_call") {
        items.push({ ...at, who: "assistant", is: ["call", m.call_id, m.name, parsed(m.arguments)] });
      } else if (m.type === "function_call_output") {
        const inner = typeof m.output === "string" ? [{ text: m.output }] : m.output;
        items.push({ ...at, who: "user", is: ["result", m.call_id, inner.filter((p) => p.text).map((p) => p.text).join("\n")] });
        for (const p of inner) if (p.image_url) behind.push({ ...at, who: "user", is: ["image", p.image_url.split(",")[1]] });
      } else {
        for (const [j, p] of texts(m.content).entries()) {
          const in_it = { who: m.role, path: `${path}.content[${j}]`, marks: [] };
          items.push(p.image_url ? { ...in_it, is: ["image", p.image_url.split(",")[1]] } : { ...in_it, text: p.text });
        }
      }
    }
    return [...items, ...behind];
  },
};

// --- Google's ---

const REASONS = { stop: "STOP", calls: "STOP", length: "MAX_TOKENS" };

function googlesUsage({ input, read, output }, hasThought) {
  const thoughtsTokenCount = hasThought ? Math.floor(output / 3) : 0;
  return { promptTokenCount: input + read, cachedContentTokenCount: read, candidatesTokenCount: output - thoughtsTokenCount,
    ...(hasThought && { thoughtsTokenCount }), totalTokenCount: input + read + output };
}

export const gemini = {
  can: { signs: false, writesCache: false, tellsInputFirst: true, tellsUsage: true }, // in each piece
  answer(said, isStream) {
    const rest = { usageMetadata: googlesUsage(said.usage, said.thought), modelVersion: "m", responseId: "r" };
    const calls = said.calls.map(({ id, name, args }) => ({ functionCall: { id, name, args } }));
    const whole = (parts, finishReason) => ({ candidates: [{ content: { role: "model", parts }, index: 0, ...(finishReason && { finishReason }) }], ...rest });
    const thought = (text) => ({ text, thought: true }), text = (t) => ({ text: t });
    if (!isStream) {
      const parts = [...(said.thought ? [thought(said.thought.text)] : []), ...(said.text ? [text(said.text)] : []), ...calls];
      return [JSON.stringify(whole(parts, REASONS[said.reason]))];
    }
    const parts = [...pieces(said.thought?.text ?? "").map(thought), ...pieces(said.text).map(text), ...calls];
    return [...parts.map((part) => event(whole([part]))), event(whole([{ text: "" }], REASONS[said.reason]))];
  },
  items(body) {
    const items = (body.tools?.[0].functionDeclarations ?? []).map((t, i) =>
      ({ who: "tools", is: [t.name, t.description, t.parametersJsonSchema], path: `tools[0].functionDeclarations[${i}]`, marks: [] }));
    for (const p of body.systemInstruction?.parts ?? []) items.push({ who: "system", text: p.text, path: "systemInstruction", marks: [] });
    for (const [i, content] of body.contents.entries()) {
      for (const [j, p] of content.parts.entries()) {
        const path = `contents[${i}].parts[${j}]`, at = { who: content.role === "model" ? "assistant" : "user", path, marks: [] };
        if (p.functionCall) items.push({ ...at, is: ["call", p.functionCall.id, p.functionCall.name, p.functionCall.args] });
        else if (p.inlineData) items.push({ ...at, is: ["image", p.inlineData.data] });
        else if (p.functionResponse) {
          const { id, response } = p.functionResponse;
          items.push({ ...at, is: ["result", id, response.result ?? response.error], marks: "error" in response ? [`${path}.is_error`] : [] });
        } else items.push({ ...at, text: p.text });
      }
    }
    return items;
  },
};

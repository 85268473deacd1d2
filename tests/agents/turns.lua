-- A model's turns, written by hand as its provider sends them, for a mock that plays a model which works with tools.
--
--   turns.anthropic.text("Done.")                              -- the body of a stream
--   turns.anthropic.call("toolu_read", "Read", { file_path = "/x" })
--   turns.chat.text(…), .call(…)                               -- OpenAI's chat completions
--   turns.responses.text(…), .call(…)                          -- OpenAI's Responses
--   turns.gemini.text(…), .call(…)                             -- Gemini's generateContent, as events
--
-- Each is a whole answer with its usage and its end marker; what a call is given comes in two pieces.
local cjson = require("cjson")

local turns = { anthropic = {}, chat = {}, responses = {}, gemini = {} }

local NO_ITEMS = "@no items@" -- an empty list, which this library cannot say: its empty table is an object
local INPUT_TOKENS, OUTPUT_TOKENS = 1000, 20

local function halves(text)
  local middle = math.floor(#text / 2)
  return text:sub(1, middle), text:sub(middle + 1)
end

local function encode(value) return (cjson.encode(value):gsub('"' .. NO_ITEMS .. '"', "[]")) end

local function named(events)
  local out = {}
  for i, event in ipairs(events) do out[i] = ("event: %s\ndata: %s\n\n"):format(event.type, encode(event)) end
  return table.concat(out)
end

-- ---- Anthropic's messages

local function message(block, deltas, reason)
  local events = {
    { type = "message_start", message = { id = "msg_1", type = "message", role = "assistant", model = "mock", content = NO_ITEMS,
      usage = { input_tokens = INPUT_TOKENS, output_tokens = 1 } } },
    { type = "content_block_start", index = 0, content_block = block },
  }
  for _, delta in ipairs(deltas) do events[#events + 1] = { type = "content_block_delta", index = 0, delta = delta } end
  events[#events + 1] = { type = "content_block_stop", index = 0 }
  events[#events + 1] = { type = "message_delta", delta = { stop_reason = reason }, usage = { output_tokens = OUTPUT_TOKENS } }
  events[#events + 1] = { type = "message_stop" }
  return named(events)
end

function turns.anthropic.text(text)
  return message({ type = "text", text = "" }, { { type = "text_delta", text = text } }, "end_turn")
end

function turns.anthropic.call(id, name, input)
  local first, second = halves(cjson.encode(input))
  return message({ type = "tool_use", id = id, name = name, input = {} },
    { { type = "input_json_delta", partial_json = first }, { type = "input_json_delta", partial_json = second } }, "tool_use")
end

-- ---- OpenAI's chat completions

local function chunk(choices, usage)
  return "data: " .. encode { id = "chatcmpl-1", object = "chat.completion.chunk", created = 1700000000, model = "mock",
    choices = choices, usage = usage } .. "\n\n"
end

local function choice(delta, reason) return { { index = 0, delta = delta, finish_reason = reason or cjson.null } } end

local function completion(deltas, reason)
  local out = { chunk(choice { role = "assistant", content = "" }) }
  for _, delta in ipairs(deltas) do out[#out + 1] = chunk(choice(delta)) end
  out[#out + 1] = chunk(choice({}, reason))
  out[#out + 1] = chunk(NO_ITEMS, { prompt_tokens = INPUT_TOKENS, completion_tokens = OUTPUT_TOKENS,
    total_tokens = INPUT_TOKENS + OUTPUT_TOKENS })
  out[#out + 1] = "data: [DONE]\n\n"
  return table.concat(out)
end

function turns.chat.text(text) return completion({ { content = text } }, "stop") end

function turns.chat.call(id, name, input)
  local first, second = halves(cjson.encode(input))
  local function piece(of) return { tool_calls = { of } } end
  return completion({
    piece { index = 0, id = id, type = "function", ["function"] = { name = name, arguments = "" } },
    piece { index = 0, ["function"] = { arguments = first } }, piece { index = 0, ["function"] = { arguments = second } },
  }, "tool_calls")
end

-- ---- OpenAI's Responses

local function response(item, steps)
  local body = { id = "resp_1", object = "response", created_at = 1700000000, status = "in_progress", model = "mock",
    output = NO_ITEMS }
  local events = { { type = "response.created", response = body } }
  for _, step in ipairs(steps) do events[#events + 1] = step end
  local done = {}
  for name, value in pairs(body) do done[name] = value end
  done.status, done.output = "completed", { item }
  done.usage = { input_tokens = INPUT_TOKENS, output_tokens = OUTPUT_TOKENS, total_tokens = INPUT_TOKENS + OUTPUT_TOKENS,
    input_tokens_details = { cached_tokens = 0 }, output_tokens_details = { reasoning_tokens = 0 } }
  events[#events + 1] = { type = "response.output_item.done", output_index = 0, item = item }
  events[#events + 1] = { type = "response.completed", response = done }
  for i, event in ipairs(events) do event.sequence_number = i - 1 end
  return named(events)
end

function turns.responses.text(text)
  local part = { type = "output_text", text = text, annotations = NO_ITEMS }
  local item = { type = "message", id = "msg_1", role = "assistant", status = "completed", content = { part } }
  return response(item, {
    { type = "response.output_item.added", output_index = 0, item = { type = "message", id = "msg_1", role = "assistant",
      status = "in_progress", content = NO_ITEMS } },
    { type = "response.output_text.delta", item_id = "msg_1", output_index = 0, content_index = 0, delta = text },
    { type = "response.output_text.done", item_id = "msg_1", output_index = 0, content_index = 0, text = text },
  })
end

function turns.responses.call(id, name, input)
  local arguments = cjson.encode(input)
  local first, second = halves(arguments)
  local function item(status, with)
    return { type = "function_call", id = "fc_" .. id, call_id = id, name = name, arguments = with, status = status }
  end
  local function delta(text) return { type = "response.function_call_arguments.delta", item_id = "fc_" .. id, output_index = 0, delta = text } end
  return response(item("completed", arguments), {
    { type = "response.output_item.added", output_index = 0, item = item("in_progress", "") }, delta(first), delta(second),
    { type = "response.function_call_arguments.done", item_id = "fc_" .. id, output_index = 0, arguments = arguments },
  })
end

-- ---- Gemini

local function content(part)
  return "data: " .. encode {
    candidates = { { content = { role = "model", parts = { part } }, finishReason = "STOP", index = 0 } },
    usageMetadata = { promptTokenCount = INPUT_TOKENS, candidatesTokenCount = OUTPUT_TOKENS, totalTokenCount = INPUT_TOKENS + OUTPUT_TOKENS },
    modelVersion = "mock" } .. "\n\n"
end

function turns.gemini.text(text) return content { text = text } end

function turns.gemini.call(id, name, input) return content { functionCall = { id = id, name = name, args = input } } end

return turns

-- The APIs that clients and providers speak, for tests that say the same in all of them.
--
--   local api = dialects.chat                              -- chat, messages, responses, gemini
--   g:ask { path = api.path(model, stream), json = api.ask(model, "hello", stream), headers = api.headers }
--   api.worked(model, arguments, result)                   -- a conversation in which a tool was asked and gave back
--   api.text(body)  api.streamed(body)  api.asked(body)    -- what a client heard: whole, of a stream, of a tool's arguments
--   api.whole(text)  api.stream(pieces)  api.call(pieces)  -- what a provider says; api.cut(pieces): without an end
local cjson = require("cjson")

local dialects = {}

local function event(data, name)
  local text = type(data) == "string" and data or cjson.encode(data)
  return (name and "event: " .. name .. "\n" or "") .. "data: " .. text .. "\n\n"
end

local function events(body)
  local found = {}
  for data in body:gmatch("data: ({[^\n]*})") do found[#found + 1] = cjson.decode(data) end
  return found
end

-- What `take` finds in each event, joined.
local function joined(body, take)
  local parts = {}
  for _, e in ipairs(events(body)) do
    local text = take(e)
    if type(text) == "string" then parts[#parts + 1] = text end
  end
  return table.concat(parts)
end

local function each(pieces, make)
  local out = {}
  for i, piece in ipairs(pieces) do out[i] = make(piece, i) end
  return table.concat(out)
end

local function first(list, test)
  for _, item in ipairs(list or {}) do if test(item) then return item end end
end

local USAGE = { 3, 4 } -- tokens in and out, of what a provider says below

-- --- OpenAI's chats ---

local function chunk(delta, reason)
  return event { id = "x", model = "m", choices = { { index = 0, delta = delta, finish_reason = reason or cjson.null } } }
end

local function function_tool(name) return { type = "function", ["function"] = { name = name } } end

dialects.chat = {
  path = function() return "/v1/chat/completions" end,
  ask = function(model, text, stream)
    return { model = model, stream = stream, max_tokens = 50, messages = { { role = "user", content = text } }, tools = { function_tool "f" } }
  end,
  worked = function(model, arguments, result)
    return { model = model, max_tokens = 50, messages = { { role = "user", content = "hello" },
      { role = "assistant", content = "x", tool_calls = { { id = "call_1", type = "function", ["function"] = { name = "f", arguments = arguments } } } },
      { role = "tool", tool_call_id = "call_1", content = result } }, tools = { function_tool "f" } }
  end,
  text = function(body) return cjson.decode(body).choices[1].message.content end,
  streamed = function(body)
    return joined(body, function(e) return e.choices and e.choices[1] and e.choices[1].delta.content end)
  end,
  asked = function(body)
    return joined(body, function(e)
      local call = e.choices and e.choices[1] and (e.choices[1].delta.tool_calls or {})[1]
      return call and call["function"].arguments
    end)
  end,
  whole = function(text)
    return cjson.encode { id = "x", object = "chat.completion", model = "m",
      choices = { { index = 0, message = { role = "assistant", content = text }, finish_reason = "stop" } },
      usage = { prompt_tokens = USAGE[1], completion_tokens = USAGE[2], total_tokens = USAGE[1] + USAGE[2] } }
  end,
  cut = function(pieces) return each(pieces, function(piece) return chunk { content = piece } end) end,
  stream = function(pieces)
    return dialects.chat.cut(pieces) .. chunk({}, "stop") .. event { id = "x", choices = {}, usage = { prompt_tokens = USAGE[1],
      completion_tokens = USAGE[2], total_tokens = USAGE[1] + USAGE[2] } }:gsub('"choices":{}', '"choices":[]') .. event "[DONE]"
  end,
  call = function(pieces)
    return chunk { tool_calls = { { index = 0, id = "call_1", type = "function", ["function"] = { name = "f", arguments = "" } } } } ..
      each(pieces, function(piece) return chunk { tool_calls = { { index = 0, ["function"] = { arguments = piece } } } } end) ..
      chunk({}, "tool_calls") .. event "[DONE]"
  end,
}

-- --- Anthropic's messages ---

local function named(e) return event(e, e.type) end

local function message(blocks, reason)
  return named { type = "message_start", message = { id = "msg_1", type = "message", role = "assistant", model = "m",
    usage = { input_tokens = USAGE[1], output_tokens = 1 } } } .. blocks .. (reason and named { type = "message_delta", delta = { stop_reason = reason },
    usage = { output_tokens = USAGE[2] } } .. named { type = "message_stop" } or "")
end

local function block(start, delta, pieces, is_open)
  return named { type = "content_block_start", index = 0, content_block = start } ..
    each(pieces, function(piece) return named { type = "content_block_delta", index = 0, delta = delta(piece) } end) ..
    (is_open and "" or named { type = "content_block_stop", index = 0 })
end

local function text_delta(piece) return { type = "text_delta", text = piece } end

dialects.messages = {
  headers = { { "anthropic-version", "2023-06-01" } },
  path = function() return "/v1/messages" end,
  ask = function(model, text, stream)
    return { model = model, stream = stream, max_tokens = 50, messages = { { role = "user", content = text } },
      tools = { { name = "f", input_schema = { type = "object" } } } }
  end,
  worked = function(model, arguments, result)
    return { model = model, max_tokens = 50, tools = { { name = "f", input_schema = { type = "object" } } }, messages = {
      { role = "user", content = "hello" },
      { role = "assistant", content = { { type = "text", text = "x" }, { type = "tool_use", id = "call_1", name = "f", input = cjson.decode(arguments) } } },
      { role = "user", content = { { type = "tool_result", tool_use_id = "call_1", content = result } } } } }
  end,
  text = function(body) return first(cjson.decode(body).content, function(b) return b.type == "text" end).text end,
  streamed = function(body) return joined(body, function(e) return e.delta and e.delta.text end) end,
  asked = function(body) return joined(body, function(e) return e.delta and e.delta.partial_json end) end,
  whole = function(text)
    return cjson.encode { id = "msg_1", type = "message", role = "assistant", model = "m", content = { { type = "text", text = text } },
      stop_reason = "end_turn", usage = { input_tokens = USAGE[1], output_tokens = USAGE[2] } }
  end,
  cut = function(pieces) return message(block({ type = "text", text = "" }, text_delta, pieces, true)) end,
  stream = function(pieces) return message(block({ type = "text", text = "" }, text_delta, pieces), "end_turn") end,
  call = function(pieces)
    local start = { type = "tool_use", id = "call_1", name = "f" }
    return message(block(start, function(piece) return { type = "input_json_delta", partial_json = piece } end, pieces), "tool_use")
  end,
}

-- --- OpenAI's responses ---

local function response(status, items)
  return { id = "resp_1", object = "response", created_at = 1, status = status, model = "m", output = items,
    usage = status == "completed" and { input_tokens = USAGE[1], input_tokens_details = { cached_tokens = 0 }, output_tokens = USAGE[2],
      output_tokens_details = { reasoning_tokens = 0 }, total_tokens = USAGE[1] + USAGE[2] } or cjson.null }
end

local function said_item(text)
  return { id = "msg_1", type = "message", role = "assistant", status = "completed", content = { { type = "output_text", text = text } } }
end

local function begun(rest)
  return named { type = "response.created", response = response("in_progress", { said_item "" }) } .. rest
end

local function text_events(pieces)
  return each(pieces, function(piece)
    return named { type = "response.output_text.delta", item_id = "msg_1", output_index = 0, content_index = 0, delta = piece }
  end)
end

dialects.responses = {
  path = function() return "/v1/responses" end,
  ask = function(model, text, stream)
    return { model = model, stream = stream, store = false, max_output_tokens = 50, input = { { role = "user", content = text } },
      tools = { { type = "function", name = "f", strict = false, parameters = { type = "object" } } } }
  end,
  worked = function(model, arguments, result)
    return { model = model, store = false, max_output_tokens = 50,
      tools = { { type = "function", name = "f", strict = false, parameters = { type = "object" } } },
      input = { { role = "user", content = "hello" }, { type = "function_call", call_id = "call_1", name = "f", arguments = arguments },
        { type = "function_call_output", call_id = "call_1", output = result } } }
  end,
  text = function(body) return first(cjson.decode(body).output, function(i) return i.type == "message" end).content[1].text end,
  streamed = function(body) return joined(body, function(e) return e.type == "response.output_text.delta" and e.delta end) end,
  asked = function(body) return joined(body, function(e) return e.type == "response.function_call_arguments.delta" and e.delta end) end,
  whole = function(text) return cjson.encode(response("completed", { said_item(text) })) end,
  cut = function(pieces) return begun(text_events(pieces)) end,
  stream = function(pieces)
    local text = table.concat(pieces)
    return begun(text_events(pieces)) .. named { type = "response.output_text.done", item_id = "msg_1", output_index = 0, content_index = 0, text = text } ..
      named { type = "response.completed", response = response("completed", { said_item(text) }) }
  end,
  call = function(pieces)
    local arguments = table.concat(pieces)
    local item = { id = "fc_1", type = "function_call", call_id = "call_1", name = "f", arguments = "", status = "in_progress" }
    local start = named { type = "response.output_item.added", output_index = 0, item = item }
    item.arguments, item.status = arguments, "completed"
    return begun(start .. each(pieces, function(piece)
      return named { type = "response.function_call_arguments.delta", item_id = "fc_1", output_index = 0, delta = piece }
    end) .. named { type = "response.function_call_arguments.done", item_id = "fc_1", output_index = 0, arguments = arguments } ..
      named { type = "response.output_item.done", output_index = 0, item = item } ..
      named { type = "response.completed", response = response("completed", { item }) })
  end,
}

-- --- Google's Gemini ---

local function part(piece, reason)
  return event { candidates = { { index = 0, content = { role = "model", parts = { piece } }, finishReason = reason } },
    usageMetadata = { promptTokenCount = USAGE[1], candidatesTokenCount = USAGE[2], totalTokenCount = USAGE[1] + USAGE[2] } }
end

local function parts_of(body)
  local candidate = (body.candidates or {})[1]
  return candidate and candidate.content and candidate.content.parts or {}
end

dialects.gemini = {
  path = function(model, stream) return "/v1beta/models/" .. model .. (stream and ":streamGenerateContent?alt=sse" or ":generateContent") end,
  ask = function(_, text)
    return { contents = { { role = "user", parts = { { text = text } } } }, generationConfig = { maxOutputTokens = 50 },
      tools = { { functionDeclarations = { { name = "f" } } } } }
  end,
  worked = function(_, arguments, result)
    return { generationConfig = { maxOutputTokens = 50 }, tools = { { functionDeclarations = { { name = "f" } } } }, contents = {
      { role = "user", parts = { { text = "hello" } } },
      { role = "model", parts = { { functionCall = { name = "f", args = cjson.decode(arguments) } } } },
      { role = "user", parts = { { functionResponse = { name = "f", response = { output = result } } } } } } }
  end,
  text = function(body) return parts_of(cjson.decode(body))[1].text end,
  streamed = function(body)
    return joined(body, function(e) local p = parts_of(e)[1] return p and p.text end)
  end,
  asked = function(body)
    return joined(body, function(e)
      local p = parts_of(e)[1]
      return p and p.functionCall and cjson.encode(p.functionCall.args)
    end)
  end,
  whole = function(text)
    return cjson.encode { candidates = { { index = 0, content = { role = "model", parts = { { text = text } } }, finishReason = "STOP" } },
      usageMetadata = { promptTokenCount = USAGE[1], candidatesTokenCount = USAGE[2], totalTokenCount = USAGE[1] + USAGE[2] } }
  end,
  cut = function(pieces) return each(pieces, function(piece) return part { text = piece } end) end,
  stream = function(pieces) return each(pieces, function(piece, i) return part({ text = piece }, i == #pieces and "STOP" or nil) end) end,
  call = function(pieces) return part({ functionCall = { name = "f", args = cjson.decode(table.concat(pieces)) } }, "STOP") end,
}

return dialects

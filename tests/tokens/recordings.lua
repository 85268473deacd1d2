-- Our count of recorded requests against what their providers counted: a table by family of models.
--
--   B=build luajit tests/tokens/recordings.lua [--json]
--
-- Requests of the chat, completions and embeddings APIs are counted as they stand; those of Anthropic, Gemini and the
-- Responses API are first written as chat requests: their texts, roles, tools and pictures are the same. Ends with 1 when
-- a family that is counted exactly falls behind what is expected of it.
local cjson = require("cjson")
local process = dofile("tests/lib/process.lua")

local build = os.getenv("B") or "build"
local folder = os.getenv("MOONGATE_RECORDINGS") or "../shared/recordings"
local null = cjson.null

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

local manifest = read(folder .. "/manifest.json")
if not manifest then
  print("no recordings at " .. folder .. ": there is nothing to compare")
  os.exit(0)
end

local function is(value) return value ~= nil and value ~= null end
local function number(value) return is(value) and value or 0 end
local function list(value) return type(value) == "table" and value or {} end

-- --- other shapes as chat requests ---

local function picture(media_type, data) return { type = "image_url", image_url = { url = "data:" .. tostring(media_type) .. ";base64," .. tostring(data) } } end

local anthropic = {}

function anthropic.block(block)
  if block.type == "image" and is(block.source) and block.source.data then return picture(block.source.media_type, block.source.data) end
  if block.type == "tool_use" then return { type = "text", text = tostring(block.name) .. cjson.encode(block.input or {}) } end
  if block.type == "tool_result" then return { type = "text", text = type(block.content) == "string" and block.content or cjson.encode(block.content or {}) } end
  if block.type == "text" then return { type = "text", text = block.text } end
  return { type = "file" } -- documents, thinking, server tools: unknown
end

function anthropic.content(content)
  if type(content) == "string" then return content end
  local parts = {}
  for _, block in ipairs(list(content)) do parts[#parts + 1] = anthropic.block(block) end
  return parts
end

function anthropic.chat(body)
  local messages, tools = {}, {}
  if is(body.system) then messages[1] = { role = "system", content = anthropic.content(body.system) } end
  for _, message in ipairs(list(body.messages)) do messages[#messages + 1] = { role = message.role, content = anthropic.content(message.content) } end
  for i, tool in ipairs(list(body.tools)) do
    tools[i] = { type = "function", ["function"] = { name = tool.name, description = tool.description, parameters = tool.input_schema } }
  end
  return { model = body.model, messages = messages, tools = #tools > 0 and tools or nil }
end

local gemini = {}

function gemini.part(part)
  if is(part.inlineData) then return picture(part.inlineData.mimeType, part.inlineData.data) end
  if is(part.inline_data) then return picture(part.inline_data.mime_type, part.inline_data.data) end
  if is(part.functionCall) then return { type = "text", text = cjson.encode(part.functionCall) } end
  if is(part.functionResponse) then return { type = "text", text = cjson.encode(part.functionResponse) } end
  if is(part.text) then return { type = "text", text = part.text } end
  return { type = "file" }
end

function gemini.message(role, content)
  local parts = {}
  for _, part in ipairs(list(content.parts)) do parts[#parts + 1] = gemini.part(part) end
  return { role = role, content = parts }
end

function gemini.chat(body, path)
  local messages, tools = {}, {}
  local system = body.systemInstruction or body.system_instruction
  if is(system) and type(system) == "table" then messages[1] = gemini.message("system", system) end
  for _, content in ipairs(list(body.contents)) do messages[#messages + 1] = gemini.message(content.role or "user", content) end
  for _, group in ipairs(list(body.tools)) do
    for _, f in ipairs(list(group.functionDeclarations)) do
      tools[#tools + 1] = { type = "function", ["function"] = { name = f.name, description = f.description, parameters = f.parameters or f.parametersJsonSchema } }
    end
  end
  return { model = path:match("models/([^:?]+)"), messages = messages, tools = #tools > 0 and tools or nil }
end

local responses = {}

function responses.content(content)
  if type(content) ~= "table" then return content end
  local parts = {}
  for _, part in ipairs(content) do
    if is(part.text) then parts[#parts + 1] = { type = "text", text = part.text }
    elseif part.type == "input_image" then parts[#parts + 1] = { type = "image_url", image_url = { url = part.image_url } }
    else parts[#parts + 1] = { type = "file" } end
  end
  return parts
end

function responses.chat(body)
  local messages, tools = {}, {}
  if is(body.instructions) then messages[1] = { role = "system", content = body.instructions } end
  if type(body.input) == "string" then messages[#messages + 1] = { role = "user", content = body.input } end
  for _, item in ipairs(list(body.input)) do
    if is(item.role) then messages[#messages + 1] = { role = item.role, content = responses.content(item.content) }
    else messages[#messages + 1] = { role = "tool", content = tostring(item.name or "") .. tostring(item.arguments or item.output or "") } end
  end
  for _, tool in ipairs(list(body.tools)) do
    tools[#tools + 1] = tool.type == "function" and { type = "function", ["function"] = tool } or tool
  end
  local is_partial = is(body.previous_response_id) or is(body.conversation) or is(body.prompt)
  return not is_partial and { model = body.model, messages = messages, tools = #tools > 0 and tools or nil } or nil
end

local as_chat = {
  ["openai.chat"] = function(body) return body end,
  ["openai.completions"] = function(body) return body end,
  ["openai.embeddings"] = function(body) return body end,
  ["openai.responses"] = responses.chat,
  ["anthropic.messages"] = anthropic.chat,
  ["anthropic.count_tokens"] = anthropic.chat,
  ["gemini.generateContent"] = gemini.chat,
  ["gemini.streamGenerateContent"] = gemini.chat,
  ["gemini.countTokens"] = gemini.chat,
}

-- What decides how well a request can be counted.
local function is_plain(body)
  local text = cjson.encode(body)
  return not is(body.tools) and not is(body.functions) and not is(body.response_format) and not text:find('"type":"file"', 1, true)
    and not text:find("image_url", 1, true) and not text:find("input_audio", 1, true) and not text:find("tool_calls", 1, true)
end

-- --- counting ---

local function count(body)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(cjson.encode(body))
  file:close()
  local out, code = process.run { build .. "/moongate", "tokens", "--json", path, env = { MOONGATE_CONFIG = "/nonexistent" } }
  os.remove(path)
  return code == 0 and cjson.decode(out) or nil, out
end

local rows, order = {}, {}

local function row_of(name)
  if not rows[name] then
    rows[name] = { family = name, n = 0, exact = 0, within_1 = 0, within_5 = 0, error_sum = 0, worst = 0, exact_rule = true }
    order[#order + 1] = name
  end
  return rows[name]
end

local function note(name, ours, theirs, is_estimated, id)
  local row, off = row_of(name), ours - theirs
  row.n = row.n + 1
  if off == 0 then row.exact = row.exact + 1 end
  if math.abs(off) <= 1 then row.within_1 = row.within_1 + 1 end
  if math.abs(off) <= 5 then row.within_5 = row.within_5 + 1 end
  row.error_sum = row.error_sum + math.abs(off) / math.max(theirs, 1)
  if math.abs(off) > math.abs(row.worst) then row.worst, row.worst_id = off, id end
  row.exact_rule = row.exact_rule and not is_estimated
end

for _, r in ipairs(cjson.decode(manifest).recordings) do
  local e = list(r.expected)
  local theirs = is(e.input_tokens) and e.input_tokens
  local adapt = as_chat[r.api]
  if theirs and theirs > 0 and adapt and is(r.request_file) then
    local ok, body = pcall(cjson.decode, read(folder .. "/" .. r.request_file) or "")
    local chat = ok and type(body) == "table" and adapt(body, r.path)
    if chat and is(chat.model) then
      -- Anthropic reports what was read from a cache, or written into one, beside the input.
      if r.api:find("^anthropic") then theirs = theirs + number(e.cache_read_input_tokens) + number(e.cache_creation_input_tokens) end
      local counted, said = count(chat)
      if counted then
        local kind = r.api:find("embeddings") and "embeddings" or r.api:find("completions") and "completions" or is_plain(chat) and "text" or "with tools, pictures …"
        note(("%s, %s"):format(counted.family ~= null and counted.family or "other (" .. r.provider .. ")", kind), counted.tokens, theirs, counted.estimated, r.id)
      else
        io.stderr:write(r.id, ": ", said, "\n")
      end
    end
  end
end

-- --- the table ---

table.sort(order)
if arg[1] == "--json" then
  local all = {}
  for i, name in ipairs(order) do all[i] = rows[name] end
  print(cjson.encode(all))
else
  print(("%-44s %5s %6s %5s %5s %9s %7s  %s"):format("family, request", "n", "exact", "±1", "±5", "mean off", "worst", "in"))
  for _, name in ipairs(order) do
    local row = rows[name]
    print(("%-44s %5d %6d %5d %5d %8.1f%% %7d  %s"):format(name, row.n, row.exact, row.within_1, row.within_5,
      100 * row.error_sum / row.n, row.worst, row.worst_id or ""))
  end
end

-- A request told in a few words, as examples and specs write it, turned into what core.simulate takes.
--
--   { as = { department = "sales" }, model = "gpt-4o", task = "code", data = "internal", text = "hello" }
--
-- as: identity (user, app, …, roles, approvals; other names are labels) · key: "missing", "unknown", "revoked",
-- "expired" · token: the claims of one that was verified, or why it is refused ("expired", "audience", "signature" …) ·
-- api · model · text or messages · stream, max_tokens, temperature, tools · uses = { "images", … } · task, quality,
-- max_latency_ms, data, label, session (as headers) · headers · input_tokens, output_tokens, context_tokens ·
-- cost_usd (what it may cost, instead of prices times tokens) · time ("2025-06-03T12:00:00Z") ·
-- topups (of budgets: scripts/explain/topups.lua turns them into what stands here) · grants (scripts/granting.lua) ·
-- prompt (that the request names: { name, version, label, status }).
local core, use = ...
local json = use "json"
local catalogue = use "catalogue"
local granting = use "granting"
local raise = use "raise"

local request = {}

-- The kinds of value that each field may hold.
local fields = {
  as = "table", key = "string", token = "table string", api = "string", model = "string", text = "string",
  messages = "table",
  stream = "boolean", max_tokens = "number", temperature = "number", tools = "boolean table", uses = "string table",
  task = "string", quality = "string", max_latency_ms = "number string", data = "string", headers = "table",
  input_tokens = "number", output_tokens = "number", context_tokens = "number", time = "string number",
  body = "string table", user = "string", label = "string table", session = "string", cost_usd = "number",
  topups = "table", grants = "table", prompt = "table",
}
request.fields = fields

local function check_kinds(t)
  for name, kinds in pairs(fields) do
    local kind = type(t[name])
    if kind ~= "nil" and not kinds:find(kind, 1, true) then
      raise.error("bad_value", ("%s: expected a %s, got a %s"):format(name, kinds:gsub(" ", " or a "), kind), 0)
    end
  end
end

local key_fields = {}
for name in ("id app department user team tier region clearance env roles approvals"):gmatch("%S+") do
  key_fields[name] = true
end

local function key_of(as, state)
  local key, labels = { id = "key_example" }, {}
  for name, value in pairs(as or {}) do
    if (name == "roles" or name == "approvals") and type(value) == "string" then value = { value } end
    if value == false then value = nil end -- false says: not there
    if key_fields[name] then key[name] = value else labels[name] = value end
  end
  for _, name in ipairs { "roles", "approvals" } do
    -- An empty list has no JSON of its own
    if type(key[name]) == "table" and next(key[name]) == nil then key[name] = nil end
  end
  if next(labels) then key.labels = labels end
  key.revoked = state == "revoked" or nil
  if state == "expired" then key.expires_at = 1 end
  return key
end

local tool_of = {
  tools = { type = "function", ["function"] = { name = "look_up" } },
  hosted_tools = { type = "web_search" },
  remote_mcp = { type = "mcp", server_label = "x", server_url = "https://example.com" },
}
local cached = { type = "text", text = "hello", cache_control = { type = "ephemeral" } }
local part_of = {
  images = { type = "image_url", image_url = { url = "https://example.com/a.png" } },
  files = { type = "file", file = { filename = "a.pdf", file_data = "data:application/pdf;base64,AAAA" } },
  stored = { type = "file", file = { file_id = "file-1" } },
  audio = { type = "input_audio", input_audio = { data = "AAAA", format = "wav" } },
  caching = cached,
}

-- The same as Anthropic's API writes them.
local anthropic_tool_of = {
  tools = { name = "look_up", input_schema = { type = "object" } },
  hosted_tools = { type = "web_search_20250305", name = "web_search" },
  remote_mcp = { type = "mcp_toolset", mcp_server_name = "x" },
}
local anthropic_servers = { { type = "url", url = "https://example.com", name = "x" } }
local anthropic_part_of = {
  images = { type = "image", source = { type = "url", url = "https://example.com/a.png" } },
  files = { type = "document", source = { type = "base64", media_type = "application/pdf", data = "AAAA" } },
  stored = { type = "document", source = { type = "file", file_id = "file-1" } },
  caching = cached,
}
-- And as the Responses API does.
local responses_tool_of = {
  tools = { type = "function", name = "look_up" }, hosted_tools = tool_of.hosted_tools, remote_mcp = tool_of.remote_mcp,
}
local responses_part_of = {
  images = { type = "input_image", image_url = "https://example.com/a.png" },
  files = { type = "input_file", filename = "a.pdf", file_data = "data:application/pdf;base64,AAAA" },
  stored = { type = "input_file", file_id = "file-1" },
  audio = part_of.audio,
}

-- And as Gemini does.
local gemini_tool_of = {
  tools = { functionDeclarations = { { name = "look_up" } } },
  hosted_tools = { googleSearch = { excludeDomains = { "example.com" } } },
  remote_mcp = { mcpServers = { { name = "docs" } } },
}
local gemini_part_of = {
  images = { inlineData = { mimeType = "image/png", data = "AAAA" } },
  files = { inlineData = { mimeType = "application/pdf", data = "AAAA" } },
  audio = { inlineData = { mimeType = "audio/wav", data = "AAAA" } },
}

local openai = { tools = tool_of, parts = part_of, text = "text" }
local anthropic = { tools = anthropic_tool_of, parts = anthropic_part_of, text = "text" }
local responses = { tools = responses_tool_of, parts = responses_part_of, text = "input_text" }
local gemini = { tools = gemini_tool_of, parts = gemini_part_of }
local spoken = { messages = anthropic, count_tokens = anthropic, responses = responses, input_tokens = responses,
  generate_content = gemini, stream_generate_content = gemini, gemini_count_tokens = gemini }
local function words_of(t) return spoken[t.api] or openai end

local function messages_of(t, tools)
  local own_tools, own_parts = words_of(t).tools, words_of(t).parts
  local content = t.text or "hello"
  local parts = {}
  for _, name in ipairs(type(t.uses) == "string" and { t.uses } or t.uses or {}) do
    if own_parts[name] then parts[#parts + 1] = own_parts[name]
    elseif own_tools[name] then tools[#tools + 1] = own_tools[name]
    else
      error(("uses: '%s' is none of tools, hosted_tools, remote_mcp, images, files, audio, caching, stored"):format(
        tostring(name)), 0)
    end
  end
  if #parts > 0 then
    table.insert(parts, 1, { type = words_of(t).text, text = content }) -- Gemini's have no type
    content = parts
  end
  return t.messages or { { role = "user", content = content } }
end

-- Its path says the model; of what stands here the body does.
local function gemini_body_of(t, tools)
  local parts = messages_of(t, tools)[1].content
  local config = { maxOutputTokens = t.max_tokens, temperature = t.temperature }
  return { model = t.model, generationConfig = next(config) and config,
    contents = t.messages or { { role = "user", parts = type(parts) == "table" and parts or { { text = parts } } } } }
end

local function embedded(t) return { model = t.model, content = { parts = { { text = t.text or "hello" } } } } end

-- What requests hold whose answer is no text.
local function prompted(t, body) body.prompt, body.max_tokens = t.text or "hello", nil end
local function given(t, body) body.input, body.max_tokens = t.text or "hello", nil end
local function ranked(t, body)
  body.query, body.documents, body.max_tokens = t.text or "hello", { "one", "two" }, nil
end
local side = { images = prompted, image_edits = prompted, image_variations = prompted, transcriptions = prompted,
  translations = prompted, moderations = given, speech = given, rerank = ranked }

local function body_of(t)
  if t.body then return type(t.body) == "string" and json.raw(t.body) or t.body end
  local tools = {}
  local body = { model = t.model, stream = t.stream, max_tokens = t.max_tokens, temperature = t.temperature,
    user = t.user }
  if words_of(t) == gemini then body = gemini_body_of(t, tools)
  elseif t.api == "embed_content" then body = embedded(t)
  elseif t.api == "batch_embed_contents" then body = { model = t.model, requests = { embedded(t) } }
  elseif t.api == "embeddings" then body.input = t.text or "hello"
  elseif side[t.api] then side[t.api](t, body)
  elseif t.api == "completions" then body.prompt = t.text or "hello"
  elseif words_of(t) == responses then
    body.input, body.max_tokens, body.max_output_tokens = messages_of(t, tools), nil, t.max_tokens
  else body.messages = messages_of(t, tools) end
  if t.tools == true then tools[#tools + 1] = words_of(t).tools.tools end
  if t.api == "messages" and not body.max_tokens then body.max_tokens = 4096 end -- it cannot do without
  if words_of(t) == anthropic and t.user then body.user, body.metadata = nil, { user_id = t.user } end
  if type(t.tools) == "table" then tools = t.tools end
  if #tools > 0 then body.tools = tools end
  for _, tool in ipairs(tools) do
    if tool == anthropic_tool_of.remote_mcp then body.mcp_servers = anthropic_servers end
  end
  return body
end

local function seconds_of(time)
  return granting.instant(time) or raise.error("bad_time", "time is written \"2025-06-03T12:00:00Z\"", 0)
end
request.seconds_of = seconds_of

local hints = { "task", "quality", "max_latency_ms", "data" }

-- A model that is only to be had in one API is asked for in that.
local function usual_api(t)
  local entry = t.body == nil and catalogue.names[t.model]
  for _, target in ipairs(entry and entry.targets or {}) do
    if not target.dialects or target.dialects.openai == true then return "chat" end
  end
  return entry and entry.targets[1] and "messages" or "chat"
end

local prompt_names = { name = true, version = true, label = true, status = true, sha256 = true }

-- { name = "support/reply", version = "2.1.0", label = "production", status = "approved" }; the last when not said.
local function prompt_of(told)
  local out = { status = "approved" }
  for name, value in pairs(told) do
    if not prompt_names[name] or type(value) ~= "string" then
      raise.error("bad_value", ("prompt: name, version, label, status and sha256 are texts; got '%s'"):format(
        tostring(name)), 0)
    end
    out[name] = value
  end
  if not out.name then raise.error("bad_value", "prompt: name is missing", 0) end
  return out
end

-- JSON text for core.simulate.
function request.describe(t)
  check_kinds(t)
  t.api = t.api or usual_api(t)
  local out = { api = t.api, headers = {}, model_path = t.model }
  for name, value in pairs(t.headers or {}) do out.headers[name] = tostring(value) end
  for _, name in ipairs(hints) do
    if t[name] ~= nil then out.headers["x-moongate-" .. name:gsub("_", "-")] = tostring(t[name]) end
  end
  if t.label then
    out.headers["x-moongate-label"] = type(t.label) == "table" and table.concat(t.label, ", ") or t.label
  end
  if t.session then out.headers["x-session-id"] = t.session end
  if t.cost_usd then out.cost_nano = math.floor(t.cost_usd * 1000000000 + 0.5) end
  if out.api ~= "models" and out.api ~= "model" then out.body = body_of(t) end
  out.token = t.token
  if t.token then out.key_presented = false
  elseif t.key == "missing" or t.key == "unknown" then out.key_presented = t.key == "unknown"
  else out.key = key_of(t.as, t.key) end
  if t.context_tokens then out.input_tokens = t.context_tokens end
  if t.input_tokens then out.input_tokens = t.input_tokens end
  if t.output_tokens then out.output_tokens = t.output_tokens end
  if t.time then out.time = seconds_of(t.time) end
  if t.grants and next(t.grants) then out.grants = granting.of(t.grants) end
  if t.prompt then out.prompt = prompt_of(t.prompt) end
  if t.topups then out.topups = next(t.topups) and t.topups or json.raw "[]" end
  return json.encode(out)
end

return request

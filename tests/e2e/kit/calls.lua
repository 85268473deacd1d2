-- Every path that callers may ask for, by the gateway's own table (core/exchange/api.c), those that call a model each
-- with a small request: a kind of call that is not asked here fails.
--
--   for _, call in ipairs(calls.all()) do g:ask(calls.of(call, "gpt-4o", stream)) end       -- those for money
--   for _, route in ipairs(calls.routes()) do … end       -- all: { word, method, path, dialect, names_model, is_free, is_kept, json }
--   calls.path(route, model)                              -- with the model where the path says it
local form = require("tests.e2e.kit.form")

local calls = {}

local SAY = { { role = "user", content = "hi" } }
local FILE = {} -- makes a form of it
local CONTENT = { role = "user", parts = { { text = "hi" } } }
-- By what is asked, and in which dialect; or by the path, where one says more.
local ASKS = {
  ["CHAT_CHAT openai"] = { messages = SAY, max_tokens = 1 },
  ["CHAT_COMPLETIONS openai"] = { prompt = "hi", max_tokens = 1 },
  ["CHAT_EMBEDDINGS openai"] = { input = "hi" },
  ["CHAT_MODERATIONS openai"] = { input = "hi" },
  ["CHAT_RERANK openai"] = { query = "hi", documents = { "a", "b" } },
  ["CHAT_IMAGES openai"] = { prompt = "hi" },
  ["CHAT_IMAGE_EDITS openai"] = { prompt = "hi", image = FILE },
  ["CHAT_IMAGE_VARIATIONS openai"] = { image = FILE },
  ["CHAT_SPEECH openai"] = { input = "hi", voice = "alloy" },
  ["CHAT_TRANSCRIPTIONS openai"] = { prompt = "hi", file = FILE },
  ["CHAT_TRANSLATIONS openai"] = { file = FILE },
  ["CHAT_FILES openai"] = { purpose = "user_data", file = FILE },
  ["CHAT_BATCHES openai"] = { input_file_id = "file-1", endpoint = "/v1/chat/completions", completion_window = "24h" },
  ["CHAT_CHAT anthropic"] = { messages = SAY, max_tokens = 1 },
  ["CHAT_COUNT anthropic"] = { messages = SAY },
  ["CHAT_CHAT responses"] = { input = "hi", max_output_tokens = 1 },
  ["CHAT_COMPACT responses"] = { input = SAY },
  ["CHAT_COUNT responses"] = { input = "hi" },
  ["CHAT_CONVERSATIONS responses"] = { items = { { type = "message", role = "user", content = "hi" } } },
  ["CHAT_CHAT gemini"] = { contents = { CONTENT }, generationConfig = { maxOutputTokens = 1 } },
  ["CHAT_COUNT gemini"] = { contents = { CONTENT } },
  ["CHAT_EMBEDDINGS gemini"] = { content = CONTENT },
  ["/v1beta/models/*:batchEmbedContents"] = { requests = { { content = CONTENT } } },
}

local function path_of(text, defines)
  return (text:gsub("([%u_]+)", function(name) return defines[name] and '"' .. defines[name] .. '"' end):gsub('"%s*"', ""):gsub('"', ""))
end

function calls.routes()
  local file = assert(io.open("core/exchange/api.c"))
  local text, found, defines = file:read("*a"), {}, {}
  file:close()
  for name, value in text:gmatch('#define ([%u_]+) "([^"]*)"') do defines[name] = value end
  for row in text:match("apis%[%] = (%b{})"):sub(2, -2):gmatch("%b{}") do
    local word, method, path, kind, rest = row:match('^{"([%w_]+)",%s*"[%w_]+",%s*"(%u+)",%s*([^,]+),%s*API_(%u+),(.*)}$')
    if not word then error("core/exchange/api.c is written otherwise than this reads it: " .. row, 2) end
    local route = { word = word, method = method, path = path_of(path, defines), dialect = rest:match("dialect_(%w+)"),
      is_call = kind == "CALL", is_free = rest:find("is_free = true", 1, true) ~= nil, if_header = rest:match("if_header = ([%u_]+)") }
    route.if_header = route.if_header and defines[route.if_header]
    route.is_kept = rest:find("stands_for", 1, true) ~= nil or kind == "OBJECT"
    if route.is_call then
      local asks = rest:match("CHAT_[%u_]+") .. " " .. route.dialect
      route.names_model = route.path:find("*", 1, true) ~= nil
      route.json = ASKS[route.path] or ASKS[asks] or error(asks .. " has no request in " .. debug.getinfo(1, "S").short_src, 2)
    end
    found[#found + 1] = route
  end
  return found
end

function calls.path(route, model)
  return (route.path:gsub("%*", (model:gsub("%%", "%%%%"))))
end

-- A model that can be paid for whatever it is asked.
calls.PRICE = [[usd_per_million { input = "100000", output = "100000", image_output = "100000", audio_output = "100000",
  per_image = "1", per_second = "1", per_character = "1", per_search = "1" }]]

local function as_form(json)
  local parts = {}
  for name, value in pairs(json) do
    parts[#parts + 1] = value == FILE and { name, "\0\1", filename = "a.bin" } or { name, tostring(value) }
  end
  return form.of(parts)
end

-- A request's body, and its type where that is no JSON.
function calls.body(json)
  for _, value in pairs(json) do
    if value == FILE then
      local type, body = as_form(json)
      return body, type
    end
  end
  return json
end

-- One of them for that model, which the path may say.
function calls.of(call, model, stream)
  local json = { stream = call.dialect ~= "gemini" and stream or nil }
  for name, value in pairs(call.json) do json[name] = value end
  if not call.names_model then json.model = model end
  local body, type = calls.body(json)
  return { method = call.method, path = calls.path(call, model), json = body, type = type }
end

-- Those that make what a provider keeps, and ask no model: the models "files", "batches" and "conversations" stand for them.
function calls.kept()
  local found = {}
  for _, route in ipairs(calls.routes()) do
    if route.is_call and route.is_kept then found[#found + 1] = route end
  end
  return found
end

-- Those that call a model for money.
function calls.all()
  local found = {}
  for _, route in ipairs(calls.routes()) do
    if route.is_call and not route.is_free and not route.is_kept then found[#found + 1] = route end
  end
  return found
end

return calls

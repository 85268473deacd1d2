-- Every path that calls a model for money, by the gateway's own table of paths (core/exchange/api.c), each with a small
-- request: a new one that is not asked here fails.
--
--   for _, call in ipairs(calls.all()) do g:ask(calls.of(call, "gpt-4o", stream)) end
local form = require("tests.e2e.kit.form")

local calls = {}
local FILE = {} -- makes a form of it

local ASKS = {
  ["/v1/chat/completions"] = { messages = { { role = "user", content = "hi" } }, max_tokens = 1 },
  ["/v1/completions"] = { prompt = "hi", max_tokens = 1 },
  ["/v1/embeddings"] = { input = "hi" },
  ["/v1/messages"] = { messages = { { role = "user", content = "hi" } }, max_tokens = 1 },
  ["/v1/responses"] = { input = "hi", max_output_tokens = 1 },
  ["/v1/responses/compact"] = { input = { { role = "user", content = "hi" } } },
  ["/openai/deployments/*/chat/completions"] = { messages = { { role = "user", content = "hi" } }, max_tokens = 1 },
  ["/openai/deployments/*/completions"] = { prompt = "hi", max_tokens = 1 },
  ["/openai/deployments/*/embeddings"] = { input = "hi" },
  ["/v1/moderations"] = { input = "hi" },
  ["/v1/rerank"] = { query = "hi", documents = { "a", "b" } },
  ["/v2/rerank"] = { query = "hi", documents = { "a", "b" } },
  ["/rerank"] = { query = "hi", documents = { "a", "b" } },
  ["/v1/images/generations"] = { prompt = "hi" },
  ["/v1/images/edits"] = { prompt = "hi", image = FILE },
  ["/v1/images/variations"] = { image = FILE },
  ["/v1/audio/speech"] = { input = "hi", voice = "alloy" },
  ["/v1/audio/transcriptions"] = { file = FILE },
  ["/v1/audio/translations"] = { prompt = "hi", file = FILE },
  ["/openai/deployments/*/images/generations"] = { prompt = "hi" },
  ["/openai/deployments/*/images/edits"] = { prompt = "hi", image = FILE },
  ["/openai/deployments/*/audio/speech"] = { input = "hi", voice = "alloy" },
  ["/openai/deployments/*/audio/transcriptions"] = { file = FILE },
  ["/openai/deployments/*/audio/translations"] = { file = FILE },
}

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

-- One of them for that model, which the path may say.
function calls.of(call, model, stream)
  local json = { stream = stream or nil }
  for name, value in pairs(call.json) do json[name] = value end
  if not call.path:find("*", 1, true) then json.model = model end
  local of = { method = call.method, path = (call.path:gsub("%*", model)), json = json }
  for _, value in pairs(json) do
    if value == FILE then
      of.type, of.json = as_form(json)
      break
    end
  end
  return of
end

function calls.all()
  local file = assert(io.open("core/exchange/api.c"))
  local text, found = file:read("*a"), {}
  file:close()
  for method, path, rest in text:gmatch('{"[%w_]+", "[%w_]+", "(%u+)", "([^"]+)", API_CALL([^}]*)}') do
    local json = ASKS[path]
    if not rest:find("is_free = true", 1, true) then
      if not json then error(path .. " has no request in " .. debug.getinfo(1, "S").short_src, 2) end
      found[#found + 1] = { method = method, path = path, json = json }
    end
  end
  if #found < 3 then error("core/exchange/api.c is written otherwise than this reads it", 2) end
  return found
end

return calls

-- Every path that calls a model for money, by the gateway's own table of paths (core/exchange/api.c), each with a small
-- request: a new one that is not asked here fails.
--
--   for _, call in ipairs(calls.all()) do g:ask(calls.of(call, "gpt-4o", stream)) end
local calls = {}

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
}

-- One of them for that model, which the path may say.
function calls.of(call, model, stream)
  local json = { stream = stream or nil }
  for name, value in pairs(call.json) do json[name] = value end
  if not call.path:find("*", 1, true) then json.model = model end
  return { method = call.method, path = (call.path:gsub("%*", model)), json = json }
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

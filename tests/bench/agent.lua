-- One agent's request as it asks by four APIs: opencode's, captured, and its work for as long as it takes to so many bytes.
--
--   local agent = dofile("tests/bench/agent.lua")
--   agent.request("gemini", 65536)        -- { dialect, model, body }; model: where the path says it, else ""
--   agent.is_here()                       -- are the captured requests there (../shared/captured, or MOONGATE_CAPTURED)?
local cjson = require("cjson")
local gateway = dofile("tests/lib/gateway.lua")

local agent = {}
local SAY, LOOK = "Look into src/main.c, and say what it does.", "I look."
local RESULT = ("int main(void)\n{\n    return 0;\n}\n"):rep(12)
local ARGS = { path = "src/main.c" }
local ASKED = cjson.encode(ARGS)

-- By the captured files' names: the dialect, the list of what was said, a model for the path, and a turn of the work.
local APIS = {
  chat = { "openai", "messages", "", {
    { role = "user", content = SAY },
    { role = "assistant", content = LOOK, tool_calls = {
      { id = "call_1", type = "function", ["function"] = { name = "read", arguments = ASKED } } } },
    { role = "tool", tool_call_id = "call_1", content = RESULT } } },
  messages = { "anthropic", "messages", "", {
    { role = "user", content = { { type = "text", text = SAY } } },
    { role = "assistant", content = { { type = "text", text = LOOK }, { type = "tool_use", id = "call_1", name = "read", input = ARGS } } },
    { role = "user", content = { { type = "tool_result", tool_use_id = "call_1", content = RESULT } } } } },
  responses = { "responses", "input", "", {
    { role = "user", content = { { type = "input_text", text = SAY } } },
    { type = "message", role = "assistant", content = { { type = "output_text", text = LOOK } } },
    { type = "function_call", call_id = "call_1", name = "read", arguments = ASKED },
    { type = "function_call_output", call_id = "call_1", output = RESULT } } },
  gemini = { "gemini", "contents", "m", {
    { role = "user", parts = { { text = SAY } } },
    { role = "model", parts = { { text = LOOK }, { functionCall = { name = "read", args = ARGS } } } },
    { role = "user", parts = { { functionResponse = { name = "read", response = { output = RESULT } } } } } } },
}

local function captured(api)
  return gateway.read_file((os.getenv("MOONGATE_CAPTURED") or "../shared/captured") .. "/opencode." .. api .. ".2.json")
end

function agent.is_here()
  return captured("chat") ~= nil
end

function agent.request(api, bytes)
  local dialect, list, model, turn = unpack(APIS[api])
  local body, i = cjson.decode(captured(api)).body, 0
  while #cjson.encode(body) < bytes do
    i = i % #turn + 1
    table.insert(body[list], turn[i])
  end
  return { dialect = dialect, model = model, body = cjson.encode(body) }
end

return agent

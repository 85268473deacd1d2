-- Coding agents as they come from npm, not interactive, in a network of their own in which there is nothing but the gateway
-- and the mock behind it: each reads a file, changes it with a tool of its own, and says that it has; once on a model of the
-- vendor that it was made for, once on another's, whose API it does not speak.
--
--   make agents            installs the pinned agents into build/agents the first time
local cjson = require("cjson")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")
local turns = dofile("tests/agents/turns.lua")

local PROGRAMS = (os.getenv("AGENTS") or error("run `make agents`")) .. "/node_modules/.bin/"
local TASK = "note.txt misspells one word. Correct it in the file."
local WRONG, RIGHT = "the quick borwn gate", "the quick brown gate"
local DONE = "The word is corrected now."

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "routing" }\n',
  ["auth.lua"] = 'return auth { keys = { headers = { "authorization", "x-api-key", "x-goog-api-key" } } }\n',
  ["models.lua"] = [[
local price = usd_per_million { input = "1", output = "8" }
return models {
  ["claude-sonnet-4-5"] = { targets = { "anthropic/claude-sonnet-4-5" }, context = 200000, price = price },
  ["gemini-2.5-pro"]    = { targets = { "google/gemini-2.5-pro" }, context = 1000000, price = price },
  ["gpt-4.1"]           = { targets = { "openai/gpt-4.1" }, context = 1000000, price = price },
}
]],
  ["routing.lua"] = "return routing { rules = {} }\n",
}

-- What a model is, how the provider is asked for it, and how it answers.
local claude = { model = "claude-sonnet-4-5", path = "/v1/messages", turns = turns.anthropic }
local gpt = { model = "gpt-4.1", path = "/v1/chat/completions", turns = turns.chat }
local gpt_responses = { model = "gpt-4.1", path = "/v1/responses", turns = turns.responses }

local gemini = { model = "gemini-2.5-pro", path = "/v1beta/models/gemini-2.5-pro:streamGenerateContent", turns = turns.gemini }

local m, g
setup(function()
  m = mock.start { key = gateway.PROVIDER_KEY }
  local function account(kind) return { kind = kind, url = m.url, key = gateway.raw('env "OPENAI_API_KEY"') } end
  g = gateway.start { mock = m, name = "agents", policies = POLICIES, key = { app = "agents" },
    config = { providers = { anthropic = account("anthropic"), openai = account("openai"),
      google = { kind = "gemini", url = m.url:gsub("/v1$", "/v1beta"), key = gateway.raw('env "OPENAI_API_KEY"') } } } }
end)
teardown(function()
  if g then g:stop() end
  if m then m:stop() end
end)
before_each(function() m:reset() end)

-- An agent: tool, of which a request of its work knows the name; read and edit: what its model calls, with what;
-- words: how it is run on a task, in `work` with an unused `home`.
local agents = {}

agents["Claude Code"] = {
  tool = "Edit",
  read = function(file) return "Read", { file_path = file } end,
  edit = function(file) return "Edit", { file_path = file, old_string = WRONG, new_string = RIGHT, replace_all = false } end,
  words = function(of)
    return { "claude", "-p", TASK, "--model", of.model, "--permission-mode", "acceptEdits",
      env = { ANTHROPIC_BASE_URL = of.url, ANTHROPIC_AUTH_TOKEN = g.key, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC = "1" } }
  end,
}

local PATCH = ("apply_patch <<'EOF'\n*** Begin Patch\n*** Update File: note.txt\n@@\n-%s\n+%s\n*** End Patch\nEOF\n"):format(WRONG, RIGHT)
local CODEX = [[
model = %q
model_provider = "moongate"
[model_providers.moongate]
name = "moongate"
base_url = "%s/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
]]

agents["Codex"] = {
  tool = "exec_command",
  read = function() return "exec_command", { cmd = "cat note.txt" } end,
  edit = function() return "exec_command", { cmd = PATCH } end,
  words = function(of)
    g.dir:write(of.home .. "/config.toml", CODEX:format(of.model, of.url))
    return { "codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", TASK,
      env = { CODEX_HOME = g.dir:path(of.home), OPENAI_API_KEY = g.key } }
  end,
}

agents["opencode"] = {
  tool = "edit",
  read = function(file) return "read", { filePath = file } end,
  edit = function(file) return "edit", { filePath = file, oldString = WRONG, newString = RIGHT } end,
  words = function(of)
    local provider = { npm = "@ai-sdk/openai-compatible", name = "moongate", options = { baseURL = of.url .. "/v1", apiKey = g.key },
      models = { [of.model] = { name = of.model } } }
    g.dir:write(of.work .. "/opencode.json", cjson.encode { provider = { moongate = provider } })
    return { "opencode", "run", "-m", "moongate/" .. of.model, TASK,
      env = { OPENCODE_DISABLE_AUTOUPDATE = "1", OPENCODE_DISABLE_MODELS_FETCH = "1" } }
  end,
}

agents["gemini-cli"] = {
  tool = "replace",
  read = function(file) return "read_file", { file_path = file } end,
  edit = function(file) return "replace", { file_path = file, old_string = WRONG, new_string = RIGHT, instruction = "spell it right" } end,
  words = function(of)
    g.dir:write(of.home .. "/.gemini/settings.json", cjson.encode { security = { auth = { selectedType = "gemini-api-key" } } })
    return { "gemini", "-m", of.model, "--yolo", "--skip-trust", "-p", TASK,
      env = { GOOGLE_GEMINI_BASE_URL = of.url, GEMINI_API_KEY = g.key, GEMINI_CLI_TRUST_WORKSPACE = "true" } }
  end,
}

-- The model: what holds the result of a call is answered with the turn behind it, so the last of them stands first.
local function play(agent, on, file)
  local function says(body) return { count = 0, path = on.path, body = body, content_type = "text/event-stream" } end
  local list = { says(on.turns.text(DONE)), says(on.turns.call("call_edit", agent.edit(file))), says(on.turns.call("call_read", agent.read(file))) }
  list[1].match, list[2].match, list[3].match = "call_edit", "call_read", ('"name":"%s"'):format(agent.tool)
  m:script(list)
end

local function run(words, work, home)
  words[1] = PROGRAMS .. words[1]
  words.cwd, words.seconds = g.dir:path(work), 180
  words.env.HOME, words.env.PWD = g.dir:path(home), words.cwd
  local said, code = process.run(words)
  assert(code == 0, ("%s ended with %d:\n%s"):format(words[1], code, said))
  return said
end

local function corrects(name, on)
  local agent, folder = agents[name], (name .. "-" .. on.model):gsub("%W", "-")
  local work, home = folder .. "/work", folder .. "/home"
  local file = work .. "/note.txt"
  g.dir:write(file, WRONG .. "\n")
  g.dir:write(home .. "/.keep", "")
  play(agent, on, g.dir:path(file))
  local said = run(agent.words { model = on.model, url = "http://127.0.0.1:" .. g.port, work = work, home = home }, work, home)
  assert(said:find(DONE, 1, true), said)
  assert.equal(RIGHT .. "\n", g.dir:read(file))
  for _, request in ipairs(m:requests()) do assert.equal(on.path, request.path:match("^[^?]*")) end
end

describe("Claude Code", function()
  it("works on a model of Anthropic's", function() corrects("Claude Code", claude) end)
  it("works on a model of OpenAI's", function() corrects("Claude Code", gpt) end)
end)

describe("Codex", function()
  it("works on a model of OpenAI's", function() corrects("Codex", gpt_responses) end)
  it("works on a model of Anthropic's", function() corrects("Codex", claude) end)
end)

describe("gemini-cli", function()
  it("works on a model of Google's", function() corrects("gemini-cli", gemini) end)
  it("works on a model of OpenAI's", function() corrects("gemini-cli", gpt) end)
  it("works on a model of Anthropic's", function() corrects("gemini-cli", claude) end)
end)

describe("opencode", function()
  it("works on a model of OpenAI's", function() corrects("opencode", gpt) end)
  it("works on a model of Anthropic's", function() corrects("opencode", claude) end)
end)

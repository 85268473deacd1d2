-- What policies may write, for editors and linters: types for LuaLS and names for luacheck, read off the schema that
-- validates, so that neither can say anything else than the gateway does.
--
-- A first script of its own (core/lua/describe.c) instead of boot.lua; core.wanted says which of "types", "luacheckrc"
-- is wanted. Gives the text. Constructors are compiled with a table in which every field is a probe; shapes that meet
-- it tell what they are (scripts/schema.lua).
local core = ...

local wanted, loaded = {}, {}
local function use(name)
  local module = loaded[name]
  if module == nil then
    module = core.script("scripts/" .. name .. ".lua")(core, use) or true
    loaded[name] = module
  end
  return module
end

core.describing = true -- schema.lua asks
local schema = use "schema"
local report = use "report"
local recording = use "recording"
local policies = use "policies"
local constructors = use "constructors"
local sandbox = use "sandbox"
local conditions = use "condition"
local facts = use "facts"
local rules = use "rules"
local predicates = use "predicates"
local rates = use "rates"
local verbs = use "verbs"
local disconnect = use "disconnect"
local signatures = use "describe/signatures"

-- --- the fields of each constructor ---

local probe_meta = { __metatable = "probe" }
local probe = setmetatable({}, probe_meta)
probe_meta.__index = function() return probe end

-- kind → { fields = { name → shape }, top = shape of the whole table, actions = set }
local function describe_kind(kind)
  local described = { fields = {}, actions = {} }
  local check, compile, tracer = policies.check, policies.compile, schema.tracer
  policies.check = function(_, extra)
    described.is_policy = true
    for name, own in pairs(extra) do described.fields[type(name) == "number" and own or name] = false end
  end
  policies.compile = function(_, policy, allowed)
    described.actions = allowed
    policy.mode, policy.rules = "enforce", {}
  end
  schema.tracer = function(path, about)
    if path == nil then described.top = about
    elseif path.up == nil and type(path.key) == "string" then described.fields[path.key] = about end
  end
  -- Only the kind's own fields are probes; what all share is left out.
  local spec = setmetatable({}, { __metatable = "probe", __index = function(_, name)
    return not policies.is_shared(name) and probe or nil
  end })
  report.begin { path = "policies/x.lua", text = "", line = 1 }
  core.run(use("constructors/" .. kind).compile, spec, { name = "x", file = "policies/x.lua", mode = "enforce" })
  policies.check, policies.compile, schema.tracer = check, compile, tracer
  return described
end

-- --- types for LuaLS ---

local out = {}
local function put(format, ...) out[#out + 1] = select("#", ...) > 0 and format:format(...) or format end

local function quoted(words)
  local list = {}
  for i, word in ipairs(words) do list[i] = ("%q"):format(word) end
  return table.concat(list, "|")
end

local function sorted(map)
  local names = {}
  for name in pairs(map) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  return names
end

local classes_done = {}
local type_of

-- A record becomes a class of its own, named after where it stands.
local function record_class(about, name)
  if classes_done[name] then return name end
  classes_done[name] = true
  local required = {}
  for _, field in ipairs(about.required or {}) do required[field] = true end
  local lines = {}
  for _, field in ipairs(sorted(about.fields)) do
    local mark = type(field) == "number" and ("[%d]"):format(field) or field .. (required[field] and "" or "?")
    lines[#lines + 1] = ("---@field %s %s"):format(mark, type_of(about.fields[field], name .. "." .. tostring(field)))
  end
  put("---@class (exact) %s", name)
  for _, line in ipairs(lines) do put("%s", line) end
  put("")
  return name
end

type_of = function(shape, name)
  local about = type(shape) == "function" and schema.about[shape] or type(shape) == "table" and shape or nil
  if not about then return "any" end
  if about.kind == "choice" then return quoted(about.words) end
  if about.kind == "list" then return "(" .. type_of(about.of, name) .. ")[]" end
  if about.kind == "one_or_list" then
    local one = type_of(about.of, name)
    return ("%s|(%s)[]"):format(one, one)
  end
  if about.kind == "any_of" then
    local parts = {}
    for i, one in ipairs(about.of) do parts[i] = type_of(one, name) end
    return table.concat(parts, "|")
  end
  if about.kind == "map" then return ("table<string, %s>"):format(type_of(about.of, name)) end
  if about.kind == "record" then return record_class(about, name) end
  return about.kind
end

local numbers = { max_tokens = true, temperature = true, time = true, status = true, images = true, searches = true,
  tool_calls = true }

-- ctx fields: what a name holds. Absent facts are nil.
local function fact_type(kind, name, value)
  if type(value) == "function" then return nil end
  if facts.fields[name] and kind == "ctx" then return "mg.ctx." .. name end
  if kind == "budget" then return "table<string, number>?" end
  if name == "roles" or name == "approvals" then return "table<string, boolean?>" end
  if name == "headers" then return "table<string, string?>" end
  if name == "stream" or name == "estimated" or name == "priced" then return "boolean" end
  if name == "tools" then return "any" end
  if name == "data" then return quoted(schema.classes) end
  if name == "targets" then return "string[]" end
  if name == "attempts" then return "table[]" end
  if numbers[name] or name:find("_tokens$") or name:find("_ms$") or name:find("_usd$") then return "number?" end
  return "string?"
end

local methods = {
  cost_of = "model: string): number?",
  annotate = "name: string, value: string|number|boolean",
  warn = "code: string, text?: string",
  record = "wish: mg.record",
  mask = "kinds: string|string[]",
  set = "field: string, value: any, reason?: string",
  contains = "text: string): boolean",
  last_user_text = "): string?",
  text_bytes = "): number",
  text = "): string",
}

local function put_views()
  for _, kind in ipairs(sorted(facts.fields)) do
    local map = facts.fields[kind]
    local class = kind == "ctx" and "mg.ctx" or "mg.ctx." .. kind
    put("---@class %s", class)
    for _, name in ipairs(sorted(map)) do
      local kind_of = name:sub(1, 1) ~= "_" and fact_type(kind, name, map[name])
      if kind_of then put("---@field %s %s", name, kind_of)
      elseif name:sub(1, 1) ~= "_" then
        local signature = methods[name] or "...: any"
        put("---@field %s fun(self: %s%s%s", name, class, signature:sub(1, 1) == ")" and "" or ", ",
          signature:find(")", 1, true) and signature or signature .. ")")
      end
    end
    if kind == "identity" then put("---@field [string] string?") end
    put("")
  end
end

local function put_conditions()
  put("---@alias mg.Value string|number|boolean|string[]|number[]|mg.predicate")
  put("---@class mg.predicate")
  put("")
  put("---What must hold, all of it. A function is opaque to `moongate explain` and `moongate diff`: prefer a table.")
  put("---@class mg.when")
  local names = conditions.names()
  table.sort(names)
  local maps = { headers = true, tags = true }
  for _, name in ipairs(names) do
    put("---@field %s? %s", name, maps[name] and "table<string, mg.Value>" or "mg.Value")
  end
  put("---@field [string] mg.Value labels of your keys, which auth.lua names")
  put("")
end

local action_types = {
  deny = "{ [1]: integer, [2]: string }|{ status?: integer, code: string, reason?: string, retry_after?: number }",
  route = "string|string[]", pass = "true|string", annotate = "table<string, string|number|boolean>",
  warn = "string|{ [1]: string, [2]: string }", record = "mg.record",
  only = "string|string[]|{ region?: string, label?: string }",
  drop = "string|string[]|{ region?: string, label?: string }",
}

local function put_rule(kind, actions)
  put("---@class (exact) mg.%s.rule", kind)
  put("---@field [1] string its name, which traces and records show")
  for _, name in ipairs(rules.shared_fields()) do
    local types = { when = "mg.when|fun(ctx: mg.ctx): any", unless = "mg.when|fun(ctx: mg.ctx): any", reason = "string",
      mode = type_of(schema.mode) }
    put("---@field %s? %s", name, types[name] or "any")
  end
  for _, name in ipairs(sorted(actions)) do put("---@field %s? %s", name, action_types[name] or "any") end
  put("")
end

local hooks = {
  on_request = "fun(ctx: mg.ctx): mg.decision?", on_attempt = "fun(ctx: mg.ctx, target: table): mg.decision?",
  on_delta = "fun(ctx: mg.ctx, text: string): mg.decision?", on_response = "fun(ctx: mg.ctx): mg.decision?",
  on_done = "fun(ctx: mg.ctx)",
}

local shared_types = {
  name = "string", description = "string", mode = type_of(schema.mode), on_error = '"deny"|"skip"',
  examples = "table[]", keeps_state = "boolean", buffer = "boolean", on_client_disconnect = "mg.disconnect",
}

local function put_policy(kind, described)
  put_rule(kind, described.actions)
  local lines = {}
  for _, name in ipairs(policies.shared_names()) do
    local of = name == "rules" and ("mg.%s.rule[]"):format(kind) or shared_types[name] or hooks[name] or "any"
    lines[#lines + 1] = ("---@field %s? %s"):format(name, of)
  end
  for _, name in ipairs(sorted(described.fields)) do
    lines[#lines + 1] = ("---@field %s? %s"):format(name,
      type_of(described.fields[name], ("mg.%s.%s"):format(kind, name)))
  end
  put("---@class (exact) mg.%s", kind)
  for _, line in ipairs(lines) do put("%s", line) end
  put("")
  put("---@param spec mg.%s", kind)
end

local function put_constructors()
  for _, kind in ipairs(sorted(constructors.kinds)) do
    local described = describe_kind(kind)
    if described.is_policy then put_policy(kind, described)
    elseif described.top then put("---@param spec %s", type_of(described.top, "mg." .. kind))
    else put("---@param spec (string|{ [1]: string, mode: \"enforce\"|\"off\" })[]") end
    put("---@return table")
    put("---@nodiscard")
    put("function %s(spec) end", kind)
    put("")
  end
end

local predicate_arguments = { gt = "number: number", ge = "number: number", lt = "number: number",
  le = "number: number", between = "low: number, high: number", like = "pattern: string",
  at_least = "class: " .. quoted(schema.classes), isnt = "value: string|number|boolean", none_of = "list: table" }

local function put_words()
  for _, name in ipairs(sorted(predicates.words)) do
    if type(predicates.words[name]) == "function" then
      local argument = predicate_arguments[name] or "value: any"
      for one in (argument .. ", "):gmatch("(.-), ") do
        local param, of = one:match("^([%a_]+): (.*)$")
        put("---@param %s %s", param, of)
      end
      put("---@return mg.predicate")
      put("function %s(%s) end", name, (argument:gsub(": [^,]+", "")))
    else
      put("---@type mg.predicate")
      put("%s = nil", name)
    end
    put("")
  end
  type_of(recording.shape, "mg.record")
  put("---@class mg.disconnect")
  put("")
  put("---@type mg.disconnect")
  put("cancel = nil")
  put("")
  put("---@param bounds { max_seconds: integer, max_tokens: integer }")
  put("---@return mg.disconnect")
  put("function drain(bounds) end")
  put("")
  put("---@class mg.decision")
  put("")
  local arguments = { deny = "status, code, reason", route = "targets, options", only = "targets, options",
    drop = "targets, options", pass = "reason" }
  for _, name in ipairs(sorted(verbs.words)) do
    for param in (arguments[name] or "..."):gmatch("[%a_%.]+") do
      put("---@param %s any", param == "..." and "..." or param .. "?")
    end
    put("---@return mg.decision")
    put("---@nodiscard")
    put("function %s(%s) end", name, arguments[name] or "...")
    put("")
  end
end

-- What models.lua writes after `price =`.
local function put_prices()
  local of_rates = type_of(rates.spec, "mg.rates")
  put("---@class mg.price")
  put("")
  put("---USD per million tokens, as text: \"2.50\". per_request, per_image, per_search, per_tool_call, per_second,")
  put("---per_character: USD for one.")
  put("---@param rates %s", of_rates)
  put("---@return mg.price")
  put("---@nodiscard")
  put("function usd_per_million(rates) end")
  put("")
  put("---@type mg.price")
  put("free = nil")
  put("")
end

local function put_function(name)
  local signature = signatures.functions[name] or { "...: any", returns = "any ..." }
  local names = {}
  for i, parameter in ipairs(signature) do
    local word, of = parameter:match("^([%w_%.]+%??): (.*)$")
    put("---@param %s %s", word, of)
    names[i] = word:gsub("%?", "")
  end
  if signature.returns then put("---@return %s", signature.returns) end
  put("function %s(%s) end", name, table.concat(names, ", "))
end

local function put_classes()
  for _, name in ipairs(sorted(signatures.classes)) do
    put("---@class %s", name)
    for _, field in ipairs(signatures.classes[name]) do put("---@field %s", field) end
    put("")
  end
end

-- Words that are neither Lua's own nor told of above.
local lua_words = {}
for name in ([[assert error ipairs next pairs select setmetatable tonumber tostring type unpack]]):gmatch("%S+") do
  lua_words[name] = true
end

for name in pairs(rates.words) do lua_words[name] = true end

local function put_others()
  for _, name in ipairs(sandbox.names()) do
    if not (lua_words[name] or sandbox.libraries()[name] or predicates.words[name] or verbs.words[name]
      or disconnect.words[name] or constructors.kinds[name]) then
      put_function(name)
      put("")
    end
  end
end

local function put_libraries()
  for _, name in ipairs(sorted(sandbox.libraries())) do
    local is_own = not (name == "string" or name == "table" or name == "math" or name == "bit")
    if is_own then
      put("%s = {}", name)
      for _, field in ipairs(sorted(sandbox.libraries()[name])) do
        if type(sandbox.libraries()[name][field]) == "function" then put_function(("%s.%s"):format(name, field))
        else put("%s.%s = nil", name, field) end
      end
      put("")
    end
  end
end

function wanted.types()
  put("---@meta moongate")
  put("-- Written by `moongate init` from what the gateway checks; made again with `moongate init --types`.")
  put("")
  put_views()
  put_conditions()
  put_words()
  put_prices()
  put_constructors()
  put_classes()
  put_libraries()
  put_others()
  put("%s", signatures.elsewhere)
end

function wanted.test_types() put("%s", signatures.test_module) end

-- --- names for luacheck ---

function wanted.luacheckrc()
  put("-- Written by `moongate init`: what policies may name, and what specs may.")
  put("std = \"none\"")
  put("max_line_length = 140")
  put("read_globals = {")
  local libraries = sandbox.libraries()
  for _, name in ipairs(sandbox.names()) do
    if libraries[name] then
      put("  %s = { fields = { %s } },", name, (quoted(sorted(libraries[name])):gsub("|", ", ")))
    else put("  %q,", name) end
  end
  put("}")
  put("files[\"moongate.lua\"] = { read_globals = { \"moongate\", \"env\", \"file\" } }")
  put("files[\"policies/specs\"] = { std = \"luajit+busted\", max_line_length = 240 }")
  put("exclude_files = { \"types\" }")
end

wanted[core.wanted]()
return table.concat(out, "\n") .. "\n"

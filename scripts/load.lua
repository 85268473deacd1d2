-- Loads the bundle: every file is run, checked and compiled, and all that is wrong is reported, not the first only.
local core, use = ...
local report = use "report"
local constructors = use "constructors"
local facts = use "facts"
local raise = use "raise"
local sandbox = use "sandbox"
local modules = use "modules"
local catalogue = use "catalogue"
local chain = use "chain"
local phases = use "phases"
local examples = use "examples"
local lint = use "lint"
local names_that_look_misspelt = use "lint/names"
local reading = use "reading"
local http = use "services/http"
local governing = use "governing"

local kinds = {}
for kind in pairs(constructors.kinds) do kinds[kind] = use("constructors/" .. kind) end

local function check_kind(definition, expected, file)
  if expected and definition.kind ~= expected then
    report.at(nil, "no_policy", ("%s must return %s { … }, and returns %s { … }"):format(file.path, expected,
      definition.kind))
    return false
  end
  if not expected and (definition.kind == "chain" or definition.kind == "models" or definition.kind == "apps"
    or definition.kind == "governance") then
    report.at(nil, "bad_chain", ("%s stands in the chain, and returns %s { … }, which is no policy"):format(file.path,
      definition.kind))
    return false
  end
  return true
end

-- The file returned no definition: where one was built and lost, else at all.
local function complain_of_value(file, value, expected)
  local lost = value == nil and constructors.last
  local place = lost and lost.line and ("%s:%d: "):format(file.path, lost.line) or ""
  report.message("no_policy", ("%sthe file returns %s"):format(place,
    value == nil and "nothing" or "a " .. type(value)), lost and ("write: return %s { … }"):format(lost.kind)
      or ("it must end with: return %s { … }"):format(expected or "access"))
end

-- The file's definition, or nil after reporting. name without folder and ending; expected: the kind it must be of.
local function read(name, expected)
  local file = { path = ("policies/%s.lua"):format(name), text = core.bundle_text(name .. ".lua") }
  report.begin(file)
  if not file.text then
    report.message("no_file", ("there is no file %s"):format(file.path))
    return nil
  end
  if file.text:byte(1) == 27 then
    report.message("no_file", "compiled Lua is refused: a policy is source, for people to read")
    return nil
  end
  local chunk, wrong = core.load(file.text, "@" .. file.path, sandbox.environment())
  if not chunk then
    report.message("not_lua", wrong)
    return nil
  end
  if not sandbox.check(file, chunk) then return nil end
  if not core.is_checked() then reading.check(file) end
  constructors.last = nil
  local ok, value = core.run(chunk)
  if not ok then
    report.message(raise.finding_of(value), value)
    return nil
  end
  local definition = constructors.definition(value)
  if not definition then
    complain_of_value(file, value, expected)
    return nil
  end
  file.line = definition.line or (report.place(nil))
  definition.file, definition.name, file.parts = file, name, definition.parts
  return check_kind(definition, expected, file) and definition or nil
end

local function compile(definition, is_off)
  report.begin(definition.file)
  local policy = { name = definition.name, kind = definition.kind, file = definition.file.path,
    line = definition.file.line, is_off = is_off }
  kinds[definition.kind].compile(definition.spec, policy)
  return policy
end

-- init, models and apps: what they give.
local function compile_plain(definition)
  if not definition then return nil end
  report.begin(definition.file)
  return kinds[definition.kind].compile(definition.spec)
end

local order = { auth = 1, access = 2, ratelimit = 3, budget = 4, redaction = 5, routing = 6 }

-- The chain with this file in it, where files of its kind stand: return chain { "auth", "house", "routing" }.
local function place_in_chain(name, names, definitions)
  local kind = core.bundle_text(name .. ".lua"):match("%f[%w_]return%s+(%a+)%s*[%({]")
  if not constructors.kinds[kind] then
    return ("a file of shared parts is read by: local x = require %q"):format(name:gsub("/", "."))
  end
  local quoted, rank, at, kinds_of = {}, order[kind] or 5.5, 1, {}
  for _, definition in ipairs(definitions) do kinds_of[definition.name] = definition.kind end
  for i, other in ipairs(names) do
    quoted[i] = ("%q"):format(other)
    if (order[kinds_of[other]] or 5.5) <= rank then at = i + 1 end
  end
  table.insert(quoted, at, ("%q"):format(name))
  return ("return chain { %s } in policies/init.lua"):format(table.concat(quoted, ", "))
end

-- Where an entry of the chain stands.
local function place_of(init, name)
  for i, entry in ipairs(init.spec) do
    if entry == name or type(entry) == "table" and entry[1] == name then return report.sub(nil, i) end
  end
end

-- All up to the last auth is asked before anybody knows whose request it is, and for which model: rows of limits and
-- budgets would count for nobody.
local function check_order(init, definitions, off)
  local last = 0
  local function works(one) return not off[one.name] and one.spec.mode ~= "off" end
  for i, one in ipairs(definitions) do
    if one.kind == "auth" and works(one) then last = i end
  end
  report.begin(init.file)
  for i = 1, last do
    local one = definitions[i]
    if (one.kind == "ratelimit" or one.kind == "budget") and works(one) then
      report.at(place_of(init, one.name), "bad_chain",
        ("'%s' counts for callers, and stands in front of '%s', which says who calls"):format(one.name,
          definitions[last].name), ("let it stand behind '%s'"):format(definitions[last].name))
    end
  end
end

local function check_chain(names, definitions, off)
  local has_auth, used = false, { init = true, models = true, apps = true, governance = true }
  for _, name in ipairs(names) do used[name] = true end
  for _, definition in ipairs(definitions) do
    has_auth = has_auth or definition.kind == "auth" and not off[definition.name] and definition.spec.mode ~= "off"
  end
  report.begin { path = "policies/init.lua", text = core.bundle_text("init.lua") or "" }
  if not has_auth then report.warn(nil, "no_auth", "no auth policy in the chain: callers are let in without a key") end
  for _, path in ipairs(core.bundle_paths()) do
    local name = path:match("^(.*)%.lua$") -- others are files that policies name
    if name and not used[name] and not modules.used[name] then
      report.warn(nil, "no_effect",
        ("policies/%s is not in the chain, and nobody requires it: it has no effect"):format(path),
        place_in_chain(name, names, definitions))
    end
  end
end

local init = read("init", "chain")
local models = read("models", "models")
local apps = core.bundle_text("apps.lua") and read("apps", "apps")
local governance = core.bundle_text("governance.lua") and read("governance", "governance")

if not models then report.leave_out "unknown_model" end

facts.generation = core.digest():sub(1, 12)
local names, off = compile_plain(init)
names, off = names or {}, off or {}
compile_plain(models)
facts.apps = compile_plain(apps)
governing.begin(compile_plain(governance))

local definitions = {}
for _, name in ipairs(names) do definitions[#definitions + 1] = read(name) end
for _, definition in ipairs(definitions) do
  report.begin(definition.file)
  local declare = kinds[definition.kind].declare
  if declare then declare(definition.spec) end
end
modules.close()
facts.make_views()

local policies = {}
for _, definition in ipairs(definitions) do policies[#policies + 1] = compile(definition, off[definition.name]) end
if #names > 0 then
  check_order(init, definitions, off)
  check_chain(names, definitions, off)
end

local function at_work()
  local list = {}
  for _, policy in ipairs(policies) do
    if not policy.is_off and policy.mode ~= "off" then list[#list + 1] = policy end
  end
  return list
end

http.check_settings()

-- What people write is kept as it is, where nobody masks it.
local function check_kept()
  local first, masks
  for _, policy in ipairs(at_work()) do
    masks = masks or policy.kind == "redaction"
    for _, rule in ipairs(policy.rules or {}) do
      local wish = rule.action and rule.action.wish
      if wish and (wish.prompt or wish.answer) and not first then first = { policy, rule } end
    end
  end
  if not first or masks then return end
  for i, policy in ipairs(policies) do
    if policy == first[1] then report.begin(definitions[i].file) end
  end
  report.warn_at(first[2].line, 0, "kept_unmasked",
    ("rule '%s' keeps texts, and no redaction policy masks them"):format(first[2].name))
end

-- For tests: what rules there are, and which tables hold functions that might remember something.
local function be_watched()
  local lines, watched = {}, {}
  for i, policy in ipairs(policies) do
    -- access has rows by name: no list
    for _, list in ipairs { policy.rules or {}, policy.rows or {}, { policy.default_row } } do
      for _, rule in ipairs(list) do
        lines[#lines + 1] = table.concat({ policy.name, policy.file, rule.line, rule.name }, "\t")
      end
    end
    if policy.keeps_state and not policy.is_off and policy.mode ~= "off" then core.keeps_state() end
    if not policy.keeps_state then
      watched[#watched + 1] = policy.name
      watched[#watched + 1] = definitions[i].spec
    end
  end
  for path, returned in pairs(modules.returned) do
    watched[#watched + 1] = path
    watched[#watched + 1] = returned
  end
  core.watch(table.concat(lines, "\n"), watched)
end

-- Shared files are read by whoever requires them first; what their text shows is told here.
local function check_shared()
  for _, path in ipairs(report.keys(modules.used)) do
    local file = { path = ("policies/%s.lua"):format(path), text = core.bundle_text(path .. ".lua") }
    if file.text then
      report.begin(file)
      reading.check(file)
      if report.errors == 0 then reading.check_calls(file) end
    end
  end
end

-- A worker loads what the checker has loaded.
if not core.is_checked() then
  check_shared()
  for i, policy in ipairs(report.errors == 0 and policies or {}) do
    report.begin(definitions[i].file)
    reading.check_calls(definitions[i].file, policy)
  end
end

-- What a request for "auto" may be counted by.
if report.errors == 0 then
  for _, model in ipairs(catalogue.sorted) do
    for _, target in ipairs(model.virtual and catalogue.routable() or {}) do
      core.add_virtual(model.name, target.name)
    end
  end
end

if report.errors == 0 then
  governing.install(at_work())
  if core.watched() then be_watched() end
  core.install("request", chain.new(at_work()))
  phases.install(at_work())
end

if report.errors == 0 and not core.is_checked() then
  for i, policy in ipairs(policies) do
    report.begin(definitions[i].file)
    examples.run(policy)
  end
end

if report.errors == 0 and not core.is_checked() then
  for i, policy in ipairs(policies) do
    report.begin(definitions[i].file)
    lint.policy(definitions[i], policy)
  end
  names_that_look_misspelt(definitions, apps)
  check_kept()
end
raise.close()

-- What finds places is of use only to who complains: it is made anew if that happens later.
for _, definition in ipairs { init or false, models or false, apps or false, governance or false,
  unpack(definitions) } do
  if definition then report.forget(definition.file) end
end

return { policies = policies, definitions = definitions, models = models, apps = apps, names = names,
  governance = governance,
  compile = compile }

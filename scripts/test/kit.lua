-- What specs of policies use: `local gw = require "moongate.test"`.
--
--   local mg = gw.load { "policies/access.lua" }          -- these files as the chain, the folder's models and apps
--   local mg = gw.load_chain()                            -- policies/init.lua, as the gateway loads it
--   local mg = gw.load_text { x = "return policy { … }" } -- files written in the spec; chain = { … } gives their order
--   local r  = mg:request { as = { department = "sales" }, model = "gpt-4o" } -- scripts/request.lua says what it takes
--   assert.allowed(r)  assert.denied(r, 403, "code")  assert.routed_to(r, "a/b")  assert.explained_by(r, "policy/rule")
--   assert.faulted(r, "policies/x.lua:3")
--   mg:stub("POST https://x.internal/check", function(req) … end)
--   mg:respond({ … }, { text = "…" })  mg.metrics  mg.logs -- scripts/test/services.lua
--   gw.errors { x = "…" }                                 -- what loading says, one line an error
--   gw.codes { x = "…" }                                  -- and their codes, "MG0203"
--   local r, record = mg:record { … }  mg:replay(record) -- what the gateway would keep of it; that, decided again
--   mg:clock "2025-06-03T12:00:00Z"  mg:advance "1m"      -- the time stands still until it is moved
--   mg:spend { department = "sales", usd = 4100 }         -- counters are a table here, empty at the start of each test
--   mg:request { …, topups = { { budget = "sales", usd = 100 } } }  -- what was added: scripts/explain/topups.lua
--   mg:grant { user = "ana", model = "claude-3-opus", ends = "1h" }  -- of her requests until the test is over
--   mg:prompt { name = "support/reply", version = "2.1.0" }  mg:request { prompt = "support/reply" }
--   mg:reviewers "claims"  mg:governance()                -- what policies/governance.lua says
--   mg.sent                                               -- notices that went out: { to, text, budget, threshold }
--   mg:store_down()  mg:store_up()                        -- shared counters are out of reach
--   mg:request { …, under_way = true }                    -- one that goes on while others come
--
-- r: kind, denied { status, code, reason, policy, rule }, route { targets }, request (the body as it would be sent),
-- model, models, warnings, annotations, record { durability, intent, prompt, answer }, trace,
-- fault, app, department, user, team.
-- A failing assertion prints the trace. Runs in `moongate test`.
local engine = ...
local luassert = require "luassert"
local say = require "say"

local gw = {}
local Gateway = {}
Gateway.__index = Gateway

local loaded = {}
local function use(name)
  if loaded[name] == nil then
    local path = "scripts/" .. name .. ".lua"
    loaded[name] = assert(loadstring(engine.script(path), "@" .. path))({}, use) or true
  end
  return loaded[name]
end
local request = use "request"
local json = use "json"
local granting = use "granting"
local encode = json.encode
local services = use "test/services"
services.install(Gateway, engine)
local Counters = use "test/counters"

-- Whose request is being decided: the counters of that gateway answer.
local current

local function count(operation, question) return current.counters:answer(operation, question) end

-- --- files ---

local read, folder = engine.read, engine.folder -- scripts/test/files.lua

local function chain_of(names)
  local quoted = {}
  for i, name in ipairs(names) do quoted[i] = ("%q"):format(name) end
  return "return chain { " .. table.concat(quoted, ", ") .. " }"
end

-- --- loading ---

-- An app for requests that name none: one without defaults of its own, so that nothing is assumed silently.
local function default_app(text)
  local chunk = text and loadstring(text)
  if not chunk then return nil end
  local ok, apps = pcall(setfenv(chunk, { apps = function(map) return map end }))
  if not ok or type(apps) ~= "table" then return nil end
  local names = {}
  for name in pairs(apps) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    if apps[name].defaults == nil then return name end
  end
  return names[1]
end

local function load(files, options)
  engine.count_with(count)
  return engine.load(files, options and options.providers)
end

local gateways = setmetatable({}, { __mode = "k" })

-- The model of requests that name none: the one that routing chooses for; where nothing routes,
-- any that runs somewhere.
local function default_model(files)
  for _, text in pairs(files) do
    if text:find("return%s+routing") then return "auto" end
  end
  local chunk = loadstring(files["models.lua"] or "")
  local function same(value) return value end
  local ok, models = pcall(chunk and setfenv(chunk, { models = same, usd_per_million = same }) or error)
  local names = {}
  for name, model in pairs(ok and type(models) == "table" and models or {}) do
    if not model.virtual then names[#names + 1] = name end
  end
  table.sort(names)
  return names[1] or "auto"
end

local function start(files, options)
  local set, errors, text = load(files, options)
  if not set then error("the policies do not load:\n" .. text, 0) end
  local mg = setmetatable({ set = set, errors = errors, app = default_app(files["apps.lua"]),
    model = default_model(files), time = os.time() }, Gateway)
  services.forget(mg)
  mg:forget()
  gateways[mg] = true
  return mg
end

function gw.load_chain(path, options) return start(folder(path or "policies"), options) end

-- What these files require, and what that requires.
local function add_required(files, all)
  local queue = {}
  for _, text in pairs(files) do queue[#queue + 1] = text end
  while #queue > 0 do
    for name in table.remove(queue):gmatch("require%s*%(?%s*[\"']([%w_%.]+)") do
      local path = name:gsub("%.", "/") .. ".lua"
      if all[path] and not files[path] then
        files[path] = all[path]
        queue[#queue + 1] = all[path]
      end
    end
  end
end

-- What stands in no chain.
local plain = { models = true, apps = true, governance = true, init = true }

function gw.load(paths, options)
  local base = paths[1]:match("^(.*)/[^/]*$") or "."
  local all, files, names = folder(base), {}, {}
  for name in pairs(plain) do files[name .. ".lua"] = all[name .. ".lua"] end
  for name, text in pairs(all) do
    if name:find("%.json$") then files[name] = text end -- for policies that name it
  end
  for _, path in ipairs(paths) do
    local name = path:match("([a-z0-9_]+)%.lua$")
    if not name then error(("%s: not the name of a policy file"):format(path), 0) end
    if not plain[name] then names[#names + 1] = name end
    files[name .. ".lua"] = read(path)
  end
  files["init.lua"] = chain_of(names)
  add_required(files, all)
  return start(files, options)
end

local default_models = [[return models {
  auto    = { virtual = true },
  ["one"] = { targets = { "p/one" }, price = usd_per_million { input = 1, output = 2 } },
  ["two"] = { targets = { "p/two", "q/two" }, aliases = { "deux" }, snapshots = { "two-2024-08-06" },
              price = usd_per_million { input = 1, output = 2 } },
  ["own"] = { targets = { { "local/own", region = "eu", label = "self-hosted" } },
    price = usd_per_million { input = 0, output = 0 } },
}]]

-- { name = text, chain = { names }, models = text, apps = text } → files of a bundle
local function files_of(texts)
  local files, names = {}, {}
  for name, text in pairs(texts) do
    if name ~= "chain" and name ~= "providers" then
      local is_data = name:find("%.json$") -- one that a policy names, as file "x.json"
      files[is_data and name or name .. ".lua"] = text
      if is_data then name = "init" end
      if not plain[name] and not name:find("/", 1, true) then
        names[#names + 1] = name
      end
    end
  end
  table.sort(names)
  files["models.lua"] = files["models.lua"] or default_models
  files["init.lua"] = files["init.lua"] or chain_of(texts.chain or names)
  return files
end

function gw.load_text(texts) return start(files_of(texts), texts) end

-- What files that a spec writes are without by nature: an auth policy, examples.
local by_nature = { MG0305 = true, MG0308 = true }

local function findings(texts)
  local _, errors = load(files_of(texts), texts)
  local list = {}
  for _, e in ipairs(errors) do
    if not by_nature[e.code] then list[#list + 1] = e end
  end
  return list
end

-- Errors and warnings of a bundle that may or may not load: "policies/x.lua:3:5: text (hint)".
function gw.errors(texts)
  local list = findings(texts)
  for i, e in ipairs(list) do
    local place = e.file .. (e.line > 0 and ":" .. e.line or "") .. (e.column > 0 and ":" .. e.column or "")
    list[i] = place .. ": " .. (e.is_warning and "warning: " or "") .. e.text
      .. (e.hint ~= "" and " (" .. e.hint .. ")" or "")
  end
  return list
end

function gw.codes(texts)
  local list = findings(texts)
  for i, e in ipairs(list) do list[i] = e.code end
  return list
end

-- --- the world around ---

local function copy(t)
  local out = {}
  for key, value in pairs(t) do out[key] = value end
  return out
end

-- The time of requests that name none, which stands still: "2025-06-03T12:00:00Z", or seconds since 1970.
function Gateway:clock(time) self.time = request.seconds_of(time) end

local seconds = { s = 1, m = 60, h = 3600, d = 86400 }

function Gateway:advance(duration)
  local amount, unit = tostring(duration):match("^(%d+)([smhd])$")
  if not amount then error("mg:advance(\"90s\"), \"5m\", \"2h\" or \"1d\", not " .. tostring(duration), 2) end
  self.time = self.time + amount * seconds[unit]
end

-- { department = "sales", usd = 4100 }: such requests have cost so much; held_usd: others under way hold so much;
-- budget names one that counts under a `when`.
function Gateway:spend(given) self.counters:spend(given) end

-- { user = "ana", model =, ends = "1h", purpose =, break_glass = true }; app or department instead of the user: theirs.
-- From then on, until the test is over: scripts/granting.lua.
function Gateway:grant(given)
  local one, whose = copy(given), nil
  for _, field in ipairs { "user", "app", "department" } do
    if one[field] and whose then error("mg:grant: of a user, of an app or of a department", 2) end
    if one[field] then whose, one.covers = { field, one[field] }, field end
    one[field] = nil
  end
  if not whose then error("mg:grant { user = \"…\", model = \"…\" }: whose is it?", 2) end
  local told = granting.of({ one })[1]
  one.ends = told.ends_at or self.time + told.lasts_s
  self.granted[#self.granted + 1] = { whose = whose, grant = one }
end

-- A version that requests may name until the test is over: { name =, version =, label = "production", status =
-- "approved" }; those two when they are not said.
function Gateway:prompt(given)
  local one = copy(given)
  one.label, one.status = one.label or "production", one.status or "approved"
  self.prompts[#self.prompts + 1] = one
end

-- "support/reply": what is in production; "support/reply@2.1.0": that version; "support/reply@staging": a label's.
local function prompt_of(mg, wanted)
  if type(wanted) ~= "string" then return wanted end
  local name, which = wanted:match("^([^@]+)@?(.*)$")
  for _, one in ipairs(mg.prompts) do
    local is_it = which == "" and one.label == "production" or one.version == which or one.label == which
    if one.name == name and is_it then
      local found = copy(one)
      if one.version == which then found.label = nil end
      return found
    end
  end
  error(("no prompt %s: mg:prompt { name = %q, version = \"1.0.0\" }"):format(wanted, name or ""), 3)
end

-- Shared counters are out of reach, until mg:store_up().
function Gateway:store_down() self.counters.is_down = true end
function Gateway:store_up() self.counters.is_down, self.counters.down_since = false, nil end
Gateway.redis_down, Gateway.redis_up = Gateway.store_down, Gateway.store_up

-- As if nothing had happened: nothing spent, counted or sent.
function Gateway:forget()
  self.counters = Counters.new(function() return self.now or self.time end)
  self.sent = self.counters.sent
  self.granted, self.prompts = {}, {}
end

-- Each test begins with nothing spent, sent, logged or measured, and with the clock and the stubs that describe and
-- before_each have set; what it sets itself is undone.
local function on_test_start()
  for mg in pairs(gateways) do
    mg.time_before, mg.stubs_before = mg.time, {}
    for route, answer in pairs(mg.stubs) do mg.stubs_before[route] = answer end
  end
end

local function on_test_end()
  for mg in pairs(gateways) do
    mg:forget()
    mg.time, mg.stubs = mg.time_before or mg.time, mg.stubs_before or mg.stubs
    mg.logs, mg.metrics = {}, {}
  end
end

local has_busted, busted = pcall(require, "busted")
if has_busted and busted.subscribe then
  busted.subscribe({ "test", "start" }, function() on_test_start() return nil, true end)
  busted.subscribe({ "test", "end" }, function() on_test_end() return nil, true end)
end

-- --- requests ---

function Gateway:memory() return engine.memory(self.set) end

local function grants_of(mg, t)
  local list = copy(t.grants or {})
  for _, one in ipairs(mg.granted) do
    if t.as[one.whose[1]] == one.whose[2] then list[#list + 1] = one.grant end
  end
  return #list > 0 and list or nil
end

-- A request with what it does not say.
local function complete(mg, given)
  local t = copy(given or {})
  t.as = copy(t.as or {})
  if t.as.app == nil then t.as.app = mg.app end
  if t.as.user == nil then t.as.user = "ana" end
  if t.model == nil and t.api ~= "models" then t.model = mg.model end
  t.time = request.seconds_of(t.time or mg.time)
  t.grants = grants_of(mg, t)
  t.prompt = t.prompt and prompt_of(mg, t.prompt)
  if t.topups then
    t.topups = json.raw((engine.ask(mg.set, "explain/topups", encode { topups = t.topups, now = t.time })))
  end
  return t
end

-- Does it with this gateway's counters, clock and services.
local function on_behalf(mg, time, fn, ...)
  local outer = current
  current, mg.now = mg, time
  services.enter(mg)
  local ok, r = pcall(fn, ...)
  services.leave(mg)
  current, mg.now = outer, nil
  if not ok then error(r, 0) end
  return r
end

local function result(r)
  if r.kind == "deny" then
    r.denied = { status = r.status, code = r.code, reason = r.reason, policy = r.policy, rule = r.rule,
      retry_after = r.retry_after, approval = r.approval and engine.json(r.approval) }
  end
  r.route = { targets = r.targets }
  if r.sent then r.request = engine.json(r.sent) end
  return r
end

function Gateway:request(given)
  local t = complete(self, given)
  local stays = t.under_way
  t.under_way = nil
  return result(on_behalf(self, t.time, engine.decide, self.set, request.describe(t), stays))
end

-- The same, with an answer of the provider and the hooks after it: scripts/test/services.lua. It costs what the answer
-- says, cost_usd, else what was estimated.
function Gateway:respond(given, answer)
  local t, a = complete(self, given), copy(answer or {})
  a.cost_nano = a.cost_usd and math.floor(a.cost_usd * 1000000000 + 0.5)
  a.cost_usd = nil
  return result(on_behalf(self, t.time, engine.respond, self.set, request.describe(t), encode(a)))
end

-- The same, and the record that the gateway would keep of it, a JSON text.
function Gateway:record(given)
  local t = complete(self, given)
  local given_record
  local outcome = on_behalf(self, t.time, function(...)
    local decided, record = engine.record(...)
    given_record = record
    return decided
  end, self.set, request.describe(t))
  return result(outcome), given_record
end

-- A record's decision, taken again by these policies: { outcome = "same", "denied", "allowed", "rerouted", "changed",
-- "not_replayable" or "undecided", differences = { { what, was, is }, … }, missing = { … }, reason }.
function Gateway:replay(record)
  local outcome, differences, missing, decision, reason = engine.replay(self.set, record)
  return { outcome = outcome, differences = engine.json(differences), missing = engine.json(missing),
    decision = decision, reason = reason }
end

-- What `moongate explain` says of the same request, as tables: verdict, policies, candidates, remedies, facts. With
-- form "text" as people read it, "brief" without remedies. Nothing is counted; spent, { "sales=4900" }, is what budgets
-- and limits have used.
function Gateway:explain(given, form, spent)
  local t = complete(self, given)
  local question = { file = t, json = form ~= "text", is_brief = form == "brief", spent = spent }
  local answer = on_behalf(self, t.time, engine.ask, self.set, "explain", encode(question))
  return form == "text" and answer or engine.json(answer)
end

-- Whose eyes a prompt of that department needs, by policies/governance.lua: roles, each met by another person.
function Gateway:reviewers(department)
  return engine.json((engine.ask(self.set, "governed", encode { department = department })))
end

-- The rules that the registry goes by, as it is given them (core/store/governance.h).
function Gateway:governance() return engine.json((engine.ask(self.set, "governed", "{}"))) end

-- What access reviews ask: its rows, or with answers the patch of them.
function Gateway:reviewing(question) return engine.json((engine.ask(self.set, "reviewing", encode(question)))) end

-- What `moongate diff` says of two loaded bundles, as tables; with form "text" as people read it.
function gw.diff(old, new, form)
  local snapshot = engine.ask(old.set, "diff/snapshot", "{}")
  local question = { old = json.raw(snapshot), old_name = "old", new_name = "new", json = form ~= "text" }
  local answer = engine.ask(new.set, "diff", encode(question))
  return form == "text" and answer or engine.json(answer)
end

-- --- assertions ---

local function spell(r)
  if r.kind == "deny" then return ("deny %d %s (%s)"):format(r.status, r.code, tostring(r.reason)) end
  if r.kind == "fault" then return "a fault: " .. tostring(r.fault) end
  return #r.targets > 0 and "route " .. table.concat(r.targets, ", ") or "allow"
end

function gw.trace(r)
  local lines = {}
  for _, e in ipairs(r.trace) do
    local mode = e.mode ~= "enforce" and e.mode and " [" .. e.mode .. "]" or ""
    lines[#lines + 1] = ("  %s/%s: %s %s%s"):format(e.policy, e.rule or "", e.verb, e.reason or "", mode)
  end
  return #lines > 0 and table.concat(lines, "\n") or "  (empty)"
end

local function register(name, check)
  say:set("assertion." .. name, "")
  luassert:register("assertion", name, function(state, arguments)
    local r = arguments[1]
    if type(r) ~= "table" or not r.trace then error(name .. " wants what mg:request gave", 2) end
    local holds, wanted = check(r, arguments[2], arguments[3])
    local no = state.mod and "" or "not "
    state.failure_message = ("expected %s%s, got %s\ntrace:\n%s"):format(no, wanted, spell(r), gw.trace(r))
    arguments.n = 0 -- the trace says it better than the whole table would
    return holds
  end, "assertion." .. name, "assertion." .. name)
end

register("allowed", function(r) return r.kind == "allow", "allow" end)

register("denied", function(r, status, code)
  local holds = r.kind == "deny" and (not status or r.status == status) and (not code or r.code == code)
  return holds, ("deny %s %s"):format(tostring(status or ""), tostring(code or ""))
end)

register("faulted", function(r, text)
  return r.kind == "fault" and (not text or r.fault:find(text, 1, true) ~= nil), "a fault: " .. tostring(text or "any")
end)

register("routed_to", function(r, target)
  return r.kind == "allow" and r.targets[1] == target, "route " .. tostring(target)
end)

register("explained_by", function(r, rule)
  for _, e in ipairs(r.trace) do
    if e.policy .. "/" .. (e.rule or "") == rule then return true, "a word of " .. rule end
  end
  return false, "a word of " .. tostring(rule)
end)

return gw

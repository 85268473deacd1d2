-- Calls in functions, tried with the arguments that are written in them: what would raise at every request that comes
-- that way is said at load.
--
--   local try = trial.of "http.post"                      -- nil: nothing is known of such a call
--   for _, said in ipairs(try(literals.list(tokens), file, policy, line)) do … end
--     said: { finding =, text =, hint =, warning = true where the gateway goes on }
local core, use = ...
local report = use "report"
local schema = use "schema"
local raise = use "raise"
local facts = use "facts"
local catalogue = use "catalogue"
local verbs = use "verbs"
local edits = use "edits"
local recording = use "recording"
local sandbox = use "sandbox"
local literals = use "literals"
local redaction = use "constructors/redaction"
local http = use "services/http"
local cache = use "services/cache"
local redis = use "services/redis"
local time = use "services/time"
local unknown, known = literals.unknown, literals.known

local trial = {}

-- What the call says about its arguments: a list of one complaint, or an empty one; and what it gave.
local function attempt(fn, ...)
  local ok, why = pcall(fn, ...)
  if ok then return {}, why end
  return { { finding = raise.finding_of(why), text = tostring(why) } }
end

-- --- decisions ---

local function known_list(value)
  local list = known(value)
  if type(list) == "table" and #list == 0 and next(list) == nil then return nil end
  return list
end

local by_verb = {}

function by_verb.deny(args)
  local first = args[1]
  if first == unknown or type(first) ~= "table" then
    if type(first) == "string" and type(args[2]) == "number" then
      return { { finding = "bad_decision", text = "deny: the status comes first",
        hint = ("deny(%d, %q)"):format(args[2], first) } }
    end
    return attempt(verbs.decide.deny, known(first, 403), known(args[2], "code"), known(args[3]))
  end
  local given = known(first)
  for key, value in pairs(first) do
    if value == unknown and key ~= "reason" and key ~= "retry_after" then
      given[key] = key == "status" and 403 or "code"
    end
  end
  return attempt(verbs.decide.deny, given)
end

function by_verb.pass(args) return attempt(verbs.decide.pass, known(args[1])) end

local function with_targets(name)
  return function(args)
    local wanted = known_list(args[1])
    if wanted == nil and args.n > 0 then return {} end
    return attempt(verbs.decide[name], wanted, known(args[2]))
  end
end

for _, name in ipairs { "route", "only", "drop" } do by_verb[name] = with_targets(name) end

-- --- services ---

-- The URL that a call begins with, as far as it is written: itself, a local of the file,
-- or the first part of a longer one.
local function url_of(args, file)
  local begins = args.begins[1]
  if type(args[1]) == "string" then return args[1] end
  if not begins then return nil end
  if begins[1] == "text" and begins.is_joined and begins[2]:find("^https?://[^/]+/") then return begins[2] end
  if begins[1] ~= "name" or not begins.alone then return nil end
  local _, count = file.text:gsub("%f[%w_]" .. begins[2] .. "%s*=[^=]", "")
  return count == 1 and file.text:match("local%s+" .. begins[2] .. "%s*=%s*[\"'](https?://[^\"']*)[\"']") or nil
end

-- The highest class that the callers' apps have when nobody says anything; the apps that the file names count,
-- if it does.
local function usual_class(file)
  local class, of, is_named = "public", nil, false
  for _, name in ipairs(report.keys(facts.apps or {})) do
    local default = facts.apps[name].defaults.data
    local names_it = file.text:find("[\"']" .. name:gsub("%p", "%%%0") .. "[\"']") ~= nil
    if default and (names_it and not is_named
      or names_it == is_named and schema.class_rank[default] > schema.class_rank[class]) then
      class, of = default, name
    end
    is_named = is_named or names_it
  end
  return class, of
end

local function unlisted(url, file, policy)
  local origin = url:match("^%a+://[^/?#]*") or url
  local class = usual_class(file)
  local hint = report.nearest(origin, core.names "egress")
    or ("egress = { [%q] = { clearance = %q } } in moongate.lua: the highest class of data that may go there"):format(
      origin, class)
  local is_skipped = policy and policy.on_error == "skip"
  return { finding = is_skipped and "unlisted_service" or "service_not_listed", warning = is_skipped, hint = hint,
    text = ("'%s' is not listed in moongate.lua: the call will raise"):format(origin) }
end

-- A guard that is passed over without a sign: what may not be sent there is not asked about.
local function beyond(url, clearance, file)
  local class, app = usual_class(file)
  if not app or schema.class_rank[class] <= (schema.class_rank[clearance] or 9) then return nil end
  if file.text:find("[\"']clearance[\"']") then return nil end
  return { finding = "service_passed_over", warning = true,
    text = ("requests of %s carry %s data, which may not be sent to %s: its clearance is %s, so err is \"clearance\" "
      .. "each time"):format(app, class, url:match("^%a+://[^/?#]*") or url, clearance),
    hint = ("say what then happens, if err == \"clearance\" then return deny(…) end, or let it see such data: "
      .. "clearance = %q in moongate.lua"):format(class) }
end

local function check_place(list, url, options, file, policy)
  local is_listed, secret, clearance = core.is_service(url)
  if is_listed == nil or file.text:find("http%.is_listed") and not is_listed then return end
  if not is_listed then
    list[#list + 1] = unlisted(url, file, policy)
    return
  end
  local wanted = type(options.auth) == "string" and options.auth:match("^secret:(.*)$")
  if wanted and wanted ~= secret then
    list[#list + 1] = { finding = "bad_secret",
      text = ("%s has %s in moongate.lua, and not '%s'"):format(url:match("^%a+://[^/?#]*"),
      secret and "the secret '" .. secret .. "'" or "no secret", wanted),
      hint = secret and ("auth = \"secret:%s\""):format(secret)
        or "name = \"…\", secret = env \"…\" beside its clearance" }
  end
  list[#list + 1] = beyond(url, clearance or "public", file)
end

local function with_url(name)
  return function(args, file, policy)
    local options = type(args[2]) == "table" and args[2] ~= unknown and args[2] or {}
    local url = url_of(args, file)
    local tried = known(options)
    for field, value in pairs(options) do -- the name of an option counts, also where its value is anything
      if value == unknown and type(field) == "string" and field ~= "json" and field ~= "body" and not tried[field] then
        local said = attempt(http.try, name, url, { [field] = field == "timeout" and "1s" or nil })
        if said[1] then return said end
      end
    end
    tried.json = nil
    local list, wait = attempt(http.try, name, url, tried)
    if wait and wait >= core.deadline_ms() then
      list[#list + 1] = { finding = "bad_time",
        text = ("timeout = %q is longer than a policy may take, %d ms: it is ended before"):format(
        options.timeout, core.deadline_ms()), hint = "wait less, or set policy = { deadline = \"…\" } in moongate.lua" }
    end
    if url and #list == 0 then check_place(list, url, options, file, policy) end
    return list
  end
end

local by_path = { ["http.get"] = with_url "get", ["http.post"] = with_url "post" }

by_path["cache.set"] = function(args)
  if args[3] == unknown or args[2] == nil or args.n < 2 then return {} end
  return attempt(cache.check_ttl, args[3])
end

local function with_redis(name)
  return function(args)
    local ttl, by = known(args[name == "set" and 3 or 2]), known(args[3])
    if name == "get" or name == "delete" then ttl, by = nil, nil
    elseif name == "set" then by = nil end
    if args[1] == unknown then args[1] = nil end
    local list = attempt(redis.try, name, args[1], ttl ~= unknown and ttl or nil, by ~= unknown and by or nil)
    if #list == 0 and core.names_redis() == false then
      list[1] = { finding = "service_not_listed", text = "moongate.lua names no Redis: the call will raise",
        hint = "redis = { url = env \"MOONGATE_REDIS\" } in moongate.lua" }
    end
    return list
  end
end

for name in pairs(redis.words) do by_path["redis." .. name] = with_redis(name) end

local function zone_at(i)
  return function(args)
    if args[i] == unknown or args[i] == nil then return {} end
    return attempt(time.check_zone, args[i])
  end
end

for _, name in ipairs { "hour", "minute", "weekday", "date" } do by_path["time." .. name] = zone_at(2) end
by_path["time.format"] = zone_at(3)

-- --- ctx ---

local by_method = {}

by_method[".request:set"] = function(args)
  if args[1] == unknown then return {} end
  return attempt(edits.check, args[1], known(args[2]))
end

by_method[".estimate:cost_of"] = function(args)
  local name = args[1]
  if type(name) ~= "string" or catalogue.names[name] or catalogue.targets[name] then return {} end
  return { { finding = "unknown_model",
    text = ("ctx.estimate:cost_of: no model or target '%s' in policies/models.lua"):format(name),
    hint = report.nearest(name, report.keys(catalogue.names)) } }
end

by_method[":mask"] = function(args)
  local list = {}
  for _, kind in ipairs(type(args[1]) == "table" and args[1] ~= unknown and args[1] or { args[1] }) do
    if type(kind) == "string" and not redaction.looked_for[kind] then
      list[#list + 1] = { finding = "bad_redaction",
        text = ("ctx:mask: no redaction policy of this chain looks for '%s'"):format(kind) }
    end
  end
  return list
end

-- What is not known is taken for what would be right there.
local recorded = { durability = "local", intent = true, texts = { "prompt" } }

by_method[":record"] = function(args, file, _, line)
  local wish = args[1]
  if wish == unknown then return {} end
  if type(wish) ~= "table" then return attempt(recording.check, wish) end
  local tried = known(wish)
  for field, value in pairs(wish) do
    local is_empty = type(tried[field]) == "table" and next(tried[field]) == nil
    if value == unknown or is_empty then tried[field] = recorded[field] or true end
  end
  local list = attempt(recording.check, tried)
  if #list == 0 and tried.durability == "remote" then core.wants_remote(file.path, line) end
  return list
end

-- --- what there is ---

local function not_a_function(name)
  return function()
    return { { finding = "undefined_name", text = ("%s is no function: it raises when it is called"):format(name),
      hint = name == "log" and "log.info(\"…\"), also warn, error and debug"
        or "its functions are " .. table.concat(report.keys(sandbox.libraries()[name]), ", ") } }
  end
end

-- What other languages have there.
local instead = { ["string.contains"] = "text:find(\"word\", 1, true)",
  ["string.split"] = "for part in text:gmatch(\"[^,]+\") do",
  ["string.trim"] = "text:match(\"^%s*(.-)%s*$\")", ["string.startswith"] = "text:sub(1, #start) == start",
  ["string.starts_with"] = "text:sub(1, #start) == start", ["string.replace"] = "text:gsub(\"old\", \"new\")",
  ["table.contains"] = "make it a set: { a = true }, set[\"a\"]",
  ["table.unpack"] = "unpack", ["table.getn"] = "#list", ["table.push"] = "table.insert(list, value)",
  ["json.parse"] = "json.decode(text)", ["json.stringify"] = "json.encode(value)",
  ["math.round"] = "math.floor(x + 0.5)", ["log.warning"] = "log.warn(…)", ["time.now"] = "ctx.time" }

local function no_such_function(library, name)
  return function()
    return { { finding = "undefined_name", text = ("%s has no '%s': it raises when it is called"):format(library, name),
      hint = instead[library .. "." .. name] or report.nearest(name, report.keys(sandbox.libraries()[library])) } }
  end
end

function trial.of(path)
  if by_verb[path] or by_path[path] then return by_verb[path] or by_path[path] end
  local method = path:match("^ctx(.*)$")
  if method then return by_method[method] end
  if sandbox.libraries()[path] then return not_a_function(path) end
  local library, name = path:match("^(%a+)%.([%a_][%w_]*)$")
  local functions = library and sandbox.libraries()[library]
  if functions and rawget(functions, name) == nil then return no_such_function(library, name) end
end

return trial

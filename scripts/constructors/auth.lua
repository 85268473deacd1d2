-- auth { keys = { … }, jwt = { … }, require = { … }, default_app = "…", labels = { … }, enrich = function(id) … end }:
-- who is calling.
--
-- C has looked the key up, or verified the token, before any policy runs; here it is decided what that means. Identity
-- comes from the key's record or the token's claims, never from what the client writes into its request.
local core, use = ...
local report = use "report"
local schema = use "schema"
local policies = use "policies"
local units = use "units"
local facts = use "facts"
local chain = use "chain"
local notes = use "notes"
local credentials = use "credentials"
local raise = use "raise"
local sub = report.sub

local auth = {}
local compile_self_service

local unknown_app = { status = 403, code = "unknown_app" }
local incomplete = { status = 403, code = "identity_incomplete" }

local function refuse(f, policy, rule, action, reason)
  return chain.deny(f, policy, rule, action, reason, policy.mode, policy.line)
end

local function settle(f, name, value)
  if f[name] or not value then return end
  core.settle(name, value)
  facts.forget(f, name)
end

local function default_app(f, policy)
  local by = policy.how.by_issuer[f._issuer or ""]
  return by and by.default_app or policy.default_app
end

local function check_app(f, policy)
  if not f.app then settle(f, "app", default_app(f, policy)) end
  local app, apps = f.app, facts.apps
  if not apps then return nil end
  if not app then
    return refuse(f, policy, "apps", unknown_app,
      credentials.lacks(policy.how, f, "app") .. ", and auth.lua has no default_app")
  end
  local known = apps[app]
  if not known then
    return refuse(f, policy, "apps", unknown_app, ("app '%s' is not in policies/apps.lua"):format(app))
  end
  if not f.department then settle(f, "department", known.department) end
end

local function enrich(f, policy)
  local added = policy.enrich(f.ctx_identity)
  if added == nil then return core.trust() end
  if type(added) ~= "table" then
    error("enrich returned " .. schema.kind_of(added) .. ": a table or nothing is wanted", 0)
  end
  for _, name in ipairs(report.keys(added)) do
    if not facts.is_identity(name) or name == "key_id" then
      raise.error("bad_name",
        ("enrich added '%s', which is no field of an identity (name it in labels = { … })"):format(name), 0)
    end
    if type(added[name]) ~= "string" then raise.error("bad_value", ("enrich: '%s' is a text"):format(name), 0) end
    settle(f, name, added[name])
  end
end

-- No good credential: that is all there is to say.
local function refuse_stranger(f, policy)
  local action, reason, rule, detail = credentials.refusal(policy.how)
  if detail then notes.note(f, policy, rule, "detail", detail, policy.mode, policy.line) end
  if action then return refuse(f, policy, rule, action, reason) end
end

local function run(f, policy)
  if not f._live and refuse_stranger(f, policy) then return "over" end
  if check_app(f, policy) then return "over" end
  if policy.enrich then enrich(f, policy) end
  local required = policy.required
  for i = 1, #required do
    if not f[required[i]] then
      return refuse(f, policy, "require", incomplete, credentials.lacks(policy.how, f, required[i]))
    end
  end
  local issuer = f._issuer
  core.trace(policy.name, issuer and "jwt" or "keys", "accept", issuer or f.key_id or "", policy.mode, policy.file,
    policy.line)
  return chain.run_all(f, policy)
end

-- data = { default = "internal", headers = { ["x-acme-class"] = { secret = "restricted", ["*"] = "confidential" } } }
local data_shape = schema.record({ default = schema.class, headers = schema.map(schema.map(schema.class)) },
  nil, "field")

local function compile_data(spec, policy)
  if spec.data == nil then return end
  local path, list = sub(nil, "data"), {}
  local given = data_shape(spec.data, path)
  for _, name in ipairs(report.keys(given and given.headers or {})) do
    local at = sub(sub(path, "headers"), name)
    local known, classes = schema.header(name, at), given.headers[name]
    if classes and next(classes) == nil then
      report.at(at, "missing_field", "which value stands for which class? { secret = \"restricted\" }")
    end
    if known and classes then list[#list + 1] = { name = known, classes = classes } end
  end
  if given and not policy.is_off and policy.mode ~= "off" then
    facts.maps_headers = facts.classify(given.default, list) ~= nil
  end
end

-- self_service = { apps = { "code-assistant" }, per_person = 3, expires = "30d", confirm = "30d" }: which keys people
-- make for themselves. confirm: any key of a person of the identity provider's ends so long after he was last seen.
local per_person = schema.shape({ kind = "integer" }, function(value, path)
  if type(value) == "number" and value % 1 == 0 and value >= 1 and value <= 100 then return value end
  report.at(path, "bad_value", "so many keys may one person have: a whole number from 1 to 100")
end)

local self_service_shape = schema.record({ apps = schema.list(schema.text), per_person = per_person,
  expires = units.duration, confirm = units.duration }, { "apps", "expires" })

function compile_self_service(spec)
  if spec.self_service == nil then return nil end
  local path = sub(nil, "self_service")
  local given = self_service_shape(spec.self_service, path)
  for i, app in ipairs(given and given.apps or {}) do
    if facts.apps and not facts.apps[app] then
      report.at(sub(sub(path, "apps"), i), "bad_name", ("app '%s' is not in policies/apps.lua"):format(app),
        report.nearest(app, report.keys(facts.apps)))
    end
  end
  return given
end

-- Labels first: conditions in the files after this one may name them.
function auth.declare(spec)
  if spec.labels == nil then return end
  for i, name in ipairs(schema.list(schema.text)(spec.labels, sub(nil, "labels")) or {}) do
    if facts.compute[name] then
      report.at(sub(sub(nil, "labels"), i), "bad_name", ("'%s' is a field of every request already"):format(name))
    elseif not name:find("^[a-z][a-z0-9_]*$") then
      report.at(sub(sub(nil, "labels"), i), "bad_name", ("a label is made of a-z, 0-9 and _, got '%s'"):format(name))
    else facts.declare_label(name) end
  end
end

function auth.compile(spec, policy)
  policies.check(spec, { "keys", "jwt", "require", "default_app", "labels", "enrich", "data",
    "self_service" })
  policies.compile(spec, policy, { deny = true, pass = true, annotate = true, warn = true, record = true })
  policy.how = credentials.compile(spec)
  if policy.how and not policy.is_off then
    if auth.installed then
      report.at(nil, "said_twice", ("the chain has an auth policy already: %s"):format(auth.installed))
    else
      auth.installed = policy.file
      credentials.install(policy.how, spec.default_app, compile_self_service(spec))
    end
  end
  compile_data(spec, policy)
  policy.required = {}
  local required = spec.require == nil and {} or schema.list(schema.text)(spec.require, sub(nil, "require")) or {}
  for i, name in ipairs(required) do
    if facts.is_identity(name) then policy.required[#policy.required + 1] = name
    else
      report.at(sub(sub(nil, "require"), i), "bad_name", ("'%s' is no field of an identity"):format(name),
        report.nearest(name, { "user", "app", "department", "team", "tier", "region", "clearance", "env" }))
    end
  end
  if spec.default_app ~= nil then
    policy.default_app = schema.text(spec.default_app, sub(nil, "default_app"))
    if policy.default_app and facts.apps and not facts.apps[policy.default_app] then
      report.at(sub(nil, "default_app"), "bad_name",
        ("app '%s' is not in policies/apps.lua"):format(policy.default_app),
        report.nearest(policy.default_app, report.keys(facts.apps)))
    end
  end
  if spec.enrich ~= nil then policy.enrich = schema.fn(spec.enrich, sub(nil, "enrich")) end
  policy.run, policy.refuse = run, refuse_stranger
end

return auth

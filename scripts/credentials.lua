-- What auth.lua says of keys and tokens: checked here, handed to C, and turned into the sentences of refusals.
--
--   auth {
--     keys = { headers = { "authorization", "x-api-key", "api-key" } },      -- or keys = false
--     jwt  = { issuer = "https://login.example.com", audience = "moongate", jwks = "https://login.example.com/jwks",
--              claims = { user = "sub", department = "dept", roles = "groups" } },       -- or a list of such tables
--   }
--
--   local how = credentials.compile(spec)         -- nil after reporting what is wrong
--   credentials.install(how, default_app)
--   local action, reason, rule, detail = credentials.refusal(how)    -- while deciding; nil when the credential is good
local core, use = ...
local report = use "report"
local schema = use "schema"
local facts = use "facts"
local units = use "units"
local sub = report.sub

local credentials = {}

local usual_headers = { "authorization", "x-api-key", "api-key", "x-goog-api-key" }
local algorithms = { "RS256", "ES256", "EdDSA" }
local LEEWAY_MAX = 300

-- --- what auth.lua says ---

local taken = { host = true, ["content-type"] = true, ["content-length"] = true, ["transfer-encoding"] = true,
  connection = true, accept = true, ["user-agent"] = true, cookie = true }

local header = schema.shape({ kind = "string" }, function(value, path)
  if not schema.text(value, path) then return nil end
  local name = value:lower()
  if #name > 64 or not name:find("^[a-z0-9!#$%%&'*+.^_`|~-]+$") then
    report.at(path, "bad_auth", ("'%s' is not the name of a header"):format(value))
  elseif taken[name] or name:find("^x%-moongate%-") then
    report.at(path, "bad_auth", ("the header '%s' has another meaning: no key or token can be in it"):format(name))
  else return name end
end)

local headers = schema.shape({ kind = "list", of = schema.text }, function(value, path)
  local list, seen = schema.list(header)(value, path), {}
  if not list then return nil end
  if next(value) == nil then
    report.at(path, "bad_auth", "the list is empty: name a header, or leave it out for the usual ones")
  end
  for i, name in ipairs(list) do
    if seen[name] then report.at(sub(path, i), "said_twice", ("'%s' stands here twice"):format(name)) end
    seen[name] = true
  end
  return list
end)

-- header = "x" is headers = { "x" }; the scheme in authorization is always Bearer, and may be said.
local keys_shape = schema.record { headers = headers, header = header, scheme = schema.choice { "Bearer" } }

local keys_setting = schema.shape({ kind = "any_of", of = { keys_shape, { kind = "false" } } }, function(value, path)
  if value == false then return {} end
  if value == nil then return usual_headers end
  local keys = keys_shape(value, path)
  if not keys then return nil end
  if keys.headers and keys.header then
    report.at(sub(path, "header"), "said_twice", "say header or headers, not both")
  end
  return keys.headers or keys.header and { keys.header } or usual_headers
end)

local function is_loopback(url)
  local host = url:match("^http://([^/:]+)") or url:match("^http://(%[[^%]]*%])")
  return host == "localhost" or host == "[::1]" or (host and host:find("^127%.%d+%.%d+%.%d+$") ~= nil)
end

local function url_of(value, path)
  if #value > 512 or value:find("[%s%c\"<>\\^`{|}]") or value:find("[\128-\255]") or value:find("#", 1, true)
    or not value:find("^https?://[^/@?]+") or value:find("^https?://[^/]*@") then
    report.at(path, "bad_auth", "not the URL of a key set: https://host/path, without user, spaces and fragment")
  elseif value:find("^http://") and not is_loopback(value) then
    report.at(path, "bad_auth", "keys must come over https:// (http:// is for this machine only)",
      "who can change them on their way can make tokens")
  else return { url = value } end
end

local function file_of(value, path)
  local name = value.path
  local text = core.bundle_text(name)
  if not text then
    report.at(path, "no_file", ("there is no file policies/%s"):format(name),
      name:find("^[a-z0-9_/]+%.json$") == nil and "its name is made of a-z, 0-9, _ and /, and ends in .json" or nil)
    return nil
  end
  local count, why, reason = core.jwks_check(text)
  if not count then
    report.at(path, "bad_value", ("policies/%s is no JWK set: %s"):format(name, why))
    return nil
  end
  if why > 0 then
    report.warn(path, "unused_keys",
      ("policies/%s: %d of its keys are not used; the first: %s"):format(name, why, reason))
  end
  return { text = text }
end

local jwks = schema.shape({ kind = "string|table" }, function(value, path)
  if getmetatable(value) == "file" then return file_of(value, path) end
  if type(value) == "string" then return url_of(value, path) end
  report.at(path, "bad_value", "expected \"https://…\" or file \"keys.json\", got " .. schema.kind_of(value))
end)

local leeway = schema.shape({ kind = "string" }, function(value, path)
  if value == 0 or value == "0s" then return 0 end
  local seconds = units.duration(value, path)
  if seconds and seconds > LEEWAY_MAX then
    report.at(path, "bad_auth", "clocks that differ by more than 5 minutes want repair")
  end
  return seconds
end)

local issuer_shape = schema.record({
  issuer = schema.text, audience = schema.one_or_list(schema.text), jwks = jwks, leeway = leeway,
  algorithms = schema.list(schema.choice(algorithms)), claims = schema.map(schema.text), headers = headers,
  default_app = schema.text,
}, { "issuer", "audience", "jwks" })

-- { user = "sub", … } → { "department", "dept", "user", "sub" }, in the order of names
local function claims_of(map, path)
  local list = {}
  for _, field in ipairs(report.keys(map)) do
    if field == "key_id" or not (facts.is_identity(field) or field == "roles" or field == "approvals") then
      report.at(sub(path, field), "bad_name", ("'%s' is no field of an identity"):format(field),
        report.nearest(field, { "user", "app", "department", "team", "tier", "region", "clearance", "env", "roles",
          "approvals" }) or ("a label? name it: labels = { \"%s\" }"):format(field))
    end
    list[#list + 1] = field
    list[#list + 1] = map[field]
  end
  return list
end

local function compile_issuer(value, path)
  local issuer = issuer_shape(value, path)
  if not issuer then return nil end
  local claims = issuer.claims or { user = "sub" }
  local source = issuer.jwks or {}
  return {
    issuer = issuer.issuer, audiences = issuer.audience, algorithms = issuer.algorithms or algorithms,
    leeway = issuer.leeway or 30, url = source.url, text = source.text, claims = claims_of(claims, sub(path, "claims")),
    claim_of = claims, headers = issuer.headers or { "authorization" }, default_app = issuer.default_app,
  }
end

local function check_issuers(list, path)
  local seen = {}
  for i, issuer in ipairs(list) do
    local at = #list > 1 and sub(path, i) or path
    if issuer.issuer and seen[issuer.issuer] then
      report.at(sub(at, "issuer"), "said_twice",
        ("'%s' stands here twice: its tokens would have two meanings"):format(issuer.issuer))
    end
    seen[issuer.issuer or ""] = true
    if issuer.default_app and facts.apps and not facts.apps[issuer.default_app] then
      report.at(sub(at, "default_app"), "bad_name", ("app '%s' is not in policies/apps.lua"):format(issuer.default_app),
        report.nearest(issuer.default_app, report.keys(facts.apps)))
    end
  end
  if #list > 16 then report.at(path, "bad_auth", "more than 16 issuers") end
end

local jwt_setting = schema.shape({ kind = "one_or_list", of = issuer_shape }, function(value, path)
  if value == nil then return {} end
  local list = type(value) == "table" and not getmetatable(value) and value[1] ~= nil
    and schema.list(compile_issuer)(value, path)
    or { compile_issuer(value, path) }
  check_issuers(list, path)
  return list
end)

local function token_headers(issuers)
  local list, seen = {}, {}
  for _, issuer in ipairs(issuers) do
    for _, name in ipairs(issuer.headers) do
      if not seen[name] then list[#list + 1] = name end
      seen[name] = true
    end
  end
  return list
end

function credentials.compile(spec)
  local before = report.errors
  local how = { keys = keys_setting(spec.keys, sub(nil, "keys")),
    issuers = jwt_setting(spec.jwt, sub(nil, "jwt")) or {}, by_issuer = {} }
  for _, issuer in ipairs(how.issuers) do how.by_issuer[issuer.issuer or ""] = issuer end
  how.tokens = token_headers(how.issuers)
  if how.keys and report.errors == before and #how.keys == 0 and #how.issuers == 0 then
    report.at(sub(nil, "keys"), "bad_auth", "without keys and without jwt nobody could come in")
  end
  return how.keys and report.errors == before and how or nil
end

function credentials.install(how, default_app, self_service)
  core.auth { keys = how.keys, tokens = how.tokens, issuers = how.issuers,
    apps = facts.apps and report.keys(facts.apps), has_default_app = default_app ~= nil,
    confirm_s = self_service and self_service.confirm }
end

-- --- while deciding ---

local invalid_key = { status = 401, code = "invalid_api_key" }
local invalid_token = { status = 401, code = "invalid_token" }
local expired_token = { status = 401, code = "token_expired" }
local unusable_token = { status = 403, code = "identity_incomplete" }
local unavailable = { status = 503, code = "auth_unavailable", retry_after = 2 }

-- What may be said to whoever presented the token: before its signature is known to be good, nothing.
local told = {
  expired = { expired_token, "the token has expired" },
  not_yet_valid = { invalid_token, "the token is not valid yet" },
  audience = { invalid_token, "the token is meant for another audience" },
  person_disabled = { invalid_token, "whose token this is has been disabled: ask an administrator" },
  keys_unavailable = { unavailable, "tokens cannot be verified at the moment: try again" },
}

local function spell_header(name)
  return name == "authorization" and "Authorization" or name
end

-- "'Authorization: Bearer <key>', 'x-api-key' or 'api-key'"
local function places(names, what)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = name == "authorization" and ("'Authorization: Bearer <%s>'"):format(what) or ("'%s'"):format(name)
  end
  if #list < 2 then return list[1] end
  return table.concat(list, ", ", 1, #list - 1) .. " or " .. list[#list]
end

local function missing_text(how)
  if #how.keys == 0 then return "no token: send it in the header " .. places(how.tokens, "token") end
  local text = "no API key: send it in the header " .. places(how.keys, "key")
  if #how.issuers > 0 then text = text .. "; or a token in " .. places(how.tokens, "token") end
  return text
end

local function token_refusal()
  local word, detail, claim = core.refusal()
  local action, text = invalid_token, "the token is not valid"
  if told[word] then action, text = told[word][1], told[word][2] end
  if word == "claim" and claim then
    action, text = unusable_token,
      ("the token's claim '%s' is of a kind that cannot be used, or too long"):format(claim)
  end
  local issuer = core.issuer()
  return action, text, "jwt", ("%s: %s%s"):format(word, detail, issuer and " (" .. issuer .. ")" or "")
end

function credentials.refusal(how)
  local state, header_name = core.credential()
  if state == "live" then return nil end
  if state == "refused" then return token_refusal() end
  if state == "missing" then return invalid_key, missing_text(how), "keys" end
  if state == "unknown" then
    return invalid_key, ("the API key in the header '%s' is not known"):format(spell_header(header_name or "")), "keys"
  end
  local words = state == "revoked" and "the API key %s is revoked" or "the API key %s has expired"
  return invalid_key, words:format(core.key_id() or ""), "keys"
end

-- "key key_7Q" or "the token", and where the field would have come from.
function credentials.who(f)
  return core.issuer() and "the token" or "key " .. tostring(f.key_id)
end

function credentials.lacks(how, f, field)
  local issuer = core.issuer()
  if not issuer then return ("key %s has no %s"):format(tostring(f.key_id), field) end
  local by = how.by_issuer[issuer]
  local claim = by and by.claim_of[field]
  if claim then return ("the token has no %s: its claim '%s' is missing"):format(field, claim) end
  return ("the token has no %s: auth.lua names no claim for it"):format(field)
end

return credentials

-- Tokens as auth.lua sees them: claims that become an identity, sentences of refusals, mistakes in the file itself.
local gw = require "moongate.test"

local ISSUER = "https://login.example.com"
local KEYS = [[{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
  {"kty":"oct","k":"AAAA"}]}]]

local APPS = 'return apps { ["chat"] = { department = "support" }, ["portal"] = {} }'

local function load(auth, more)
  local texts = { auth = auth, apps = APPS, ["login.json"] = KEYS }
  for name, text in pairs(more or {}) do texts[name] = text end
  return gw.load_text(texts)
end

describe("a token", function()
  local mg = load [[return auth {
    jwt = {
      issuer = "https://login.example.com", audience = { "moongate", "other" }, jwks = file "login.json", leeway = "10s",
      claims = { user = "sub", department = "dept", roles = "groups", app = "azp", team = "org.team",
                 cost_center = "https://example.com/cc", approvals = "models" },
    },
    labels  = { "cost_center" },
    require = { "user", "app", "department" },
    enrich  = function(id)
      if id.roles["admin"] then return { tier = "gold" } end
    end,
  }]]

  local function call(token, more)
    local t = { model = "one", token = token }
    for name, value in pairs(more or {}) do t[name] = value end
    return mg:request(t)
  end

  it("is the identity that its claims say", function()
    local r = call { iss = ISSUER, sub = "ana", azp = "chat", dept = "law", org = { team = "eu" }, groups = { "a", "b" } }
    assert.allowed(r)
    assert.same({ "ana", "chat", "law", "eu" }, { r.user, r.app, r.department, r.team })
    assert.explained_by(r, "auth/jwt")
  end)

  it("takes the app's department where it names none", function()
    assert.equal("support", call({ sub = "ana", azp = "chat" }).department)
  end)

  it("says which claim is missing", function()
    local r = call { sub = "ana", dept = "law" }
    assert.denied(r, 403, "unknown_app")
    assert.equal("the token has no app: its claim 'azp' is missing, and auth.lua has no default_app", r.denied.reason)
    r = call { azp = "portal", sub = "ana" }
    assert.denied(r, 403, "identity_incomplete")
    assert.equal("the token has no department: its claim 'dept' is missing", r.denied.reason)
    assert.denied(call { sub = "ana", dept = "law", azp = "unheard-of" }, 403, "unknown_app")
  end)

  it("must be of an issuer that is named", function()
    local r = call { iss = "https://evil.example.com", sub = "ana", azp = "chat" }
    assert.denied(r, 401, "invalid_token")
    assert.equal("the token is not valid", r.denied.reason)
    assert.is_nil(r.user)
  end)

  local refusals = {
    { "expired",          401, "token_expired",    "the token has expired" },
    { "not_yet_valid",    401, "invalid_token",    "the token is not valid yet" },
    { "audience",         401, "invalid_token",    "the token is meant for another audience" },
    { "keys_unavailable", 503, "auth_unavailable", "tokens cannot be verified at the moment: try again" },
    -- Before the signature is known to be good nothing more is said.
    { "signature",        401, "invalid_token",    "the token is not valid" },
    { "unknown_key",      401, "invalid_token",    "the token is not valid" },
    { "algorithm",        401, "invalid_token",    "the token is not valid" },
    { "malformed",        401, "invalid_token",    "the token is not valid" },
    { "too_large",        401, "invalid_token",    "the token is not valid" },
    { "unsupported",      401, "invalid_token",    "the token is not valid" },
  }
  for _, case in ipairs(refusals) do
    it("that is refused for '" .. case[1] .. "' is told what helps no stranger", function()
      local r = call(case[1])
      assert.denied(r, case[2], case[3])
      assert.equal(case[4], r.denied.reason)
      local detail
      for _, e in ipairs(r.trace) do detail = detail or e.verb == "detail" and e.reason end
      assert.truthy(detail and detail:find("^" .. case[1] .. ": "), "the record says why")
    end)
  end

  it("with a claim of a wrong kind is refused, not half believed", function()
    for _, claims in ipairs {
      { dept = { "law", "sales" } }, { dept = { of = "law" } }, { groups = { "a", 1 } }, { groups = { of = "a" } },
      { dept = ("x"):rep(257) }, { groups = { { "a" } } },
    } do
      claims.sub, claims.azp = "ana", "chat"
      local r = call(claims)
      assert.denied(r, 403, "identity_incomplete")
      assert.truthy(r.denied.reason:find("the token's claim '" .. (claims.dept and "dept" or "groups") .. "'", 1, true))
    end
  end)

  it("may hold numbers, one text in a list, and a list as words", function()
    local r = call { sub = 4711, azp = { "chat" }, dept = "law", groups = "x admin y" }
    assert.allowed(r)
    assert.equal("4711", r.user)
  end)

  it("is not helped by what the caller writes beside it", function()
    local r = call({ sub = "ana", dept = "law" }, {
      user = "root", headers = { ["x-moongate-app"] = "chat", ["x-app"] = "chat", ["x-moongate-department"] = "sales" } })
    assert.denied(r, 403, "unknown_app")
    assert.equal("ana", r.user)
  end)
end)

describe("several issuers", function()
  local mg = load [[return auth {
    keys = false,
    jwt = {
      { issuer = "https://people", audience = "a", jwks = file "login.json", claims = { user = "sub" }, default_app = "portal" },
      { issuer = "https://bots", audience = "a", jwks = file "login.json", claims = { user = "client_id", app = "sub" },
        algorithms = { "EdDSA" }, headers = { "x-bot-token" } },
    },
  }]]

  it("give their own claims their own meaning, and their own default app", function()
    local r = mg:request { model = "one", token = { iss = "https://people", sub = "ana", client_id = "x" } }
    assert.allowed(r)
    assert.same({ "ana", "portal" }, { r.user, r.app })
    r = mg:request { model = "one", token = { iss = "https://bots", sub = "chat", client_id = "b1" } }
    assert.same({ "b1", "chat" }, { r.user, r.app })
  end)

  it("without keys say where a token goes", function()
    local r = mg:request { model = "one", key = "missing" }
    assert.denied(r, 401, "invalid_api_key")
    assert.equal("no token: send it in the header 'Authorization: Bearer <token>' or 'x-bot-token'", r.denied.reason)
  end)

  it("are asked for before anything else is, wherever auth stands", function()
    local texts = { aa = [[return policy { on_request = function(ctx) return deny(403, "first", ctx.request.model) end }]],
      chain = { "aa", "auth" } }
    local strict = load("return auth {}", texts)
    assert.denied(strict:request { model = "one", key = "unknown" }, 401, "invalid_api_key")
    assert.denied(strict:request { model = "one", as = { app = "chat" } }, 403, "first")
    local observed = load([[return auth { mode = "observe" }]], texts)
    assert.denied(observed:request { model = "one", key = "unknown" }, 403, "first")
  end)

  it("hide their headers from policies", function()
    local peeking = load([[return auth { keys = { headers = { "x-house-key" } } }]], {
      zz = [[return policy { on_request = function(ctx) return deny(403, "x", ctx.request.headers["x-house-key"]) end }]],
      chain = { "auth", "zz" },
    })
    assert.faulted(peeking:request { model = "one", headers = { ["x-house-key"] = "mgk_1" }, as = { app = "chat" } }, "secret")
  end)
end)

describe("a mistake in auth.lua", function()
  local function says(auth, ...)
    local errors = gw.errors { a = auth, apps = APPS, ["login.json"] = KEYS, ["bad.json"] = "{}" }
    assert.same({ ... }, errors)
  end
  -- "@x" stands for the column of "x" in the file.
  local function jwt(text, ...)
    local source, wanted = 'return auth { jwt = { issuer = "i", audience = "a", ' .. text .. ' } }', {}
    for i, line in ipairs { ... } do
      wanted[i] = line:gsub("^@(%S+)", function(word) return "policies/a.lua:1:" .. source:find(word, 1, true) .. ":" end)
    end
    says(source, unpack(wanted))
  end

  local skipped = "@jwks warning: jwt.jwks: policies/login.json: 1 of its keys are not used; the first: "
    .. "it is symmetric: whoever can verify with it can forge"

  it("is told with its place and cure", function()
    says("return auth { jwt = {} }", "policies/a.lua:1:15: jwt: 'issuer' is missing",
      "policies/a.lua:1:15: jwt: 'audience' is missing", "policies/a.lua:1:15: jwt: 'jwks' is missing")
    says("return auth { keys = false }", "policies/a.lua:1:15: keys: without keys and without jwt nobody could come in")
    says('return auth { keys = { headers = { "Content-Type" } } }',
      "policies/a.lua:1:36: keys.headers[1]: the header 'content-type' has another meaning: no key or token can be in it")
    says('return auth { keys = { headers = { "x y" } } }', "policies/a.lua:1:36: keys.headers[1]: 'x y' is not the name of a header")
    says('return auth { keys = { heders = { "x" } } }',
      "policies/a.lua:1:24: keys.heders: unknown field 'heders' (did you mean 'headers'?)")
    jwt('jwks = "http://login.example.com/keys"', "@jwks jwt.jwks: keys must come over https:// "
      .. "(http:// is for this machine only) (who can change them on their way can make tokens)")
    jwt('jwks = "https://user@login.example.com/keys"',
      "@jwks jwt.jwks: not the URL of a key set: https://host/path, without user, spaces and fragment")
    jwt('jwks = "login.json"',
      "@jwks jwt.jwks: not the URL of a key set: https://host/path, without user, spaces and fragment")
    jwt('jwks = file "none.json"', "@jwks jwt.jwks: there is no file policies/none.json")
    jwt('jwks = file "../x.json"', "@jwks jwt.jwks: there is no file policies/../x.json "
      .. "(its name is made of a-z, 0-9, _ and /, and ends in .json)")
    jwt('jwks = file "bad.json"', "@jwks jwt.jwks: policies/bad.json is no JWK set: "
      .. "not a JWK set: an object with one list \"keys\" is wanted")
    jwt('jwks = file "login.json", algorithms = { "HS256" }', skipped,
      "@\"HS256\" jwt.algorithms[1]: expected one of RS256, ES256, EdDSA, got the text 'HS256' (did you mean 'RS256'?)")
    jwt('jwks = file "login.json", leeway = "1h"', skipped,
      "@leeway jwt.leeway: clocks that differ by more than 5 minutes want repair")
    jwt('jwks = file "login.json", claims = { usr = "sub" }', skipped,
      "@usr jwt.claims.usr: 'usr' is no field of an identity (did you mean 'user'?)")
    jwt('jwks = file "login.json", default_app = "chta"', skipped,
      "@default_app jwt.default_app: app 'chta' is not in policies/apps.lua (did you mean 'chat'?)")
    jwt('jwks = file "login.json"', skipped)
  end)

  it("is two issuers of one name", function()
    local one = '{ issuer = "i", audience = "a", jwks = "https://i/k" }'
    says("return auth { jwt = { " .. one .. ", " .. one .. " } }",
      "policies/a.lua:1:81: jwt[2].issuer: 'i' stands here twice: its tokens would have two meanings")
  end)

  it("is a second auth policy", function()
    local errors = gw.errors { a = "return auth {}", b = "return auth {}", chain = { "a", "b" } }
    assert.same({ "policies/b.lua:1:13: the chain has an auth policy already: policies/a.lua" }, errors)
  end)
end)

-- What policies may keep in the fleet's Redis: redis.get, set, incr, delete. Here a table stands for it, unless a stub
-- answers; tests/e2e/services_redis_spec.lua asks a real one.
local gw = require "moongate.test"

local function with(body)
  return gw.load_text { x = "return policy { on_request = function(ctx) " .. body .. " end }" }
end

local function run(body, t, mg)
  t = t or {}
  t.model = t.model or "one"
  local r = (mg or with(body)):request(t)
  return r.kind == "fault" and r.fault or r.annotations.v, r
end

local function eval(expression, t) return (run("ctx:annotate('v', tostring(" .. expression .. "))", t)) end
local function hidden(call) return "local function same(...) return ... end " .. call:gsub("%(", "(same(", 1) .. ")" end

describe("redis", function()
  it("keeps copies of values until they end", function()
    local mg = with [[
      local list = redis.get "list"
      if list then ctx:annotate("v", list.names[2] .. tostring(list.is_old)) return end
      ctx:annotate("v", "new " .. tostring(redis.set("list", { names = { "a", "b" }, is_old = false }, "1m"))) ]]
    local at = 1790000000
    assert.equal("new true", (run(nil, { time = at }, mg)))
    assert.equal("bfalse", (run(nil, { time = at + 59 }, mg)))
    assert.equal("new true", (run(nil, { time = at + 61 }, mg)))
    assert.equal("nil", eval "redis.get 'nothing'")
    assert.equal("true nil", (run "redis.set('a', 1, '1m') ctx:annotate('v', tostring(redis.set('a', nil)) .. ' ' .. tostring(redis.get 'a'))"))
    assert.equal("true false", (run "redis.set('a', 1, '1m') ctx:annotate('v', tostring(redis.delete 'a') .. ' ' .. tostring(redis.delete 'a'))"))
  end)

  it("counts, and begins anew when the first step's time is over", function()
    local mg = with "ctx:annotate('v', redis.incr('tries:' .. ctx.identity.user, '10m') .. ' ' .. redis.incr('n', '1h', -5))"
    local at = 1790000000
    assert.equal("1 -5", (run(nil, { time = at, user = "ana" }, mg)))
    assert.equal("2 -10", (run(nil, { time = at + 599, user = "ana" }, mg)))
    assert.equal("1 -15", (run(nil, { time = at + 601, user = "ana" }, mg)))
    assert.equal("7", (run "redis.incr('n', '1h', 7) ctx:annotate('v', tostring(redis.get 'n'))"))
  end)

  it("gives what went wrong as a word, and says what it did in the trace", function()
    for _, word in ipairs { "timeout", "refused", "closed", "limit" } do
      local mg = with "local v, err = redis.get 'k' ctx:annotate('v', tostring(v) .. ' ' .. err)"
      mg:stub("REDIS get", function(req)
        assert.equal('["mgp:k"]', req.body)
        return nil, word
      end)
      assert.equal("nil " .. word, (run(nil, nil, mg)))
    end
    local said, r = run "redis.set('t', 'x', '1m') local n, err = redis.incr('t', '1m') ctx:annotate('v', tostring(n) .. ' ' .. err)"
    assert.equal("nil ERR value is not an integer or out of range", said)
    assert.explained_by(r, "x/set t")
  end)

  it("says what is wrong with a call, at load where it is written there", function()
    for call, words in pairs {
      ["redis.get()"] = "redis: get: a key is a text of 1 to 512 bytes",
      ["redis.get('')"] = "redis: get: a key is a text of 1 to 512 bytes",
      ["redis.set('a', 1)"] = 'how long does the key stay? redis.set(key, value, "5m")',
      ["redis.incr('a')"] = 'how long does the key stay? redis.incr(key, "10m")',
      ["redis.set('a', 1, 'soon')"] = 'redis.set(key, value, "5m"): the ttl is written "30s"',
      ["redis.set('a', 1, '31d')"] = "a key stays 30 days at most",
      ["redis.incr('a', '1m', 0.5)"] = "what is added is a whole number",
      ["redis.set('a', ('x'):rep(70000), '1m')"] = "65536 are the most",
      ["redis.set('a', function() end, '1m')"] = "no JSON for a function",
    } do
      assert.truthy((run(hidden(call)) or ""):find(words, 1, true), call .. " → " .. tostring((run(hidden(call)))))
    end
    local errors = gw.errors { a = "return policy { on_request = function(ctx) redis.set('a', 1, 'soon') end }" }
    assert.truthy(errors[1] and errors[1]:find("the ttl is written", 1, true), errors[1])
    errors = gw.errors { a = "return policy { on_request = function(ctx) redis.gt('a') end }" }
    assert.truthy(errors[1] and errors[1]:find("redis has no 'gt'", 1, true), errors[1])
  end)
end)

-- A hundred thousand decisions of random policies on random requests: every one comes to a verdict, a fault names its file
-- and line, memory stays under the cap, and a request is decided the same whoever was decided before it.
--
-- RANDOM_SEED and RANDOM_BUNDLES ask for others and for more (make fuzz-policy).
local gw = require "moongate.test"
local random = dofile("tests/lib/random_policies.lua")
local hooks = dofile("tests/lib/random_hooks.lua")(random)

local SEED = tonumber(os.getenv("RANDOM_SEED") or "20261124")
local BUNDLES = tonumber(os.getenv("RANDOM_BUNDLES") or "1000")
local REQUESTS = 100
local STATE_BYTES_MAX = 64 * 1024 * 1024

local function texts()
  local files, chain = random.bundle()
  local bundle = random.texts(files, chain)
  bundle.free = hooks.file()
  table.insert(chain, random.number(#chain) + 1, "free")
  return bundle
end

-- What was decided, in one line.
local function word(r)
  if r.kind == "deny" then return ("%d %s %s/%s %s"):format(r.status, r.code, r.policy, r.rule, r.reason) end
  return r.kind == "fault" and "fault" or "allow " .. table.concat(r.targets, ",")
end

local function places_its_fault(r)
  return r.kind ~= "fault" or r.fault:find("policies/[%w_/]+%.lua:%d+: ") ~= nil
end

describe("random policies", function()
  it("decide random requests, one by one and none by another", function()
    random.seed(SEED)
    local seen = { allow = 0, deny = 0, fault = 0 }
    for bundle = 1, BUNDLES do
      local files = texts()
      local ok, mg = pcall(gw.load_text, files)
      local place = ("seed %d, bundle %d:\n%s\n"):format(SEED, bundle, files.free)
      if not ok then error(place .. tostring(mg), 0) end
      local requests, first = {}, {}
      for i = 1, REQUESTS / 2 do
        requests[i] = random.request()
        local r = mg:request(requests[i])
        seen[r.kind] = seen[r.kind] + 1
        if not places_its_fault(r) then error(place .. "a fault without its place: " .. tostring(r.fault), 0) end
        first[i] = word(r)
      end
      for i = REQUESTS / 2, 1, -1 do
        local again = word(mg:request(requests[i]))
        if again ~= first[i] then error(("%srequest %d: first %s, then %s"):format(place, i, first[i], again), 0) end
      end
      if mg:memory() > STATE_BYTES_MAX then error(place .. "holds " .. mg:memory() .. " bytes", 0) end
    end
    assert.is_true(seen.allow > BUNDLES and seen.deny > BUNDLES and seen.fault > BUNDLES,
      ("%d allowed, %d denied, %d faults"):format(seen.allow, seen.deny, seen.fault))
  end)
end)

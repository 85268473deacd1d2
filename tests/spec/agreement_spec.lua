-- Deciding, explaining, comparing and linting understand a policy alike. Of random bundles, each changed a few times, and
-- random requests:
--   explain gives the decision, and a rule that did not apply has a condition that does not hold;
--   where diff finds nothing, nothing differs; what loosens refuses nobody more, what tightens nobody less, and a change
--   without a direction does neither;
--   a rule that lint calls unreachable never acts.
--
-- AGREE_SEED and AGREE_BUNDLES ask for others and for more (make fuzz-policy).
local gw = require "moongate.test"
local random = dofile("tests/lib/random_policies.lua")
local changes = dofile("tests/lib/random_changes.lua")(random)

local SEED = tonumber(os.getenv("AGREE_SEED") or "20261124")
local BUNDLES = tonumber(os.getenv("AGREE_BUNDLES") or "80")
local CHANGES, REQUESTS, EXPLAINED = 3, 40, 4

local function show(files, chain)
  local parts, names = { "chain " .. table.concat(chain, ", ") }, {}
  local texts = random.texts(files, chain)
  for name in pairs(texts) do
    if name ~= "chain" then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do parts[#parts + 1] = "-- " .. name .. "\n" .. texts[name] end
  return table.concat(parts, "\n")
end

-- What was decided, in one line.
local function word(r)
  if r.kind == "deny" then return ("deny %d %s %s/%s"):format(r.status, r.code, r.policy, r.rule) end
  return r.kind .. " " .. table.concat(r.targets or {}, ",")
end

local function load(files, chain)
  local texts = {}
  for name, text in pairs(random.texts(files, chain)) do
    local is_used = name == "chain" or name == "models" or name == "apps"
    for _, used in ipairs(chain) do is_used = is_used or used == name end
    texts[name] = is_used and text or nil
  end
  local ok, mg = pcall(gw.load_text, texts)
  if not ok then error(show(files, chain) .. "\n" .. tostring(mg), 0) end
  return mg, texts
end

-- --- explain ---

local told = { explained = 0, unreachable = 0 }

local function check_conditions(mg, t, answer)
  for _, policy in ipairs(answer.policies) do
    for _, step in ipairs(policy.steps._raw and {} or policy.steps) do
      local all = true
      for _, condition in ipairs(step.conditions._raw and {} or step.conditions) do all = all and condition.holds end
      if step.applies ~= all then
        error(("explain: %s applies: %s, its conditions: %s\n%s"):format(step.rule, tostring(step.applies), tostring(all), mg:explain(t, "text")), 0)
      end
    end
  end
end

local function check_explained(mg, t, r)
  local answer = mg:explain(t, "brief")
  local v = answer.verdict
  local said = v.kind == "deny" and ("deny %d %s %s/%s"):format(v.status, v.code, v.policy, v.rule)
    or v.kind .. " " .. table.concat(v.targets or {}, ",")
  if said ~= word(r) then error(("decided %s, explained %s\n%s"):format(word(r), said, mg:explain(t, "text")), 0) end
  check_conditions(mg, t, answer)
  told.explained = told.explained + 1
end

-- --- lint ---

-- "policy/rule" of those that never act, with the rule that is in the way where it may have no target left.
local function unreachable(texts, files)
  local rules = {}
  for _, said in ipairs(gw.errors(texts)) do
    local name, i, rest = said:match("^policies/(%w+)%.lua:%d+:%d+: warning: rules%[(%d+)%]: never reached: (.*)$")
    if name then rules[name .. "/" .. files[name].rules[tonumber(i)][1]] = rest:match("^'([^']*)'.*target left") or true end
  end
  return rules
end

local function check_reach(rules, r)
  local acted, skipped = {}, {}
  for _, step in ipairs(r.trace) do
    local name = step.policy .. "/" .. (step.rule or "")
    if step.verb == "skip" then skipped[name] = true else acted[name] = true end
  end
  for name, before in pairs(rules) do
    told.unreachable = told.unreachable + 1
    local excused = before ~= true and skipped[name:match("^[^/]*/") .. before]
    if acted[name] and not excused then return name end
  end
end

-- --- diff ---

-- "loosens", "tightens", nothing, or "unknown" for both at once.
local function direction(list)
  local all
  for _, change in ipairs(list) do
    if change.effect == "unknown" then return "unknown" end
    if change.effect and all and all ~= change.effect then return "unknown" end
    all = change.effect or all
  end
  return all or (#list == 0 and "same" or "nothing")
end

local wrong = {
  loosens = function(was, is) return was.kind == "allow" and is.kind ~= "allow" end,
  tightens = function(was, is) return was.kind ~= "allow" and is.kind == "allow" end,
  nothing = function(was, is) return (was.kind == "allow") ~= (is.kind == "allow") end,
  same = function(was, is) return word(was) ~= word(is) end,
  unknown = function() return false end,
}

local function check_change(before, after, requests, decided)
  local list = gw.diff(before, after).changes
  local said = direction(list._raw and {} or list)
  for i, t in ipairs(requests) do
    local is = after:request(t)
    if wrong[said](decided[i], is) then
      error(("diff says %s, and this goes from %s to %s\n%s\n%s"):format(said, word(decided[i]), word(is), gw.diff(before, after, "text"),
        after:explain(t, "text")), 0)
    end
    if (decided[i].kind == "allow") ~= (is.kind == "allow") then told[said] = (told[said] or 0) + 1 end
  end
end

-- --- all together ---

-- Every other bundle is a small one, in which a single wrong order shows.
local function check_bundle(is_small)
  local files, chain = (is_small and random.small_bundle or random.bundle)()
  if not is_small then files.models = random.pick(changes.models) end
  local mg, texts = load(files, chain)
  local never, requests, decided = unreachable(texts, files), {}, {}
  for i = 1, REQUESTS do
    requests[i] = random.wide_request()
    decided[i] = mg:request(requests[i])
    local acted = check_reach(never, decided[i])
    if acted then error(("lint: %s is never reached, and acts\n%s"):format(acted, mg:explain(requests[i], "text")), 0) end
    if i <= EXPLAINED then check_explained(mg, requests[i], decided[i]) end
  end
  for _ = 1, CHANGES do
    local changed, order = (is_small and changes.value or changes.one)(files, chain)
    local after = load(changed, order)
    local ok, why = pcall(check_change, mg, after, requests, decided)
    if not ok then error(why .. "\n" .. show(files, chain) .. "\n=== changed\n" .. show(changed, order), 0) end
  end
end

describe("deciding, explaining, comparing and linting", function()
  it("agree on random policies and requests", function()
    random.seed(SEED)
    random.widen(true)
    for bundle = 1, BUNDLES do
      local ok, why = pcall(check_bundle, bundle % 2 == 0)
      if not ok then error(("seed %d, bundle %d: %s"):format(SEED, bundle, why), 0) end
    end
    random.widen(false)
    assert.is_true((told.loosens or 0) > BUNDLES / 4 and (told.tightens or 0) > BUNDLES / 4 and told.explained >= BUNDLES,
      ("%d loosened, %d tightened"):format(told.loosens or 0, told.tightens or 0))
    if os.getenv("AGREE_TELL") then
      for name, count in pairs(told) do print(name, count) end
    end
  end)
end)

-- Names of callers that look misspelt: a department, team or role that these policies name once, where another that
-- differs by a letter or two stands in several places. Keys and tokens may hold any, so nothing can be refuted:
-- it is a warning.
--
--   names(definitions, apps)      -- of all files; definitions: scripts/load.lua
local core, use = ...
local report = use "report"
local predicates = use "predicates"
local sub = report.sub

local fact_of = { department = "department", departments = "department", team = "team", role = "role", roles = "role",
  tier = "tier", region = "region" }

local LENGTH_MIN, DEPTH_MAX, NAMES_MAX = 5, 12, 2000

local function is_plain(value) return type(value) == "table" and not getmetatable(value) end

local function add(seen, fact, name, file, path, is_listed)
  if type(name) ~= "string" then return end
  seen[fact] = seen[fact] or { list = {} }
  local of, one = seen[fact], seen[fact][name]
  if not one then
    if #of.list >= NAMES_MAX then return end
    one = { count = 0, file = file, path = path }
    of[name], of.list[#of.list + 1] = one, name
  end
  one.count, one.is_listed = one.count + 1, one.is_listed or is_listed
end

local function values_of(value)
  local predicate = predicates.of(value)
  if predicate then return type(predicate.value) == "table" and predicate.value or {}, true end
  if is_plain(value) then return value end
  return { value }, true
end

-- examples may name whom they like.
local function visit(seen, spec, file, path, depth)
  if not is_plain(spec) or depth > DEPTH_MAX then return end
  for key, value in pairs(spec) do
    local fact, at = fact_of[key], sub(path, key)
    if fact then
      local list, is_one = values_of(value)
      for i, name in ipairs(list) do add(seen, fact, name, file, is_one and at or sub(at, i)) end
    elseif key ~= "examples" then visit(seen, value, file, at, depth + 1) end
  end
end

-- What is left of two words without their common beginning and end.
local function difference(a, b)
  local from, back = 1, 0
  while from <= #a and a:byte(from) == b:byte(from) do from = from + 1 end
  while back < math.min(#a, #b) - from + 1 and a:byte(#a - back) == b:byte(#b - back) do back = back + 1 end
  return a:sub(from, #a - back), b:sub(from, #b - back), from + math.max(0, #a - back - from) >= #a
end

-- "team-a" and "team-b", "tier1" and "tier2" are told apart on purpose.
local function is_slip(name, other)
  local own, wanted, is_last = difference(name, other)
  return not (own .. wanted):find("%d") and not (is_last and #own == 1 and #wanted == 1)
end

local function near(of, name)
  local others = {}
  for _, other in ipairs(of.list) do
    if other ~= name and (of[other].is_listed or of[other].count > 1) then others[#others + 1] = other end
  end
  local found = core.nearest(name, others)
  return found and is_slip(name, found) and found
end

return function(definitions, apps)
  local seen = {}
  for name, app in pairs(apps and apps.spec or {}) do
    if is_plain(app) then
      add(seen, "department", app.department, apps.file, sub(sub(nil, name), "department"), true)
    end
  end
  for _, definition in ipairs(definitions) do visit(seen, definition.spec, definition.file, nil, 0) end
  for _, fact in ipairs(report.keys(seen)) do
    local of = seen[fact]
    table.sort(of.list)
    for _, name in ipairs(of.list) do
      local one = of[name]
      local other = one.count == 1 and not one.is_listed and #name >= LENGTH_MIN and near(of, name)
      if other then
        report.begin(one.file)
        report.warn(one.path, "lone_name",
          ("the %s '%s' stands here only, and '%s' in other places"):format(fact, name, other),
          ("did you mean '%s'?"):format(other))
      end
    end
  end
end

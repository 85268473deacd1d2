-- metrics.counter "name", metrics.histogram "name": figures of a policy's own, in /metrics with moongate_policy_ before
-- the name. Declared at the top of a file, counted in hooks:
--
--   local checks = metrics.counter "moderation_checks_total"
--   checks { verdict = "flagged" }              -- one more
--   checks({ verdict = "clean" }, 3)            -- three more
--   local took = metrics.histogram "moderation_seconds"
--   took(0.12, { service = "a" })               -- seconds
--
-- At most three labels, and few values of each: beyond 100 sets of them a metric counts under "other". Never a user,
-- a key, a text.
local core, use = ...
local report = use "report"
local schema = use "schema"
local withhold = use "withhold"
local raise = use "raise"

local metrics = {}

local SETS_MAX = 100
local declared = {}

local function flatten(f, name, labels)
  local list = {}
  if labels == nil then return list end
  if type(labels) ~= "table" then
    raise.error("bad_value", ("%s: labels are a table, got %s"):format(name, schema.kind_of(labels)), 0)
  end
  for _, label in ipairs(report.keys(labels)) do
    local value = labels[label]
    if type(label) ~= "string" or not label:find("^[a-z][a-z0-9_]*$") or #label > 32 then
      raise.error("bad_name", ("%s: a label is made of a-z, 0-9 and _, got %s"):format(name, tostring(label)), 0)
    end
    local kind = type(value)
    if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
      raise.error("bad_value", ("%s: the label '%s' is a text, got %s"):format(name, label, schema.kind_of(value)), 0)
    end
    list[#list + 1], list[#list + 2] = label, withhold(f, tostring(value)):sub(1, 64)
  end
  if #list > 6 then error(name .. ": at most three labels", 0) end
  return list
end

-- The same list, or one with every value "other" when there are too many sets.
local function bound(metric, list)
  local key = table.concat(list, "\0")
  if metric.sets[key] then return list end
  if metric.set_count == SETS_MAX then
    for i = 2, #list, 2 do list[i] = "other" end
    return list
  end
  metric.sets[key] = true
  metric.set_count = metric.set_count + 1
  return list
end

local function add(metric, value, labels)
  if type(value) ~= "number" or value ~= value or value < 0 or value == math.huge then
    raise.error("bad_value", ("%s: counted in numbers of 0 or more, got %s"):format(metric.name,
      schema.kind_of(value)), 0)
  end
  if metric.kind == "counter" and value % 1 ~= 0 then
    raise.error("bad_value", metric.name .. ": a counter counts whole numbers", 0)
  end
  local f = core.facts()
  local list = flatten(f, metric.name, labels)
  if f._quiet or (f._policy and f._policy.mode == "observe") then return end
  core.metric(metric.kind, metric.name, value, bound(metric, list))
end

local function declare(kind, name)
  if core.is_deciding() then
    error(("metrics.%s: declare '%s' at the top of the file, not inside a hook"):format(kind, tostring(name)), 0)
  end
  if type(name) ~= "string" or not name:find("^[a-z][a-z0-9_]*$") or #name > 60 then
    raise.error("bad_value", ("metrics.%s: a name is made of a-z, 0-9 and _, got %s"):format(kind,
      schema.kind_of(name)), 0)
  end
  local metric = declared[name] or { kind = kind, name = name, sets = {}, set_count = 0 }
  if metric.kind ~= kind then error(("metrics: '%s' is a %s already"):format(name, metric.kind), 0) end
  declared[name] = metric
  return metric
end

metrics.words = {
  counter = function(name)
    local metric = declare("counter", name)
    return function(labels, count) return add(metric, count == nil and 1 or count, labels) end
  end,
  histogram = function(name)
    local metric = declare("histogram", name)
    return function(seconds, labels) return add(metric, seconds, labels) end
  end,
}

return metrics

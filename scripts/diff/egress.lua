-- What changed in egress of moongate.lua: which services policies may call, and with which data.
local core, use = ...
local changes = use "diff/changes"
local schema = use "schema"

local function class_of(service) return type(service) == "table" and service.clearance or "public" end

local function rank(class) return schema.class_rank[class] or 0 end

local function compare_one(url, old, new)
  local before, after = class_of(old), class_of(new)
  local function add(how, text, effect) changes.add("egress", how, url, text, "moongate.lua", effect) end
  if old == nil then add("added", after .. " data may be sent there", "loosens")
  elseif new == nil then add("removed", "nothing may be sent there", "tightens")
  elseif before ~= after then
    add("changed", ("clearance %s → %s"):format(before, after), rank(after) > rank(before) and "loosens" or "tightens")
  end
end

return function(old, new)
  for _, url in ipairs(changes.keys(old, new)) do compare_one(url, old[url], new[url]) end
end

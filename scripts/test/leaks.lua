-- Finds policies that remember: what their functions can reach through upvalues is compared before and after each
-- evaluation. What a policy keeps that way is lost at every reload and differs from worker to worker.
--
--   leaks.watch(engine)      -- from here on a call that changes something raises "LEAK policy^seen.ana: nil -> true"
local leaks = {}

local SHOWN_MAX = 5

local function map_of(text)
  local map, order = {}, {}
  for path, value in text:gmatch("([^\1\n]*)\1([^\n]*)\n") do
    map[path] = value
    order[#order + 1] = path
  end
  return map, order
end

local function differences(before, after)
  local was, was_order = map_of(before)
  local is, is_order = map_of(after)
  local list, last = {}, nil
  local function add(path, old, new)
    -- what stands within something that is told already needs no line of its own
    if last and path:sub(1, #last) == last and path:find("^[%.%[%(%^]", #last + 1) then return end
    last = path
    list[#list + 1] = ("LEAK %s: %s -> %s"):format(path, old or "nil", new or "nil")
  end
  for _, path in ipairs(is_order) do
    if was[path] ~= is[path] then add(path, was[path], is[path]) end
  end
  for _, path in ipairs(was_order) do
    if is[path] == nil then add(path, was[path], nil) end
  end
  return list
end

-- "x_spec.lua:12: ", the line of the spec that asked.
local function place()
  for level = 2, 20 do
    local caller = debug.getinfo(level, "Sl")
    if not caller then return "" end
    if caller.currentline > 0 and not caller.short_src:find("^scripts/") then
      return ("%s:%d: "):format(caller.short_src, caller.currentline)
    end
  end
  return ""
end

local function complain(list)
  local count = #list
  for i = SHOWN_MAX + 1, count do list[i] = nil end
  if count > SHOWN_MAX then list[#list + 1] = ("and %d more"):format(count - SHOWN_MAX) end
  list[#list + 1] =
    "a policy forgets at every reload, and each worker has its own; keeps_state = true in its file allows it"
  error(place() .. table.concat(list, "\n"), 0)
end

-- Functions of the engine that decide nothing.
local harmless = { memory = true, outline = true, ran = true, remembered = true }

local function compare(before, remembered, set, ...)
  local after = remembered(set)
  if before ~= after then complain(differences(before, after)) end
  return ...
end

function leaks.watch(engine)
  local remembered, load = engine.remembered, engine.load
  engine.load = function(bundle, providers, with_lines) return load(bundle, providers, with_lines or false) end
  for name, fn in pairs(engine) do
    if type(fn) == "function" and not harmless[name] then
      engine[name] = function(set, ...)
        if type(set) ~= "userdata" then return fn(set, ...) end
        return compare(remembered(set), remembered, set, fn(set, ...))
      end
    end
  end
end

return leaks

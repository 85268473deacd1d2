-- What the head of a prompt's file may name beside Lua's own: types of variables, JSON from beside it, bounds of cases.
-- Called with the environment that the head will see; what it makes are plain tables, which become JSON.

local env = ...

-- `integer`, `integer {}` and `integer { min = 1 }` all declare one.
local function typed(name)
  return setmetatable({ type = name }, {
    __call = function(_, declared)
      if type(declared) ~= "table" then error(name .. " takes a table: " .. name .. " { … }", 2) end
      local made = { type = name }
      for key, value in pairs(declared) do made[key] = value end
      return made
    end,
  })
end

for _, name in ipairs { "text", "number", "integer", "boolean", "list", "image", "file", "audio" } do
  env[name] = typed(name)
end

-- choice { "plain", "warm", default = "plain" }
function env.choice(declared)
  if type(declared) ~= "table" or #declared == 0 then error('write choice { "one", "other" }', 2) end
  local made = { type = "choice", values = {} }
  for key, value in pairs(declared) do
    if type(key) ~= "number" then made[key] = value end
  end
  for i, value in ipairs(declared) do made.values[i] = value end
  return made
end

-- As a type; or json "schema.json", a file beside this one; or json [[{"a":1}]], the text itself.
env.json = setmetatable({ type = "json" }, {
  __call = function(_, given)
    if type(given) == "string" then return { ["$json"] = given } end
    if type(given) ~= "table" then error('write json "file.json", json [[{…}]], or json { max = … }', 2) end
    local made = { type = "json" }
    for key, value in pairs(given) do made[key] = value end
    return made
  end,
})

for _, name in ipairs { "le", "ge", "lt", "gt" } do
  env[name] = function(bound)
    if type(bound) ~= "number" then error(name .. " takes a number", 2) end
    return { [name] = bound }
  end
end

-- The head itself: a case's name stands first in it, { "promises no refund", with = { … } }.
function env.head(written)
  if type(written.cases) ~= "table" then return written end
  for i, case in ipairs(written.cases) do
    if type(case) == "table" and case[1] ~= nil then
      local made = { name = case[1] }
      for key, value in pairs(case) do
        if key ~= 1 then made[key] = value end
      end
      written.cases[i] = made
    end
  end
  return written
end

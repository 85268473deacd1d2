-- The first script of a generation: loads the others, then the bundle.
-- Runs once, in a fresh state, with everything that C offers as its argument; policies never see that table.
local core = ...

local loaded = {}

-- One script by its name below scripts/, run once.
local function use(name)
  local module = loaded[name]
  if module == nil then
    module = core.script("scripts/" .. name .. ".lua")(core, use) or true
    loaded[name] = module
  end
  return module
end

core.keep(use)
use "load"

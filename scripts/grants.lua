-- Grants that hold for the caller of a request, for one model: what the registry gave, read from C at each decision.
--
--   for _, grant in ipairs(grants.of(f, "claude-3-opus")) do … end     -- the ordinary ones first
--     grant: { id, covers = "user" | "app" | "department", ends_at, purpose, purpose_word, break_glass }
--   grants.state(f, name)      -- { pending = "apr_…", expired = "gnt_…" }, as far as the registry says
--   grants.url(name)           -- where one asks for it; nil: moongate.lua names no console
--
-- A purpose is a sentence; where it begins with a word and a colon ("tender: the new town hall") that word is what
-- conditions and rows compare.
local core, use = ...

local grants = {}

-- A line: state, covers, id, ends_at, then the purpose (core/lua/bind_grants.c).
local function read_line(line)
  local state, covers, id, ends_at, purpose = line:match("^(%l+) (%l+) (%S+) (%d+) (.*)$")
  return { state = state, covers = covers, id = id, ends_at = ends_at + 0, purpose = purpose,
    purpose_word = purpose:match("^([%w_%-]+):") or purpose, break_glass = state == "glass" }
end

local none = { of = {}, state = {} }

local function read(text)
  if not text or text == "" then return none end
  local out, glass = { of = {}, state = {} }, {}
  for line in text:gmatch("[^\n]+") do
    local one = read_line(line)
    if one.state == "active" then out.of[#out.of + 1] = one
    elseif one.state == "glass" then glass[#glass + 1] = one
    else out.state[one.state] = one.id end
  end
  for _, one in ipairs(glass) do out.of[#out.of + 1] = one end
  return out
end

local function seen(f, name)
  local known = f._grants
  if not known then
    known = {}
    f._grants = known
  end
  known[name] = known[name] or read(core.grants(name))
  return known[name]
end

function grants.of(f, name) return seen(f, name).of end

function grants.state(f, name) return seen(f, name).state end

-- What lets him through to the model that is asked for, by whatever row.
function grants.first(f, name) return name and seen(f, name).of[1] or nil end

function grants.url(name) return core.console_url and core.console_url(name) or nil end

return grants

-- Which budget is meant, and whose: `moongate topup "department sales" 100`.
--
--   use "budget_of" { scope = "department sales", budget = "sales", now = 1760000000 }
--     → JSON { budget, scope, spelt, mode, limit, start, stop, key, zone, near }, 0
--     → what is wrong, its cure in a second line, and 1
--
-- A scope is written as `moongate budgets` shows it, "department sales, no app" or "everybody", as team:research, or as
-- it is counted, "department=sales,app=" (scripts/scopes.lua). budget may be nil; the answer's is its policy and row,
-- scope and key are as scripts/scopes.lua has them, times in seconds since 1970 (0: a session's), limit in
-- nano-dollars. near: what one who has misspelt it may have meant.
local core, use = ...
local loaded = use "load"
local json = use "json"
local calendar = use "calendar"
local clock = use "clock"
local facts = use "facts"
local report = use "report"
local scopes = use "scopes"

local function stop(text, hint) error({ text = text, hint = hint }, 0) end

-- --- what is written ---

local function unescape(value)
  return (value:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function read_part(text)
  local name, value = text:match("^([^%s=:]+)=(.*)$")
  if name then return name, unescape(value) end
  name, value = text:match("^([^%s=:]+):%s*(.+)$")
  if name then return name, value end
  if text:match("^no ") then return text:match("^no ([^%s=:]+)$"), "" end
  return text:match("^(%S+)%s+(.+)$")
end

local function read_parts(parts)
  local values, count = {}, 0
  for _, part in ipairs(parts) do
    local name, value = read_part(part:match("^%s*(.-)%s*$"))
    if not name or values[name] then return nil end
    values[name], count = value, count + 1
  end
  return values, count
end

local function split(text)
  local parts = {}
  for part in (text .. ","):gmatch("([^,]*),") do parts[#parts + 1] = part end
  return parts
end

-- Values by field, and how many; nil: it is no scope.
local function read_scope(text)
  if text == "everybody" then return {}, 0 end
  return read_parts(split(text))
end

local function begins_part(text)
  local name = text:match("^%s*no ([^%s=:]+)%s*$") or text:match("^%s*([^%s=:]+)[%s=:]")
  return name ~= nil and scopes.is_scope(name)
end

-- As if each comma that no field comes behind were a value's own: "user Smith, Ana".
local function read_with_commas(text)
  local parts = {}
  for _, part in ipairs(split(text)) do
    if #parts == 0 or begins_part(part) then parts[#parts + 1] = part
    else parts[#parts] = parts[#parts] .. "," .. part end
  end
  return read_parts(parts)
end

-- --- which it is ---

local function all_rows()
  local rows = {}
  for _, policy in ipairs(loaded.policies) do
    if policy.kind == "budget" and not policy.is_off and policy.mode ~= "off" then
      for _, row in ipairs(policy.rows) do rows[#rows + 1] = { row = row, policy = policy } end
      if policy.default_row then rows[#rows + 1] = { row = policy.default_row, policy = policy, is_default = true } end
    end
  end
  return rows
end

local function is_of(row, values, count)
  if #row.parts ~= count then return false end
  for _, part in ipairs(row.parts) do
    local value = values[part.name]
    if not value or part.text and part.text ~= value then return false end
  end
  return true
end

-- What a caller would have who falls under it.
local function caller_of(values)
  local f = {}
  for name, value in pairs(values) do f[name] = value ~= "" and value or nil end
  return f
end

-- The row that stands in the default's place for this caller.
local function covering(entry, values)
  local f = caller_of(values)
  for _, row in ipairs(entry.is_default and entry.policy.rows or {}) do
    if row.covers_default and scopes.applies(row.parts, f) then return row end
  end
end

-- "department sales", "each app": as `moongate budgets` does.
local function spell_row(row)
  local words = {}
  for i, part in ipairs(row.parts) do words[i] = part.text and part.name .. " " .. part.text or "each " .. part.name end
  return #words > 0 and table.concat(words, ", ") or "everybody"
end

local function named(rows, name)
  if not name then return rows end
  local found, names = {}, {}
  for _, entry in ipairs(rows) do
    names[#names + 1] = entry.row.name
    if entry.row.id == name or entry.row.name == name then found[#found + 1] = entry end
  end
  if #found == 0 then
    stop(("no budget is called '%s'"):format(name),
      report.nearest(name, names) or "the budgets are: " .. table.concat(names, ", ", 1, math.min(#names, 12)))
  end
  return found
end

-- The value of each field, in the row's order; nil where it has another field, or a value for each.
local function values_for(row, values, count)
  local own, given = {}, {}
  for i, part in ipairs(row.parts) do own[i], given[i] = part.text, values[part.name] end
  if #row.parts ~= count or #own ~= count or #given ~= count then return nil end
  return table.concat(own, ", "), table.concat(given, ", ")
end

-- Another value of the same fields that is spelt alike; nil too where no row has those fields.
local function nearest_value(rows, values, count)
  local known, said = {}, nil
  for _, entry in ipairs(rows) do
    local own, given = values_for(entry.row, values, count)
    if own then known[#known + 1], said = own, given end
  end
  return said and report.nearest(said, known), said
end

-- One that is spelt alike, or whose name was given instead of its scope.
local function nearest_scope(rows, text, values, count)
  local near, has_fields
  if values then near, has_fields = nearest_value(rows, values, count) end
  if has_fields then return near end
  local spelt = {}
  for _, entry in ipairs(rows) do
    local scope = spell_row(entry.row)
    if entry.row.name == text then return ("did you mean '%s'?"):format(scope) end
    if not scope:find("each ", 1, true) then spelt[#spelt + 1] = scope end
  end
  return report.nearest(text, spelt)
end

-- A value with a comma, which is written in another way.
local function comma_scope(rows, text)
  local values, count = read_with_commas(text)
  for _, entry in ipairs(values and text:find(",", 1, true) and rows or {}) do
    if is_of(entry.row, values, count) then
      return ("is the comma of the name? then write '%s'"):format((scopes.key(entry.row.parts, caller_of(values))))
    end
  end
end

local function list_scopes(rows)
  local seen, list = {}, {}
  for _, entry in ipairs(rows) do
    local scope = spell_row(entry.row)
    if not seen[scope] then seen[scope], list[#list + 1] = true, scope end
  end
  return "they are for: " .. table.concat(list, "; ", 1, math.min(#list, 12))
end

local function check_app(values)
  if not facts.apps or not values.app or values.app == "" or facts.apps[values.app] then return end
  stop(("app '%s' is not in policies/apps.lua: nobody counts under it"):format(values.app),
    report.nearest(values.app, report.keys(facts.apps)))
end

-- Rows that are spelt so, whatever is in their values.
local function spelt_as(rows, text)
  local found = {}
  for _, entry in ipairs(rows) do
    local values = {}
    for _, part in ipairs(entry.row.parts) do values[part.name] = part.text end
    local is_whole = #entry.row.parts > 0 and values_for(entry.row, values, #entry.row.parts) ~= nil
    if is_whole and spell_row(entry.row) == text then found[#found + 1], found.values = entry, values end
  end
  return found
end

local function find(rows, values, count, text)
  local found, owner = {}, nil
  for _, entry in ipairs(rows) do
    if is_of(entry.row, values, count) then
      owner = owner or covering(entry, values)
      if not covering(entry, values) then found[#found + 1] = entry end
    end
  end
  if #found == 0 and owner then
    stop(("the default is not for '%s': the budget '%s' is"):format(text, owner.name),
      ("top it up for '%s'"):format(spell_row(owner)))
  end
  return found
end

local function only_one(found, text)
  if #found == 1 then return found[1] end
  local names = {}
  for i, entry in ipairs(found) do names[i] = entry.row.id end
  stop(("%d budgets are for '%s'"):format(#found, text), "say which: --budget " .. table.concat(names, " or --budget "))
end

-- A name that is counted by its hash is written as `moongate budgets` shows it.
local hash = "%%25(#" .. ("%x"):rep(32) .. ")"
local function key_of(row, f) return (scopes.key(row.parts, f):gsub(hash, "%%%1")) end

local function answer_of(entry, values, near, now)
  local row, policy = entry.row, entry.policy
  local f = caller_of(values)
  local scope, start, finish = key_of(row, f), 0, 0
  if row.period then start, finish = calendar.period(row.period, now, policy.offset_at) end
  local spelt = scopes.spell(row.parts, f, true, "everybody")
  return json.encode { budget = row.id, scope = scope, spelt = spelt, mode = row.mode, limit = row.limit, start = start,
    stop = finish, key = row.prefix .. scope, zone = clock.default_zone or "UTC", near = near }
end

local function resolve(q)
  local everything = all_rows()
  if #everything == 0 then stop("the policies have no budgets", "`budget` in policies/README.md") end
  local rows = named(everything, q.budget)
  local values, count = read_scope(q.scope)
  local found = values and find(rows, values, count, q.scope) or {}
  if #found == 0 then found = spelt_as(rows, q.scope) end
  if found.values then values, count = found.values, #found[1].row.parts end
  if #found == 0 then
    stop(("no budget%s is for '%s'"):format(q.budget and (" called '%s'"):format(q.budget) or "", q.scope),
      comma_scope(rows, q.scope) or nearest_scope(rows, q.scope, values, count) or list_scopes(rows))
  end
  check_app(values)
  local one = only_one(found, q.scope)
  local is_own = values_for(one.row, values, count) ~= nil
  return answer_of(one, values, not is_own and nearest_value(everything, values, count) or nil, q.now)
end

return function(q)
  local ok, answer = pcall(resolve, q)
  if ok then return answer, 0 end
  if type(answer) ~= "table" then error(answer, 0) end
  return answer.text .. "\n" .. (answer.hint or ""), 1
end

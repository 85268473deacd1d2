-- How a request is recorded, where its record alone is not enough:
--
--   record = { durability = "remote", intent = true, texts = { "prompt", "answer" } }      -- the action of a rule
--   ctx:record { texts = { "prompt" } }                                                    -- in on_request
--
-- durability: what the answer's end waits for: "async" nothing, "local" this machine's disk, "remote" PostgreSQL.
-- intent: a row is written before a provider is called. texts: what was asked and answered is kept, sealed.
-- Of what several say the strongest durability counts; intents and texts add up. "remote" where moongate.lua names no
-- PostgreSQL is refused when policies are loaded, and in a hook that came to it otherwise.
local core, use = ...
local report = use "report"
local schema = use "schema"
local modules = use "modules"
local raise = use "raise"
local sub = report.sub

local recording = {}

recording.durabilities = { "async", "local", "remote" }
recording.rank = { async = 1, ["local"] = 2, remote = 3 }
local texts = { "prompt", "answer" }

local EXAMPLE = 'record = { durability = "remote", intent = true, texts = { "prompt", "answer" } }'

local fields = { durability = schema.choice(recording.durabilities), intent = schema.boolean,
  texts = schema.list(schema.choice(texts)) }
local record = schema.record(fields, {}, "field of record")

local function compile(given)
  local out = { durability = given.durability, intent = given.intent == true or nil }
  for _, name in ipairs(given.texts or {}) do out[name] = true end
  return out
end

-- "remote, with an intent, keeps prompt and answer"
function recording.spell(wish)
  local parts, kept = { wish.durability }, {}
  if wish.intent then parts[#parts + 1] = "with an intent" end
  for _, name in ipairs(texts) do
    if wish[name] then kept[#kept + 1] = name end
  end
  if kept[1] then parts[#parts + 1] = "keeps " .. table.concat(kept, " and ") end
  return table.concat(parts, ", ")
end

-- Editors are told of it by scripts/describe.lua.
recording.shape = record

-- The action of a rule, or nil after reporting.
function recording.read(value, path)
  local given = record(value, path)
  if not given then return nil end
  local wish = compile(given)
  if next(wish) == nil then
    report.at(path, "bad_decision", "record says nothing", "write " .. EXAMPLE)
    return nil
  end
  if wish.durability == "remote" then core.wants_remote(report.path(), (report.place(sub(path, "durability")))) end
  return wish
end

-- --- in a hook: raises what is wrong ---

local function bad(finding, text, near)
  raise.error(finding, "ctx:record: " .. text .. (near and " (" .. near .. ")" or ""), 0)
end

local function check_word(value, name, words)
  for _, word in ipairs(words) do
    if value == word then return end
  end
  bad("bad_value", ("%s is one of %s, got %s"):format(name, table.concat(words, ", "), schema.kind_of(value)),
    report.nearest(value, words))
end

local checks = {
  durability = function(value) check_word(value, "durability", recording.durabilities) end,
  intent = function(value)
    if type(value) ~= "boolean" then bad("bad_value", "intent is true or false, got " .. schema.kind_of(value)) end
  end,
  texts = function(value)
    if type(value) ~= "table" then bad("bad_value", "texts is a list, got " .. schema.kind_of(value)) end
    for key, name in pairs(value) do
      if type(key) ~= "number" then bad("bad_value", ("texts is a list: { %q }"):format(tostring(key))) end
      check_word(name, "a text", texts)
    end
  end,
}

function recording.check(value)
  value = modules.thaw(value)
  if type(value) ~= "table" or next(value) == nil then
    bad("bad_value", "it wants a table: { durability = \"remote\", intent = true, texts = { \"prompt\" } }")
  end
  for name, given in pairs(value) do
    local check = checks[name]
    if not check then
      bad("undefined_name", ("there is no field '%s'"):format(tostring(name)),
        report.nearest(name, report.keys(fields)))
    end
    check(given)
  end
  return compile(value)
end

-- Of what recording.check() gave. Its answer would wait in vain.
function recording.check_place(wish)
  if wish.durability == "remote" and not core.has_postgres() then
    bad("no_postgres", 'durability "remote" needs PostgreSQL, and moongate.lua has none',
      'postgres = { url = env "…" } in moongate.lua; or durability = "local"')
  end
end

function recording.apply(wish)
  core.record(wish.durability and recording.rank[wish.durability] or 0, wish.intent or false, wish.prompt or false,
    wish.answer or false)
end

return recording

-- What each fact of the checklist is made with: its status, what is so, how to right it, and some of the rows.
--
--   return fact.ok("default is deny; 4 of 4 models have a row")
--   return fact.failing("2 of 9 keys have no owner", "moongate keys change ID --owner PERSON", { "key_…", "key_…" })
--   local why = fact.missing(state.registry)     -- where what it goes by cannot be read: unknown, and why
local core, use = ...
local moment = use "explain/moment"

local fact = { DAY = 86400 }

local SAMPLE_MAX = 5

local function made(status, value, cure, sample)
  local some = {}
  for i = 1, math.min(SAMPLE_MAX, sample and #sample or 0) do some[i] = sample[i] end
  return { status = status, value = value, cure = cure, sample = some }
end

function fact.ok(value, sample) return made("ok", value, nil, sample) end
function fact.attention(value, cure, sample) return made("attention", value, cure, sample) end
function fact.failing(value, cure, sample) return made("failing", value, cure, sample) end
function fact.unknown(value, cure) return made("unknown", value, cure) end

-- A part of the state that could not be read.
function fact.missing(part, what)
  if part and part.is_open then return nil end
  return fact.unknown(("%s cannot be read: %s"):format(what, part and part.trouble or "nobody said why"),
    "moongate run makes it; -c names the configuration whose data folder it is in")
end

-- The worst of what was found: { { status, text, cure }, … }, or ok with `value`.
local rank = { ok = 0, attention = 1, unknown = 2, failing = 3 }
function fact.of(found, value, sample)
  local worst, texts, cure = "ok", {}, nil
  for _, one in ipairs(found) do
    texts[#texts + 1] = one[2]
    if rank[one[1]] > rank[worst] then worst, cure = one[1], one[3] end
  end
  return made(worst, #texts > 0 and table.concat(texts, "; ") or value, cure, sample)
end

function fact.count(n, one, many) return ("%d %s"):format(n, n == 1 and one or many or one .. "s") end
function fact.day(seconds) return (moment.spell(seconds):sub(1, 10)) end
function fact.instant(seconds) return (moment.spell(seconds)) end

-- "3 hours", "12 days"
function fact.span(seconds)
  if seconds < 2 * 3600 then return fact.count(math.max(0, math.floor(seconds / 60)), "minute") end
  if seconds < 2 * fact.DAY then return fact.count(math.floor(seconds / 3600), "hour") end
  return fact.count(math.floor(seconds / fact.DAY), "day")
end

return fact

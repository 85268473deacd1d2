-- Chat requests whose text nobody has sent before: what `make bench` sends.
--
--   local text = dofile("tests/bench/text.lua")
--   local t = text.new(7)                        -- of one seed always the same, of another nothing the same
--   t:request(1024)                              -- a body of so many bytes; each call another text
--   t:history(32768, 0.5)                        -- a conversation; that share of its messages is new, the rest was sent before
--
--   luajit tests/bench/text.lua KIND COUNT BYTES SEED    # bodies, one a line; KIND: as text.source() says
--
-- Lines of the repository's own documents and sources in another order each time, prose to code about one to one, and in
-- every second line something that is in no dictionary: a number, a commit, a name that somebody made up. A gateway that
-- remembers texts finds none of them; one that remembers words finds most, as it does with people's.
local bit = require("bit")

local text = {}
local generator = {}
generator.__index = generator

local CONVERSATIONS = 64 -- under way at once
local MESSAGES = 40      -- of a history

-- --- where lines come from ---

-- Samples of what redaction masks or refuses: most requests have none.
local function has_secret(line)
  return line:find("%d[%d -]*%d[%d -]*%d%d%d") or line:find("%w@%w") or line:find("sk-", 1, true) or line:find("eyJ", 1, true)
    or line:find("%u%u%u?%-?%d%d")
end

local function lines_of(pattern, list, is_wanted)
  local names = io.popen("ls " .. pattern)
  for name in names:lines() do
    for line in io.lines(name) do
      if is_wanted(line) and not has_secret(line) then list[#list + 1] = line end
    end
  end
  names:close()
end

local function is_prose(line) return #line > 30 and #line < 240 and line:find("^[%w *`-]") end
local function is_comment(line) return #line > 40 and line:find("^%s*[/-]?[*-]+ %u") end
local function is_code(line) return #line > 12 and #line < 160 and not line:find("^%s*[/*-]") end

local function escaped(list)
  for i, line in ipairs(list) do
    list[i] = line:gsub("[%c\\\"]", function(c)
      return c == "\t" and "\\t" or c == "\\" and "\\\\" or c == '"' and '\\"' or ""
    end)
  end
  return list
end

local function read_corpus()
  local prose, code = {}, {}
  lines_of("README.md */README.md */*/README.md", prose, is_prose)
  lines_of("core/*/*.c core/*/*.h scripts/*.lua", prose, is_comment)
  lines_of("core/*/*.c scripts/*.lua scripts/*/*.lua", code, is_code)
  return { escaped(prose), escaped(code) }
end

local corpus = read_corpus()

-- --- chance ---

-- xorshift32 (Marsaglia): a whole number of 1 to n.
function generator:pick(n)
  local s = self.state
  s = bit.bxor(s, bit.lshift(s, 13))
  s = bit.bxor(s, bit.rshift(s, 17))
  s = bit.bxor(s, bit.lshift(s, 5))
  self.state = s
  return s % n + 1
end

local syllables = { "ka", "ro", "ven", "tis", "mol", "qua", "dar", "lin", "zeb", "ost", "fir", "nu", "pel", "gra", "shi", "ton" }

local function made_up(t) return syllables[t:pick(16)] .. syllables[t:pick(16)] .. syllables[t:pick(16)] end

local strange = {
  function(t) return ("%d"):format(t:pick(1000000)) end,
  function(t) return bit.tohex(t:pick(2147483647), 7) end,
  function(t) return made_up(t) .. "_" .. made_up(t) end,
  function(t) return made_up(t):gsub("^%l", string.upper) end,
}

-- --- bodies ---

-- JSON text of about so many bytes: some lines of one kind.
function generator:lines(bytes)
  local from, list, length = corpus[self:pick(2)], {}, 0
  while length < bytes do
    local line = from[self:pick(#from)]
    if self:pick(2) == 1 then line = line .. " " .. strange[self:pick(#strange)](self) end
    list[#list + 1] = line
    length = length + #line + 2
  end
  return table.concat(list, "\\n")
end

function generator:message(role, bytes)
  return ('{"role":"%s","content":"%s"}'):format(role, self:lines(bytes))
end

-- White space behind the object makes it as long as the others.
local function body_of(messages, bytes)
  local body = '{"model":"auto","stream":false,"messages":[' .. table.concat(messages, ",") .. '],"temperature":0.7}'
  return body .. (" "):rep(bytes - #body) -- none where lines came out longer
end

local function role_of(i) return i == 1 and "system" or i % 2 == 0 and "user" or "assistant" end

function generator:messages(count, bytes)
  local list = {}
  for i = 1, count do list[i] = self:message(role_of(i), bytes / count - 80) end
  return list
end

function generator:request(bytes)
  return body_of({ self:message("user", bytes - 130) }, bytes)
end

-- The same conversations whatever the seed is, so that a gateway may have seen them.
local function conversations(bytes)
  local t, list = text.new(1), {}
  for i = 1, CONVERSATIONS do list[i] = t:messages(MESSAGES, bytes) end
  return list
end

function generator:history(bytes, new)
  self.known = self.known or conversations(bytes)
  self.turn = (self.turn or 0) % CONVERSATIONS + 1
  local list = { unpack(self.known[self.turn]) }
  for i = MESSAGES - math.floor(MESSAGES * new) + 1, MESSAGES do
    list[i] = self:message(role_of(i), bytes / MESSAGES - 80)
  end
  return body_of(list, bytes)
end

function text.new(seed)
  local t = setmetatable({ state = bit.bxor(seed * 7919, 0x2545F491) }, generator)
  for _ = 1, 8 do t:pick(2) end -- seeds that are near begin apart
  return t
end

-- --- what is sent ---

local shares = { seen = 0, half = 0.5, new = 1 }

-- A function that gives the next body of that kind: same, fresh, seen, half, new; or text: no body, only lines as JSON spells
-- them.
function text.source(kind, bytes, seed)
  local t = text.new(seed)
  if shares[kind] then return function() return t:history(bytes, shares[kind]) end end
  if kind == "text" then return function() return t:lines(bytes) end end
  if kind == "fresh" then return function() return t:request(bytes) end end
  local one = t:request(bytes)
  return function() return one end
end

if arg and arg[0] and arg[0]:find("text%.lua$") then
  local next_body = text.source(arg[1], tonumber(arg[3]), tonumber(arg[4] or 1))
  for i = 1, tonumber(arg[2]) do io.write(i > 1 and "\n" or "", next_body()) end
end

return text
